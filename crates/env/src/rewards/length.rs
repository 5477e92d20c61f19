//! Is the agent's text as long as it should be?
//!
//! # What earns
//! A turn's worth rises with its words: up to 0.2 at `min_words`, from there 0.5 to 1 at the lower end of
//! the optimum; inside the optimum it is 1; beyond, it falls back to 0.5 at `max_words`, and further on to
//! 0.3 and less in proportion. The mean over the agent's turns counts.
//!
//! # What does not
//! A turn that uses no content word of a user who has spoken, or has fewer than three words, earns seven
//! tenths. Turns that are unreadable, repeated or cut off earn 0: filling up to the optimum has to be done with
//! sentences that are new.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Any fluent text of the right length earns all. It is a shape, not a quality: give it a small weight.
//!
//! # Source
//! The documents' component, with its defaults (10, 200, 50 to 150 words) and its values at the bends; there
//! an empty turn earns 0.2, which pays for silence, and a turn of any length beyond the maximum 0.3.

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::customer_service::relevance;
use super::heuristic::{Credit, Heuristic, Over, credit, heuristic_reward};
use crate::error::EnvError;

/// Judges how long the agent's turns are; see the rules above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthReward {
    min_words: usize,
    optimum: (usize, usize),
    max_words: usize,
}

impl Default for LengthReward {
    /// 10 to 200 words, best 50 to 150.
    fn default() -> Self {
        LengthReward { min_words: 10, optimum: (50, 150), max_words: 200 }
    }
}

impl LengthReward {
    /// Lengths in words: at least `min_words`, best inside `optimum`, at most `max_words`.
    ///
    /// # Errors
    /// [`EnvError::Reward`] where they do not rise in this order, from 1.
    pub fn new(
        min_words: usize,
        optimum: (usize, usize),
        max_words: usize,
    ) -> Result<LengthReward, EnvError> {
        let rises = [1, min_words, optimum.0, optimum.1, max_words].is_sorted();
        if rises {
            return Ok(LengthReward { min_words, optimum, max_words });
        }
        let message = format!(
            "its lengths are {min_words}, {}, {} and {max_words} words; they have to rise from 1",
            optimum.0, optimum.1
        );
        Err(EnvError::Reward { name: "length".to_owned(), message })
    }

    fn worth(&self, n_words: usize) -> f64 {
        let (low, high) = self.optimum;
        let share = |from: usize, to: usize| (n_words - from) as f64 / (to - from).max(1) as f64;
        if n_words < self.min_words {
            0.2 * n_words as f64 / self.min_words as f64
        } else if n_words < low {
            0.5 + 0.5 * share(self.min_words, low)
        } else if n_words <= high {
            1.0
        } else if n_words <= self.max_words {
            1.0 - 0.5 * share(high, self.max_words)
        } else {
            0.3 * self.max_words as f64 / n_words as f64
        }
    }
}

impl Heuristic for LengthReward {
    const OVER: Over = Over::Mean;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let n_words = turn.words.len();
        let words = Some(format!("{n_words} words"));
        credit("length", self.worth(n_words) * relevance(turn), words).into_iter().collect()
    }
}

heuristic_reward!(LengthReward, "length");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    #[test]
    fn earns() {
        let reward = LengthReward::default();
        for (n_words, worth) in [
            (0, 0.0),
            (5, 0.1),
            (10, 0.5),
            (30, 0.75),
            (50, 1.0),
            (150, 1.0),
            (175, 0.75),
            (200, 0.5),
            (400, 0.15),
        ] {
            assert!((reward.worth(n_words) - worth).abs() < 1e-9, "{n_words}");
        }
        let text = "You can return the lamp within thirty days, and we pay for the parcel.";
        let score = reward.judge(&chat(&["May I return the lamp?", text]), &Scenario::default());
        assert!((value(&score) - 0.55).abs() < 1e-9, "{score:?}");
    }

    #[test]
    fn does_not_earn() {
        let judged = |reply: &str| {
            value(&LengthReward::default().judge(&chat(&["Hi.", reply]), &Scenario::default()))
        };
        assert_eq!(judged(""), 0.0);
        assert!(judged("Yes.") < 0.05);
    }

    #[test]
    fn cannot_be_scored() {
        let score = LengthReward::default().judge(&chat(&["Hi."]), &Scenario::default());
        assert!(value(&score).is_nan());
    }

    #[test]
    fn lengths_that_make_no_sense_are_refused() {
        assert!(LengthReward::new(5, (5, 9), 9).is_ok());
        for (min, optimum, max) in
            [(0, (1, 2), 3), (9, (5, 20), 30), (1, (9, 5), 20), (1, (2, 9), 8)]
        {
            let error = LengthReward::new(min, optimum, max).unwrap_err().to_string();
            assert!(error.contains("they have to rise from 1"), "{error}");
        }
    }

    #[test]
    fn tries_to_cheat() {
        let judged = |reply: &str| {
            value(&LengthReward::default().judge(&chat(&["Hi.", reply]), &Scenario::default()))
        };
        assert_eq!(judged(&"word ".repeat(80)), 0.0);
        assert_eq!(judged(&"I can help you with that now. ".repeat(12)), 0.0);
    }
}
