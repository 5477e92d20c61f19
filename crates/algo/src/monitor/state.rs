//! What a monitor must remember over a restart.
//!
//! Plain numbers under plain names, so that whoever writes files can give them any layout. Rules with
//! a duration look at the last values of their signal instead of keeping counters: a rule whose
//! settings change between two runs then judges the same past anew.

use std::collections::BTreeMap;

use super::Signal;

/// The past of a run, as far as rules look back. Everything in it is finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonitorState {
    /// Steps seen.
    pub n_steps: u64,
    /// The last finite values of each signal, by [`Signal::name`], oldest first. The mean rewards of
    /// steps are under `reward`.
    pub recent: BTreeMap<String, Vec<f64>>,
    /// The first entropy that was measured, nats.
    pub initial_entropy: Option<f64>,
    /// Steps with a gradient that was to be skipped, among the last ones, oldest first.
    pub gradient_skips: Vec<u64>,
    /// The critic was found harmful and has not recovered yet.
    pub is_policy_frozen: bool,
    /// The best evaluation so far, in units of the reward.
    pub best_evaluation: Option<f64>,
    /// Evaluations since then.
    pub n_evaluations_without_gain: u32,
}

/// Key of the steps' mean rewards in [`MonitorState::recent`].
const REWARD: &str = "reward";

impl MonitorState {
    /// The last values of `signal`, oldest first.
    pub(super) fn of(&self, signal: Signal) -> &[f64] {
        self.recent.get(signal.name()).map_or(&[], Vec::as_slice)
    }

    /// The last mean rewards of steps, oldest first.
    pub(super) fn rewards(&self) -> &[f64] {
        self.recent.get(REWARD).map_or(&[], Vec::as_slice)
    }

    pub(super) fn remember(&mut self, signal: Signal, value: f64, at_most: usize) {
        self.push(signal.name(), value, at_most);
    }

    pub(super) fn remember_reward(&mut self, value: f64, at_most: usize) {
        self.push(REWARD, value, at_most);
    }

    fn push(&mut self, name: &str, value: f64, at_most: usize) {
        if !value.is_finite() {
            return;
        }
        let values = self.recent.entry(name.to_owned()).or_default();
        values.push(value);
        let n_old = values.len().saturating_sub(at_most);
        values.drain(..n_old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_the_last_finite_values() {
        let mut state = MonitorState::default();
        for value in [1.0, 2.0, f64::NAN, f64::INFINITY, 3.0] {
            state.remember(Signal::Entropy, value, 2);
        }
        assert_eq!(state.of(Signal::Entropy), [2.0, 3.0]);
        assert_eq!(state.of(Signal::Drift), [0.0; 0]);
        assert_eq!(state.rewards(), [0.0; 0]);
    }
}
