//! Does the agent say new things, in words of some variety?
//!
//! # What earns
//! Each turn earns 0.5 times the share of its pairs of neighbouring words that the agent has not said
//! before in the conversation (everything from 0.8 on), and 0.5 times the share of different words among
//! its words (everything from 0.7 on; of long turns the mean over windows of fifty words). Turns of one or
//! two words earn a third or two thirds of that. The mean over the agent's turns counts.
//!
//! # What does not
//! A turn that repeats an earlier one or the user's last, loops, is salad or was cut off earns 0.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Talking of something else each time is diverse. Use it against loops, with a small weight.
//!
//! # Source
//! Distinct-n of Li et al. 2016 (arXiv:1510.03055), n = 1 and 2, taken over a window so that long turns
//! are not worse for being long, and cut off at what usual English reaches: more variety than that is no
//! virtue. The documents name such a reward without rules.

use std::collections::HashSet;

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::heuristic::{Credit, Heuristic, Over, credit, heuristic_reward};

/// Judges how little the agent repeats itself; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiversityReward;

const ENOUGH_NEW: f64 = 0.8;
const ENOUGH_DIFFERENT: f64 = 0.7;
const ENOUGH_WORDS: f64 = 3.0;
const WINDOW: usize = 50;

impl Heuristic for DiversityReward {
    const OVER: Over = Over::Mean;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let words = &turns[index].words;
        let says_something = (words.len() as f64 / ENOUGH_WORDS).min(1.0);
        let new = (share_new(turns, index) / ENOUGH_NEW).min(1.0) * 0.5 * says_something;
        let different = (share_different(words) / ENOUGH_DIFFERENT).min(1.0) * 0.5 * says_something;
        [
            credit("new", new, Some(String::new())),
            credit("different", different, Some(String::new())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The share of a turn's pairs of words that no earlier turn has; 1 for a turn without pairs.
fn share_new(turns: &[AgentTurn<'_>], index: usize) -> f64 {
    let own = turns[index].words.windows(2);
    let n = own.len();
    if index == 0 || n == 0 {
        return 1.0;
    }
    let earlier: HashSet<&[String]> =
        turns[..index].iter().flat_map(|turn| turn.words.windows(2)).collect();
    own.filter(|pair| !earlier.contains(pair)).count() as f64 / n as f64
}

/// The share of different words, the mean over windows.
fn share_different(words: &[String]) -> f64 {
    let share = |window: &[String]| {
        window.iter().collect::<HashSet<_>>().len() as f64 / window.len() as f64
    };
    let n_windows = words.len().div_ceil(WINDOW);
    if n_windows == 0 {
        0.0
    } else {
        words.chunks(WINDOW).map(share).sum::<f64>() / n_windows as f64
    }
}

heuristic_reward!(DiversityReward, "diversity");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    fn judged(lines: &[&str]) -> f64 {
        value(&DiversityReward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let new = judged(&["Hi.", "What is your name?", "Ann.", "Where do you live, Ann?"]);
        assert!((new - 1.0).abs() < 1e-9, "{new}");
        let half = judged(&["Hi.", "What is your name?", "Ann.", "What is your street and town?"]);
        assert!((0.8..1.0).contains(&half), "{half}");
        assert!((judged(&["Hi.", "Hello!"]) - 1.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn does_not_earn() {
        for reply in ["", "no no no no", "I can and I can and I can and I can"] {
            assert_eq!(judged(&["Hi.", reply]), 0.0, "{reply}");
        }
        let loops = judged(&["Hi.", "What is your name?", "Ann.", "What is your name?"]);
        assert!((loops - 0.5).abs() < 1e-9);
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&["Hi."]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        assert_eq!(judged(&["Hi.", "lamp river seven honest table quickly orange window"]), 0.0);
    }
}
