//! `/v1/responses`.

use serde_json::{Value, json};

use crate::running::{Running, start};
use crate::schema::schema;

const PATH: &str = "/v1/responses";

/// Ids and times differ between two answers.
fn comparable(mut response: Value) -> Value {
    for key in ["id", "created_at"] {
        response[key].take();
    }
    // The second time the prompt was read before.
    response["usage"]["input_tokens_details"].take();
    for item in response["output"].as_array_mut().unwrap() {
        item["id"].take();
    }
    response
}

async fn both_ways(server: &Running, body: Value) -> Value {
    let whole = server.post(PATH, &body).await;
    schema("Response").check(&whole);
    let events = server.stream(PATH, &body).await;
    let described = schema("ResponseStreamEvent");
    for (number, (name, event)) in events.iter().enumerate() {
        described.check(event);
        assert_eq!(event["type"], *name);
        assert_eq!(event["sequence_number"], number);
    }
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(&names[..2], ["response.created", "response.in_progress"]);
    let text: String = events
        .iter()
        .filter(|(name, _)| name == "response.output_text.delta")
        .map(|(_, event)| event["delta"].as_str().unwrap())
        .collect();
    let said = whole["output"][0]["content"][0]["text"].as_str().unwrap_or_default();
    assert_eq!(text, said);
    let last = &events.last().unwrap().1["response"];
    assert_eq!(comparable(last.clone()), comparable(whole.clone()));
    whole
}

#[tokio::test]
async fn streams_say_what_whole_answers_say() {
    let server = start().await;
    let answer = both_ways(&server, json!({"model": "stub", "input": "Hello"})).await;
    assert_eq!((&answer["status"], &answer["error"]), (&json!("completed"), &Value::Null));
    let answer = both_ways(
        &server,
        json!({
            "model": "tiny", "instructions": "Be kind.", "max_output_tokens": 9, "seed": 5,
            "include": ["message.output_text.logprobs"], "top_logprobs": 2,
            "metadata": {"a": "b"},
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "done"},
                {"role": "user", "content": "And?"},
            ],
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        }),
    )
    .await;
    assert_eq!(answer["metadata"]["a"], "b");
    if answer["status"] == "incomplete" {
        assert_eq!(answer["incomplete_details"]["reason"], "max_output_tokens");
    }
}

#[tokio::test]
async fn calls_are_items() {
    let server = start().await;
    let answer = both_ways(
        &server,
        json!({
            "model": "tiny", "input": "Hello", "seed": 5, "max_output_tokens": 200,
            "tool_choice": "required", "parallel_tool_calls": false,
            "tools": [{"type": "function", "name": "say", "strict": true, "parameters": {
                "type": "object", "properties": {"word": {"enum": ["yes", "no"]}},
                "required": ["word"], "additionalProperties": false,
            }}],
        }),
    )
    .await;
    let call = &answer["output"][0];
    assert_eq!((&call["type"], &call["name"]), (&json!("function_call"), &json!("say")));
}
