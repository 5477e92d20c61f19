//! What a program is told of its scenario.

use serde::Serialize;
use serde_json::{Map, Value};
use stateset_core::{MessageRecord, Scenario};
use utoipa::ToSchema;

use crate::conversations::ConversationMessage;

/// What a program is told of its scenario.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SampleScenario)]
pub(crate) struct Told {
    /// Its id.
    id: String,
    /// Short label.
    topic: String,
    /// What it is about.
    context: String,
    /// Instructions for the agent.
    #[schema(required)]
    system_prompt: Option<String>,
    /// What a scripted user says, in order.
    user_responses: Vec<String>,
    /// What was said before.
    #[schema(value_type = Vec<ConversationMessage>)]
    messages: Vec<MessageRecord>,
    /// The reference answer.
    #[schema(required)]
    expected: Option<String>,
    /// A simulated user.
    #[schema(value_type = Option<Object>, required)]
    customer: Option<Value>,
    /// Anything else.
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
}

impl Told {
    /// All that is told of `scenario`.
    pub(super) fn of(scenario: &Scenario) -> Told {
        let scenario = scenario.clone();
        Told {
            messages: scenario.messages.iter().map(MessageRecord::from).collect(),
            id: scenario.id,
            topic: scenario.topic,
            context: scenario.context,
            system_prompt: scenario.system_prompt,
            user_responses: scenario.user_responses,
            expected: scenario.expected,
            customer: scenario.customer,
            metadata: scenario.metadata,
        }
    }
}
