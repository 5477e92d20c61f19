//! Every wrong field: its status, code and place.

use serde_json::{Value, json};

use crate::running::start;
use crate::schema::schema;

fn chat(more: Value) -> Value {
    let mut body = json!({"model": "stub", "messages": [{"role": "user", "content": "a"}]});
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

fn message(message: Value) -> Value {
    chat(json!({"messages": [message]}))
}

fn tool(tool: Value) -> Value {
    chat(json!({"tools": [tool]}))
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_wrong_field_of_a_chat_has_its_code_and_place() {
    let server = start().await;
    let described = schema("ErrorResponse");
    let function = json!({"type": "function", "function": {"name": "f"}});
    let image = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]);
    let format = |format: Value| chat(json!({"response_format": format}));
    let cases = [
        (chat(json!({"model": "other"})), 404, "model_not_found", "model"),
        (json!({"model": "stub"}), 400, "missing_field", "messages"),
        (chat(json!({"messages": []})), 400, "invalid_value", "messages"),
        (chat(json!({"messages": "a"})), 400, "invalid_value", "messages"),
        (
            message(json!({"role": "owner", "content": "a"})),
            400,
            "invalid_value",
            "messages[0].role",
        ),
        (message(json!({"role": "user"})), 400, "invalid_value", "messages[0].content"),
        (
            message(json!({"role": "user", "content": 7})),
            400,
            "invalid_value",
            "messages[0].content",
        ),
        (
            message(json!({"role": "user", "content": [{"type": "audio"}]})),
            400,
            "unsupported_value",
            "messages[0].content[0].type",
        ),
        (
            message(json!({"role": "user", "content": [{}]})),
            400,
            "missing_field",
            "messages[0].content[0].type",
        ),
        (
            message(json!({"role": "user", "content": image})),
            400,
            "images_unsupported",
            "messages[0].content",
        ),
        (
            message(json!({"role": "tool", "content": "a"})),
            400,
            "invalid_value",
            "messages[0].tool_call_id",
        ),
        (
            message(json!({"role": "tool", "content": "a", "tool_call_id": "x"})),
            400,
            "invalid_value",
            "messages[0].tool_call_id",
        ),
        (
            message(json!({"role": "assistant", "tool_calls": [
            {"id": "x", "function": {"name": "f", "arguments": "[1"}}]})),
            400,
            "invalid_value",
            "messages[0].tool_calls[0].function.arguments",
        ),
        (chat(json!({"n": 0})), 400, "invalid_value", "n"),
        (chat(json!({"n": 17})), 400, "invalid_value", "n"),
        (chat(json!({"n": 1.5})), 400, "invalid_value", "n"),
        (chat(json!({"temperature": 2.5})), 400, "invalid_value", "temperature"),
        (chat(json!({"temperature": "hot"})), 400, "invalid_value", "temperature"),
        (chat(json!({"top_p": -0.1})), 400, "invalid_value", "top_p"),
        (chat(json!({"presence_penalty": 3})), 400, "invalid_value", "presence_penalty"),
        (chat(json!({"frequency_penalty": -3})), 400, "invalid_value", "frequency_penalty"),
        (chat(json!({"max_tokens": 0})), 400, "invalid_value", "max_tokens"),
        (chat(json!({"max_completion_tokens": -1})), 400, "invalid_value", "max_completion_tokens"),
        (chat(json!({"stop": ["a", "b", "c", "d", "e"]})), 400, "invalid_value", "stop"),
        (chat(json!({"stop": ["a", ""]})), 400, "invalid_value", "stop[1]"),
        (chat(json!({"logit_bias": {"a": 1}})), 400, "invalid_value", "logit_bias"),
        (chat(json!({"logit_bias": {"1": 101}})), 400, "invalid_value", "logit_bias.1"),
        (chat(json!({"top_logprobs": 2})), 400, "invalid_value", "top_logprobs"),
        (chat(json!({"logprobs": true, "top_logprobs": 21})), 400, "invalid_value", "top_logprobs"),
        (chat(json!({"stream_options": {}})), 400, "invalid_value", "stream_options"),
        (tool(json!({"type": "web_search"})), 400, "unsupported_value", "tools[0].type"),
        (tool(json!({"type": "function"})), 400, "invalid_value", "tools[0].function"),
        (
            tool(json!({"type": "function", "function": {"name": "a b"}})),
            400,
            "invalid_value",
            "tools[0].function.name",
        ),
        (
            chat(json!({"tools": [function, function]})),
            400,
            "invalid_value",
            "tools[1].function.name",
        ),
        (chat(json!({"tool_choice": "required"})), 400, "invalid_value", "tool_choice"),
        (chat(json!({"tool_choice": "maybe"})), 400, "invalid_value", "tool_choice"),
        (
            chat(json!({"tools": [function], "tool_choice":
            {"type": "function", "function": {"name": "g"}}})),
            400,
            "invalid_value",
            "tool_choice.function.name",
        ),
        (format(json!({"type": "yaml"})), 400, "invalid_value", "response_format.type"),
        (
            format(json!({"type": "json_schema"})),
            400,
            "invalid_value",
            "response_format.json_schema",
        ),
        (
            format(json!({"type": "json_schema", "json_schema": {"schema": {}}})),
            400,
            "invalid_value",
            "response_format.json_schema.name",
        ),
        (
            format(json!({"type": "json_schema", "json_schema": {"name": "a", "schema": 1}})),
            400,
            "invalid_value",
            "response_format.json_schema.schema",
        ),
    ];
    for (body, status, code, place) in cases {
        for is_streamed in [false, true] {
            let mut body = body.clone();
            // Without a stream its options are wrong, and with it they are not.
            if is_streamed && place != "stream_options" {
                body["stream"] = true.into();
            }
            let (got, answer) = server.send("/v1/chat/completions", &body).await;
            let error = &answer["error"];
            assert_eq!(
                (&error["code"], &error["param"]),
                (&json!(code), &json!(place)),
                "{body} {answer}"
            );
            assert_eq!(got, status, "{body}");
            described.check(&answer);
        }
    }
}

#[tokio::test]
async fn so_do_those_of_the_other_routes() {
    let server = start().await;
    let text = |more: Value| {
        let mut body = json!({"model": "stub", "prompt": "a"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("/v1/completions", body)
    };
    let items = |more: Value| {
        let mut body = json!({"model": "stub", "input": "a"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ("/v1/responses", body)
    };
    let cases = [
        (("/v1/completions", json!({"model": "stub"})), "invalid_value", "prompt"),
        (text(json!({"prompt": []})), "invalid_value", "prompt"),
        (text(json!({"prompt": ["a", 1]})), "invalid_value", "prompt[1]"),
        (text(json!({"best_of": 2})), "unsupported_value", "best_of"),
        (text(json!({"suffix": "b"})), "unsupported_value", "suffix"),
        (text(json!({"echo": true, "logprobs": 1})), "unsupported_value", "echo"),
        (text(json!({"logprobs": 6})), "invalid_value", "logprobs"),
        (text(json!({"max_tokens": 0})), "invalid_value", "max_tokens"),
        (("/v1/responses", json!({"model": "stub"})), "invalid_value", "input"),
        (items(json!({"input": []})), "invalid_value", "input"),
        (items(json!({"previous_response_id": "r"})), "unsupported_value", "previous_response_id"),
        (items(json!({"background": true})), "unsupported_value", "background"),
        (items(json!({"max_output_tokens": 0})), "invalid_value", "max_output_tokens"),
        (items(json!({"tools": [{"type": "web_search"}]})), "unsupported_value", "tools[0].type"),
        (items(json!({"tools": [{"type": "function"}]})), "invalid_value", "tools[0].name"),
        (
            items(json!({"text": {"format": {"type": "json_schema"}}})),
            "invalid_value",
            "text.format.name",
        ),
        (items(json!({"text": {"format": {"type": "yaml"}}})), "invalid_value", "text.format.type"),
    ];
    for ((path, body), code, place) in cases {
        let (status, answer) = server.send(path, &body).await;
        let error = &answer["error"];
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!(code), &json!(place)),
            "{body} {answer}"
        );
        assert_eq!(status, 400, "{body}");
    }
}

#[tokio::test]
async fn anthropic_errors_are_in_its_words() {
    let server = start().await;
    let with = |more: Value| {
        let mut body = json!({
            "model": "stub", "max_tokens": 5, "messages": [{"role": "user", "content": "a"}],
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let cases = [
        (with(json!({"model": "other"})), 404, "not_found_error", "model"),
        (json!({"model": "stub", "messages": []}), 400, "invalid_request_error", "max_tokens"),
        (with(json!({"max_tokens": 0})), 400, "invalid_request_error", "max_tokens"),
        (with(json!({"temperature": 1.5})), 400, "invalid_request_error", "temperature"),
        (with(json!({"messages": []})), 400, "invalid_request_error", "messages"),
        (with(json!({"stop_sequences": [""]})), 400, "invalid_request_error", "stop_sequences[0]"),
        (
            with(json!({"tools": [{"type": "bash_20250124", "name": "bash"}]})),
            400,
            "invalid_request_error",
            "tools[0].type",
        ),
        (
            with(json!({"tool_choice": {"type": "any"}})),
            400,
            "invalid_request_error",
            "tool_choice",
        ),
    ];
    for (body, status, kind, place) in cases {
        let (got, answer) = server.send("/v1/messages", &body).await;
        assert_eq!((got.as_u16(), answer["type"].as_str()), (status, Some("error")), "{answer}");
        assert_eq!(answer["error"]["type"], kind, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{place}: ")), "{message}");
    }
}
