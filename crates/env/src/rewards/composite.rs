//! Several rewards as one.
//!
//! Each member has a name, a weight and a reward. [`Combine::WeightedMean`] (the documents'
//! `weighted_sum`) divides the weights by their sum, so that the result stays from 0 to 1 whatever the
//! weights; `average` ignores them, `min` and `max` take the worst or best member.
//!
//! A member that cannot be scored makes the whole unscorable and says why: half a reward looks like a
//! whole one and would be trained on. With `skip_unscorable` the others decide alone, with their
//! weights normalised among themselves; where none can be scored the result is unscorable still.
//! (The documents' composite skips failing members silently and gives 0 where all fail.)

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{Reward, RewardComponent, RewardContext, RewardResult, Score, Trajectory};

use crate::error::EnvError;
use crate::names::named_enum;

named_enum! {
    /// How members become one value.
    pub enum Combine {
        /// Their mean, each counted by its weight.
        WeightedMean => "weighted_sum",
        /// Their plain mean.
        Average => "average",
        /// The worst of them.
        Min => "min",
        /// The best of them.
        Max => "max",
    }
}

/// A member of a composite.
#[derive(Clone)]
pub struct WeightedReward {
    /// Its name in tables; unique in its composite.
    pub name: String,
    /// Its share; at least 0.
    pub weight: f64,
    /// What it judges by.
    pub reward: Arc<dyn Reward>,
}

impl fmt::Debug for WeightedReward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.weight)
    }
}

impl WeightedReward {
    /// `reward` with its own name.
    pub fn new(weight: f64, reward: impl Reward + 'static) -> WeightedReward {
        WeightedReward { name: reward.name().to_owned(), weight, reward: Arc::new(reward) }
    }
}

/// Several rewards as one; see the rules above.
#[derive(Clone, Debug)]
pub struct CompositeReward {
    members: Vec<WeightedReward>,
    combine: Combine,
    skip_unscorable: bool,
}

impl CompositeReward {
    /// The weighted mean of `members`.
    ///
    /// # Errors
    /// [`EnvError::Reward`] without members, with two of the same name, with a weight that is negative
    /// or not finite, or where all weights are 0.
    pub fn new(
        members: impl IntoIterator<Item = WeightedReward>,
    ) -> Result<CompositeReward, EnvError> {
        let members: Vec<WeightedReward> = members.into_iter().collect();
        match problem(&members) {
            None => Ok(CompositeReward {
                members,
                combine: Combine::WeightedMean,
                skip_unscorable: false,
            }),
            Some(message) => Err(EnvError::Reward { name: "composite".to_owned(), message }),
        }
    }

    /// The same members, combined otherwise.
    pub fn combined_by(self, combine: Combine) -> CompositeReward {
        CompositeReward { combine, ..self }
    }

    /// The same, but a member that cannot be scored is left out.
    pub fn skipping_unscorable(self) -> CompositeReward {
        CompositeReward { skip_unscorable: true, ..self }
    }

    /// Names and weights of the members.
    pub fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.members.iter().map(|member| (member.name.as_str(), member.weight))
    }

    fn total(&self, components: &[RewardComponent]) -> Score {
        let mut scored: Vec<(&RewardComponent, f64)> = Vec::new();
        let mut missing: Vec<String> = Vec::new();
        for component in components {
            match &component.score {
                Score::Scored { value, .. } => scored.push((component, *value)),
                Score::Unscorable { why } => missing.push(format!("{}: {why}", component.name)),
            }
        }
        if scored.is_empty() || !(missing.is_empty() || self.skip_unscorable) {
            return Score::unscorable(missing.join("; "));
        }
        let values: Vec<(f64, f64)> =
            scored.iter().map(|(component, value)| (component.weight, *value)).collect();
        let evidence: Vec<String> = scored
            .iter()
            .map(|(component, value)| format!("{} {value:.3}", component.name))
            .collect();
        Score::with_evidence(combined(self.combine, &values), evidence.join(", "))
    }
}

#[async_trait]
impl Reward for CompositeReward {
    fn name(&self) -> &str {
        "composite"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let mut components = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let result = member.reward.score(trajectory, context).await;
            components.push(RewardComponent {
                name: member.name.clone(),
                weight: member.weight,
                score: result.total,
            });
        }
        RewardResult { total: self.total(&components), components }
    }
}

/// One value from pairs of weight and value. Weights that are all 0 (members that count were skipped)
/// leave nothing to go by, which is no number.
fn combined(combine: Combine, values: &[(f64, f64)]) -> f64 {
    let n = values.len() as f64;
    match combine {
        Combine::WeightedMean => {
            let weights: f64 = values.iter().map(|(weight, _)| weight).sum();
            values.iter().map(|(weight, value)| weight * value).sum::<f64>() / weights
        }
        Combine::Average => values.iter().map(|(_, value)| value).sum::<f64>() / n,
        Combine::Min => values.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min),
        Combine::Max => values.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max),
    }
}

fn problem(members: &[WeightedReward]) -> Option<String> {
    if members.is_empty() {
        return Some("it has no members".to_owned());
    }
    if let Some(bad) =
        members.iter().find(|member| !(member.weight.is_finite() && member.weight >= 0.0))
    {
        return Some(format!(
            "the weight of {} is {}, allowed is a number from 0",
            bad.name, bad.weight
        ));
    }
    let is_twice = |member: &&WeightedReward| {
        members.iter().filter(|other| other.name == member.name).count() > 1
    };
    if let Some(twice) = members.iter().find(is_twice) {
        return Some(format!("{} is in it twice", twice.name));
    }
    let total: f64 = members.iter().map(|member| member.weight).sum();
    (total <= 0.0 || !total.is_finite()).then(|| "its weights have no positive sum".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value, with_scenario};
    use super::super::{ConcisenessReward, HelpfulnessReward, SafetyReward};
    use super::*;
    use proptest::prelude::*;
    use stateset_core::Scenario;

    struct Fixed(Option<f64>);

    #[async_trait]
    impl Reward for Fixed {
        fn name(&self) -> &str {
            "fixed"
        }

        async fn score(&self, _: &Trajectory, _: RewardContext<'_>) -> RewardResult {
            RewardResult::single(self.0.map_or(Score::unscorable("it is broken"), Score::of))
        }
    }

    fn member(name: &str, weight: f64, value: Option<f64>) -> WeightedReward {
        WeightedReward { name: name.to_owned(), ..WeightedReward::new(weight, Fixed(value)) }
    }

    fn run(reward: &CompositeReward) -> RewardResult {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let trajectory = chat(&["Hi.", "What do you need?"]);
        let scenario = Scenario::default();
        with_scenario(&scenario, |context| runtime.block_on(reward.score(&trajectory, context)))
    }

    #[test]
    fn weights_are_normalised() {
        let composite =
            CompositeReward::new([member("a", 3.0, Some(1.0)), member("b", 1.0, Some(0.5))])
                .unwrap();
        assert!((value(&run(&composite).total) - 0.875).abs() < 1e-12);
        let by = |combine| value(&run(&composite.clone().combined_by(combine)).total);
        assert_eq!((by(Combine::Average), by(Combine::Min), by(Combine::Max)), (0.75, 0.5, 1.0));
        let result = run(&composite);
        assert_eq!(result.component("b").map(|b| b.weight), Some(1.0));
    }

    #[test]
    fn cannot_be_scored() {
        let members = [member("a", 1.0, Some(1.0)), member("b", 1.0, None)];
        let strict = CompositeReward::new(members).unwrap();
        assert_eq!(run(&strict).total, Score::unscorable("b: it is broken"));
        assert_eq!(value(&run(&strict.skipping_unscorable()).total), 1.0);
        let none = CompositeReward::new([member("b", 1.0, None)]).unwrap().skipping_unscorable();
        assert!(value(&run(&none).total).is_nan());
        let members = [member("a", 0.0, Some(1.0)), member("b", 1.0, None)];
        let weightless = CompositeReward::new(members).unwrap().skipping_unscorable();
        assert!(value(&run(&weightless).total).is_nan());
    }

    #[test]
    fn members_that_make_no_sense_are_refused() {
        let message = |members: Vec<WeightedReward>| {
            CompositeReward::new(members).map(|_| ()).unwrap_err().to_string()
        };
        for (members, expected) in [
            (vec![], "it has no members"),
            (vec![member("a", -1.0, None)], "the weight of a is -1, allowed is a number from 0"),
            (
                vec![member("a", f64::NAN, None)],
                "the weight of a is NaN, allowed is a number from 0",
            ),
            (vec![member("a", 1.0, None), member("a", 1.0, None)], "a is in it twice"),
            (vec![member("a", 0.0, None)], "its weights have no positive sum"),
        ] {
            assert_eq!(message(members), format!("build the reward \"composite\": {expected}"));
        }
    }

    #[test]
    fn the_documents_example_reads_the_same() {
        let composite = CompositeReward::new([
            HelpfulnessReward::weighted(0.4),
            SafetyReward::weighted(0.3),
            ConcisenessReward::weighted(0.2),
        ])
        .unwrap();
        let result = run(&composite);
        assert_eq!(result.components.len(), 3);
        assert!(value(&result.total) > 0.8);
    }

    proptest! {
        #[test]
        fn the_mean_stays_among_its_members(parts in prop::collection::vec((0.01..10.0f64, 0.0..1.0f64), 1..6)) {
            let value = combined(Combine::WeightedMean, &parts);
            let low = combined(Combine::Min, &parts);
            let high = combined(Combine::Max, &parts);
            prop_assert!(value >= low - 1e-12 && value <= high + 1e-12);
        }
    }
}
