//! The state of one episode as its environment sees it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How an episode stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpisodeStatus {
    /// Turns are still to come.
    Ongoing,
    /// Ended as it should.
    Completed,
    /// Ended badly: the user gave up, or something broke.
    Failed,
    /// Ran out of turns or time.
    Timeout,
}

/// Everything an environment remembers between turns. Plain data: an environment keeps nothing else,
/// so that an episode can be stored, moved to another process and continued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentState {
    /// Name of the episode.
    pub episode_id: String,
    /// Assistant turns taken so far.
    pub turn_count: usize,
    /// How the episode stands.
    pub status: EpisodeStatus,
    /// The environment's own memory.
    pub context: Map<String, Value>,
    /// What rewards and reports may read, such as `goal_reached`.
    pub metadata: Map<String, Value>,
}

impl EnvironmentState {
    /// An episode that has not begun.
    pub fn new(episode_id: impl Into<String>) -> Self {
        EnvironmentState {
            episode_id: episode_id.into(),
            turn_count: 0,
            status: EpisodeStatus::Ongoing,
            context: Map::new(),
            metadata: Map::new(),
        }
    }

    /// True once no further turn is possible.
    pub fn is_done(&self) -> bool {
        self.status != EpisodeStatus::Ongoing
    }
}
