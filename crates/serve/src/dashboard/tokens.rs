//! Sampled tokens with how likely each was, for people to see where a policy hesitates.

use stateset_core::{Origin, TokenTrace};
use stateset_nn::{TextFiles, Tokenizer};
use stateset_train::RunFolder;

/// Steps of the scale.
const N_SHADES: usize = 10;
/// A log-prob at which the scale ends: one chance in a hundred and fifty.
const LOWEST: f32 = -5.0;

/// A sampled token.
pub(super) struct ShownToken {
    /// Its text.
    pub(super) text: String,
    /// Its log-prob.
    pub(super) logprob: f32,
    /// 0 (certain) to 9 (unlikely).
    pub(super) shade: usize,
}

/// The tokenizer of a run's model; `None` where it saved no model yet.
pub(super) fn tokenizer_of(run: &RunFolder) -> Option<Tokenizer> {
    let places = [run.final_checkpoint(), run.best_checkpoint()];
    let folder = places.into_iter().find(|folder| folder.join("tokenizer.json").is_file())?;
    Tokenizer::load(&TextFiles::from_folder(&folder).ok()?).ok()
}

/// Every stretch of tokens that the policy sampled, in order; one for each of its turns. Without the
/// tokenizer tokens are numbers.
pub(super) fn sampled(trace: &TokenTrace, tokenizer: Option<&Tokenizer>) -> Vec<Vec<ShownToken>> {
    let mut turns = Vec::new();
    for segment in trace.segments() {
        for span in segment.spans().iter().filter(|span| span.origin == Origin::Sampled) {
            let (tokens, logprobs) = (segment.tokens(), segment.logprobs());
            let shown = (span.start..span.end).map(|i| ShownToken {
                text: text_of(tokens[i], tokenizer),
                logprob: logprobs[i],
                shade: shade(logprobs[i]),
            });
            turns.push(shown.collect());
        }
    }
    turns
}

fn text_of(token: u32, tokenizer: Option<&Tokenizer>) -> String {
    let decoded = tokenizer.and_then(|tokenizer| tokenizer.decode_after(&[token], false).ok());
    decoded.filter(|text| !text.is_empty()).unwrap_or_else(|| format!("⟨{token}⟩"))
}

fn shade(logprob: f32) -> usize {
    let share = (logprob / LOWEST).clamp(0.0, 1.0);
    ((share * N_SHADES as f32) as usize).min(N_SHADES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::PolicyVersion;

    #[test]
    fn shades_go_from_certain_to_unlikely() {
        let shades = [0.0, -0.4, -0.6, -2.6, -4.9, -50.0, f32::NEG_INFINITY].map(shade);
        assert_eq!(shades, [0, 0, 1, 5, 9, 9, 9]);
    }

    #[test]
    fn sampled_tokens_only() {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1, 2]);
        trace.append_sampled(&[3, 4], &[-0.1, -3.0], PolicyVersion(0)).unwrap();
        trace.append_given(&[5]);
        trace.append_sampled(&[6], &[-9.0], PolicyVersion(0)).unwrap();
        let turns = sampled(&trace, None);
        let texts: Vec<Vec<&str>> = turns
            .iter()
            .map(|turn| turn.iter().map(|token| token.text.as_str()).collect())
            .collect();
        assert_eq!(texts, [vec!["⟨3⟩", "⟨4⟩"], vec!["⟨6⟩"]]);
        assert_eq!(turns[1][0].shade, 9);
    }
}
