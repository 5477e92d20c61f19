//! Attacks on rewards: honest replies to compare with, degenerate replies that must lose, a climber that
//! looks for words that pay, and a judge of English that knows nothing of the rewards. Used by the tests,
//! by the example that writes `docs/rewards-attacks.md`, and by the benchmark.

#![allow(dead_code, reason = "each user of this module needs a part of it")]

pub(crate) mod climb;
pub(crate) mod degenerate;
pub(crate) mod english;
pub(crate) mod honest;

use std::sync::Arc;

use stateset_core::{Reward, RewardContext};
use stateset_env::rewards::parse_reward;

use honest::Exchange;

/// A reward with the kinds of talk it is meant for.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) domains: &'static [&'static str],
    /// The file its rules stand in, of which the head is the rubric.
    pub(crate) source: &'static str,
}

const TALK: &[&str] = &["service", "technical", "sales", "teaching", "chat"];
const ALL: &[&str] = &["service", "technical", "sales", "teaching", "chat", "facts"];

macro_rules! target {
    ($name:literal, $file:literal, $domains:expr) => {
        Target {
            name: $name,
            domains: $domains,
            source: include_str!(concat!("../../src/rewards/", $file, ".rs")),
        }
    };
}

/// Every reward that judges wording.
pub(crate) const TARGETS: &[Target] = &[
    target!("helpfulness", "helpfulness", ALL),
    target!("safety", "safety", ALL),
    target!("conciseness", "conciseness", ALL),
    target!("task_completion", "task_completion", &["facts"]),
    target!("exact_number", "exact_number", &["reasoning"]),
    target!("correctness", "correctness", &["facts"]),
    target!("engagement", "engagement", TALK),
    target!("customer_service_reply", "customer_service", &["service"]),
    target!("technical_support_reply", "technical_support", &["technical"]),
    target!("sales_reply", "sales", &["sales"]),
    target!("domain_specific", "domain_specific", &["service", "technical", "sales", "teaching"]),
    target!("similarity", "similarity", &["facts"]),
    target!("similarity_aware", "similarity_aware", &["facts"]),
    target!("length", "length", &["long"]),
    target!("empathy", "empathy", &["service"]),
    target!("action_oriented", "action_oriented", &["service", "technical"]),
    target!("professionalism", "professionalism", ALL),
    target!("reasoning_format", "reasoning_format", &["reasoning"]),
    target!("diversity", "diversity", ALL),
    target!("tool_use", "tool_use", &["tools"]),
];

impl Target {
    pub(crate) fn reward(&self) -> Arc<dyn Reward> {
        parse_reward(self.name).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The honest exchanges it is meant for and can score.
    pub(crate) fn exchanges(&self, all: &[Exchange]) -> Vec<Exchange> {
        let judge = Judge::new(self);
        let is_meant = |one: &&Exchange| self.domains.contains(&one.domain.as_str());
        let meant = all.iter().filter(is_meant).cloned();
        meant.filter(|one| judge.score(one, &one.reply).is_some()).collect()
    }
}

/// A reward that is waited for on the spot.
pub(crate) struct Judge {
    reward: Arc<dyn Reward>,
    runtime: tokio::runtime::Runtime,
}

impl Judge {
    pub(crate) fn new(target: &Target) -> Judge {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Judge { reward: target.reward(), runtime }
    }

    /// What `reply` in place of the honest one earns.
    pub(crate) fn score(&self, exchange: &Exchange, reply: &str) -> Option<f64> {
        let trajectory = exchange.with_reply(reply);
        let context = RewardContext { scenario: &exchange.scenario };
        self.runtime.block_on(self.reward.score(&trajectory, context)).total.value()
    }
}

/// The value below which the share `q` of `values` lies; the nearest rank.
pub(crate) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
