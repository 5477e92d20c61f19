//! What a program is told of its scenario.

use serde_json::{Value, json};
use stateset_core::{MessageRecord, Scenario};

/// What a program is told of its scenario.
pub(super) fn told(scenario: &Scenario) -> Value {
    let messages: Vec<MessageRecord> = scenario.messages.iter().map(MessageRecord::from).collect();
    json!({
        "id": scenario.id, "topic": scenario.topic, "context": scenario.context,
        "system_prompt": scenario.system_prompt, "user_responses": scenario.user_responses,
        "messages": messages, "expected": scenario.expected, "customer": scenario.customer,
        "metadata": scenario.metadata,
    })
}
