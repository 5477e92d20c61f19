//! The model that plays the users, on an engine of its own.

use stateset_nn::{PAGE_TOKENS, Path, SamplerSize};

use super::setup::threads;
use crate::TrainError;
use crate::config::RunConfig;
use crate::model::{EngineSpec, ModelSource, chat_format};
use crate::policy::LocalPolicy;

/// Most tokens of a conversation that it reads; the model's own limit where that is less.
const CONTEXT: usize = 4096;

/// Starts an engine for `model`, which is to play the users of a run as `config` says. Training the
/// agent does not change it.
///
/// # Errors
/// [`TrainError`] where the model cannot be loaded.
pub fn start_user_model(config: &RunConfig, model: ModelSource) -> Result<LocalPolicy, TrainError> {
    let format = chat_format(&model, None)?;
    let context = CONTEXT.clamp(2, model.files.decoder.max_positions.max(2));
    let max_running = config.rollout.concurrency.max(1);
    let spec = EngineSpec {
        threads: threads(config),
        path: Path::best(),
        context,
        sampler: SamplerSize {
            max_running,
            max_rows: context.max(max_running),
            cache_tokens: max_running * context.next_multiple_of(PAGE_TOKENS),
        },
        training: None,
        scorer_tokens: None,
    };
    Ok(LocalPolicy::new(spec.start(model)?, format))
}
