//! `POST /api/train` and `POST /v1/training`: prompts, and a number of iterations over them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::JobSettings;
use super::allowed::check_reward;
use super::wish::Wish;
use crate::api_error::ApiError;
use crate::services::{check_text, unusable};

/// Prompts of one step at most.
const MAX_PARALLEL: u64 = 64;

/// A training on prompts that is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainRequest {
    /// Prompts to learn from; the server sets how many, and how long they may be.
    #[serde(default)]
    #[schema(required, min_items = 1)]
    prompts: Vec<String>,
    /// `computational` (which is `grpo`), `grpo`, `gspo` or another method.
    #[schema(min_length = 1, max_length = 40)]
    strategy: Option<String>,
    /// Steps to do, 1 where absent; the server sets the most.
    #[schema(minimum = 1)]
    num_iterations: Option<u64>,
    /// Prompts of one step; all where absent.
    #[schema(minimum = 1, maximum = 64)]
    parallel_batch_size: Option<u64>,
    /// Only `false`: a server has no trained reward model.
    #[serde(default)]
    use_neural_rewards: bool,
    /// The model judges its own samples beside each other.
    #[serde(default)]
    use_ruler_rewards: bool,
    /// Only empty: a server trains in one process.
    #[schema(value_type = Option<Object>)]
    distributed_config: Option<Value>,
    /// A reward in words, such as `contains:yes` or `helpfulness=0.6,safety=0.4`.
    #[schema(min_length = 1, max_length = 1000)]
    reward: Option<String>,
    /// A served model, or one that begins with `builtin:`; the server's first where absent.
    model: Option<String>,
    /// Keys of the configuration; those that name files, places, models or secrets are refused.
    #[schema(value_type = Option<Object>)]
    training_config_overrides: Option<Map<String, Value>>,
    /// Lets the request count once; the header `Idempotency-Key` counts before it.
    #[schema(min_length = 1, max_length = 200)]
    idempotency_key: Option<String>,
}

impl TrainRequest {
    /// What is wanted, in at most so many iterations.
    pub(super) fn wish(self, limits: &JobSettings, max_iterations: u64) -> Result<Wish, ApiError> {
        self.check(limits, max_iterations)?;
        let iterations = self.num_iterations.unwrap_or(1);
        let mut wish = Wish {
            model: self.model.clone(),
            judges_itself: self.use_ruler_rewards,
            idempotency_key: self.idempotency_key,
            asked: json!({
                "prompts": self.prompts, "strategy": self.strategy, "num_iterations": iterations,
                "parallel_batch_size": self.parallel_batch_size, "reward": self.reward,
                "use_ruler_rewards": self.use_ruler_rewards, "model": self.model,
                "training_config_overrides": self.training_config_overrides,
            }),
            ..Wish::default()
        };
        let prompts = Value::from(self.prompts);
        wish.set("environment.prompts", "prompts", &prompts);
        wish.set("training.max_steps", "num_iterations", iterations);
        wish.set_strategy(self.strategy.as_deref())?;
        let n_prompts = prompts.as_array().map_or(1, Vec::len) as u64;
        let per_step = self.parallel_batch_size.unwrap_or(n_prompts);
        wish.set("training.prompts_per_step", "parallel_batch_size", per_step);
        if let Some(reward) = &self.reward {
            wish.set("reward.spec", "reward", reward);
        }
        let overrides = self.training_config_overrides;
        wish.set_all("training_config_overrides", "training", overrides)?;
        Ok(wish)
    }

    fn check(&self, limits: &JobSettings, max_iterations: u64) -> Result<(), ApiError> {
        let n = self.prompts.len();
        if n == 0 || n > limits.max_prompts {
            let most = limits.max_prompts;
            let message = format!("there are {n} prompts; allowed are 1 to {most}");
            return Err(unusable("invalid_length", "prompts", message));
        }
        for (place, prompt) in self.prompts.iter().enumerate() {
            check_text(&format!("prompts[{place}]"), prompt, limits.max_prompt_chars)?;
        }
        let iterations = self.num_iterations.unwrap_or(1);
        if !(1..=max_iterations).contains(&iterations) {
            let message = format!("it is {iterations}; allowed are 1 to {max_iterations}");
            return Err(unusable("invalid_value", "num_iterations", message));
        }
        if self.parallel_batch_size.is_some_and(|n| !(1..=MAX_PARALLEL).contains(&n)) {
            let message = format!("allowed are 1 to {MAX_PARALLEL}");
            return Err(unusable("invalid_value", "parallel_batch_size", message));
        }
        if self.use_neural_rewards {
            let message = "this server has no trained reward model; use_ruler_rewards lets the model \
                           judge its own samples";
            return Err(unusable("not_supported", "use_neural_rewards", message));
        }
        let has_cluster = match &self.distributed_config {
            None | Some(Value::Null) => false,
            Some(Value::Object(fields)) => !fields.is_empty(),
            Some(_) => true,
        };
        if has_cluster {
            let message = "this server trains in one process";
            return Err(unusable("not_supported", "distributed_config", message));
        }
        if let Some(reward) = &self.reward {
            check_text("reward", reward, 1000)?;
            check_reward("reward", reward)?;
        }
        Ok(())
    }
}
