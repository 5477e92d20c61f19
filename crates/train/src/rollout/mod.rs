//! Playing episodes.

mod batch;
mod episode;

pub use batch::{GroupPlan, Stage, play_groups};
pub use episode::{EpisodeLimits, Players, play};
