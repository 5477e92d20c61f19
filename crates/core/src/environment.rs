//! The world an agent talks to.

use async_trait::async_trait;

use crate::{
    ConversationTurn, EnvironmentState, Message, RolloutError, Scenario, Stream, ToolSpec,
};

/// How an episode opens.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// The state before the agent's first turn.
    pub state: EnvironmentState,
    /// Messages the agent reads first, normally the user's opening words.
    pub messages: Vec<Message>,
    /// Tools that this world answers to, beside those the agent brings; empty where it has none.
    pub tools: Vec<ToolSpec>,
}

/// What the world answers to one turn of the agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepOutcome {
    /// What the user, or a tool, says next; empty where the episode is over.
    pub messages: Vec<Message>,
    /// Reward of this turn alone; `None` where the environment gives none.
    pub reward: Option<f64>,
    /// The whole conversation as the agent is to read it from now on, ending with the message to answer,
    /// where that is something else than what was said before with `messages` after it.
    pub history: Option<Vec<Message>>,
}

/// Plays episodes. All memory of an episode is in its [`EnvironmentState`], so one environment plays
/// many episodes at once.
#[async_trait]
pub trait Environment: Send + Sync {
    /// Opens an episode of `scenario`. `stream` is the episode's own randomness.
    ///
    /// # Errors
    /// [`RolloutError`] where the scenario cannot be played.
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError>;

    /// Answers one turn of the agent and updates `state`; the episode is over when
    /// `state.is_done()`.
    ///
    /// # Errors
    /// [`RolloutError`] ends this episode only.
    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
    ) -> Result<StepOutcome, RolloutError>;

    /// The episode that opened with this name in its state will not be stepped again, whether it is over or
    /// was given up. Called once for each opening; for environments that hold something outside of the
    /// state, such as a process.
    fn close(&self, episode_id: &str) {
        let _ = episode_id;
    }
}
