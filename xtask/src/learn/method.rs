//! Methods by name, until the configuration knows them.

use anyhow::{Context, Result, bail};
use stateset_algo as algo;
use stateset_train::config::{CriticKind, CriticSettings, Method, Resolved};

use super::row::Row;

/// Keys that the configuration does not know yet.
pub(super) fn is_ours(key: &str) -> bool {
    key == "algorithm" || key.starts_with("x.")
}

/// Puts the row's method in place.
pub(super) fn apply(row: &Row, resolved: &mut Resolved) -> Result<()> {
    let get = |key: &str| row.keys.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    let name = get("algorithm").context("no algorithm")?;
    let mut method = match name {
        "grpo" => algo::grpo(),
        "dr_grpo" => algo::dr_grpo(resolved.config.rollout.sampling.max_new_tokens),
        "bnpo" => algo::bnpo(),
        "dapo" => algo::dapo(),
        "cispo" => algo::cispo(),
        "sapo" => algo::sapo(),
        "luspo" => algo::luspo(),
        "vespo" => algo::vespo(),
        "gmpo" => algo::gmpo(),
        "gspo" => algo::gspo(),
        "gspo_token" => algo::gspo_token(),
        "gepo" => algo::gepo(),
        "rloo" => algo::rloo(),
        "reinforce" => algo::reinforce(),
        "reinforce_pp" => algo::reinforce_pp(),
        "ppo" => algo::ppo(),
        "vapo" => algo::vapo(),
        "a2c" => algo::a2c(),
        "trpo" => algo::trpo(),
        other => bail!("no method {other}"),
    };
    let number = |key: &str| -> Result<Option<f64>> { Ok(get(key).map(str::parse).transpose()?) };
    if let Some(coef) = number("x.reward_kl")? {
        method.reward_kl_coef = coef;
    }
    if let Some(lambda) = number("x.lambda")? {
        if let algo::AdvantageEstimator::Critic {
            estimator: algo::CriticEstimator::Token(gae), ..
        } = &mut method.advantage
        {
            gae.lambda = lambda;
        }
    }
    if let (Some(x), Some(region)) = (number("x.damping")?, &mut method.trust_region) {
        region.damping = x;
    }
    if let (Some(x), Some(region)) = (number("x.cg")?, &mut method.trust_region) {
        region.cg_iterations = x as usize;
    }
    if let Some(x) = number("x.positive")? {
        method.positive_coef = x;
    }
    if let (Some(coef), Some(value)) = (number("x.vf")?, &mut method.value) {
        value.coef = coef;
    }
    if let Some(max) = number("x.cispo_max")? {
        method.surrogate = algo::Surrogate::Cispo(algo::Cispo { max, ..algo::Cispo::default() });
    }
    if let (Some(kl), Some(region)) = (number("x.max_kl")?, &mut method.trust_region) {
        region.max_kl = kl;
    }
    if let Some(scale) = number("x.clip_scale")? {
        let scaled = |c: algo::Clip| algo::Clip { low: c.low * scale, high: c.high * scale, ..c };
        method.surrogate = match method.surrogate {
            algo::Surrogate::Clip { clip, level } => {
                algo::Surrogate::Clip { clip: scaled(clip), level }
            }
            algo::Surrogate::GspoToken(clip) => algo::Surrogate::GspoToken(scaled(clip)),
            other => other,
        };
    }
    if method.value.is_some() {
        let mut critic = CriticSettings::default();
        if let Some(rate) = number("x.critic_rate")? {
            critic.learning_rate = rate;
        }
        if let Some(n) = number("x.pretrain")? {
            critic.pretraining_steps = n as u32;
        }
        if let Some(n) = number("x.passes")? {
            critic.passes = n as usize;
        }
        if get("x.critic") == Some("separate") {
            critic.kind = CriticKind::Separate;
        }
        if get("x.stops") == Some("true") {
            critic.stops_gradient = true;
        }
        resolved.config.algorithm.critic = Some(critic);
    }
    let problems = method.validate();
    if !problems.is_empty() {
        bail!("{problems:?}");
    }
    resolved.config.algorithm.method = Method::Online(method);
    Ok(())
}
