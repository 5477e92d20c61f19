//! Flags that say how tokens are drawn.

use clap::Args;
use stateset_core::Sampling;

use super::error::{CliError, Outcome};

/// How tokens are drawn; what is absent is as the command says.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SamplingArgs {
    /// Most tokens of one answer
    #[arg(long, help_heading = "Sampling", value_name = "N")]
    max_new_tokens: Option<usize>,
    /// Divides the logits; 0 always takes the most likely token
    #[arg(long, help_heading = "Sampling", value_name = "T", allow_negative_numbers = true)]
    pub(crate) temperature: Option<f64>,
    /// Keep this many most likely tokens; 0 keeps all
    #[arg(long, help_heading = "Sampling", value_name = "K")]
    top_k: Option<usize>,
    /// Keep the most likely tokens up to this probability; 1 keeps all
    #[arg(long, help_heading = "Sampling", value_name = "P", allow_negative_numbers = true)]
    top_p: Option<f64>,
    /// Drop tokens less likely than this share of the most likely one; 0 drops none
    #[arg(long, help_heading = "Sampling", value_name = "P", allow_negative_numbers = true)]
    min_p: Option<f64>,
    /// How much less likely a token gets that was there before; 1 is off
    #[arg(long, help_heading = "Sampling", value_name = "X", allow_negative_numbers = true)]
    repetition_penalty: Option<f64>,
    /// Always take the most likely token
    #[arg(long, help_heading = "Sampling")]
    pub(crate) greedy: bool,
    /// A text that ends the answer and is cut from it; may be repeated
    #[arg(long, help_heading = "Sampling", value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    stop: Vec<String>,
}

impl SamplingArgs {
    /// The settings, with `base` where nothing was asked for.
    pub(crate) fn over(&self, base: Sampling) -> Outcome<Sampling> {
        let temperature = self.temperature.unwrap_or(base.temperature);
        let asks_to_draw = self.temperature.is_some_and(|t| t > 0.0);
        let stays_greedy = base.greedy && !asks_to_draw;
        let sampling = Sampling {
            max_new_tokens: self.max_new_tokens.unwrap_or(base.max_new_tokens),
            temperature: if temperature == 0.0 { 1.0 } else { temperature },
            top_k: self.top_k.unwrap_or(base.top_k),
            top_p: self.top_p.unwrap_or(base.top_p),
            min_p: self.min_p.unwrap_or(base.min_p),
            repetition_penalty: self.repetition_penalty.unwrap_or(base.repetition_penalty),
            greedy: self.greedy || stays_greedy || temperature == 0.0,
            stop: if self.stop.is_empty() { base.stop } else { self.stop.clone() },
        };
        match problems(&sampling).as_slice() {
            [] => Ok(sampling),
            problems => Err(CliError::bad(format!("sample: {}", problems.join("; ")))),
        }
    }
}

/// Everything that is out of range.
fn problems(sampling: &Sampling) -> Vec<String> {
    let checks = [
        (sampling.max_new_tokens >= 1, "--max-new-tokens", "0".to_owned(), "1 or more"),
        (
            sampling.temperature > 0.0 && sampling.temperature <= 100.0,
            "--temperature",
            sampling.temperature.to_string(),
            "a number from 0 to 100",
        ),
        (
            sampling.top_p > 0.0 && sampling.top_p <= 1.0,
            "--top-p",
            sampling.top_p.to_string(),
            "a number above 0, at most 1",
        ),
        (
            (0.0..1.0).contains(&sampling.min_p),
            "--min-p",
            sampling.min_p.to_string(),
            "a number from 0, below 1",
        ),
        (
            sampling.repetition_penalty > 0.0 && sampling.repetition_penalty <= 100.0,
            "--repetition-penalty",
            sampling.repetition_penalty.to_string(),
            "a number above 0, at most 100",
        ),
    ];
    let wrong = checks.into_iter().filter(|(is_right, ..)| !is_right);
    wrong
        .map(|(_, flag, found, allowed)| format!("{flag} is {found}, allowed is {allowed}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_count_and_a_temperature_of_zero_is_greedy() {
        let args = SamplingArgs { temperature: Some(0.0), top_k: Some(5), ..Default::default() };
        let sampling = args.over(Sampling::default()).unwrap();
        assert!(sampling.greedy && sampling.temperature == 1.0 && sampling.top_k == 5);
        let base = Sampling { greedy: true, ..Sampling::default() };
        let args = SamplingArgs { temperature: Some(0.7), ..Default::default() };
        assert!(!args.over(base.clone()).unwrap().greedy);
        assert!(SamplingArgs::default().over(base).unwrap().greedy);
    }

    #[test]
    fn everything_out_of_range_is_named_at_once() {
        let args = SamplingArgs {
            temperature: Some(f64::NAN),
            top_p: Some(0.0),
            min_p: Some(1.0),
            repetition_penalty: Some(-1.0),
            max_new_tokens: Some(0),
            ..Default::default()
        };
        let Err(CliError::BadInput(message)) = args.over(Sampling::default()) else {
            panic!("accepted")
        };
        for flag in
            ["--max-new-tokens", "--temperature", "--top-p", "--min-p", "--repetition-penalty"]
        {
            assert!(message.contains(flag), "{message}");
        }
    }
}
