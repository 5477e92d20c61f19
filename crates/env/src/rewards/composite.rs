//! Several rewards as one.
//!
//! Each member has a name, a weight and a reward; [`Combine`] says how their values become one.
//!
//! A member that cannot be scored makes the whole unscorable and says why: half a reward looks like a
//! whole one and would be trained on. With `skip_unscorable` the others decide alone, with their
//! weights normalised among themselves; where none can be scored the result is unscorable still.
//! (The documents' composite skips failing members silently and gives 0 where all fail.)

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{Reward, RewardComponent, RewardContext, RewardResult, Score, Trajectory};

use super::combine::Combine;
use crate::error::EnvError;

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
    /// or not finite, where all weights are 0, or with a member whose own weights change in training.
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

    /// The same, its weights divided by their sum.
    pub fn normalised(mut self) -> CompositeReward {
        let total: f64 = self.members.iter().map(|member| member.weight).sum();
        self.members.iter_mut().for_each(|member| member.weight /= total);
        self
    }

    /// How the members become one value.
    pub fn combine(&self) -> Combine {
        self.combine
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
        let below = scored.iter().find(|(_, value)| *value < 0.0);
        if let Some((component, value)) = below.filter(|_| self.combine.needs_no_negative()) {
            return Score::unscorable(format!(
                "{}: {value} is below 0, which {} cannot combine",
                component.name, self.combine
            ));
        }
        Score::with_evidence(self.combine.apply(&values), evidence.join(", "))
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
    if let Some(adaptive) = members.iter().find(|member| member.reward.weighing().is_some()) {
        return Some(format!("{} changes its weights in training and stands alone", adaptive.name));
    }
    let total: f64 = members.iter().map(|member| member.weight).sum();
    (total <= 0.0 || !total.is_finite()).then(|| "its weights have no positive sum".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value, with_scenario};
    use super::super::{ConcisenessReward, HelpfulnessReward, SafetyReward};
    use super::*;
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
        let normalised = run(&composite.normalised());
        assert_eq!(normalised.component("b").map(|b| b.weight), Some(0.25));
        assert_eq!(normalised.total, result.total);
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
    fn a_negative_value_has_no_product() {
        let members = [member("a", 1.0, Some(-0.5)), member("b", 1.0, Some(-0.5))];
        let composite = CompositeReward::new(members).unwrap();
        let by = |combine| run(&composite.clone().combined_by(combine)).total;
        assert_eq!(value(&by(Combine::WeightedMean)), -0.5);
        let why = "a: -0.5 is below 0, which product cannot combine";
        assert_eq!(by(Combine::Product), Score::unscorable(why));
        assert!(value(&by(Combine::GeometricMean)).is_nan());
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
}
