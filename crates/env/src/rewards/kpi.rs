//! A business figure as a reward.
//!
//! # What earns
//! The figure's score, from 0 to 1, as the world of commerce scaled it ([`crate::commerce::Kpi`]); the
//! evidence is its value in its own unit.
//!
//! # Cannot be scored
//! A conversation whose world does not give the figure.
//!
//! # Known ways to cheat
//! A single figure can nearly always be had at the cost of another: refunds for everybody buy
//! satisfaction, blocking everybody ends fraud, treating everybody badly is fair. Use the world's preset, or
//! several figures, of which `net_value` is the one that counts everything in money.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::composite::WeightedReward;
use crate::commerce::{Kpi, Reading};

/// Judges by one figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KpiReward {
    kpi: Kpi,
    name: String,
}

impl KpiReward {
    /// The reward of this figure; it is called `kpi:NAME`.
    pub fn new(kpi: Kpi) -> KpiReward {
        KpiReward { kpi, name: format!("kpi:{kpi}") }
    }

    /// The same as a part of a composite.
    pub fn weighted(kpi: Kpi, weight: f64) -> WeightedReward {
        WeightedReward::new(weight, KpiReward::new(kpi))
    }

    /// The score of a finished conversation.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        let state = trajectory.final_state.as_ref();
        match state.and_then(|state| Reading::from_metadata(&state.metadata, self.kpi)) {
            Some(Reading { value, score }) => {
                Score::with_evidence(score, format!("{} {value} {}", self.kpi, self.kpi.unit()))
            }
            None => Score::unscorable(format!("the world gives no figure {}", self.kpi)),
        }
    }
}

#[async_trait]
impl Reward for KpiReward {
    fn name(&self) -> &str {
        &self.name
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use stateset_core::EnvironmentState;

    fn judged(metadata: Value) -> Score {
        let mut state = EnvironmentState::new("e");
        state.metadata = metadata.as_object().cloned().unwrap_or_default();
        let trajectory = Trajectory { final_state: Some(state), ..Trajectory::default() };
        KpiReward::new(Kpi::Csat).judge(&trajectory)
    }

    #[test]
    fn the_score_is_the_reward_and_the_value_the_evidence() {
        let score = judged(json!({"kpis": {"csat": {"value": 4.2, "score": 0.8}}}));
        assert_eq!(score, Score::with_evidence(0.8, "csat 4.2 points"));
    }

    #[test]
    fn what_is_not_there_or_out_of_range_cannot_be_scored() {
        for metadata in [
            json!({}),
            json!({"kpis": {"sla": {"value": 1.0, "score": 1.0}}}),
            json!({"kpis": {"csat": {"value": 4.2, "score": 1.2}}}),
            json!({"kpis": {"csat": 4.2}}),
        ] {
            assert_eq!(judged(metadata.clone()).value(), None, "{metadata}");
        }
    }
}
