//! `POST /training`: an agent, scenarios, a reward, and a number of episodes.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::JobSettings;
use super::allowed::check_reward;
use super::gateway_wish::GatewayWish;
use super::wish::Wish;
use crate::api_error::ApiError;
use crate::services::{check_text, unusable};

/// Scenarios of one request.
const MAX_SCENARIOS: usize = 1000;

/// A training that is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainingRequest {
    /// The agent: `model_name` (or `model`), and keys of the section `agent` of the configuration.
    #[schema(value_type = Option<Object>)]
    agent_config: Option<Map<String, Value>>,
    /// Scenarios to learn from; the built-in ones where absent.
    #[schema(min_items = 1, max_items = 1000)]
    environment_scenarios: Option<Vec<Value>>,
    /// Prompts to learn from, in the place of scenarios.
    #[schema(min_items = 1, max_items = 1000)]
    prompts: Option<Vec<String>>,
    /// Weights of rewards: a reward's name with `_weight` behind it, and a number, 0 or more.
    #[schema(value_type = Option<Object>)]
    reward_config: Option<Map<String, Value>>,
    /// Episodes to play; the server sets the most.
    #[schema(minimum = 1)]
    num_episodes: Option<u64>,
    /// Steps to do, in the place of `num_episodes`.
    #[schema(minimum = 1)]
    num_iterations: Option<u64>,
    /// A profile of the configuration, such as `balanced`.
    #[schema(min_length = 1, max_length = 40)]
    profile: Option<String>,
    /// A method, such as `grpo`.
    #[schema(min_length = 1, max_length = 40)]
    strategy: Option<String>,
    /// An earlier training whose model is the beginning.
    resume_from_checkpoint: Option<String>,
    /// Programs play the samples: an object, empty where they run elsewhere.
    #[schema(value_type = Option<Object>)]
    gateway: Option<GatewayWish>,
    /// Keys of the configuration; those that name files, places, models or secrets are refused.
    #[schema(value_type = Option<Object>)]
    training_config_overrides: Option<Map<String, Value>>,
    /// Lets the request count once; the header `Idempotency-Key` counts before it.
    #[schema(min_length = 1, max_length = 200)]
    idempotency_key: Option<String>,
}

impl TrainingRequest {
    /// What is wanted.
    pub(super) fn wish(mut self, limits: &JobSettings) -> Result<Wish, ApiError> {
        let asked = json!({
            "agent_config": self.agent_config, "environment_scenarios": self.environment_scenarios,
            "prompts": self.prompts, "reward_config": self.reward_config,
            "num_episodes": self.num_episodes, "num_iterations": self.num_iterations,
            "profile": self.profile, "strategy": self.strategy,
            "resume_from_checkpoint": self.resume_from_checkpoint, "gateway": self.gateway,
            "training_config_overrides": self.training_config_overrides,
        });
        let mut wish = Wish {
            idempotency_key: self.idempotency_key.take(),
            gateway: self.gateway.take(),
            after_job: self.resume_from_checkpoint.take(),
            asked,
            ..Wish::default()
        };
        if let Some(gateway) = &wish.gateway {
            gateway.check()?;
        }
        let mut agent = self.agent_config.take().unwrap_or_default();
        wish.model = model_of(&mut agent)?;
        wish.set_all("agent_config", "agent", Some(agent))?;
        self.set_world(&mut wish, limits)?;
        self.set_size(&mut wish, limits)?;
        if let Some(profile) = &self.profile {
            check_text("profile", profile, 40)?;
            wish.set("profile", "profile", profile);
        }
        wish.set_strategy(self.strategy.as_deref())?;
        if let Some(reward) = reward_of(self.reward_config.take().unwrap_or_default())? {
            wish.set("reward.spec", "reward_config", reward);
        }
        let overrides = self.training_config_overrides;
        wish.set_all("training_config_overrides", "training", overrides)?;
        Ok(wish)
    }

    fn set_world(&mut self, wish: &mut Wish, limits: &JobSettings) -> Result<(), ApiError> {
        if let Some(prompts) = self.prompts.take() {
            if self.environment_scenarios.is_some() {
                let message = "give either prompts or environment_scenarios";
                return Err(unusable("invalid_value", "prompts", message));
            }
            if prompts.is_empty() || prompts.len() > MAX_SCENARIOS {
                let message = format!("allowed are 1 to {MAX_SCENARIOS}");
                return Err(unusable("invalid_length", "prompts", message));
            }
            for (place, prompt) in prompts.iter().enumerate() {
                check_text(&format!("prompts[{place}]"), prompt, limits.max_prompt_chars)?;
            }
            wish.set("environment.prompts", "prompts", Value::from(prompts));
        }
        if let Some(scenarios) = self.environment_scenarios.take() {
            if scenarios.is_empty() || scenarios.len() > MAX_SCENARIOS {
                let message = format!("allowed are 1 to {MAX_SCENARIOS}");
                return Err(unusable("invalid_length", "environment_scenarios", message));
            }
            let scenarios = Value::from(scenarios);
            wish.set("environment.scenarios", "environment_scenarios", scenarios);
        }
        Ok(())
    }

    fn set_size(&self, wish: &mut Wish, limits: &JobSettings) -> Result<(), ApiError> {
        let sizes = [
            ("num_episodes", "training.num_episodes", self.num_episodes, limits.max_episodes),
            ("num_iterations", "training.max_steps", self.num_iterations, limits.max_episodes),
        ];
        if sizes.iter().all(|(_, _, given, _)| given.is_some()) {
            let message = "give either num_episodes or num_iterations";
            return Err(unusable("invalid_value", "num_iterations", message));
        }
        for (field, path, given, most) in sizes {
            let Some(n) = given else { continue };
            if !(1..=most).contains(&n) {
                let message = format!("it is {n}; allowed are 1 to {most}");
                return Err(unusable("invalid_value", field, message));
            }
            wish.set(path, field, n);
        }
        Ok(())
    }
}

/// Takes the model out of an agent's settings.
fn model_of(agent: &mut Map<String, Value>) -> Result<Option<String>, ApiError> {
    for name in ["model_name", "model"] {
        match agent.remove(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(model)) => return Ok(Some(model)),
            Some(_) => {
                let field = format!("agent_config.{name}");
                return Err(unusable("invalid_value", field, "it has to be a text"));
            }
        }
    }
    Ok(None)
}

/// `{"helpfulness_weight": 0.6, "safety_weight": 0.4}` as a reward in words.
fn reward_of(weights: Map<String, Value>) -> Result<Option<String>, ApiError> {
    let mut parts = Vec::new();
    for (name, weight) in weights {
        let field = format!("reward_config.{name}");
        let reward = name.strip_suffix("_weight").unwrap_or(&name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if reward.is_empty() || reward.len() > 60 || !reward.chars().all(is_name) {
            let message = "it is no name of a reward with _weight behind it";
            return Err(unusable("unknown_field", field, message));
        }
        check_reward(&field, reward)?;
        let weight = weight.as_f64().filter(|weight| weight.is_finite() && *weight >= 0.0);
        let weight = weight
            .ok_or_else(|| unusable("invalid_value", field, "it has to be a number, 0 or more"))?;
        if weight > 0.0 {
            parts.push(format!("{reward}={weight}"));
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join(",")))
}
