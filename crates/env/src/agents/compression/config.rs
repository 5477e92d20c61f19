//! Settings of context compression.

use crate::error::{EnvError, Problem};
use crate::names::named_enum;

named_enum! {
    /// What becomes of a conversation that is too long.
    pub enum CompressionStrategy {
        /// Its oldest part is cut off, back to the ratio; then it may grow again. A cut at times.
        Truncate => "truncate",
        /// Only its newest part, within the ratio, is read. A cut at every turn.
        SlidingWindow => "sliding_window",
        /// As truncate, and a summary stands in the place of what was cut.
        Summary => "summary",
    }
}

/// When and how a conversation is made shorter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompressionConfig {
    /// How.
    pub strategy: CompressionStrategy,
    /// Share of `max_tokens` that is left; above 0, at most 1.
    pub ratio: f64,
    /// Tokens, beside instructions, beyond which a conversation is too long; 1 or more.
    pub max_tokens: usize,
}

impl Default for CompressionConfig {
    fn default() -> Self {
        CompressionConfig { strategy: CompressionStrategy::Summary, ratio: 0.5, max_tokens: 4000 }
    }
}

impl CompressionConfig {
    /// Everything that is wrong with the values.
    ///
    /// # Errors
    /// [`EnvError::Agent`].
    pub fn check(&self) -> Result<(), EnvError> {
        let problem = |key: &str, found: String, allowed: &str| Problem {
            place: "compression".into(),
            key: key.into(),
            found,
            allowed: allowed.into(),
            hint: None,
        };
        let mut problems = Vec::new();
        if !(self.ratio > 0.0 && self.ratio <= 1.0) {
            let allowed = "a number above 0, at most 1";
            problems.push(problem("ratio", self.ratio.to_string(), allowed));
        }
        if self.max_tokens == 0 {
            problems.push(problem("max_tokens", "0".into(), "1 or more"));
        }
        if problems.is_empty() { Ok(()) } else { Err(EnvError::Agent { problems }) }
    }

    /// Tokens that are left after a cut, the summary among them.
    pub fn kept_tokens(&self) -> usize {
        // Both are positive and the product is at most `max_tokens`.
        ((self.max_tokens as f64 * self.ratio) as usize).max(1)
    }

    /// Most tokens of a summary; 0 where none is made.
    pub fn summary_tokens(&self) -> usize {
        match self.strategy {
            CompressionStrategy::Summary => self.kept_tokens() / 4,
            CompressionStrategy::Truncate | CompressionStrategy::SlidingWindow => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked() {
        assert!(CompressionConfig::default().check().is_ok());
        let bad = CompressionConfig { ratio: 1.5, max_tokens: 0, ..CompressionConfig::default() };
        let error = bad.check().unwrap_err().to_string();
        assert!(error.contains("ratio") && error.contains("max_tokens"), "{error}");
        assert!(CompressionConfig { ratio: f64::NAN, ..bad }.check().is_err());
    }

    #[test]
    fn shares_of_the_limit() {
        let config = CompressionConfig::default();
        assert_eq!((config.kept_tokens(), config.summary_tokens()), (2000, 500));
        let tiny = CompressionConfig { ratio: 0.001, max_tokens: 1, ..config };
        assert_eq!((tiny.kept_tokens(), tiny.summary_tokens()), (1, 0));
    }
}
