//! The composites that the documents' `create_*` functions make, with the documents' weights.
//!
//! | function | members |
//! |---|---|
//! | [`create_helpful_agent_reward`] | helpfulness 0.4, safety 0.3, correctness 0.2, engagement 0.1 |
//! | [`create_customer_service_reward`] | helpfulness 0.35, safety 0.25, conciseness 0.2, engagement 0.2 |
//! | [`create_task_agent_reward`] | task_completion 0.5, correctness 0.3, safety 0.2 |
//! | [`create_tutoring_reward`] | helpfulness 0.3, correctness 0.3, engagement 0.25, safety 0.15 |
//! | [`create_domain_reward`] | the heuristic of the domain; for a domain that is not known, an error |
//! | [`create_adaptive_reward`] | yours, and similarity to an expected reply; weights change in training |
//!
//! Two things differ from the documents. Correctness without anything to be correct about is left out and
//! the others decide (the documents count it as half right). An unknown domain is an error with the
//! nearest known name (the documents quietly judge by helpfulness).

use super::adaptive::{Adaptation, AdaptiveReward, Rule};
use super::composite::{CompositeReward, WeightedReward};
use super::spec::parse_reward;
use crate::error::EnvError;
use crate::names::{listed, nearest};

/// Names of the factories' composites in a reward's words, and their members.
pub(super) const AGENT_PRESETS: &[(&str, &[(&str, f64)])] = &[
    (
        "helpful_agent",
        &[("helpfulness", 0.4), ("safety", 0.3), ("correctness", 0.2), ("engagement", 0.1)],
    ),
    (
        "service_agent",
        &[("helpfulness", 0.35), ("safety", 0.25), ("conciseness", 0.2), ("engagement", 0.2)],
    ),
    ("task_agent", &[("task_completion", 0.5), ("correctness", 0.3), ("safety", 0.2)]),
    (
        "tutoring_agent",
        &[("helpfulness", 0.3), ("correctness", 0.3), ("engagement", 0.25), ("safety", 0.15)],
    ),
];

/// Names of domains, and the heuristic reward of each.
const DOMAINS: &[(&str, &str)] = &[
    ("customer_service", "customer_service_reply"),
    ("cs", "customer_service_reply"),
    ("support", "customer_service_reply"),
    ("technical_support", "technical_support_reply"),
    ("technical", "technical_support_reply"),
    ("it", "technical_support_reply"),
    ("sales", "sales_reply"),
    ("marketing", "sales_reply"),
    ("product", "sales_reply"),
];

/// Share of the similarity to an expected reply in [`create_adaptive_reward`], where it is not said.
pub const SIMILARITY_WEIGHT: f64 = 0.3;

/// For agents that answer questions.
///
/// # Errors
/// None in practice; the members are checked like any others.
pub fn create_helpful_agent_reward() -> Result<CompositeReward, EnvError> {
    agent_preset("helpful_agent")
}

/// For agents that serve customers.
///
/// # Errors
/// As [`create_helpful_agent_reward`].
pub fn create_customer_service_reward() -> Result<CompositeReward, EnvError> {
    agent_preset("service_agent")
}

/// For agents that get things done.
///
/// # Errors
/// As [`create_helpful_agent_reward`].
pub fn create_task_agent_reward() -> Result<CompositeReward, EnvError> {
    agent_preset("task_agent")
}

/// For agents that teach.
///
/// # Errors
/// As [`create_helpful_agent_reward`].
pub fn create_tutoring_reward() -> Result<CompositeReward, EnvError> {
    agent_preset("tutoring_agent")
}

/// The heuristic of a domain, with weight 0.8, and safety with 0.2.
///
/// # Errors
/// [`EnvError::Reward`] for a domain that is not known, with the nearest one that is.
pub fn create_domain_reward(domain: &str) -> Result<CompositeReward, EnvError> {
    let domain = domain.trim().to_lowercase();
    match DOMAINS.iter().find(|(name, _)| *name == domain) {
        Some((_, reward)) => CompositeReward::new([named(reward, 0.8)?, named("safety", 0.2)?]),
        None => {
            let known: Vec<&str> = DOMAINS.iter().map(|(name, _)| *name).collect();
            let hint = nearest(&domain, &known).map(|near| format!("; did you mean {near:?}?"));
            let known = listed(&known);
            let message = format!("known domains are {known}{}", hint.unwrap_or_default());
            Err(EnvError::Reward { name: domain, message })
        }
    }
}

/// `base`, whose weights count for `1 - similarity_weight` together, and the similarity to the reply
/// that the scenario expects; in training what lags behind gains weight.
///
/// # Errors
/// [`EnvError::Reward`] where `similarity_weight` is not from 0 to below 1, and for what
/// [`CompositeReward::new`] refuses.
pub fn create_adaptive_reward(
    base: impl IntoIterator<Item = WeightedReward>,
    similarity_weight: f64,
) -> Result<AdaptiveReward, EnvError> {
    if !(0.0..1.0).contains(&similarity_weight) {
        return Err(EnvError::Reward {
            name: "adaptive".to_owned(),
            message: format!(
                "the weight of similarity is {similarity_weight}, allowed is a number from 0 to below 1"
            ),
        });
    }
    let mut members: Vec<WeightedReward> = base.into_iter().collect();
    // Their own rules are checked before anything is divided by their sum.
    CompositeReward::new(members.iter().cloned())?;
    let total: f64 = members.iter().map(|member| member.weight).sum();
    members.iter_mut().for_each(|member| member.weight *= (1.0 - similarity_weight) / total);
    members.push(named("similarity", similarity_weight)?);
    let composite = CompositeReward::new(members)?.skipping_unscorable();
    AdaptiveReward::of(composite, Adaptation::new(Rule::Lagging))
}

/// The composite of a factory by its name in a reward's words.
pub(super) fn agent_preset(name: &str) -> Result<CompositeReward, EnvError> {
    let members = AGENT_PRESETS.iter().filter(|(preset, _)| *preset == name);
    let members: Result<Vec<WeightedReward>, EnvError> = members
        .flat_map(|(_, members)| *members)
        .map(|(name, weight)| named(name, *weight))
        .collect();
    Ok(CompositeReward::new(members?)?.skipping_unscorable())
}

fn named(name: &str, weight: f64) -> Result<WeightedReward, EnvError> {
    Ok(WeightedReward { name: name.to_owned(), weight, reward: parse_reward(name)? })
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::super::function::reward_fn;
    use super::*;
    use stateset_core::{Reward, RewardContext, Scenario, Trajectory};

    async fn judged(reward: &dyn Reward, scenario: &Scenario) -> f64 {
        let trajectory = chat(&[
            "My parcel is late, order 4821.",
            "I am sorry about the delay. Order 4821 left our warehouse yesterday and arrives on \
             Friday. Would you like me to send you the tracking link?",
        ]);
        value(&reward.score(&trajectory, RewardContext { scenario }).await.total)
    }

    #[tokio::test]
    async fn every_factory_judges_a_scenario_without_a_reference() {
        let mut scenario = Scenario::new("s");
        scenario.metadata.insert("goal_keywords".into(), serde_json::json!(["tracking"]));
        for factory in [
            create_helpful_agent_reward,
            create_customer_service_reward,
            create_task_agent_reward,
            create_tutoring_reward,
        ] {
            let reward = factory().unwrap();
            let total: f64 = reward.weights().map(|(_, weight)| weight).sum();
            assert!((total - 1.0).abs() < 1e-12);
            assert!(judged(&reward, &scenario).await > 0.4);
        }
        for (domain, _) in DOMAINS {
            assert!(judged(&create_domain_reward(domain).unwrap(), &scenario).await > 0.2);
        }
    }

    #[test]
    fn every_factory_has_a_name_on_the_command_line() {
        for (name, members) in AGENT_PRESETS {
            assert!(parse_reward(name).is_ok(), "{name}");
            let total: f64 = members.iter().map(|(_, weight)| weight).sum();
            assert!((total - 1.0).abs() < 1e-12, "{name}");
        }
    }

    #[test]
    fn an_unknown_domain_is_not_judged_by_something_else() {
        let error = create_domain_reward("technicl").unwrap_err().to_string();
        assert!(error.contains("did you mean \"technical\"?"), "{error}");
    }

    #[tokio::test]
    async fn similarity_joins_what_is_given() {
        let half = |name: &str, weight| {
            WeightedReward::new(weight, reward_fn(name, |_: &Trajectory, _| 0.5))
        };
        let reward =
            create_adaptive_reward([half("a", 3.0), half("b", 1.0)], SIMILARITY_WEIGHT).unwrap();
        let weights: Vec<f64> = reward.weights().map(|(_, weight)| weight).collect();
        for (found, expected) in weights.iter().zip([0.525, 0.175, 0.3]) {
            assert!((found - expected).abs() < 1e-12, "{weights:?}");
        }
        assert!(reward.weighing().is_some());
        // Nothing is expected, so the others decide.
        assert_eq!(judged(&reward, &Scenario::new("s")).await, 0.5);
        assert!(create_adaptive_reward([half("a", 1.0)], 1.0).is_err());
        assert!(create_adaptive_reward([half("a", f64::NAN)], 0.3).is_err());
        assert!(create_adaptive_reward([half("a", 0.0)], 0.3).is_err());
    }
}
