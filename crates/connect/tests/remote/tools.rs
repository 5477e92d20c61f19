//! Tools behind HTTP: what is sent, what the agent reads, what may be repeated.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stateset_connect::{
    Guarded, Guards, HttpMethod, HttpTool, HttpToolSettings, Retry, RetrySettings, Secret,
};
use stateset_core::{Tool, ToolError, ToolSpec};

use super::stand_in::{Reply, StandIn, nowhere, status};

fn tool(base: &str, method: HttpMethod) -> HttpTool {
    let parameters = json!({
        "type": "object",
        "properties": {
            "order_id": {"type": "string"},
            "quantity": {"type": "integer", "minimum": 1},
            "tags": {"type": "array"},
        },
        "required": ["order_id"],
        "additionalProperties": false,
    });
    let spec = ToolSpec { name: "change_order".into(), description: "d".into(), parameters };
    let usual = HttpToolSettings::new(spec, method, format!("{base}/orders/{{order_id}}"));
    HttpTool::new(HttpToolSettings {
        headers: vec![("X-Key".into(), Secret::new("k3y"))],
        timeout: Duration::from_millis(300),
        ..usual
    })
    .unwrap()
}

#[tokio::test]
async fn arguments_find_their_places() {
    let server = StandIn::with(vec![status(200, r#"{"ok": true}"#), status(200, "done")]).await;
    let arguments = json!({"order_id": "a/1", "quantity": 2, "tags": ["x"]});
    let result = tool(&server.base, HttpMethod::Post).call(arguments.clone()).await;
    assert_eq!(result, Ok(json!({"ok": true})));
    let result = tool(&server.base, HttpMethod::Get).call(arguments).await;
    assert_eq!(result, Ok(json!("done")), "what is no JSON is a text");
    let [post, get] = server.asked().try_into().unwrap();
    assert!(post.head.starts_with("POST /orders/a%2F1 HTTP"), "{}", post.head);
    assert!(post.head.contains("x-key: k3y"), "{}", post.head);
    assert_eq!(post.json(), json!({"quantity": 2, "tags": ["x"]}));
    assert!(
        get.head.starts_with("GET /orders/a%2F1?quantity=2&tags=%5B%22x%22%5D HTTP"),
        "{}",
        get.head
    );
}

#[tokio::test]
async fn wrong_arguments_are_told_to_the_agent_and_not_sent() {
    let server = StandIn::with(vec![status(200, "{}")]).await;
    let tool = tool(&server.base, HttpMethod::Post);
    for (arguments, part) in [
        (json!({}), "\"order_id\" is a required property"),
        (json!({"order_id": "1", "quantity": 0}), "/quantity: 0 is less than the minimum"),
        (json!({"order_id": "1", "colour": 1}), "colour"),
        (json!({"order_id": ".."}), "cannot stand in an address"),
        (json!("{oops"), "not of type \"object\""),
        (Value::Null, "not of type \"object\""),
    ] {
        let error = tool.call(arguments).await.unwrap_err();
        assert!(matches!(error, ToolError::BadArguments { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn only_what_does_no_harm_may_be_repeated() {
    use HttpMethod::{Delete, Get, Patch, Post, Put};
    for (method, reply, is_repeatable) in [
        (Get, Reply::Hang, true),
        (Put, Reply::Cut, true),
        (Delete, status(500, ""), true),
        (Post, Reply::Hang, false),
        (Patch, status(500, ""), false),
        (Post, Reply::Cut, false),
        (Post, status(429, ""), true),
        (Post, status(503, ""), true),
    ] {
        let server = StandIn::with(vec![reply]).await;
        let error = tool(&server.base, method).call(json!({"order_id": "1"})).await.unwrap_err();
        let ToolError::Unavailable { is_repeatable: found, message, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*found, is_repeatable, "{method:?} {error}");
        assert!(message.contains("http://127.0.0.1:") && !message.contains("k3y"), "{message}");
    }
    let gone = tool(&nowhere().await, Post).call(json!({"order_id": "1"})).await.unwrap_err();
    assert!(matches!(gone, ToolError::Unavailable { is_repeatable: true, .. }), "{gone:?}");
}

#[tokio::test]
async fn a_refusal_is_what_the_agent_reads() {
    let server = StandIn::with(vec![status(404, r#"{"detail": "no such order"}"#)]).await;
    let error =
        tool(&server.base, HttpMethod::Get).call(json!({"order_id": "1"})).await.unwrap_err();
    assert!(matches!(error, ToolError::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("status 404 (no such order)"), "{error}");
}

#[tokio::test]
async fn guards_repeat_what_may_be_repeated() {
    for (method, n) in [(HttpMethod::Get, 2), (HttpMethod::Post, 1)] {
        let server = StandIn::with(vec![status(500, ""), status(200, "1")]).await;
        let settings = RetrySettings { base: Duration::from_millis(1), ..Default::default() };
        let retry = Some(Arc::new(Retry::new(settings)));
        let guards = Guards { retry, ..Guards::usual("change_order") };
        let tool = Guarded::new(tool(&server.base, method), guards);
        assert_eq!(tool.call(json!({"order_id": "1"})).await.is_ok(), n == 2);
        assert_eq!(server.asked().len(), n);
    }
}

#[tokio::test]
async fn a_guard_ends_a_call_that_is_too_slow() {
    let server = StandIn::with(vec![Reply::Late(Duration::from_millis(250), "1".into())]).await;
    let guards =
        Guards { time_limit: Some(Duration::from_millis(30)), ..Guards::none("change_order") };
    let tool = Guarded::new(tool(&server.base, HttpMethod::Post), guards);
    let error = tool.call(json!({"order_id": "1"})).await.unwrap_err().to_string();
    assert!(error.contains("no answer within 0.03 s; it may have taken effect"), "{error}");
}
