//! A policy behind a server: what is sent, what comes back, and every way in which it can fail.

use std::time::Duration;

use serde_json::json;
use stateset_connect::{Failure, RemotePolicy, RemotePolicySettings, Secret};
use stateset_core::{
    FinishReason, GenerateRequest, Message, Policy, PolicyError, Purpose, RunSeed, Sampling,
    StreamKey, TokenTrace,
};

use super::stand_in::{Reply, StandIn, nowhere, says, status};

pub(crate) fn request(text: &str) -> GenerateRequest {
    GenerateRequest {
        messages: vec![Message::user(text)],
        tools: Vec::new(),
        trace: TokenTrace::new(),
        sampling: Sampling::default(),
        stream: RunSeed(1).stream(Purpose::Sampling, StreamKey::default()),
    }
}

fn settings(base: &str) -> RemotePolicySettings {
    RemotePolicySettings {
        api_key: Some(Secret::new("sk-secret")),
        timeout: Duration::from_millis(300),
        ..RemotePolicySettings::new(format!("{base}/v1/"), "m-1")
    }
}

async fn failed(reply: Reply) -> PolicyError {
    let server = StandIn::with(vec![reply]).await;
    let policy = RemotePolicy::new(settings(&server.base)).unwrap();
    let error = policy.generate(request("hi")).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("m-1") && text.contains("127.0.0.1"), "it names who was asked: {text}");
    assert!(!text.contains("sk-secret"), "{text}");
    error
}

#[tokio::test]
async fn an_answer_comes_back() {
    let server = StandIn::with(vec![says("Hello!")]).await;
    let policy = RemotePolicy::new(settings(&server.base)).unwrap();
    let completion = policy.generate(request("hi")).await.unwrap();
    assert_eq!(completion.message, Message::assistant("Hello!"));
    assert_eq!((completion.sampled, completion.finish), (None, FinishReason::Stop));
    let [asked] = server.asked().try_into().unwrap();
    assert!(asked.head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{}", asked.head);
    assert!(asked.head.contains("authorization: Bearer sk-secret"), "{}", asked.head);
    assert_eq!(asked.json()["model"], "m-1");
    assert_eq!(asked.json()["messages"], json!([{"role": "user", "content": "hi"}]));
}

#[tokio::test]
async fn what_passes_is_told_from_what_does_not() {
    let error = failed(status(500, "oops")).await;
    assert!(error.to_string().contains("status 500 (oops)") && error.is_passing());
    let busy = Reply::Say(429, vec![("retry-after", "7".into())], "{\"error\": \"slow\"}".into());
    let error = failed(busy).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    for code in [400, 401, 403, 404, 422] {
        let error = failed(status(code, r#"{"error": {"message": "no such thing"}}"#)).await;
        assert!(matches!(error, PolicyError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("status {code} (no such thing)")), "{error}");
    }
    let redirect = Reply::Say(302, vec![("location", "http://127.0.0.1:9/".into())], String::new());
    assert!(failed(redirect).await.to_string().contains("status 302"));
    let error = failed(Reply::Cut).await;
    assert!(
        error.is_passing() && error.to_string().contains("in the middle of the call"),
        "{error}"
    );
    let error = failed(Reply::Hang).await;
    assert!(error.is_passing() && error.to_string().contains("within 0.3 s"), "{error}");
    let error = failed(status(200, "{}")).await;
    assert!(error.is_passing() && error.to_string().contains("it holds no choice"), "{error}");
}

#[tokio::test]
async fn nobody_there() {
    let policy = RemotePolicy::new(settings(&nowhere().await)).unwrap();
    let error = policy.generate(request("hi")).await.unwrap_err();
    assert!(error.is_passing() && error.to_string().contains("cannot be reached"), "{error}");
}

#[test]
fn settings_that_cannot_be_used() {
    for (base, model, part) in [
        ("ftp://h/v1", "m", "found \"ftp\""),
        ("not an address", "m", "`base_url`"),
        ("http://h/v1", " ", "`model`: it is empty"),
    ] {
        let Err(error) = RemotePolicy::new(RemotePolicySettings::new(base, model)) else {
            panic!("{base} was accepted");
        };
        assert!(error.to_string().contains(part), "{error}");
    }
    let with_password = RemotePolicySettings::new("http://user:pa55@h:1/v1?token=t0p", "m");
    let policy = RemotePolicy::new(with_password).unwrap();
    assert_eq!(policy.who(), "the model \"m\" at http://h:1/v1/chat/completions");
    assert!(!format!("{:?}", settings("http://h")).contains("sk-secret"));
}
