//! A model source made into a model that answers.

use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use stateset_core::{PolicyVersion, Sampling};
use stateset_nn::{Date, PAGE_TOKENS, Path, SamplerSize};
use stateset_train::{EngineSpec, LocalPolicy, ModelSource, StubPolicy, TrainError, chat_format};

use crate::observe::AnswerWatch;

use super::{ServedModel, Voice};
use crate::answer::Speaker;
use crate::wire::now;

/// How much of the machine a model may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Threads to compute with; all where absent.
    pub threads: Option<usize>,
    /// Answers that are sampled at the same time; more wait.
    pub slots: usize,
    /// Tokens of the longest conversation; the model's own limit where that is less.
    pub context: usize,
    /// Tokens that all running conversations may hold together; `slots` of the longest where absent.
    pub cache_tokens: Option<usize>,
    /// The date that chat templates are told.
    pub date: Option<Date>,
    /// What answers call the version of these weights.
    pub version: PolicyVersion,
}

impl Default for LoadOptions {
    fn default() -> LoadOptions {
        LoadOptions {
            threads: None,
            slots: 16,
            context: 8192,
            cache_tokens: None,
            date: None,
            version: PolicyVersion(0),
        }
    }
}

/// Tokens that a pass reads beside those of running answers.
const PASS_TOKENS: usize = 1024;

impl ServedModel {
    /// What an engine for `source` is set up for.
    pub fn engine_spec(source: &ModelSource, options: &LoadOptions) -> EngineSpec {
        let context = options.context.min(source.files.decoder.max_positions);
        let whole = options.slots * context.next_multiple_of(PAGE_TOKENS);
        EngineSpec {
            threads: options
                .threads
                .unwrap_or_else(|| available_parallelism().map_or(1, usize::from)),
            path: Path::best(),
            context,
            sampler: SamplerSize {
                max_running: options.slots,
                max_rows: PASS_TOKENS.max(options.slots),
                cache_tokens: options.cache_tokens.unwrap_or(whole),
            },
            training: None,
            scorer_tokens: None,
        }
    }

    /// Loads the weights and starts the engine.
    ///
    /// # Errors
    /// [`TrainError`] that names the file, tensor or setting at fault.
    pub fn load(
        name: &str,
        source: ModelSource,
        options: &LoadOptions,
    ) -> Result<ServedModel, TrainError> {
        let format = chat_format(&source, options.date)?;
        let saved = source.agent_config.clone();
        let spec = ServedModel::engine_spec(&source, options);
        let context = spec.context;
        Ok(ServedModel {
            name: name.to_owned(),
            created: now(),
            voice: Voice::Local(Box::new(LocalPolicy::new(spec.start(source)?, format))),
            context,
            system_prompt: saved.as_ref().and_then(|saved| saved.system_prompt.clone()),
            sampling: saved.map_or_else(Sampling::default, |saved| saved.sampling()),
            version: options.version,
            vocabulary: OnceLock::new(),
            watch: AnswerWatch::default(),
        })
    }

    /// A model whose answers come from `speaker`.
    pub fn spoken_by(name: &str, speaker: Arc<dyn Speaker>) -> ServedModel {
        let voice = Voice::Speaker(speaker);
        ServedModel { voice, ..ServedModel::stub(name, Vec::new()) }
    }

    /// A model that says these sentences in turn, for trying everything around a model.
    pub fn stub(name: &str, replies: Vec<String>) -> ServedModel {
        ServedModel {
            name: name.to_owned(),
            created: now(),
            voice: Voice::Stub(StubPolicy::new(replies)),
            context: usize::MAX,
            system_prompt: None,
            sampling: Sampling::default(),
            version: PolicyVersion(0),
            vocabulary: OnceLock::new(),
            watch: AnswerWatch::default(),
        }
    }
}
