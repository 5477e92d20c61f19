//! Sampled tokens with how likely each was and what it was worth, for people to see where a policy
//! hesitates and what it learns.

use stateset_core::{Origin, TokenTrace};
use stateset_nn::{TextFiles, Tokenizer};
use stateset_train::RunFolder;

/// Steps of the scale of log-probs.
const N_SHADES: usize = 10;
/// A log-prob at which the scale ends: one chance in a hundred and fifty.
const LOWEST: f32 = -5.0;
/// Steps of the scale of advantages, to either side of 0.
const N_TINTS: usize = 6;

/// What shades a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Heat {
    /// Its log-prob: the darker, the less likely.
    Logprob,
    /// Its advantage, against the largest one to be shown: green for what is learned, red for what is
    /// unlearned.
    Advantage { largest: f64 },
}

/// A sampled token.
pub(super) struct ShownToken {
    /// Its text.
    pub(super) text: String,
    /// Its log-prob.
    pub(super) logprob: f32,
    /// Its advantage, where that is known.
    pub(super) advantage: Option<f64>,
}

impl ShownToken {
    /// Its shade: `shade-0` (certain) to `shade-9` (unlikely), or `up-0` to `up-5` and `down-0` to
    /// `down-5`.
    pub(super) fn shade(&self, heat: Heat) -> String {
        match heat {
            Heat::Logprob => {
                let share = (self.logprob / LOWEST).clamp(0.0, 1.0);
                let shade = ((share * N_SHADES as f32) as usize).min(N_SHADES - 1);
                format!("shade-{shade}")
            }
            Heat::Advantage { largest } => {
                let advantage = self.advantage.unwrap_or(0.0);
                let share = if largest > 0.0 { (advantage.abs() / largest).min(1.0) } else { 0.0 };
                let tint = (share * (N_TINTS - 1) as f64).ceil() as usize;
                format!("{}-{tint}", if advantage < 0.0 { "down" } else { "up" })
            }
        }
    }

    /// Its numbers in words.
    pub(super) fn numbers(&self) -> String {
        let logprob = format!("log-prob {:.3}", self.logprob);
        match self.advantage {
            Some(advantage) => format!("{logprob}, advantage {advantage:+.3}"),
            None => logprob,
        }
    }
}

/// The tokenizer of a run's model; `None` where it saved no model yet.
pub(super) fn tokenizer_of(run: &RunFolder) -> Option<Tokenizer> {
    let newest = std::fs::read_to_string(run.latest()).unwrap_or_default();
    let newest = run.checkpoints().join(newest.trim());
    let places = [run.final_checkpoint(), run.best_checkpoint(), newest];
    let folder = places.into_iter().find(|folder| folder.join("tokenizer.json").is_file())?;
    Tokenizer::load(&TextFiles::from_folder(&folder).ok()?).ok()
}

/// Every stretch of tokens that the policy sampled, in order; one for each of its turns. `advantages`
/// has one for each of them, or none. Without the tokenizer tokens are numbers.
pub(super) fn sampled(
    trace: &TokenTrace,
    tokenizer: Option<&Tokenizer>,
    advantages: &[f64],
) -> Vec<Vec<ShownToken>> {
    let mut turns = Vec::new();
    let mut advantages = advantages.iter().copied();
    for segment in trace.segments() {
        for span in segment.spans().iter().filter(|span| span.origin == Origin::Sampled) {
            let (tokens, logprobs) = (segment.tokens(), segment.logprobs());
            let shown = (span.start..span.end).map(|i| ShownToken {
                text: text_of(tokens[i], tokenizer),
                logprob: logprobs[i],
                advantage: advantages.next(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::PolicyVersion;

    fn token(logprob: f32, advantage: Option<f64>) -> ShownToken {
        ShownToken { text: String::new(), logprob, advantage }
    }

    #[test]
    fn shades_go_from_certain_to_unlikely() {
        let shades = [0.0, -0.4, -0.6, -2.6, -4.9, -50.0, f32::NEG_INFINITY]
            .map(|logprob| token(logprob, None).shade(Heat::Logprob));
        let expected = [0, 0, 1, 5, 9, 9, 9].map(|shade| format!("shade-{shade}"));
        assert_eq!(shades, expected);
    }

    #[test]
    fn advantages_have_a_side_and_a_size() {
        let heat = Heat::Advantage { largest: 2.0 };
        let tints = [Some(2.0), Some(0.1), Some(0.0), None, Some(-0.1), Some(-2.0)]
            .map(|advantage| token(-1.0, advantage).shade(heat));
        assert_eq!(tints, ["up-5", "up-1", "up-0", "up-0", "down-1", "down-5"]);
        assert_eq!(token(-1.0, Some(0.0)).shade(Heat::Advantage { largest: 0.0 }), "up-0");
        assert_eq!(token(-1.0, Some(0.25)).numbers(), "log-prob -1.000, advantage +0.250");
    }

    #[test]
    fn sampled_tokens_only() {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1, 2]);
        trace.append_sampled(&[3, 4], &[-0.1, -3.0], PolicyVersion(0)).unwrap();
        trace.append_given(&[5]);
        trace.append_sampled(&[6], &[-9.0], PolicyVersion(0)).unwrap();
        let turns = sampled(&trace, None, &[0.5, 0.25, -1.0]);
        let texts: Vec<Vec<&str>> = turns
            .iter()
            .map(|turn| turn.iter().map(|token| token.text.as_str()).collect())
            .collect();
        assert_eq!(texts, [vec!["⟨3⟩", "⟨4⟩"], vec!["⟨6⟩"]]);
        assert_eq!(turns[1][0].advantage, Some(-1.0));
    }
}
