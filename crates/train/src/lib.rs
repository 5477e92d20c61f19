//! Rollouts, trainers, evaluation, events, journal, checkpoints and resume.

mod agent;
pub mod config;
mod engine;
mod error;
mod model;
mod policy;
mod rollout;
mod sft;
mod update;

pub use agent::MultiTurnAgent;
pub use engine::{Engine, EngineState, Sampled};
pub use error::TrainError;
pub use model::{
    AgentConfig, EngineSpec, Fetch, MemoryPart, MemoryPlan, ModelSource, TrainingSpec,
    builtin_models, chat_format,
};
pub use policy::{LocalPolicy, StubPolicy};
pub use rollout::{EpisodeLimits, GroupPlan, Players, Stage, play, play_groups};
pub use sft::{SftExample, SftOrder, SftReport, SftRow, read_examples, sft_loss, sft_step};
pub use update::{Batch, BatchRow, BatchTrajectory, UpdateReport, UpdateSettings, update};
