//! Rollouts, trainers, evaluation, events, journal, checkpoints and resume.

mod engine;
mod error;
mod rollout;
mod update;

pub use engine::{Engine, EngineState, Sampled};
pub use error::TrainError;
pub use rollout::{EpisodeLimits, GroupPlan, Players, Stage, play, play_groups};
pub use update::{Batch, BatchRow, BatchTrajectory, UpdateReport, UpdateSettings, update};
