//! A run on preferences before it begins: everything it needs, put together and checked before anything
//! is written.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use stateset_core::Sampling;
use stateset_nn::{ChatFormat, Date, Disk, RealDisk, SamplerSize, ValueHeadSpec};

use super::data::{PreferenceData, Prepared};
use super::evaluate::AnswerRewards;
use super::settings::PreferenceSettings;
use super::trainer::{Parts, Trainer};
use crate::config::ReferenceModel;
use crate::engine::Engine;
use crate::model::{AgentConfig, EngineSpec, MemoryPlan, ModelSource, TrainingSpec};
use crate::online::{CheckpointWriter, Resume, run_to_resume, take};
use crate::policy::LocalPolicy;
use crate::{
    Callback, EvaluationSummary, RunFolder, RunLock, RunStart, RunSummary, Sink, StopSignal,
    TrainError,
};

/// Tokens of the sampler's cache, which serves only those who talk with the model afterwards.
const CACHE_TOKENS: usize = 2048;

/// Everything a run needs. Fields may be replaced before [`PreferenceRun::train`].
pub struct PreferenceRun {
    /// How it learns.
    pub settings: PreferenceSettings,
    /// The model.
    pub model: ModelSource,
    /// What it learns from.
    pub data: PreferenceData,
    /// What it is measured on; a part of `data` is held back where `None`.
    pub evaluation: Option<PreferenceData>,
    /// Where it is written.
    pub folder: RunFolder,
    /// What to go on from; a new run where `None`.
    pub resume: Option<Resume>,
    /// Replace a run that the folder holds.
    pub overwrites: bool,
    /// What `config.toml` of the run folder says.
    pub config_toml: String,
    /// What can be used and may not be meant; told when the run begins.
    pub warnings: Vec<String>,
    /// Who is told what happens, beside the files of the run folder.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Who may end it.
    pub callbacks: Vec<Box<dyn Callback>>,
    /// Ends it from outside.
    pub stop: StopSignal,
    /// Where checkpoints go.
    pub disk: Arc<dyn Disk>,
    /// Today, for templates that ask.
    pub date: Option<Date>,
}

/// What a run would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreferenceOutline {
    /// Optimiser steps.
    pub n_steps: u32,
    /// Examples it learns from.
    pub n_learned: usize,
    /// Examples it is measured on.
    pub n_held_out: usize,
    /// Memory of the engine.
    pub memory: MemoryPlan,
}

/// A run that is over.
pub struct TrainedPreference {
    /// Where it was written.
    pub folder: RunFolder,
    /// It in figures; rewards stand for accuracies on held-out examples.
    pub summary: RunSummary,
    /// The evaluation before the first step.
    pub before: Option<EvaluationSummary>,
    /// The evaluation after the last step.
    pub after: Option<EvaluationSummary>,
    /// The rewards of every held-out example before the first step; none where the run was resumed.
    pub rewards_before: Vec<AnswerRewards>,
    /// The same after the last step.
    pub rewards_after: Vec<AnswerRewards>,
    /// Every step was done, or a callback ended it; false where it was stopped from outside.
    pub is_complete: bool,
    /// The policy as it is now.
    pub policy: LocalPolicy,
    pub(super) engine: Engine,
    pub(super) writer: CheckpointWriter,
    pub(super) scale: Option<super::scale::RewardScale>,
}

impl TrainedPreference {
    /// True where a value head was trained, so that it scores answers.
    pub fn is_reward_model(&self) -> bool {
        self.scale.is_some()
    }

    /// Writes the model with its tokenizer, and head and scale of a reward model, into `folder`, which is
    /// created. Must not be called from an asynchronous task.
    ///
    /// # Errors
    /// [`TrainError`] naming the file.
    pub fn save(&self, folder: &Path) -> Result<(), TrainError> {
        std::fs::create_dir_all(folder).map_err(|e| TrainError::io("create", folder, e))?;
        super::checkpoint::write_model(&self.writer, &self.engine, folder, self.scale)?;
        Ok(())
    }
}

/// What a run learns from and is measured on, as tokens.
pub(super) struct Divided {
    pub(super) learned: Prepared,
    pub(super) held_out: Prepared,
}

impl PreferenceRun {
    /// A run into `folder`, with nobody listening.
    pub fn new(
        settings: PreferenceSettings,
        model: ModelSource,
        data: PreferenceData,
        folder: RunFolder,
    ) -> PreferenceRun {
        let config_toml = format!("# Learning from preferences\n# {:?}\n", settings.goal);
        PreferenceRun {
            settings,
            model,
            data,
            evaluation: None,
            folder,
            resume: None,
            overwrites: false,
            config_toml,
            warnings: Vec::new(),
            sinks: Vec::new(),
            callbacks: Vec::new(),
            stop: StopSignal::default(),
            disk: Arc::new(RealDisk),
            date: None,
        }
    }

    /// Goes on with the run that `path` belongs to: its folder, or a checkpoint in it.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] where there is no run.
    pub fn resuming(mut self, path: &Path) -> Result<PreferenceRun, TrainError> {
        (self.folder, self.resume) = run_to_resume(path)?;
        Ok(self)
    }

    /// Checks everything that can be checked without an engine, and says what the run would be. Writes
    /// nothing.
    ///
    /// # Errors
    /// [`TrainError`] as [`PreferenceRun::train`], before anything is written.
    pub fn check(&self) -> Result<PreferenceOutline, TrainError> {
        self.settings.check()?;
        let format = crate::chat_format(&self.model, self.date)?;
        let data = self.divided(&format)?;
        let n_learned = data.learned.examples.len();
        Ok(PreferenceOutline {
            n_steps: self.settings.n_steps(n_learned),
            n_learned,
            n_held_out: data.held_out.examples.len(),
            memory: self.engine_spec(&data).memory_plan(&self.model)?,
        })
    }

    /// Learns, evaluates and saves until the end. Must not be called from an asynchronous task.
    ///
    /// # Errors
    /// [`TrainError`]; whatever was saved before is whole.
    pub fn train(self) -> Result<TrainedPreference, TrainError> {
        self.settings.check()?;
        let format = crate::chat_format(&self.model, self.date)?;
        let data = self.divided(&format)?;
        let spec = self.engine_spec(&data);
        let start = self.start(&spec, &data)?;
        let lock = match &self.resume {
            Some(_) => RunLock::acquire(&self.folder)?,
            None => take(&self.folder, self.overwrites)?,
        };
        if self.resume.is_none() {
            let path = self.folder.config();
            crate::files::write_atomically(&path, self.config_toml.as_bytes())?;
        }
        let trained = self.train_locked(format, data, spec, start);
        drop(lock);
        trained
    }

    fn train_locked(
        self,
        format: ChatFormat,
        data: Divided,
        spec: EngineSpec,
        start: RunStart,
    ) -> Result<TrainedPreference, TrainError> {
        let fingerprint = self.fingerprint(&data);
        let fresh = || AgentConfig::new(&self.model.name, None, &Sampling::default());
        let agent = self.model.agent_config.clone().unwrap_or_else(fresh);
        let writer = CheckpointWriter::of(&self.model, agent, self.disk.clone());
        let engine = spec.start(self.model)?;
        if self.settings.is_reward_model() {
            let head = ValueHeadSpec { seed: self.settings.seed, ..ValueHeadSpec::default() };
            engine.run_blocking(move |state| {
                let learner = state.learner.as_mut();
                learner.map(|l| l.add_value_head(state.device.as_mut(), &state.decoder, head))
            })?;
        }
        let parts = Parts {
            settings: self.settings,
            folder: self.folder,
            resume: self.resume,
            config_toml: self.config_toml,
            warnings: self.warnings,
            sinks: self.sinks,
            callbacks: self.callbacks,
            stop: self.stop,
            engine,
            writer,
            format,
            data,
            fingerprint,
            start,
        };
        Trainer::new(parts)?.run()
    }

    /// The examples as tokens, divided.
    fn divided(&self, format: &ChatFormat) -> Result<Divided, TrainError> {
        let invalid = |message: String| TrainError::Invalid {
            what: "prepare learning from preferences",
            message,
        };
        let all = self.evaluation.iter().chain([&self.data]);
        if let Some(wrong) = all.into_iter().find(|data| !self.settings.takes(data.is_pairs())) {
            let name = self.settings.algorithm().name();
            let (found, needed) = match wrong.is_pairs() {
                true => ("pairs", "answers judged alone (prompt, completion, label)"),
                false => ("answers judged alone", "pairs (chosen, rejected)"),
            };
            return Err(invalid(format!("found {found}, but {name} learns from {needed}")));
        }
        let data = self.data.clone();
        let (data, held_out) = match &self.evaluation {
            Some(evaluation) => (data, evaluation.clone()),
            None => data.divided(self.settings.evaluation_share, self.settings.seed),
        };
        let max_tokens = self.max_tokens();
        let learned = data.prepared(format, max_tokens)?;
        let held_out = held_out.prepared(format, max_tokens)?;
        let (found, needed) = (learned.examples.len(), self.settings.examples_per_step);
        if found < needed {
            return Err(invalid(format!(
                "{found} examples can be learned from ({} were cut away at {max_tokens} tokens), but a \
                 step takes {needed}; give more, or set fewer to a step",
                learned.n_dropped
            )));
        }
        Ok(Divided { learned, held_out })
    }

    fn max_tokens(&self) -> usize {
        let limit = self.model.files.decoder.max_positions;
        self.settings.max_tokens.map_or(limit, |n| n.min(limit))
    }

    fn engine_spec(&self, data: &Divided) -> EngineSpec {
        let settings = &self.settings;
        let longest = data.learned.longest().max(data.held_out.longest()).max(2);
        let wants = settings.algorithm().wants();
        let largest = data.learned.largest_example();
        let has_adapters = settings.adapters.is_some() || self.model.adapter.is_some();
        let reference = wants.reference.then_some(match has_adapters {
            true => ReferenceModel::WithoutAdapters,
            false => ReferenceModel::FrozenCopy,
        });
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        EngineSpec {
            threads: settings.threads.unwrap_or_else(all),
            path: stateset_nn::Path::best(),
            context: self.model.files.decoder.max_positions.min(longest.max(CACHE_TOKENS)),
            sampler: SamplerSize { max_running: 1, max_rows: 256, cache_tokens: CACHE_TOKENS },
            training: Some(TrainingSpec {
                critic: None,
                moves_reference: false,
                staleness: 0,
                max_tokens_per_microbatch: settings
                    .max_tokens_per_microbatch
                    .max(largest)
                    .max(longest),
                recomputes: settings.recomputes,
                adapters: settings.adapters.clone(),
                reference,
                seed: settings.seed,
            }),
            scorer_tokens: None,
        }
    }

    fn start(&self, spec: &EngineSpec, data: &Divided) -> Result<RunStart, TrainError> {
        let plan = spec.memory_plan(&self.model)?;
        let n_parameters = plan.bytes_of("weights").unwrap_or(0) / 4;
        let adapters = plan.bytes_of("adapters").map(|bytes| bytes / 4);
        let name = self.folder.root().file_name();
        Ok(RunStart {
            run_name: name.map_or(String::new(), |name| name.to_string_lossy().into_owned()),
            algorithm: self.settings.algorithm().name().to_owned(),
            model: self.model.name.clone(),
            environment: format!("{} examples", data.learned.examples.len()),
            seed: self.settings.seed.0,
            n_parameters,
            n_trained_parameters: adapters.unwrap_or(n_parameters),
            memory_plan: plan.to_string(),
            ..RunStart::default()
        })
    }

    /// Names what the result of the run depends on.
    fn fingerprint(&self, data: &Divided) -> String {
        let mut hash = Sha256::new();
        // Threads and what is written change nothing that is learned.
        let settings = PreferenceSettings {
            threads: None,
            save_every_n_steps: None,
            n_kept: None,
            ..self.settings.clone()
        };
        hash.update(format!("{settings:?}"));
        data.learned.digest(&mut hash);
        data.held_out.digest(&mut hash);
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing into a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}
