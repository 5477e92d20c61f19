//! One finished episode: what was said, the tokens behind it, and what it was worth.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    EnvironmentState, FinishReason, Message, RewardResult, Role, RolloutError, TokenTrace,
};

/// Address of a trajectory inside its run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrajectoryId {
    /// Rollout batch (training) or evaluation it belongs to.
    pub step: u32,
    /// Index of the scenario inside the batch.
    pub scenario: u32,
    /// Index of the sample inside its group.
    pub sample: u16,
}

impl fmt::Display for TrajectoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.step, self.scenario, self.sample)
    }
}

/// A message in its episode.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationTurn {
    /// What was said.
    pub message: Message,
    /// Reward of this turn alone, where the environment gave one.
    pub reward: Option<f64>,
    /// For assistant turns: why sampling ended.
    pub finish: Option<FinishReason>,
    /// For assistant turns: tokens sampled.
    pub n_tokens: usize,
}

impl ConversationTurn {
    /// A turn without reward.
    pub fn new(message: Message) -> Self {
        ConversationTurn { message, reward: None, finish: None, n_tokens: 0 }
    }
}

/// One episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trajectory {
    /// Where in the run it belongs.
    pub id: TrajectoryId,
    /// The scenario played.
    pub scenario_id: String,
    /// Everything said, in order, without the agent's instructions.
    pub turns: Vec<ConversationTurn>,
    /// The tokens behind it.
    pub trace: TokenTrace,
    /// What it was worth; `None` until judged.
    pub reward: Option<RewardResult>,
    /// The environment's last state.
    pub final_state: Option<EnvironmentState>,
    /// Why it ended early, if it did.
    pub error: Option<RolloutError>,
    /// Wall time from opening to judgement. Never read by training.
    pub wall_secs: f64,
    /// Notes for reports.
    pub metadata: Map<String, Value>,
}

impl Trajectory {
    /// The reward that is trained on; `None` where unjudged, unscorable or failed.
    pub fn reward(&self) -> Option<f64> {
        if self.error.is_some() {
            return None;
        }
        self.reward.as_ref().and_then(|reward| reward.total.value())
    }

    /// What the agent said, in order.
    pub fn assistant_texts(&self) -> impl Iterator<Item = &str> {
        self.texts_of(Role::Assistant)
    }

    /// What the user said, in order.
    pub fn user_texts(&self) -> impl Iterator<Item = &str> {
        self.texts_of(Role::User)
    }

    /// True where some reply was cut off at the token limit.
    pub fn is_truncated(&self) -> bool {
        self.turns.iter().any(|turn| turn.finish == Some(FinishReason::Length))
    }

    fn texts_of(&self, role: Role) -> impl Iterator<Item = &str> {
        self.turns
            .iter()
            .filter(move |turn| turn.message.role == role)
            .map(|turn| turn.message.content.as_str())
    }
}
