//! The whole of a run's settings, and those that belong to no part of it.

use std::path::PathBuf;

use serde_json::{Map, Value};
use stateset_core::RunSeed;

use super::super::reader::Reader;
use super::{
    AdapterSettings, AgentSettings, AlgorithmSettings, EnvironmentSettings, EvaluationSettings,
    OptimiserSettings, RewardSettings, RolloutSettings, StepSettings,
};

/// Everything a run is told.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// Names of the presets it was made with; their values are in the other settings.
    pub presets: PresetNames,
    /// The agent.
    pub agent: AgentSettings,
    /// What is played.
    pub environment: EnvironmentSettings,
    /// What is rewarded.
    pub reward: RewardSettings,
    /// Length and steps.
    pub steps: StepSettings,
    /// Sampling and limits of rollouts.
    pub rollout: RolloutSettings,
    /// The method.
    pub algorithm: AlgorithmSettings,
    /// The optimiser.
    pub optimiser: OptimiserSettings,
    /// Low-rank adapters; all weights are trained where `None`.
    pub adapters: Option<AdapterSettings>,
    /// Evaluations.
    pub evaluation: EvaluationSettings,
    /// When to end before the last step; never where `None`.
    pub early_stopping: Option<EarlyStopping>,
    /// What is kept on disk.
    pub checkpoint: CheckpointSettings,
    /// What is told on the way.
    pub logging: LoggingSettings,
    /// What may be used up.
    pub compute: ComputeSettings,
    /// What all randomness starts from.
    pub seed: RunSeed,
    /// Notes that nothing reads.
    pub metadata: Map<String, Value>,
}

/// Names of presets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetNames {
    /// Profile, if one was asked for.
    pub profile: Option<String>,
    /// Task, if one was asked for.
    pub task: Option<String>,
    /// Algorithm.
    pub algorithm: String,
}

/// When to end early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    /// Steps without a new best evaluation, 1 or more.
    pub patience_steps: u64,
    /// What a new best must exceed the last by, in units of the reward; 0 or more.
    pub min_delta: f64,
}

impl EarlyStopping {
    /// Evaluations without a new best after which the run ends, 1 or more.
    pub fn n_evaluations(&self, evaluation: &EvaluationSettings) -> u32 {
        let every = evaluation.every_n_steps.unwrap_or(1).max(1);
        u32::try_from(self.patience_steps.div_ceil(every)).unwrap_or(u32::MAX)
    }
}

/// What is kept on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSettings {
    /// Folder of run folders.
    pub output_dir: PathBuf,
    /// Name of the run's own folder; one is made up where `None`.
    pub run_name: Option<String>,
    /// Replace a run of the same name.
    pub overwrites: bool,
    /// Run folder or checkpoint to go on from.
    pub resume_from: Option<PathBuf>,
    /// Steps between checkpoints; only the last is kept where `None`.
    pub every_n_steps: Option<u64>,
    /// Checkpoints to keep beside the best and the last; all where `None`.
    pub n_kept: Option<usize>,
}

/// What is told on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggingSettings {
    /// Steps between lines of the log, 1 or more.
    pub every_n_steps: u64,
    /// Show a progress bar on a terminal.
    pub shows_progress: bool,
}

/// What may be used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeSettings {
    /// Threads; all of the machine where `None`.
    pub threads: Option<usize>,
    /// Tokens of one forward and backward pass; one conversation is never split.
    pub max_tokens_per_microbatch: usize,
    /// Compute activations a second time instead of keeping them.
    pub recomputes_activations: bool,
}

impl RunConfig {
    pub(in super::super) fn resolve(reader: &mut Reader) -> RunConfig {
        let environment = EnvironmentSettings::resolve(reader);
        let algorithm = AlgorithmSettings::resolve(reader);
        let steps = StepSettings::resolve(reader, &algorithm);
        let rollout = RolloutSettings::resolve(reader);
        let evaluation = EvaluationSettings::resolve(reader, &environment, &rollout, steps.n_steps);
        RunConfig {
            presets: preset_names(reader),
            agent: AgentSettings::resolve(reader),
            environment,
            reward: RewardSettings::resolve(reader, &algorithm, &steps),
            steps,
            rollout,
            algorithm,
            optimiser: OptimiserSettings::resolve(reader, &steps),
            adapters: AdapterSettings::resolve(reader),
            early_stopping: early_stopping(reader, &evaluation),
            evaluation,
            checkpoint: checkpoint(reader),
            logging: LoggingSettings {
                every_n_steps: reader.count("training.logging_steps"),
                shows_progress: !reader.bool("training.disable_tqdm"),
            },
            compute: ComputeSettings {
                threads: reader.optional_size("training.threads"),
                max_tokens_per_microbatch: reader.size("training.max_tokens_per_microbatch"),
                recomputes_activations: reader.bool("training.gradient_checkpointing"),
            },
            seed: RunSeed(reader.count("training.seed")),
            metadata: reader.object("metadata"),
        }
    }
}

fn preset_names(reader: &Reader) -> PresetNames {
    PresetNames {
        profile: reader.optional_text("profile").map(str::to_owned),
        task: reader.optional_text("task").map(str::to_owned),
        algorithm: reader.text("algorithm").to_owned(),
    }
}

fn early_stopping(reader: &mut Reader, evaluation: &EvaluationSettings) -> Option<EarlyStopping> {
    let patience_steps = reader.count("training.patience");
    let min_delta = reader.number("training.min_delta");
    if !reader.bool("training.early_stopping") {
        return None;
    }
    if evaluation.every_n_steps.is_none() {
        let paths = ["training.early_stopping", "training.eval_steps"];
        let hint = "it goes by evaluations: set eval_steps, or leave early_stopping out";
        reader.refuse(&paths, "true without evaluations", "eval_steps of 1 or more", hint);
    }
    Some(EarlyStopping { patience_steps, min_delta })
}

fn checkpoint(reader: &mut Reader) -> CheckpointSettings {
    let settings = CheckpointSettings {
        output_dir: reader.path("training.output_dir"),
        run_name: reader.optional_text("training.run_name").map(str::to_owned),
        overwrites: reader.bool("training.overwrite_output_dir"),
        resume_from: reader.optional_path("training.resume_from_checkpoint"),
        every_n_steps: Some(reader.count("training.save_steps")).filter(|&n| n > 0),
        n_kept: Some(reader.size("training.save_total_limit")).filter(|&n| n > 0),
    };
    if settings.overwrites && settings.resume_from.is_some() {
        let paths = ["training.overwrite_output_dir", "training.resume_from_checkpoint"];
        let hint = "what is replaced cannot be gone on with";
        reader.refuse(&paths, "both", "one of them", hint);
    }
    settings
}
