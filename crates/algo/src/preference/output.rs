//! What a micro-batch of pairs adds to the step, and what is measured beside the loss.
//!
//! | name | what |
//! |---|---|
//! | `preference/chosen_reward`, `preference/rejected_reward` | mean implicit reward of the better (desirable) and of the worse (undesirable) answers |
//! | `preference/margin` | the difference of these two |
//! | `preference/accuracy` | share of pairs whose chosen answer has the larger implicit reward |
//! | `preference/chosen_logprob`, `preference/rejected_logprob` | mean log-prob, as the loss takes it: sum or mean over tokens |
//! | `preference/nll` | minus the mean log-prob of all chosen tokens, where it is part of the loss |
//! | `preference/log_odds` | mean log odds ratio of ORPO |
//!
//! An implicit reward is beta times the log-ratio to the reference, or times the log-prob where
//! there is none. A tie is no success. A number that nothing was recorded for is absent.

use std::collections::BTreeMap;

use crate::Mean;

/// A micro-batch of pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairOutput {
    /// Its share of the loss; shares of micro-batches add up.
    pub loss: f64,
    /// One for each of the pairs given, in their order.
    pub gradients: Vec<PairGradients>,
    /// Statistics; add those of the other micro-batches.
    pub stats: PreferenceStats,
}

/// Derivatives of the step's loss with respect to the current log-probs of one pair.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairGradients {
    /// By token of the chosen answer.
    pub chosen: Vec<f32>,
    /// By token of the rejected answer.
    pub rejected: Vec<f32>,
}

/// Running means over pairs, or over answers that are judged alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PreferenceStats {
    /// Implicit reward of chosen or desirable answers.
    pub chosen_reward: Mean,
    /// Implicit reward of rejected or undesirable answers.
    pub rejected_reward: Mean,
    /// Pairs whose chosen answer has the larger implicit reward.
    pub accuracy: Mean,
    /// Log-prob of chosen or desirable answers.
    pub chosen_logprob: Mean,
    /// Log-prob of rejected or undesirable answers.
    pub rejected_logprob: Mean,
    /// Minus the log-prob of each chosen token.
    pub nll: Mean,
    /// Log odds ratio.
    pub log_odds: Mean,
}

impl PreferenceStats {
    /// Takes in a pair's implicit rewards.
    pub(crate) fn push_rewards(&mut self, chosen: f64, rejected: f64) {
        self.chosen_reward.push(chosen);
        self.rejected_reward.push(rejected);
        self.accuracy.push(f64::from(chosen > rejected));
    }

    /// Takes in a pair's log-probs.
    pub(crate) fn push_logprobs(&mut self, chosen: f64, rejected: f64) {
        self.chosen_logprob.push(chosen);
        self.rejected_logprob.push(rejected);
    }

    /// Mean reward of the better answers less that of the worse ones.
    pub fn margin(&self) -> Option<f64> {
        Some(self.chosen_reward.get()? - self.rejected_reward.get()?)
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &PreferenceStats) {
        self.chosen_reward.add(&other.chosen_reward);
        self.rejected_reward.add(&other.rejected_reward);
        self.accuracy.add(&other.accuracy);
        self.chosen_logprob.add(&other.chosen_logprob);
        self.rejected_logprob.add(&other.rejected_logprob);
        self.nll.add(&other.nll);
        self.log_odds.add(&other.log_odds);
    }

    /// The numbers by name.
    pub fn finish(&self) -> BTreeMap<&'static str, f64> {
        let all = [
            ("preference/chosen_reward", self.chosen_reward.get()),
            ("preference/rejected_reward", self.rejected_reward.get()),
            ("preference/margin", self.margin()),
            ("preference/accuracy", self.accuracy.get()),
            ("preference/chosen_logprob", self.chosen_logprob.get()),
            ("preference/rejected_logprob", self.rejected_logprob.get()),
            ("preference/nll", self.nll.get()),
            ("preference/log_odds", self.log_odds.get()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_is_no_success() {
        let mut stats = PreferenceStats::default();
        stats.push_rewards(0.5, 0.5);
        stats.push_rewards(0.6, 0.5);
        assert_eq!(stats.accuracy.get(), Some(0.5));
    }

    #[test]
    fn parts_add_up_and_nothing_is_absent() {
        let (mut one, mut other) = (PreferenceStats::default(), PreferenceStats::default());
        assert!(one.finish().is_empty());
        one.push_rewards(1.0, 0.0);
        other.push_rewards(2.0, 4.0);
        other.push_logprobs(-3.0, -5.0);
        one.add(&other);
        let named = one.finish();
        assert_eq!(named["preference/margin"], -0.5);
        assert_eq!(named["preference/chosen_logprob"], -3.0);
        assert_eq!(named.len(), 6);
    }
}
