//! Rewards as they are written on the command line and in configuration files.
//!
//! | text | reward |
//! |---|---|
//! | `helpfulness`, `safety`, `conciseness`, `task_completion`, `exact_number`, `verified`, `database`, `tool_progress` | the reward of this name |
//! | `goal_coverage`, `learning`, `user_satisfaction` | the reward of this name, for simulated users |
//! | `correctness`, `engagement`, `customer_service_reply`, `technical_support_reply`, `sales_reply`, `domain_specific`, `similarity`, `similarity_aware`, `length`, `empathy`, `action_oriented`, `professionalism`, `reasoning_format`, `diversity`, `tool_use` | the same; `docs/rewards.md` has a table of all |
//! | `helpfulness=0.6,safety=0.4` | several, with weights |
//! | `contains:dog`, `contains:dog,cat` | some of the words is said |
//! | `contains_text:dog` | some of the texts occurs, inside words too |
//! | `contains_all:dog,cat` | all of the words are said |
//! | `regex:^Yes` | the pattern matches; everything behind the colon belongs to it |
//! | `domain:finance`, `domain:loan,interest` | the vocabulary of a built-in domain, or of your own |
//! | `customer_service`, `technical_support`, `sales` | presets for simulated customers: task completion 0.5, helpfulness 0.25, conciseness 0.15, safety 0.1 |
//! | `kpi:csat`, also with a weight as `kpi:csat=0.5` | a business figure of the worlds of commerce |
//! | `returns_desk`, `dynamic_pricing`, `fulfilment`, `cross_sell`, `fraud_review` | presets for the worlds of commerce: figures with weights |
//! | `bookings` | preset for agenda users: goal coverage 0.6, user satisfaction 0.2, conciseness 0.1, safety 0.1 |
//! | `tutoring` | preset for pupils: learning 0.65, helpfulness 0.15, conciseness 0.1, safety 0.1 |
//! | `adaptive:helpfulness=0.6,safety=0.4` | the same whose weights follow what lags behind in training |
//! | `inverse_variance:a=1,b=1,c=1` | judges of the same thing, weighed by how little noise they show |
//! | `helpful_agent`, `service_agent`, `task_agent`, `tutoring_agent` | what the [factories](super::create_helpful_agent_reward) make |
//! | `helpful` | preset for scripted users: helpfulness 0.6, safety 0.4 |
//!
//! The preset for customers is built so that only a solved problem earns more than half: a competent,
//! polite agent gets 0.9 and more, a polite one without a plan about 0.3, one that stuffs keywords less.

use std::sync::Arc;

use stateset_core::Reward;

use super::action_oriented::ActionOrientedReward;
use super::adaptive::{Adaptation, AdaptiveReward, Rule};
use super::composite::{CompositeReward, WeightedReward};
use super::conciseness::ConcisenessReward;
use super::contains::{ContainsReward, Matching, Need};
use super::correctness::CorrectnessReward;
use super::customer_service::CustomerServiceReplyReward;
use super::database::{DatabaseReward, ToolProgressReward};
use super::diversity::DiversityReward;
use super::domain_specific::DomainSpecificReward;
use super::empathy::EmpathyReward;
use super::engagement::EngagementReward;
use super::exact_number::ExactNumberReward;
use super::factories::{AGENT_PRESETS, agent_preset};
use super::goal_coverage::GoalCoverageReward;
use super::helpfulness::HelpfulnessReward;
use super::kpi::KpiReward;
use super::learning::LearningReward;
use super::length::LengthReward;
use super::professionalism::ProfessionalismReward;
use super::reasoning_format::ReasoningFormatReward;
use super::regex::RegexReward;
use super::safety::SafetyReward;
use super::sales::SalesReplyReward;
use super::similarity::SimilarityReward;
use super::similarity_aware::SimilarityAwareReward;
use super::task_completion::TaskCompletionReward;
use super::technical_support::TechnicalSupportReplyReward;
use super::tool_use::ToolUseReward;
use super::user_satisfaction::UserSatisfactionReward;
use super::verified::VerifiedReward;
use crate::commerce::{Kpi, commerce_preset};
use crate::error::EnvError;
use crate::names::{listed, nearest};

/// Rewards that can stand by themselves or with a weight.
pub const REWARD_NAMES: &[&str] = &[
    "helpfulness",
    "safety",
    "conciseness",
    "task_completion",
    "exact_number",
    "database",
    "tool_progress",
    "goal_coverage",
    "learning",
    "user_satisfaction",
    "correctness",
    "engagement",
    "customer_service_reply",
    "technical_support_reply",
    "sales_reply",
    "domain_specific",
    "similarity",
    "similarity_aware",
    "length",
    "empathy",
    "action_oriented",
    "professionalism",
    "reasoning_format",
    "diversity",
    "tool_use",
    "verified",
];

/// Composites with names of their own.
pub const REWARD_PRESETS: &[&str] = &[
    "customer_service",
    "technical_support",
    "sales",
    "bookings",
    "tutoring",
    "helpful",
    "helpful_agent",
    "service_agent",
    "task_agent",
    "tutoring_agent",
];

const WITH_ARGUMENT: &[&str] = &[
    "contains",
    "contains_text",
    "contains_all",
    "regex",
    "domain",
    "kpi",
    "adaptive",
    "inverse_variance",
];

/// The reward that `spec` describes; see the table above.
///
/// # Errors
/// [`EnvError::Reward`] with what is wrong and what there is.
pub fn parse_reward(spec: &str) -> Result<Arc<dyn Reward>, EnvError> {
    let spec = spec.trim();
    if let Some(preset) = commerce_preset(spec) {
        return Ok(Arc::new(composite(preset)?));
    }
    if holds_weights(spec) {
        return Ok(Arc::new(composite(spec)?));
    }
    if let Some((name, argument)) = spec.split_once(':') {
        return with_argument(spec, name.trim(), argument);
    }
    match spec {
        "customer_service" | "technical_support" | "sales" => {
            Ok(Arc::new(CompositeReward::new([
                TaskCompletionReward::weighted(0.5),
                HelpfulnessReward::weighted(0.25),
                ConcisenessReward::weighted(0.15),
                SafetyReward::weighted(0.1),
            ])?))
        }
        "helpful" => Ok(Arc::new(CompositeReward::new([
            HelpfulnessReward::weighted(0.6),
            SafetyReward::weighted(0.4),
        ])?)),
        "bookings" => Ok(Arc::new(CompositeReward::new([
            GoalCoverageReward::weighted(0.6),
            UserSatisfactionReward::weighted(0.2),
            ConcisenessReward::weighted(0.1),
            SafetyReward::weighted(0.1),
        ])?)),
        "tutoring" => Ok(Arc::new(CompositeReward::new([
            LearningReward::weighted(0.65),
            HelpfulnessReward::weighted(0.15),
            ConcisenessReward::weighted(0.1),
            SafetyReward::weighted(0.1),
        ])?)),
        name if AGENT_PRESETS.iter().any(|(preset, _)| *preset == name) => {
            Ok(Arc::new(agent_preset(name)?))
        }
        name => Ok(member(spec, name, 1.0)?.reward),
    }
}

/// True for several rewards with weights. Behind a colon everything is an argument, but for figures.
fn holds_weights(spec: &str) -> bool {
    match spec.split_once(':') {
        Some(("kpi", rest)) => rest.contains('='),
        Some((head, _)) => head.contains('='),
        None => spec.contains(['=', ',']),
    }
}

fn with_argument(spec: &str, name: &str, argument: &str) -> Result<Arc<dyn Reward>, EnvError> {
    let words = || argument.split(',').map(str::trim);
    match name {
        "contains" => Ok(Arc::new(ContainsReward::new(words(), Need::Any, Matching::Word)?)),
        "contains_text" => {
            Ok(Arc::new(ContainsReward::new(words(), Need::Any, Matching::Substring)?))
        }
        "contains_all" => Ok(Arc::new(ContainsReward::new(words(), Need::All, Matching::Word)?)),
        "regex" => Ok(Arc::new(RegexReward::new(argument)?)),
        "kpi" => Ok(Arc::new(KpiReward::new(kpi(spec, argument)?))),
        "domain" if argument.contains(',') => {
            Ok(Arc::new(DomainSpecificReward::of_terms(words())?))
        }
        "domain" => Ok(Arc::new(DomainSpecificReward::of_domain(argument.trim())?)),
        "adaptive" => adaptive(argument, Rule::Lagging),
        "inverse_variance" => adaptive(argument, Rule::InverseVariance),
        _ => Err(unknown(spec, name)),
    }
}

fn adaptive(argument: &str, rule: Rule) -> Result<Arc<dyn Reward>, EnvError> {
    Ok(Arc::new(AdaptiveReward::of(composite(argument)?, Adaptation::new(rule))?))
}

fn composite(spec: &str) -> Result<CompositeReward, EnvError> {
    let parts = spec.split(',').map(str::trim);
    let members: Result<Vec<WeightedReward>, EnvError> =
        parts.map(|part| weighted_part(spec, part)).collect();
    CompositeReward::new(members?).map_err(|error| match error {
        EnvError::Reward { message, .. } => refused(spec, message),
        other => other,
    })
}

fn weighted_part(spec: &str, part: &str) -> Result<WeightedReward, EnvError> {
    let Some((name, weight)) = part.split_once('=') else {
        let message = format!("{part:?} has no weight; write it as {part}=0.5");
        return Err(refused(spec, message));
    };
    let (name, weight) = (name.trim(), weight.trim());
    let number: f64 = weight
        .parse()
        .map_err(|_| refused(spec, format!("the weight of {name} is {weight:?}, not a number")))?;
    member(spec, name, number)
}

fn member(spec: &str, name: &str, weight: f64) -> Result<WeightedReward, EnvError> {
    match name {
        "helpfulness" => Ok(HelpfulnessReward::weighted(weight)),
        "safety" => Ok(SafetyReward::weighted(weight)),
        "conciseness" => Ok(ConcisenessReward::weighted(weight)),
        "task_completion" => Ok(TaskCompletionReward::weighted(weight)),
        "exact_number" => Ok(ExactNumberReward::weighted(weight)),
        "database" => Ok(WeightedReward::new(weight, DatabaseReward)),
        "tool_progress" => Ok(WeightedReward::new(weight, ToolProgressReward)),
        name if name.starts_with("kpi:") => Ok(KpiReward::weighted(kpi(spec, &name[4..])?, weight)),
        "goal_coverage" => Ok(GoalCoverageReward::weighted(weight)),
        "learning" => Ok(LearningReward::weighted(weight)),
        "user_satisfaction" => Ok(UserSatisfactionReward::weighted(weight)),
        "correctness" => Ok(CorrectnessReward::weighted(weight)),
        "engagement" => Ok(EngagementReward::weighted(weight)),
        "customer_service_reply" => Ok(CustomerServiceReplyReward::weighted(weight)),
        "technical_support_reply" => Ok(TechnicalSupportReplyReward::weighted(weight)),
        "sales_reply" => Ok(SalesReplyReward::weighted(weight)),
        "domain_specific" => Ok(DomainSpecificReward::weighted(weight)),
        "similarity" => Ok(SimilarityReward::weighted(weight)),
        "similarity_aware" => Ok(SimilarityAwareReward::weighted(weight)),
        "length" => Ok(LengthReward::weighted(weight)),
        "empathy" => Ok(EmpathyReward::weighted(weight)),
        "action_oriented" => Ok(ActionOrientedReward::weighted(weight)),
        "professionalism" => Ok(ProfessionalismReward::weighted(weight)),
        "reasoning_format" => Ok(ReasoningFormatReward::weighted(weight)),
        "diversity" => Ok(DiversityReward::weighted(weight)),
        "tool_use" => Ok(ToolUseReward::weighted(weight)),
        "verified" => Ok(VerifiedReward::weighted(weight)),
        _ => Err(unknown(spec, name)),
    }
}

fn kpi(spec: &str, name: &str) -> Result<Kpi, EnvError> {
    let name = name.trim();
    Kpi::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Kpi::ALL.iter().map(|kpi| kpi.name()).collect();
        let hint = nearest(name, &known).map(|near| format!("; did you mean {near:?}?"));
        let message = format!(
            "no figure is called {name:?}; there are {}{}",
            listed(&known),
            hint.unwrap_or_default()
        );
        refused(spec, message)
    })
}

fn refused(spec: &str, message: String) -> EnvError {
    EnvError::Reward { name: spec.to_owned(), message }
}

fn unknown(spec: &str, name: &str) -> EnvError {
    let all = [REWARD_NAMES, REWARD_PRESETS, WITH_ARGUMENT].concat();
    let hint = nearest(name, &all).map(|near| format!("; did you mean {near:?}?"));
    let arguments: Vec<String> = WITH_ARGUMENT.iter().map(|name| format!("{name}:..")).collect();
    let message = format!(
        "no reward is called {name:?}; rewards are {}, presets {}, with an argument {}{}",
        listed(REWARD_NAMES),
        listed(REWARD_PRESETS),
        listed(&arguments.iter().map(String::as_str).collect::<Vec<_>>()),
        hint.unwrap_or_default()
    );
    refused(spec, message)
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use stateset_core::{RewardContext, Scenario};

    fn judged(spec: &str, reply: &str) -> f64 {
        let reward = parse_reward(spec).unwrap_or_else(|error| panic!("{error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let scenario = Scenario { expected: Some("42".to_owned()), ..Scenario::new("s") };
        let trajectory = chat(&["Tell me about the dog.", reply]);
        let context = RewardContext { scenario: &scenario };
        value(&runtime.block_on(reward.score(&trajectory, context)).total)
    }

    fn refused(spec: &str) -> String {
        parse_reward(spec).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn every_form_works() {
        assert_eq!(judged("contains:dog", "A dog barks at me."), 1.0);
        assert_eq!(judged("contains:cat, dog", "A dog barks at me."), 1.0);
        assert_eq!(judged("contains_text:dog", "Two dogs bark at me."), 1.0);
        assert_eq!(judged("contains:dog", "Two dogs bark at me."), 0.0);
        assert_eq!(judged("contains_all:cat,dog", "A dog barks at me."), 0.0);
        assert_eq!(judged("regex:^A (dog|cat): ok", "A dog: ok"), 1.0);
        assert!(judged("domain:barks, dog", "The dog barks at the door.") > 0.7);
        assert!(judged("domain:travel", "The flight has a gate.") > 0.5);
        assert_eq!(judged(" exact_number ", "It is 42."), 1.0);
        assert_eq!(judged("conciseness=1, safety=1", "It is 42."), 1.0);
        assert_eq!(judged("helpful", "What do you want to know about the dog, please?"), 1.0);
        for spec in ["kpi:csat", "kpi: net_value", "safety=0.5,kpi:csat=0.5", "fraud_review"] {
            assert!(parse_reward(spec).is_ok(), "{spec}");
        }
        assert_eq!(judged("adaptive:conciseness=1, safety=1", "It is 42."), 1.0);
        for name in REWARD_NAMES.iter().chain(REWARD_PRESETS) {
            assert!(parse_reward(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(
            refused("helpfulnes"),
            format!(
                "build the reward \"helpfulnes\": no reward is called \"helpfulnes\"; rewards are {}, \
                 presets {}, with an argument contains:.., contains_text:.., contains_all:.., regex:.., \
                 domain:.., kpi:.., adaptive:.. and inverse_variance:..; did you mean \"helpfulness\"?",
                listed(REWARD_NAMES),
                listed(REWARD_PRESETS)
            )
        );
        for (spec, expected) in [
            ("helpfulness,safety=1", "\"helpfulness\" has no weight; write it as helpfulness=0.5"),
            ("safety=much", "the weight of safety is \"much\", not a number"),
            ("safety=-1", "the weight of safety is -1, allowed is a number from 0"),
            ("safety=0", "its weights have no positive sum"),
            ("safety=1,safety=1", "safety is in it twice"),
        ] {
            assert_eq!(refused(spec), format!("build the reward {spec:?}: {expected}"));
        }
        assert!(refused("kpi:csaat").contains("did you mean \"csat\"?"));
        assert!(refused("kpi:csat=1,kpi:csat=1").contains("kpi:csat is in it twice"));
        assert!(refused("adaptive:safety=0").contains("no positive sum"));
        assert!(refused("inverse_variance:safety=1").contains("three members or more"));
        assert!(refused("contains:").contains("it needs words"));
        assert!(refused("regex:(").contains("regex"));
        assert!(refused("domain:traval").contains("did you mean \"travel\"?"));
        assert!(refused("containz:dog").contains("did you mean \"contains\"?"));
        assert!(refused("").contains("no reward is called \"\""));
    }
}
