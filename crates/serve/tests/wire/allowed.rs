//! `tool_choice` that allows some tools of those that a request brings.

use serde_json::{Value, json};

use crate::running::start;
use crate::schema::schema;

fn function(name: &str) -> Value {
    json!({"name": name, "parameters": {
        "type": "object", "properties": {"word": {"enum": ["yes", "no"]}},
        "required": ["word"], "additionalProperties": false,
    }})
}

fn chat(tools: &[&str], choice: Value) -> Value {
    let tool = |name: &&str| json!({"type": "function", "function": function(name)});
    json!({
        "model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 100,
        "tools": tools.iter().map(tool).collect::<Vec<_>>(), "tool_choice": choice,
        "parallel_tool_calls": false, "return_token_ids": true,
    })
}

fn allowed(mode: &str, names: &[&str]) -> Value {
    let tool = |name: &&str| json!({"type": "function", "function": {"name": name}});
    let tools: Vec<Value> = names.iter().map(tool).collect();
    json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
}

#[tokio::test]
async fn only_allowed_tools_are_called() {
    let server = start().await;
    for (seed, names) in [(1, &["b"][..]), (2, &["b"]), (3, &["a", "c"])] {
        let mut body = chat(&["a", "b", "c"], allowed("required", names));
        body["seed"] = seed.into();
        schema("CreateChatCompletionRequest").check(&body);
        let answer = server.post("/v1/chat/completions", &body).await;
        schema("CreateChatCompletionResponse").check(&answer);
        let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
        assert!(names.contains(&call["name"].as_str().unwrap()), "{call}");
    }
}

#[tokio::test]
async fn the_model_is_told_of_allowed_tools_alone() {
    let server = start().await;
    let prompt = async |body: Value| {
        server.post("/v1/chat/completions", &body).await["prompt_token_ids"].clone()
    };
    let of_all = prompt(chat(&["a", "b"], json!("auto"))).await;
    let of_one = prompt(chat(&["b"], json!("auto"))).await;
    assert_ne!(of_all, of_one);
    assert_eq!(prompt(chat(&["a", "b"], allowed("auto", &["b"]))).await, of_one);
    assert_eq!(prompt(chat(&["a", "b"], allowed("auto", &["b", "a"]))).await, of_all);
}

#[tokio::test]
async fn items_allow_tools_in_their_own_layout() {
    let server = start().await;
    let tool = |name: &str| {
        let mut tool = function(name);
        (tool["type"], tool["strict"]) = (json!("function"), json!(true));
        tool
    };
    let choice = json!({"type": "allowed_tools", "mode": "required", "tools": [
        {"type": "function", "name": "b"},
    ]});
    let body = json!({
        "model": "tiny", "input": "Hello", "seed": 5, "max_output_tokens": 100,
        "tools": [tool("a"), tool("b")], "tool_choice": choice, "parallel_tool_calls": false,
    });
    schema("CreateResponse").check(&body);
    let answer = server.post("/v1/responses", &body).await;
    schema("Response").check(&answer);
    let last = answer["output"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["type"], &last["name"]), (&json!("function_call"), &json!("b")));
    assert_eq!(answer["tool_choice"], choice);
}

#[tokio::test]
async fn what_cannot_be_allowed_is_refused_with_its_place() {
    let server = start().await;
    let at = "tool_choice.allowed_tools";
    let cases = [
        (allowed("auto", &["z"]), "invalid_value", format!("{at}.tools[0].function.name")),
        (allowed("auto", &[]), "invalid_value", format!("{at}.tools")),
        (allowed("any", &["a"]), "invalid_value", format!("{at}.mode")),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"tools": []}}),
            "invalid_value",
            format!("{at}.mode"),
        ),
        (
            json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]}),
            "unsupported_value",
            "tool_choice.tools[0].type".to_owned(),
        ),
        (
            json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function"}]}),
            "invalid_value",
            "tool_choice.tools[0]".to_owned(),
        ),
    ];
    for (choice, code, field) in cases {
        let (status, answer) =
            server.send("/v1/chat/completions", &chat(&["a"], choice.clone())).await;
        let error = &answer["error"];
        let found = (status.as_u16(), error["code"].as_str(), error["param"].as_str());
        assert_eq!(found, (400, Some(code), Some(field.as_str())), "{choice}");
    }
}
