//! A scenario: what one episode is about, before anybody has said a word.

use serde_json::{Map, Value};

use crate::Message;

/// The start of an episode and what the environment needs to play it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// Unique inside its set.
    pub id: String,
    /// Short label, such as `refunds`; reports group by it.
    pub topic: String,
    /// What the episode is about, for people and for the agent's context.
    pub context: String,
    /// Instructions for the agent; replaces the run's system prompt where present.
    pub system_prompt: Option<String>,
    /// What a scripted user says, in order.
    pub user_responses: Vec<String>,
    /// Messages that precede the agent's first turn (for single-turn prompts: the whole prompt).
    pub messages: Vec<Message>,
    /// The reference answer, where there is one.
    pub expected: Option<String>,
    /// Description of a simulated user; its fields are the environment's to define and check.
    pub customer: Option<Value>,
    /// Anything else, handed to rewards and reports as it is.
    pub metadata: Map<String, Value>,
}

impl Scenario {
    /// A scenario with this id and nothing else.
    pub fn new(id: impl Into<String>) -> Self {
        Scenario { id: id.into(), ..Scenario::default() }
    }
}
