//! An agent: a policy with instructions, memory and tools around it.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{Completion, Message, RolloutError, Sampling, Stream, TokenTrace, ToolSpec};

/// Key of [`AgentRequest::context`]: what the conversation is to reach, a text. Stays in force.
pub const PLAN_GOAL: &str = "plan_goal";
/// Key of [`AgentRequest::context`]: what to change in the plan, before this turn and only once.
pub const PLAN_UPDATE: &str = "plan_update";

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
    /// What the agent is told beside what is said, such as [`PLAN_GOAL`] and [`PLAN_UPDATE`].
    pub context: Map<String, Value>,
    /// What the agent wrote down at its last turn of this conversation; empty at the first. Without
    /// it a turn is taken as if everything had to be read anew.
    pub notes: Map<String, Value>,
}

impl AgentRequest {
    /// A request with nothing but a conversation.
    pub fn new(messages: Vec<Message>, stream: Stream) -> Self {
        AgentRequest {
            messages,
            system_prompt: None,
            tools: Vec::new(),
            trace: TokenTrace::new(),
            sampling: None,
            stream,
            context: Map::new(),
            notes: Map::new(),
        }
    }
}

/// The agent's turn.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentReply {
    /// What it said, and the tokens behind it.
    pub completion: Completion,
    /// What it wants to know at its next turn of this conversation; plain data, so that whoever keeps the
    /// conversation can keep it too.
    pub notes: Map<String, Value>,
}

impl AgentReply {
    /// A turn of an agent that writes nothing down.
    pub fn new(completion: Completion) -> Self {
        AgentReply { completion, notes: Map::new() }
    }
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
