//! What a run asks of the engine, and whether its conversations fit.

use std::sync::Arc;

use stateset_algo::Algorithm;
use stateset_core::{AgentRequest, PLAN_GOAL, Purpose, Scenario, StreamKey};
use stateset_nn::{
    ChatFormat, Date, DecoderConfig, LoraSpec, NnError, OptimiserStep, Path, SamplerSize,
};

use super::cast::Cast;
use crate::TrainError;
use crate::agent::MultiTurnAgent;
use crate::config::{PromptStyle, RunConfig};
use crate::model::{EngineSpec, ModelSource, TrainingSpec};
use crate::update::UpdateSettings;

/// Tokens that the sampler reads in one pass.
const SAMPLER_ROWS: usize = 2048;
/// Problems of scenarios that are listed one by one.
const MAX_LISTED: usize = 10;

/// The method of a run that plays.
///
/// # Errors
/// [`TrainError::Invalid`] where the method learns from pairs.
pub(super) fn algorithm(config: &RunConfig) -> Result<Arc<dyn Algorithm>, TrainError> {
    config.algorithm.method.algorithm().ok_or_else(|| TrainError::Invalid {
        what: "train on rollouts",
        message: format!("{} learns from pairs and plays nothing", config.presets.algorithm),
    })
}

/// Tokens a conversation of the run may have.
fn context_tokens(config: &RunConfig, cast: &Cast, model: &DecoderConfig) -> usize {
    let rollout = &config.rollout;
    let one_turn = rollout.max_prompt_tokens + rollout.sampling.max_new_tokens;
    let wanted = rollout.context_tokens.unwrap_or(usize::MAX);
    let wanted = if cast.is_prompts { wanted.min(one_turn) } else { wanted };
    wanted.min(model.max_positions).min(config.compute.max_tokens_per_microbatch)
}

/// The engine that trains `model` as `config` says.
pub(super) fn engine_spec(config: &RunConfig, cast: &Cast, model: &DecoderConfig) -> EngineSpec {
    let context = context_tokens(config, cast, model);
    let rollouts = config.steps.prompts_per_step * config.steps.group_size;
    let evaluation = &config.evaluation;
    let evaluated = cast.evaluation.len() * evaluation.samples_per_scenario;
    let training_places = config.rollout.concurrency.min(rollouts);
    let max_running = training_places.max(evaluation.concurrency.min(evaluated)).max(1);
    let sampler = SamplerSize {
        max_running,
        max_rows: SAMPLER_ROWS.max(max_running),
        cache_tokens: config.rollout.cache_tokens.unwrap_or(max_running * context),
    };
    EngineSpec {
        threads: threads(config),
        path: Path::best(),
        context,
        sampler,
        training: Some(TrainingSpec {
            max_tokens_per_microbatch: config.compute.max_tokens_per_microbatch,
            recomputes: config.compute.recomputes_activations,
            adapters: lora_spec(config),
            reference: config.algorithm.reference,
            critic: config.algorithm.critic,
            moves_reference: config.algorithm.reference_sync.is_some(),
            seed: config.seed,
            staleness: config.algorithm.rollouts.staleness,
        }),
        scorer_tokens: None,
    }
}

/// The adapters that are trained; all weights where `None`.
pub(crate) fn lora_spec(config: &RunConfig) -> Option<LoraSpec> {
    config.adapters.as_ref().map(|adapters| LoraSpec {
        rank: adapters.rank,
        alpha: adapters.alpha,
        is_rank_stabilised: adapters.is_rank_stabilised,
        targets: adapters.targets.clone(),
    })
}

/// The optimiser at its peak.
pub(crate) fn optimiser_step(config: &RunConfig) -> OptimiserStep {
    let optimiser = &config.optimiser;
    OptimiserStep {
        learning_rate: optimiser.learning_rate,
        beta1: optimiser.beta1,
        beta2: optimiser.beta2,
        eps: optimiser.epsilon,
        weight_decay: optimiser.weight_decay,
        max_grad_norm: optimiser.max_grad_norm,
    }
}

/// Tokenizer and template as a run uses them. A prompt that is the beginning of a text is rendered as it
/// stands, after the token that the tokenizer begins texts with.
///
/// # Errors
/// [`TrainError`] naming the file that cannot be read or does not fit.
pub fn run_format(
    config: &RunConfig,
    cast: &Cast,
    model: &ModelSource,
    date: Option<Date>,
) -> Result<ChatFormat, TrainError> {
    let format = format_of_template(config, cast, model, date)?;
    Ok(match config.agent.call_format {
        Some(call_format) => format.with_call_format(call_format),
        None => format,
    })
}

fn format_of_template(
    config: &RunConfig,
    cast: &Cast,
    model: &ModelSource,
    date: Option<Date>,
) -> Result<ChatFormat, TrainError> {
    let format = match &config.agent.chat_template_path {
        Some(path) => {
            let template = std::fs::read(path).map_err(|e| TrainError::io("read", path, e))?;
            with_template(model, template, date)?
        }
        None => crate::chat_format(model, date)?,
    };
    let as_text = match config.environment.prompt_style {
        PromptStyle::Auto => format.template().is_plain(),
        PromptStyle::Chat => false,
        PromptStyle::Text => true,
    };
    if !(as_text && cast.is_prompts) {
        return Ok(format);
    }
    let tokenizer = format.tokenizer();
    let first = tokenizer.encode("a", true).map_err(NnError::from)?.first().copied();
    let begins = first.is_some_and(|id| tokenizer.bos_id() == Some(id));
    let bos = if begins { "{{ bos_token }}" } else { "" };
    let template =
        format!("{bos}{{% for message in messages %}}{{{{ message.content }}}}{{% endfor %}}");
    with_template(model, template.into_bytes(), date)
}

fn with_template(
    model: &ModelSource,
    template: Vec<u8>,
    date: Option<Date>,
) -> Result<ChatFormat, TrainError> {
    let text = model.text.with_template(template);
    let format = ChatFormat::load(&text, date, serde_json::Map::new()).map_err(NnError::from)?;
    format.tokenizer().check_vocab(model.files.decoder.vocab_size).map_err(NnError::from)?;
    Ok(format)
}

pub(super) fn threads(config: &RunConfig) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    config.compute.threads.unwrap_or_else(all)
}

/// How a step's rollouts are used.
pub(super) fn update_settings(config: &RunConfig) -> UpdateSettings {
    UpdateSettings {
        temperature: config.rollout.sampling.temperature as f32,
        n_epochs: config.steps.n_iterations,
        n_minibatches: config.steps.n_minibatches,
        optimiser: optimiser_step(config),
        schedule: config.optimiser.schedule,
        success_reward: config.reward.success_threshold,
        critic: config.algorithm.critic,
        reference_sync: config.algorithm.reference_sync,
    }
}

/// Renders the opening of every scenario and compares its length with what is allowed. A world that
/// fails here is left to fail in the rollout, where it ends one episode only.
///
/// # Errors
/// [`TrainError::Invalid`] naming the scenarios that do not fit.
pub(super) async fn check_openings(
    config: &RunConfig,
    cast: &Cast,
    agent: &MultiTurnAgent,
    format: &ChatFormat,
    context: usize,
) -> Result<(), TrainError> {
    let limit = config.rollout.max_prompt_tokens.min(context.saturating_sub(1));
    let mut problems = Vec::new();
    let training = cast.training.iter().map(|scenario| (scenario, &cast.environment));
    let held_out = cast.evaluation.iter().map(|s| (s, &cast.evaluation_environment));
    for (scenario, world) in training.chain(held_out) {
        let stream = config.seed.stream(Purpose::Environment, StreamKey::default());
        let Ok(opening) = world.reset(scenario, stream).await else { continue };
        let stream = config.seed.stream(Purpose::Sampling, StreamKey::default());
        let mut request = AgentRequest::new(opening.messages, stream);
        request.system_prompt = scenario.system_prompt.clone();
        if let Some(goal) = scenario.metadata.get(PLAN_GOAL) {
            request.context.insert(PLAN_GOAL.to_owned(), goal.clone());
        }
        let messages = match agent.read(&request).await {
            Ok(reading) => reading.messages,
            Err(error) => {
                problems.push(format!("scenario {:?}: {}", scenario.id, error.message));
                continue;
            }
        };
        match format.prompt(&messages, &opening.tools) {
            Ok(tokens) if tokens.len() > limit => problems.push(too_long(scenario, tokens.len())),
            Ok(_) => {}
            Err(error) => problems.push(format!("scenario {:?}: {error}", scenario.id)),
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let n_more = problems.len().saturating_sub(MAX_LISTED);
    problems.truncate(MAX_LISTED);
    if n_more > 0 {
        problems.push(format!("and {n_more} more"));
    }
    let message = format!(
        "{} of the openings do not fit. Allowed are {limit} tokens: the least of \
         training.max_prompt_length, training.context_length, training.max_tokens_per_microbatch and \
         what the model reads\n  {}",
        problems.len() + n_more,
        problems.join("\n  ")
    );
    Err(TrainError::Invalid { what: "prepare what is played", message })
}

fn too_long(scenario: &Scenario, found: usize) -> String {
    format!("scenario {:?} opens with {found} tokens", scenario.id)
}
