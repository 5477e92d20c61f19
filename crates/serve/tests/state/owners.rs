//! Whose conversations are whose.

use reqwest::Method;
use serde_json::{Value, json};
use stateset_connect::Secret;
use stateset_serve::ServeConfig;
use stateset_serve::security::{Role, Security, SecuritySettings};
use stateset_serve::store::Clock;

use super::running::Running;

const ANNA: &str = "the-key-of-anna";
const BOB: &str = "the-key-of-bob-";
const TRAINER: &str = "the-key-of-a-trainer";

async fn ask(
    server: &Running,
    key: Option<&str>,
    method: Method,
    path: &str,
    body: Value,
) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(method, format!("{}{path}", server.base)).json(&body);
    let request = match key {
        Some(key) => request.bearer_auth(key),
        None => request,
    };
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_user_meets_their_own_conversations_only() {
    let keys = [(ANNA, Role::User), (BOB, Role::User), (TRAINER, Role::Trainer)];
    let keys = keys.map(|(key, role)| ("--api-key", Secret::new(key), role)).to_vec();
    let settings = SecuritySettings { keys, allow_anonymous: true, ..SecuritySettings::default() };
    let security = Security::open(settings, true).unwrap().0.into();
    let config = ServeConfig { port: 0, security, ..ServeConfig::default() };
    let server = Running::configured(config, Clock::system()).await;
    let hello = json!({"message": "Hello", "idempotency_key": "same"});
    let begin = async |key| {
        let (status, body) = ask(&server, key, Method::POST, "/chat/start", hello.clone()).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    };
    // An idempotency key of one caller says nothing to another.
    let [annas, bobs, nobodys] =
        [begin(Some(ANNA)).await, begin(Some(BOB)).await, begin(None).await];
    assert_eq!(begin(Some(ANNA)).await, annas);
    assert!(annas != bobs && bobs != nobodys);

    let listed = async |key| {
        let (_, body) = ask(&server, key, Method::GET, "/conversations", json!({})).await;
        let all = body["data"].as_array().unwrap().iter();
        let mut ids: Vec<String> = all.map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(listed(Some(ANNA)).await, std::slice::from_ref(&annas));
    assert_eq!(listed(None).await, std::slice::from_ref(&nobodys));
    assert_eq!(listed(Some(TRAINER)).await.len(), 3);

    let stream = "/api/v1/stream/chat";
    let heard = json!({"message": "And?", "conversation_id": annas});
    for (key, expected) in [(Some(BOB), 404), (None, 404), (Some(ANNA), 200)] {
        let (status, _) = ask(&server, key, Method::POST, stream, heard.clone()).await;
        assert_eq!(status, expected, "{key:?}");
    }

    let paths = [
        (Method::GET, format!("/conversations/{annas}")),
        (Method::GET, format!("/chat/{annas}/history")),
        (Method::POST, format!("/chat/{annas}/message")),
        (Method::POST, format!("/v1/conversations/{annas}/messages")),
        (Method::DELETE, format!("/api/conversations/{annas}")),
    ];
    for (method, path) in paths {
        let body = json!({"message": "And?"});
        for key in [Some(BOB), None] {
            let (status, _) = ask(&server, key, method.clone(), &path, body.clone()).await;
            assert_eq!(status, 404, "{method} {path} {key:?}");
        }
        let (status, answer) = ask(&server, Some(ANNA), method.clone(), &path, body).await;
        assert!(matches!(status, 200 | 204), "{method} {path}: {answer}");
    }
    let chat = json!({"message": "And?", "conversation_id": bobs});
    assert_eq!(ask(&server, Some(ANNA), Method::POST, "/api/chat", chat.clone()).await.0, 404);
    assert_eq!(ask(&server, Some(TRAINER), Method::POST, "/api/chat", chat).await.0, 200);
}
