//! Does the agent's text match a regular expression?
//!
//! # What earns
//! 1 where some turn of the agent matches, else 0. The syntax is that of the `regex` crate; begin with
//! `(?i)` to ignore case and with `(?s)` to let the dot match line ends. Matching takes time linear in
//! the text, whatever the pattern.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! As with [`super::ContainsReward`]: what matches earns, with or without sense.

use ::regex::{Regex, RegexBuilder};
use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::agent_turns::{agent_turns, nothing_said};
use crate::error::EnvError;

/// Judges whether the agent's text matches a pattern; see the rules above.
#[derive(Clone, Debug)]
pub struct RegexReward {
    pattern: Regex,
}

impl RegexReward {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// [`EnvError::Reward`] where it is empty, no regular expression, or needs too much memory.
    pub fn new(pattern: &str) -> Result<RegexReward, EnvError> {
        let refused = |message: String| EnvError::Reward { name: "regex".to_owned(), message };
        compile_pattern(pattern).map(|pattern| RegexReward { pattern }).map_err(refused)
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        let turns = agent_turns(trajectory);
        if turns.is_empty() {
            return nothing_said();
        }
        match turns.iter().find_map(|turn| self.pattern.find(turn.text)) {
            Some(found) => {
                let quote: String = found.as_str().chars().take(80).collect();
                Score::with_evidence(1.0, format!("matched {quote:?}"))
            }
            None => Score::with_evidence(0.0, "no match"),
        }
    }
}

#[async_trait]
impl Reward for RegexReward {
    fn name(&self) -> &str {
        "regex"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

/// Compiles a pattern that a user wrote; the error says what is wrong with it.
pub(crate) fn compile_pattern(pattern: &str) -> Result<Regex, String> {
    const MAX_COMPILED_BYTES: usize = 1 << 20;
    if pattern.is_empty() {
        return Err("the pattern is empty, which matches everything".to_owned());
    }
    let built = RegexBuilder::new(pattern).size_limit(MAX_COMPILED_BYTES).build();
    built.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use proptest::prelude::*;

    fn judged(pattern: &str, lines: &[&str]) -> f64 {
        value(&RegexReward::new(pattern).unwrap().judge(&chat(lines)))
    }

    #[test]
    fn earns() {
        assert_eq!(judged(r"\d{4}", &["Hi.", "Order 4821."]), 1.0);
        assert_eq!(judged(r"(?i)^yes", &["Hi.", "No.", "?", "YES it is"]), 1.0);
    }

    #[test]
    fn does_not_earn() {
        assert_eq!(judged(r"\d{4}", &["4821", "I see."]), 0.0);
        assert_eq!(judged("yes", &["Hi.", ""]), 0.0);
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged("a", &["Hi."]).is_nan());
        for pattern in ["(", "", r"(\w{1000}){1000}"] {
            let error = RegexReward::new(pattern).unwrap_err().to_string();
            assert!(error.starts_with("build the reward \"regex\": "), "{error}");
        }
    }

    proptest! {
        #[test]
        fn is_zero_or_one_whatever_is_said(
            lines in prop::collection::vec("\\PC{0,60}", 2..5), pattern in "\\PC{1,12}"
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            if let Ok(reward) = RegexReward::new(&pattern) {
                let value = reward.judge(&chat(&lines)).value();
                prop_assert!(value == Some(0.0) || value == Some(1.0));
            }
        }
    }
}
