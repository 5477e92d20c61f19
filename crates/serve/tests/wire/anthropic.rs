//! `/v1/messages`.

use serde_json::{Value, json};

use crate::running::start;

const PATH: &str = "/v1/messages";

fn hello(model: &str) -> Value {
    json!({
        "model": model, "max_tokens": 16, "system": [{"type": "text", "text": "Be kind."}], "seed": 4,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    })
}

/// Tokens that were read, now or before, and those that were written.
fn tokens(usage: &Value) -> [u64; 2] {
    let number = |name: &str| usage[name].as_u64().unwrap_or_default();
    [number("input_tokens") + number("cache_read_input_tokens"), number("output_tokens")]
}

#[tokio::test]
async fn streams_say_what_whole_answers_say() {
    let server = start().await;
    for model in ["stub", "tiny"] {
        let whole = server.post(PATH, &hello(model)).await;
        let events = server.stream(PATH, &hello(model)).await;
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(&names[..3], ["message_start", "ping", "content_block_start"]);
        let end = ["content_block_stop", "message_delta", "message_stop"];
        assert_eq!(&names[names.len() - 3..], end);
        let text: String = events
            .iter()
            .filter(|(name, _)| name == "content_block_delta")
            .map(|(_, event)| event["delta"]["text"].as_str().unwrap())
            .collect();
        assert_eq!(text, whole["content"][0]["text"].as_str().unwrap());
        let (_, delta) = &events[events.len() - 2];
        assert_eq!(delta["delta"]["stop_reason"], whole["stop_reason"]);
        assert_eq!(tokens(&delta["usage"]), tokens(&whole["usage"]));
    }
}

#[tokio::test]
async fn stops_and_limits_are_told() {
    let server = start().await;
    let mut body = hello("stub");
    body["stop_sequences"] = json!(["two"]);
    let answer = server.post(PATH, &body).await;
    assert_eq!(
        (&answer["stop_reason"], &answer["stop_sequence"]),
        (&json!("stop_sequence"), &json!("two"))
    );
    assert_eq!(answer["content"][0]["text"], "One ");
    body["max_tokens"] = json!(1);
    assert_eq!(server.post(PATH, &body).await["stop_reason"], "max_tokens");
}

#[tokio::test]
async fn tokens_are_counted_as_they_are_read() {
    let server = start().await;
    for model in ["stub", "tiny"] {
        let answer = server.post(PATH, &hello(model)).await;
        let count = server.post("/v1/messages/count_tokens", &hello(model)).await;
        assert_eq!(count["input_tokens"], read(&answer["usage"]));
    }
}

/// Tokens of a prompt, however they came to be read.
fn read(usage: &Value) -> u64 {
    usage["input_tokens"].as_u64().unwrap() + usage["cache_read_input_tokens"].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn a_prompt_that_was_read_before_is_told_apart() {
    let server = start().await;
    let first = server.post(PATH, &hello("tiny")).await["usage"].clone();
    assert_eq!(first["cache_read_input_tokens"], 0);
    let events = server.stream(PATH, &hello("tiny")).await;
    let usage = |name: &str| {
        let event = events.iter().find(|(kind, _)| kind == name).unwrap();
        event.1.pointer("/message/usage").unwrap_or(&event.1["usage"]).clone()
    };
    let (begun, again) = (usage("message_start"), usage("message_delta"));
    assert_eq!(
        (&begun["input_tokens"], &begun["cache_read_input_tokens"]),
        (&first["input_tokens"], &Value::Null)
    );
    assert_eq!((read(&again), &again["input_tokens"]), (read(&first), &json!(1)));
    let canned = server.post(PATH, &hello("stub")).await;
    assert_eq!(canned["usage"]["cache_read_input_tokens"], Value::Null);
}

#[tokio::test]
async fn calls_are_blocks() {
    let server = start().await;
    let mut body = hello("tiny");
    body["max_tokens"] = json!(200);
    body["tools"] = json!([{"name": "say", "input_schema": {
        "type": "object", "properties": {"word": {"enum": ["yes", "no"]}},
        "required": ["word"], "additionalProperties": false,
    }}]);
    body["tool_choice"] = json!({"type": "tool", "name": "say", "disable_parallel_tool_use": true});
    let whole = server.post(PATH, &body).await;
    assert_eq!(whole["stop_reason"], "tool_use");
    let call = whole["content"].as_array().unwrap().last().unwrap();
    assert_eq!((&call["type"], &call["name"]), (&json!("tool_use"), &json!("say")));
    let events = server.stream(PATH, &body).await;
    let text: String =
        events.iter().filter_map(|(_, event)| event["delta"]["partial_json"].as_str()).collect();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), call["input"]);
}
