//! An agent: a policy with instructions, memory and tools around it.

use async_trait::async_trait;

use crate::{Completion, Message, RolloutError, Sampling, Stream, TokenTrace, ToolSpec};

/// What an agent is asked: to take the next turn of a conversation.
#[derive(Clone, Debug)]
pub struct AgentRequest {
    /// The conversation so far, without the agent's own instructions.
    pub messages: Vec<Message>,
    /// Instructions of this scenario; replace the agent's own where present.
    pub system_prompt: Option<String>,
    /// Tools of the world, beside the agent's own.
    pub tools: Vec<ToolSpec>,
    /// Tokens of this conversation so far.
    pub trace: TokenTrace,
    /// Replaces the agent's own sampling settings where present.
    pub sampling: Option<Sampling>,
    /// Randomness of this turn.
    pub stream: Stream,
}

/// The agent's turn.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentReply {
    /// What it said, and the tokens behind it.
    pub completion: Completion,
}

/// Takes turns in conversations. An agent keeps no conversation in itself: everything a turn needs
/// is in the request, so one agent plays many conversations at once.
#[async_trait]
pub trait Agent: Send + Sync {
    /// Takes the next turn.
    ///
    /// # Errors
    /// [`RolloutError`] naming the border (model or tool) that failed.
    async fn reply(&self, request: AgentRequest) -> Result<AgentReply, RolloutError>;
}
