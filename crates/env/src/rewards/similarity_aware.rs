//! Another reward and likeness to the expected reply, half and half.
//!
//! # What earns
//! Half of what the base reward gives, helpfulness by default, and half of [`super::SimilarityReward`].
//!
//! # Cannot be scored
//! Where one of the two cannot: a conversation without a turn of the agent, one for which nothing is
//! expected, or what the base refuses. (The documents' reward goes on with the base alone, so that the same
//! number means two things.)
//!
//! # Known ways to cheat
//! Those of both halves, each worth half.
//!
//! # Source
//! The documents' `SimilarityAwareReward`.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{Reward, RewardComponent, RewardContext, RewardResult, Score, Trajectory};

use super::composite::WeightedReward;
use super::helpfulness::HelpfulnessReward;
use super::similarity::SimilarityReward;

/// Half a reward, half likeness; see the rules above.
#[derive(Clone)]
pub struct SimilarityAwareReward {
    /// The other half.
    pub base: Arc<dyn Reward>,
    /// The likeness.
    pub similarity: SimilarityReward,
}

impl fmt::Debug for SimilarityAwareReward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimilarityAwareReward({}, {:?})", self.base.name(), self.similarity)
    }
}

impl Default for SimilarityAwareReward {
    /// Helpfulness, and what the scenario expects.
    fn default() -> Self {
        SimilarityAwareReward {
            base: Arc::new(HelpfulnessReward),
            similarity: SimilarityReward::default(),
        }
    }
}

impl SimilarityAwareReward {
    /// This reward, with its defaults, as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, SimilarityAwareReward::default())
    }
}

#[async_trait]
impl Reward for SimilarityAwareReward {
    fn name(&self) -> &str {
        "similarity_aware"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let base = self.base.score(trajectory, context).await.total;
        let like = self.similarity.judge(trajectory, context.scenario);
        let total = match (&base, &like) {
            (Score::Scored { value: base, .. }, Score::Scored { value: like, .. }) => {
                let evidence = format!("{} {base:.3}, similarity {like:.3}", self.base.name());
                Score::with_evidence(0.5 * base + 0.5 * like, evidence)
            }
            (Score::Unscorable { why }, _) => {
                Score::unscorable(format!("{}: {why}", self.base.name()))
            }
            (_, Score::Unscorable { why }) => Score::unscorable(format!("similarity: {why}")),
        };
        let part =
            |name: &str, score| RewardComponent { name: name.to_owned(), weight: 0.5, score };
        RewardResult {
            total,
            components: vec![part(self.base.name(), base), part("similarity", like)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value, with_scenario};
    use super::*;
    use stateset_core::Scenario;

    fn result(expected: Option<&str>, lines: &[&str]) -> RewardResult {
        let scenario = Scenario { expected: expected.map(str::to_owned), ..Scenario::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let reward = SimilarityAwareReward::default();
        let trajectory = chat(lines);
        with_scenario(&scenario, |context| runtime.block_on(reward.score(&trajectory, context)))
    }

    #[test]
    fn earns() {
        let reply = "I have sent your parcel again, and it will come on Friday.";
        let same = result(Some(reply), &["Where is my parcel?", reply]);
        assert!(value(&same.total) > 0.9, "{same:?}");
        assert_eq!(same.component("similarity").map(|part| value(&part.score)), Some(1.0));
        let other = result(Some("No."), &["Where is my parcel?", reply]);
        assert!((0.4..0.6).contains(&value(&other.total)), "{other:?}");
    }

    #[test]
    fn cannot_be_scored() {
        let nothing = result(None, &["Where is it?", "I have sent it."]);
        assert!(value(&nothing.total).is_nan());
        assert!(value(&result(Some("It is here."), &["Where is it?"]).total).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let echo =
            result(Some("It is here."), &["Where is my parcel now?", "Where is my parcel now?"]);
        assert_eq!(value(&echo.total), 0.0);
    }
}
