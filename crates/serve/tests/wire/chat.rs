//! `/v1/chat/completions`.

use serde_json::{Value, json};

use crate::running::{Running, start};
use crate::schema::schema;

const PATH: &str = "/v1/chat/completions";

fn hello(model: &str) -> Value {
    json!({
        "model": model, "seed": 7, "max_tokens": 24,
        "messages": [
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "Where is my order?"}]},
        ],
    })
}

fn with(mut body: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

/// Puts chunks together, as clients do.
fn accumulated(chunks: &[(String, Value)], n: usize) -> Vec<Value> {
    let mut choices = vec![json!({"content": "", "logprobs": [], "token_ids": []}); n];
    for (_, chunk) in chunks {
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            let all = &mut choices[choice["index"].as_u64().unwrap() as usize];
            if let Some(text) = choice["delta"]["content"].as_str() {
                all["content"] = format!("{}{text}", all["content"].as_str().unwrap()).into();
            }
            for (key, new) in
                [("logprobs", &choice["logprobs"]["content"]), ("token_ids", &choice["token_ids"])]
            {
                let new = new.as_array().cloned().unwrap_or_default();
                all[key].as_array_mut().unwrap().extend(new);
            }
            if !choice["finish_reason"].is_null() {
                all["finish_reason"] = choice["finish_reason"].clone();
            }
        }
    }
    choices
}

async fn both_ways(server: &Running, body: Value, n: usize) {
    let whole = server.post(PATH, &body).await;
    schema("CreateChatCompletionResponse").check(&whole);
    assert_eq!(whole["choices"].as_array().unwrap().len(), n);
    let body = with(body, json!({"stream_options": {"include_usage": true}}));
    let chunks = server.stream(PATH, &body).await;
    let (last, chunks) = chunks.split_last().unwrap();
    assert_eq!(last.1, "[DONE]");
    let described = schema("CreateChatCompletionStreamResponse");
    chunks.iter().for_each(|(_, chunk)| described.check(chunk));
    let usage = &chunks.last().unwrap().1;
    let counts = |usage: &Value| {
        ["prompt_tokens", "completion_tokens", "total_tokens"].map(|name| usage[name].clone())
    };
    assert_eq!(counts(&usage["usage"]), counts(&whole["usage"]));
    assert_eq!(usage["choices"], json!([]));
    for (index, streamed) in accumulated(chunks, n).iter().enumerate() {
        let choice = &whole["choices"][index];
        assert_eq!(streamed["content"], choice["message"]["content"]);
        assert_eq!(streamed["finish_reason"], choice["finish_reason"]);
        if choice["logprobs"].is_object() {
            assert_eq!(streamed["logprobs"], choice["logprobs"]["content"]);
        }
        if choice["token_ids"].is_array() {
            assert_eq!(streamed["token_ids"], choice["token_ids"]);
        }
    }
}

#[tokio::test]
async fn streams_say_what_whole_answers_say() {
    let server = start().await;
    both_ways(&server, hello("stub"), 1).await;
    both_ways(&server, hello("tiny"), 1).await;
    let more = json!({"n": 3, "logprobs": true, "top_logprobs": 2, "return_token_ids": true});
    both_ways(&server, with(hello("tiny"), more), 3).await;
    let more = json!({"temperature": 0, "stop": ["a", "e"], "logit_bias": {"5": -100}});
    both_ways(&server, with(hello("tiny"), more), 1).await;
    let more =
        json!({"presence_penalty": 1.5, "frequency_penalty": 0.5, "top_p": 0.9, "top_k": 20});
    both_ways(&server, with(hello("tiny"), more), 1).await;
}

#[tokio::test]
async fn a_prompt_that_was_read_before_is_told_apart() {
    let server = start().await;
    let usage = async |model: &str| server.post(PATH, &hello(model)).await["usage"].clone();
    let (first, again) = (usage("tiny").await, usage("tiny").await);
    let cached = |usage: &Value| usage["prompt_tokens_details"]["cached_tokens"].as_u64();
    assert_eq!(cached(&first), Some(0));
    // The last token is always read.
    assert_eq!(cached(&again).map(|n| n + 1), again["prompt_tokens"].as_u64());
    let items = json!({"model": "tiny", "input": "Where is my order?", "max_output_tokens": 4});
    let items = [0, 1].map(|_| server.post("/v1/responses", &items));
    let items = futures::future::join_all(items).await;
    let last = &items[1]["usage"];
    assert!(last["input_tokens_details"]["cached_tokens"].is_u64(), "{last}");
    let canned = usage("stub").await;
    assert!(canned.get("prompt_tokens_details").is_none(), "{canned}");
}

#[tokio::test]
async fn tokens_are_told_exactly() {
    let server = start().await;
    let more = json!({"logprobs": true, "top_logprobs": 3, "return_token_ids": true});
    let answer = server.post(PATH, &with(hello("tiny"), more)).await;
    let choice = &answer["choices"][0];
    let ids = choice["token_ids"].as_array().unwrap();
    assert_eq!(ids.len(), choice["token_logprobs"].as_array().unwrap().len());
    assert_eq!(ids.len() as u64, answer["usage"]["completion_tokens"].as_u64().unwrap());
    let prompt = answer["prompt_token_ids"].as_array().unwrap();
    assert_eq!(prompt.len() as u64, answer["usage"]["prompt_tokens"].as_u64().unwrap());
    assert!(answer["policy_version"].is_u64());
    let told = choice["logprobs"]["content"].as_array().unwrap();
    let text: Vec<u8> = told
        .iter()
        .flat_map(|token| token["bytes"].as_array().unwrap())
        .map(|byte| byte.as_u64().unwrap() as u8)
        .collect();
    let content = choice["message"]["content"].as_str().unwrap();
    assert!(String::from_utf8_lossy(&text).contains(content), "{text:?} {content:?}");
    assert!(told.iter().all(|token| token["top_logprobs"].as_array().unwrap().len() == 3));
}

#[tokio::test]
async fn fields_that_are_not_known_are_ignored() {
    let server = start().await;
    let more = json!({
        "user": "u", "metadata": {"a": "b"}, "store": true, "service_tier": "auto",
        "reasoning_effort": "low", "tools": null, "response_format": {"type": "text"}, "stop": null,
    });
    server.post(PATH, &with(hello("stub"), more)).await;
}

#[tokio::test]
async fn answers_may_be_forced_to_call_or_to_fit_a_schema() {
    let server = start().await;
    let tools = json!([{"type": "function", "function": {
        "name": "look_up", "description": "Looks up an order.",
        "parameters": {
            "type": "object", "properties": {"order": {"type": "integer", "minimum": 1, "maximum": 99}},
            "required": ["order"], "additionalProperties": false,
        },
    }}]);
    let named = json!({"type": "function", "function": {"name": "look_up"}});
    for choice in [json!("required"), named] {
        let more = json!({
            "tools": tools, "tool_choice": choice, "max_tokens": 200, "parallel_tool_calls": false,
        });
        let body = with(hello("tiny"), more);
        let whole = server.post(PATH, &body).await;
        schema("CreateChatCompletionResponse").check(&whole);
        let choice = &whole["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls", "{whole}");
        let call = &choice["message"]["tool_calls"][0];
        assert_eq!(call["function"]["name"], "look_up");
        let arguments = call["function"]["arguments"].as_str().unwrap();
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        assert!((1..=99).contains(&arguments["order"].as_i64().unwrap()), "{arguments}");
        let chunks = server.stream(PATH, &body).await;
        let described = schema("CreateChatCompletionStreamResponse");
        let chunks = &chunks[..chunks.len() - 1];
        chunks.iter().for_each(|(_, chunk)| described.check(chunk));
        let streamed: Vec<&Value> = chunks
            .iter()
            .flat_map(|(_, chunk)| chunk["choices"][0]["delta"]["tool_calls"].as_array())
            .flatten()
            .collect();
        assert_eq!(streamed.len(), 1);
        assert_eq!(streamed[0]["function"], call["function"]);
    }
    let format = json!({"type": "json_schema", "json_schema": {"name": "mood", "schema": {
        "type": "object", "properties": {"mood": {"enum": ["good", "bad"]}},
        "required": ["mood"], "additionalProperties": false,
    }}});
    let more = json!({"response_format": format, "max_tokens": 200});
    let whole = server.post(PATH, &with(hello("tiny"), more)).await;
    let content = whole["choices"][0]["message"]["content"].as_str().unwrap();
    let content: Value = serde_json::from_str(content).unwrap();
    assert!(content["mood"] == "good" || content["mood"] == "bad");
}

#[tokio::test]
async fn models_are_listed_as_described() {
    let server = start().await;
    let (status, list) = server.get("/v1/models").await;
    assert_eq!(status, 200);
    schema("ListModelsResponse").check(&list);
    let (_, model) = server.get("/v1/models/tiny").await;
    schema("Model").check(&model);
}
