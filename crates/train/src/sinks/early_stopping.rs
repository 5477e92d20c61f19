//! Ends a run whose held-out reward no longer rises.
//!
//! As in Keras and `transformers`: an evaluation counts as a gain where it beats the best one by more
//! than `min_delta`; after `patience` evaluations in a row without a gain the run stops. The trainer
//! that resumes keeps the rule itself, calls [`EarlyStopping::observe`] and stores its `state` beside the
//! weights; as a [`Callback`] it starts anew with each process.

use serde::{Deserialize, Serialize};

use crate::{Callback, EvaluationSummary, Flow};

/// The rule and how far it has got.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyStopping {
    /// Evaluations without a gain after which the run stops; 0 acts as 1.
    pub patience: u32,
    /// What a gain must exceed, in units of the reward; 0 or more.
    pub min_delta: f64,
    /// What has been seen so far.
    pub state: EarlyStoppingState,
}

/// What an [`EarlyStopping`] must remember over a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStoppingState {
    /// Best mean reward so far.
    pub best: Option<f64>,
    /// Evaluations since then.
    pub n_without_gain: u32,
}

impl EarlyStopping {
    /// A rule that has seen nothing.
    pub fn new(patience: u32, min_delta: f64) -> EarlyStopping {
        EarlyStopping { patience, min_delta, state: EarlyStoppingState::default() }
    }

    /// Takes in the mean reward of an evaluation. One without a reward (nothing could be scored) says
    /// nothing about the policy and changes nothing.
    pub fn observe(&mut self, reward: Option<f64>) -> Flow {
        let Some(reward) = reward.filter(|reward| reward.is_finite()) else {
            return Flow::Continue;
        };
        if self.state.best.is_none_or(|best| reward > best + self.min_delta) {
            self.state = EarlyStoppingState { best: Some(reward), n_without_gain: 0 };
            return Flow::Continue;
        }
        self.state.n_without_gain = self.state.n_without_gain.saturating_add(1);
        if self.state.n_without_gain >= self.patience { Flow::Stop } else { Flow::Continue }
    }
}

impl Callback for EarlyStopping {
    fn on_evaluation_end(&mut self, _name: &str, _step: u32, summary: &EvaluationSummary) -> Flow {
        self.observe(summary.reward.map(|reward| reward.estimate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(rule: &mut EarlyStopping, rewards: &[f64]) -> String {
        let flow = |&reward: &f64| if rule.observe(Some(reward)) == Flow::Stop { 's' } else { '.' };
        rewards.iter().map(flow).collect()
    }

    #[test]
    fn stops_after_patience_evaluations_without_gain() {
        let rewards = [0.1, 0.2, 0.2, 0.19, 0.21, 0.1, 0.1, 0.1];
        assert_eq!(flows(&mut EarlyStopping::new(3, 0.0), &rewards), ".......s");
        assert_eq!(flows(&mut EarlyStopping::new(1, 0.0), &rewards[..3]), "..s");
        assert_eq!(flows(&mut EarlyStopping::new(0, 0.0), &rewards[..3]), "..s");
    }

    #[test]
    fn a_gain_must_exceed_min_delta_over_the_best_not_the_last() {
        let mut rule = EarlyStopping::new(3, 0.125);
        assert_eq!(flows(&mut rule, &[0.5, 0.5625, 0.625, 0.6875]), "....");
        assert_eq!(rule.state, EarlyStoppingState { best: Some(0.6875), n_without_gain: 0 });
    }

    #[test]
    fn an_evaluation_without_reward_is_no_evidence() {
        let mut rule = EarlyStopping::new(1, 0.0);
        assert_eq!(rule.observe(None), Flow::Continue);
        assert_eq!(rule.observe(Some(0.5)), Flow::Continue);
        assert_eq!(rule.observe(Some(f64::NAN)), Flow::Continue);
        assert_eq!(rule.observe(Some(0.5)), Flow::Stop);
    }

    #[test]
    fn goes_on_counting_after_a_restart() {
        let rewards = [0.3, 0.2, 0.2, 0.2];
        let mut whole = EarlyStopping::new(3, 0.0);
        let whole_flows = flows(&mut whole, &rewards);
        let mut first = EarlyStopping::new(3, 0.0);
        let mut flows_in_two = flows(&mut first, &rewards[..2]);
        let stored = serde_json::to_string(&first.state).unwrap();
        let mut second = EarlyStopping {
            state: serde_json::from_str(&stored).unwrap(),
            ..EarlyStopping::new(3, 0.0)
        };
        flows_in_two.push_str(&flows(&mut second, &rewards[2..]));
        assert_eq!(flows_in_two, whole_flows);
        assert_eq!(whole_flows, "...s");
    }
}
