//! How rollouts are sampled, and their limits.

use std::time::Duration;

use stateset_core::Sampling;

use super::super::reader::Reader;
use super::agent::at_temperature;

/// Sampling and limits of rollouts.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutSettings {
    /// How tokens are drawn; never truncated. `max_new_tokens` is the limit of one answer.
    pub sampling: Sampling,
    /// Most tokens of the messages that open an episode.
    pub max_prompt_tokens: usize,
    /// Most tokens of a conversation; as many as the model reads where `None`.
    pub context_tokens: Option<usize>,
    /// Conversations that are played at the same time.
    pub concurrency: usize,
    /// Tokens that the key-value cache holds; enough for `concurrency` where `None`.
    pub cache_tokens: Option<usize>,
    /// Longest time of one turn.
    pub turn_timeout: Duration,
    /// Longest time of one reward.
    pub reward_timeout: Duration,
}

const PROMPT: &str = "training.max_prompt_length";
const COMPLETION: &str = "training.max_completion_length";
const CONTEXT: &str = "training.context_length";
const CACHE: &str = "training.cache_tokens";

impl RolloutSettings {
    pub(in super::super) fn resolve(reader: &mut Reader) -> RolloutSettings {
        check_truncation(reader);
        let temperature = reader.number("training.temperature");
        if !(0.3..=1.5).contains(&temperature) {
            reader.warn(&["training.temperature"], "0.3 to 1.5 is usual");
        }
        let max_new_tokens = reader.size(COMPLETION);
        let settings = RolloutSettings {
            sampling: Sampling {
                max_new_tokens,
                stop: reader.texts("agent.stop"),
                ..at_temperature(temperature, true)
            },
            max_prompt_tokens: reader.size(PROMPT),
            context_tokens: reader.optional_size(CONTEXT),
            concurrency: reader.size("training.rollout_concurrency"),
            cache_tokens: reader.optional_size(CACHE),
            turn_timeout: Duration::from_secs_f64(reader.number("training.turn_timeout_secs")),
            reward_timeout: Duration::from_secs_f64(reader.number("training.reward_timeout_secs")),
        };
        check_room(reader, &settings);
        settings
    }
}

/// Rollouts draw from the whole vocabulary. A truncated or penalised draw comes from another
/// distribution than the one whose log-probs are trained, so the gradient would be wrong.
fn check_truncation(reader: &mut Reader) {
    let wanted =
        [("training.top_p", 1.0), ("training.top_k", 0.0), ("training.repetition_penalty", 1.0)];
    for (path, neutral) in wanted {
        let found = reader.number(path);
        if found != neutral {
            let hint = format!(
                "set {path} to {neutral}: log-probs are those of the policy, so rollouts have to be \
                 drawn from all of it"
            );
            reader.refuse(&[path], found.to_string(), format!("only {neutral}"), hint);
        }
    }
}

fn check_room(reader: &mut Reader, settings: &RolloutSettings) {
    let least = settings.max_prompt_tokens + settings.sampling.max_new_tokens;
    if let Some(context) = settings.context_tokens
        && context < least
    {
        let found = format!("{context} tokens");
        let allowed = format!("at least {least}, a prompt and an answer");
        let hint = "raise it, or lower the two lengths";
        reader.refuse(&[CONTEXT, PROMPT, COMPLETION], found, allowed, hint);
    }
    let longest = settings.context_tokens.unwrap_or(least);
    if let Some(cache) = settings.cache_tokens
        && cache < longest
    {
        let allowed = format!("at least {longest}, one conversation");
        let hint = "raise it, or leave it out";
        reader.refuse(&[CACHE], format!("{cache} tokens"), allowed, hint);
    }
}
