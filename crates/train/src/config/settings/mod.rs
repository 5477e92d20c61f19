//! The settings of a run, resolved: plain values without a trace of how they were written.

mod advantage;
mod agent;
mod algorithm;
mod critic;
mod environment;
mod evaluation;
mod judge;
mod method_checks;
mod online;
mod optimiser;
mod preference;
mod reward;
mod rollout;
mod run;
mod sampling_rules;
mod steps;
mod surrogate;
mod surroundings;
mod user_model;

pub use agent::AgentSettings;
pub use algorithm::{AlgorithmSettings, Method, ReferenceModel};
pub use critic::{CriticKind, CriticSettings};
pub use environment::{
    EndSettings, EnvironmentSettings, PromptStyle, ResponseOrder, ScenarioSource, Split,
};
pub use evaluation::{EvaluationScenarios, EvaluationSettings};
pub use judge::{JudgeKind, JudgeSettings, RemoteJudgeSettings, Rubric};
pub use optimiser::{AdapterSettings, OptimiserSettings};
pub use preference::{
    PairEvaluation, PairLength, PairSettings, PreferenceLoss, PreferenceMethodSettings,
    RewardModelSettings,
};
pub use reward::{RewardMethod, RewardSettings, RewardSource};
pub use rollout::RolloutSettings;
pub use run::{
    CheckpointSettings, ComputeSettings, EarlyStopping, LoggingSettings, PresetNames, RunConfig,
};
pub use sampling_rules::{ReferenceSync, RolloutRules};
pub use steps::StepSettings;
pub use surroundings::SurroundingsSettings;
pub use user_model::{RemoteUserSettings, UserModelSettings};
