//! Rewards that measure different things in different units, as one.
//!
//! Each objective states the range its values come from. Values are mapped from it to 0 to 1 and cut
//! there, weights are divided by their sum, and a [`Combine`] makes one value of them: satisfaction,
//! money and minutes can stand beside each other. A range whose first number is the greater one means
//! that less is better: `(30.0, 0.0)` gives 1 for no minutes at all.
//!
//! The range is stated and not measured. A range that follows the data makes the same conversation worth
//! something else in the next batch; who wants that takes [`super::AdaptiveReward`].
//!
//! An objective that cannot be scored makes the whole unscorable. (The documents' function of this name
//! counts it as 0, which trains against whatever its judge could not read.)

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::combine::Combine;
use super::composite::{CompositeReward, WeightedReward};
use super::pareto::ParetoReport;
use crate::error::EnvError;

/// One of several things that are wanted.
#[derive(Clone, Debug)]
pub struct Objective {
    /// What judges it, its name and its share.
    pub member: WeightedReward,
    /// The value that becomes 0 and the value that becomes 1.
    pub range: (f64, f64),
}

impl Objective {
    /// An objective whose values are from 0 to 1 already.
    pub fn new(member: WeightedReward) -> Objective {
        Objective { member, range: (0.0, 1.0) }
    }

    /// The same with values from `worst` to `best`.
    pub fn between(self, worst: f64, best: f64) -> Objective {
        Objective { range: (worst, best), ..self }
    }

    /// As a part of a composite: the same reward, mapped to 0 to 1.
    ///
    /// # Errors
    /// [`EnvError::Reward`] where the range has no length or no finite ends.
    pub fn scaled(self) -> Result<WeightedReward, EnvError> {
        let (worst, best) = self.range;
        if !(worst.is_finite() && best.is_finite()) || worst == best {
            return Err(EnvError::Reward {
                name: self.member.name,
                message: format!(
                    "its range is {worst} to {best}, allowed are two different numbers"
                ),
            });
        }
        if self.range == (0.0, 1.0) {
            return Ok(self.member);
        }
        let WeightedReward { name, weight, reward } = self.member;
        Ok(WeightedReward { name, weight, reward: Arc::new(Scaled { reward, worst, best }) })
    }
}

/// A reward mapped from its range to 0 to 1.
struct Scaled {
    reward: Arc<dyn Reward>,
    worst: f64,
    best: f64,
}

impl Scaled {
    fn scale(&self, score: Score) -> Score {
        match score {
            Score::Scored { value, evidence } => {
                let share = (value - self.worst) / (self.best - self.worst);
                let what = format!("{value} of {} to {}", self.worst, self.best);
                let evidence =
                    if evidence.is_empty() { what } else { format!("{what}; {evidence}") };
                Score::with_evidence(share.clamp(0.0, 1.0), evidence)
            }
            unscorable => unscorable,
        }
    }
}

#[async_trait]
impl Reward for Scaled {
    fn name(&self) -> &str {
        self.reward.name()
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let result = self.reward.score(trajectory, context).await;
        RewardResult { total: self.scale(result.total), components: result.components }
    }
}

/// Several objectives as one reward; see the rules above.
#[derive(Clone, Debug)]
pub struct MultiObjectiveReward {
    composite: CompositeReward,
}

impl MultiObjectiveReward {
    /// `objectives`, made one by `combine`.
    ///
    /// # Errors
    /// [`EnvError::Reward`] for a range without length, and for what [`CompositeReward::new`] refuses.
    pub fn new(
        objectives: impl IntoIterator<Item = Objective>,
        combine: Combine,
    ) -> Result<MultiObjectiveReward, EnvError> {
        let members: Result<Vec<WeightedReward>, EnvError> =
            objectives.into_iter().map(Objective::scaled).collect();
        let composite = CompositeReward::new(members?)?.normalised().combined_by(combine);
        Ok(MultiObjectiveReward { composite })
    }

    /// Names and weights of the objectives; the weights have the sum 1.
    pub fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.composite.weights()
    }

    /// Which of `results`, as this reward gave them, are beaten by no other in every objective.
    pub fn pareto(&self, results: &[RewardResult]) -> ParetoReport {
        let names: Vec<&str> = self.weights().map(|(name, _)| name).collect();
        ParetoReport::of(&names, results)
    }
}

#[async_trait]
impl Reward for MultiObjectiveReward {
    fn name(&self) -> &str {
        "multi_objective"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        self.composite.score(trajectory, context).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::super::function::reward_fn;
    use super::*;
    use stateset_core::Scenario;

    fn objective(name: &str, weight: f64, value: f64) -> Objective {
        let reward = reward_fn(name, move |_: &Trajectory, _| value);
        Objective::new(WeightedReward::new(weight, reward))
    }

    async fn run(objectives: Vec<Objective>, combine: Combine) -> RewardResult {
        let reward = MultiObjectiveReward::new(objectives, combine).unwrap();
        let scenario = Scenario::new("s");
        reward.score(&chat(&["Hi.", "Hi."]), RewardContext { scenario: &scenario }).await
    }

    #[tokio::test]
    async fn values_come_from_their_ranges() {
        let objectives = vec![
            objective("csat", 3.0, 0.5),
            objective("margin", 1.0, 20.0).between(0.0, 80.0),
            objective("minutes", 4.0, 3.0).between(30.0, 0.0),
            objective("beyond", 2.0, 9.0).between(-1.0, 1.0),
        ];
        let result = run(objectives.clone(), Combine::WeightedMean).await;
        let of = |name: &str| result.component(name).map(|part| (part.weight, value(&part.score)));
        assert_eq!(of("csat"), Some((0.3, 0.5)));
        assert_eq!(of("margin"), Some((0.1, 0.25)));
        assert_eq!(of("minutes"), Some((0.4, 0.9)));
        assert_eq!(of("beyond"), Some((0.2, 1.0)));
        let expected = 0.3 * 0.5 + 0.1 * 0.25 + 0.4 * 0.9 + 0.2;
        assert!((value(&result.total) - expected).abs() < 1e-12);
        let geometric = value(&run(objectives, Combine::GeometricMean).await.total);
        let logs = 0.3 * 0.5_f64.ln() + 0.1 * 0.25_f64.ln() + 0.4 * 0.9_f64.ln();
        assert!((geometric - logs.exp()).abs() < 1e-12);
    }

    #[tokio::test]
    async fn what_cannot_be_scored_is_not_nothing() {
        let broken = Objective::new(WeightedReward::new(
            1.0,
            reward_fn("broken", |_: &Trajectory, _| Err::<f64, _>("no line")),
        ));
        let objectives = vec![objective("csat", 1.0, 1.0), broken.between(0.0, 5.0)];
        let result = run(objectives, Combine::WeightedMean).await;
        assert_eq!(result.total, Score::unscorable("broken: no line"));
    }

    #[test]
    fn ranges_without_length_are_refused() {
        for range in [(1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            let objective = objective("csat", 1.0, 1.0).between(range.0, range.1);
            let error = MultiObjectiveReward::new([objective], Combine::Min).unwrap_err();
            assert!(error.to_string().contains("two different numbers"), "{error}");
        }
        assert!(MultiObjectiveReward::new([], Combine::Min).is_err());
    }
}
