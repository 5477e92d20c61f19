//! Conversations under all their names.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stateset_serve::LinesFile;
use stateset_serve::conversations::ConversationRules;
use stateset_serve::store::{Clock, NewMessages, StoreError};

use super::running::Running;

fn roles(body: &Value) -> Vec<&str> {
    body["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_documented_request_is_answered_and_kept() {
    let server = Running::canned(&["Yes, gladly.", "Bye."]).await;
    let said = server
        .post(
            "/conversations",
            json!({
                "messages": [
                    {"role": "system", "content": "You are a helpful assistant."},
                    {"role": "user", "content": "Hello! Can you help me?"}
                ],
                "max_tokens": 128, "temperature": 0.7
            }),
        )
        .await
        .ok(201);
    assert_eq!(said["response"], "Yes, gladly.");
    let id = said["conversation_id"].as_str().unwrap();
    let more = server
        .post(&format!("/v1/conversation/{id}/messages"), json!({"message": "Thanks."}))
        .await
        .ok(200);
    assert_eq!(more["message_count"], 5);
    let kept = server.get(&format!("/v1/conversations/{id}")).await.ok(200);
    assert_eq!(roles(&kept), ["system", "user", "assistant", "user", "assistant"]);
    assert_eq!(kept["messages"][3]["content"], "Thanks.");
    let all = server.get("/conversations").await.ok(200);
    assert_eq!(all["data"][0]["id"], id);
    server.delete(&format!("/api/conversations/{id}")).await.ok(204);
    assert_eq!(server.get(&format!("/conversations/{id}")).await.refused().1, "not_found");
}

#[tokio::test]
async fn chat_has_its_documented_names() {
    let server = Running::canned(&["One.", "Two.", "Three."]).await;
    let said = server
        .post("/api/chat", json!({"message": "Hi", "strategy": "precise", "context": {"a": 1}}))
        .await
        .ok(200);
    assert_eq!(said["context"], json!({"a": 1}));
    assert_eq!(said["metadata"]["strategy"], "precise");
    let id = said["conversation_id"].as_str().unwrap();
    for (path, body) in [
        ("/api/chat".to_owned(), json!({"message": "And?", "conversation_id": id})),
        (format!("/chat/{id}/message"), json!({"message": "So?"})),
    ] {
        server.post(&path, body).await.ok(200);
    }
    let history = server.get(&format!("/chat/{id}/history")).await.ok(200);
    assert_eq!(history["message_count"], 6);
    server.delete(&format!("/chat/{id}")).await.ok(204);

    let empty = server.post("/chat/start", json!({})).await.ok(201);
    assert_eq!(empty["response"], Value::Null);
    assert_eq!(empty["message_count"], 0);
}

#[tokio::test]
async fn a_request_counts_once() {
    let server = Running::canned(&["One.", "Two.", "Three."]).await;
    let ask = json!({"message": "Hi", "idempotency_key": "k1"});
    let first = server.post("/conversations", ask.clone()).await.ok(201);
    assert_eq!(server.post("/conversations", ask).await.ok(201), first);
    let other = json!({"message": "Ho", "idempotency_key": "k1"});
    let refused = server.post("/conversations", other).await;
    assert_eq!(refused.refused(), (409, "idempotency_conflict", Some("idempotency_key")));

    let path = format!("/conversations/{}/messages", first["id"].as_str().unwrap());
    let ask = json!({"message": "More", "idempotency_key": "k1"});
    let second = server.post(&path, ask.clone()).await.ok(200);
    assert_eq!(server.post(&path, ask).await.ok(200), second);
    assert_eq!(second["message_count"], 4);
    assert_eq!(server.get("/conversations").await.ok(200)["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_conversation_that_is_answered_is_busy() {
    let server = Running::canned(&["One."]).await;
    let begun = server.post("/conversations", json!({"message": "Hi"})).await.ok(201);
    let id = begun["id"].as_str().unwrap();
    let path = format!("/conversations/{id}/messages");
    let store = server.services.store();
    let claim = store.claim_conversation(id, 60_000).await.unwrap().unwrap();
    let refused = server.post(&path, json!({"message": "And?"})).await;
    assert_eq!(refused.refused().1, "conversation_busy");
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    // Whoever lost the claim writes nothing.
    store.release_claim(&claim).await.unwrap();
    let other = store.claim_conversation(id, 60_000).await.unwrap().unwrap();
    let nothing = NewMessages { messages: Vec::new(), once: None };
    let lost = store.add_messages(&claim, &nothing).await.unwrap_err();
    assert!(matches!(lost, StoreError::Changed { .. }), "{lost}");
    store.release_claim(&other).await.unwrap();
    server.post(&path, json!({"message": "And?"})).await.ok(200);
}

#[tokio::test]
async fn refusals_leave_the_conversation_as_it_was() {
    let server = Running::canned(&["One."]).await;
    let begun = server.post("/conversations", json!({"message": "Hi"})).await.ok(201);
    let id = begun["id"].as_str().unwrap();
    let path = format!("/conversations/{id}/messages");
    let long = "x".repeat(4001);
    let table = [
        (json!({}), 422, "missing_field", Some("message")),
        (json!({"message": ""}), 422, "invalid_length", Some("message")),
        (json!({"message": long}), 422, "invalid_length", Some("message")),
        (json!({"message": "a", "agent_id": "agent_x"}), 422, "not_supported", Some("agent_id")),
        (json!({"message": "a", "colour": 1}), 422, "unknown_field", Some("colour")),
        (json!({"message": "a", "stream": true}), 422, "not_supported", Some("stream")),
        (json!({"message": "a", "max_tokens": 0}), 422, "invalid_value", Some("max_tokens")),
        (
            json!({"messages": [{"role": "judge", "content": "a"}]}),
            422,
            "invalid_value",
            Some("messages[0]"),
        ),
        (
            json!({"messages": [{"role": "system", "content": "a"}]}),
            422,
            "invalid_value",
            Some("messages[0].role"),
        ),
    ];
    for (body, status, code, field) in table {
        let got = server.post(&path, body.clone()).await;
        assert_eq!(got.refused(), (status, code, field), "{body}");
    }
    let kept = server.get(&format!("/conversations/{id}")).await.ok(200);
    assert_eq!(kept["message_count"], 2);
    let nobody = json!({"message": "a", "agent_id": "agent_x"});
    assert_eq!(server.post("/conversations", nobody).await.refused().2, Some("agent_id"));
    let missing = server.post("/conversations/conv_x/messages", json!({"message": "a"})).await;
    assert_eq!(missing.refused(), (404, "not_found", None));
}

#[tokio::test]
async fn a_long_history_is_answered_without_its_oldest_turns() {
    let server = Running::tiny().await;
    let begun = server.post("/conversations", json!({"max_tokens": 8})).await.ok(201);
    let path = format!("/conversations/{}/messages", begun["id"].as_str().unwrap());
    let text =
        "Where is my parcel? I have waited for so long and nobody answers my letters. ".repeat(3);
    let mut left_out = 0;
    for _ in 0..6 {
        let said = server.post(&path, json!({"message": text})).await.ok(200);
        left_out = said["messages_left_out"].as_u64().unwrap();
    }
    assert!(left_out > 0);
}

#[tokio::test]
async fn an_agent_gives_its_instructions() {
    let server = Running::canned(&["One."]).await;
    let agent = server.post("/agents", json!({"name": "Ann"})).await.ok(201);
    let ask = json!({"message": "Hi", "agent_id": agent["id"]});
    let said = server.post("/conversations", ask).await.ok(201);
    server.delete(&format!("/agents/{}", agent["id"].as_str().unwrap())).await.ok(204);
    // The conversation outlives the agent.
    let path = format!("/conversations/{}", said["id"].as_str().unwrap());
    assert!(server.get(&path).await.ok(200)["agent_id"].is_null());
    server.post(&format!("{path}/messages"), json!({"message": "Still?"})).await.ok(200);
}

#[tokio::test]
async fn whoever_goes_away_while_they_wait_leaves_nothing() {
    let server = Running::tiny().await;
    let begun = server.post("/conversations", json!({})).await.ok(201);
    let path = format!("/conversations/{}", begun["id"].as_str().unwrap());
    let messages = format!("{path}/messages");
    let long = json!({"message": "Tell me everything.", "max_tokens": 200, "temperature": 2});
    let answered = server.post(&messages, long);
    let patience = std::time::Duration::from_millis(30);
    if tokio::time::timeout(patience, answered).await.is_ok() {
        // The machine answered two hundred tokens in that time, so there was nobody to go away.
        return;
    }
    let short = json!({"message": "Hi", "max_tokens": 2});
    let mut again = server.post(&messages, short.clone()).await;
    while again.status == 409 {
        assert_eq!(again.refused().1, "conversation_busy");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        again = server.post(&messages, short.clone()).await;
    }
    again.ok(200);
    let kept = server.get(&path).await.ok(200);
    assert_eq!(kept["messages"][0]["content"], "Hi");
    assert_eq!(kept["message_count"], 2);
}

#[tokio::test]
async fn of_two_messages_at_once_one_is_answered_first() {
    let server = Running::tiny().await;
    let begun = server.post("/conversations", json!({"max_tokens": 4})).await.ok(201);
    let path = format!("/conversations/{}", begun["id"].as_str().unwrap());
    let messages = format!("{path}/messages");
    let asked = (0..4).map(|n| server.post(&messages, json!({"message": format!("m{n}")})));
    let got = futures::future::join_all(asked).await;
    let n_answered = got.iter().filter(|got| got.status == 200).count();
    assert!(n_answered >= 1);
    for refused in got.iter().filter(|got| got.status != 200) {
        assert_eq!(refused.refused().1, "conversation_busy");
    }
    let kept = server.get(&path).await.ok(200);
    let expected = ["user", "assistant"].repeat(n_answered);
    assert_eq!(roles(&kept), expected);
}

fn events(text: &str) -> Vec<(&str, Value)> {
    let named = text.split("\n\n").filter_map(|text| {
        let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let data = serde_json::from_str(line("data: ")?).unwrap();
        Some((line("event: ")?, data))
    });
    named.collect()
}

#[tokio::test]
async fn a_turn_can_be_heard_while_it_is_drawn() {
    let server = Running::canned(&["One and two.", "Three."]).await;
    let path = "/api/v1/stream/chat";
    let asked = json!({"message": "Hi", "idempotency_key": "k"});
    let mut conversation = Value::Null;
    // The second time it is told what was kept.
    for n_pieces in [3, 1] {
        let got = server.post(path, asked.clone()).await.ok(200);
        let told = events(got.as_str().unwrap());
        assert_eq!(told[0].0, "metadata");
        let text: String = told.iter().filter_map(|(_, data)| data["text"].as_str()).collect();
        assert_eq!((text.as_str(), told.len()), ("One and two.", n_pieces + 2));
        let (name, done) = told.last().unwrap();
        assert_eq!((*name, &done["response"]), ("done", &json!("One and two.")));
        conversation = done["conversation_id"].clone();
    }
    let id = conversation.as_str().unwrap();
    let got = server.get(&format!("{path}?message=And%3F&conversation_id={id}")).await.ok(200);
    let told = events(got.as_str().unwrap());
    assert_eq!(told[0].1["conversation_id"], id);
    assert_eq!(told.last().unwrap().1["message_count"], 4);
    let kept = server.get(&format!("/conversations/{id}")).await.ok(200);
    assert_eq!(roles(&kept), ["user", "assistant", "user", "assistant"]);
    let refused = server.post(path, json!({"message": "a", "conversation_id": "conv_x"})).await;
    assert_eq!(refused.refused().1, "not_found");
    let refused = server.get(&format!("{path}?message=a&temperature=hot")).await;
    assert_eq!(refused.refused(), (422, "invalid_query", Some("query")));
}

/// A clock that a test moves, in milliseconds.
fn movable() -> (Arc<AtomicI64>, Clock) {
    let now = Arc::new(AtomicI64::new(1_000_000));
    let read = now.clone();
    let hand = move || read.load(Ordering::Relaxed);
    (now, Clock::new(hand.clone(), hand))
}

#[tokio::test]
async fn no_more_conversations_than_the_server_holds_and_silence_ends_them() {
    let (now, clock) = movable();
    let rules = ConversationRules::new(Some(2), Some(Duration::from_secs(60)), None);
    let server = Running::ruled(rules, clock).await;
    let hello = || json!({"message": "Hello"});
    let first = server.post("/chat/start", hello()).await.ok(201);
    let first = first["id"].as_str().unwrap();
    now.fetch_add(10_000, Ordering::Relaxed);
    let second = server.post("/conversations", hello()).await.ok(201);
    let refused = server.post("/chat/start", hello()).await;
    assert_eq!(refused.refused(), (503, "too_many_conversations", None));
    // The first one ends 60 s after its last message, which was 10 s ago.
    assert_eq!(refused.retry_after.as_deref(), Some("50"));
    // One that is under way goes on, and what is deleted makes room.
    server.post(&format!("/chat/{first}/message"), hello()).await.ok(200);
    let second = second["id"].as_str().unwrap();
    server.delete(&format!("/chat/{second}")).await.ok(204);
    server.post("/api/chat", hello()).await.ok(200);
    assert_eq!(server.post("/chat/start", hello()).await.status, 503);

    now.fetch_add(60_001, Ordering::Relaxed);
    let ended = server.post(&format!("/chat/{first}/message"), hello()).await;
    assert_eq!(ended.refused(), (410, "conversation_ended", None));
    let history = server.get(&format!("/chat/{first}/history")).await.ok(200);
    assert_eq!(history["messages"].as_array().unwrap().len(), 4);
    server.post("/chat/start", hello()).await.ok(201);
}

#[tokio::test]
async fn conversations_that_begin_at_once_do_not_pass_the_limit() {
    let rules = ConversationRules::new(Some(3), None, None);
    let server = Running::ruled(rules, Clock::system()).await;
    let all = (0..12).map(|_| server.post("/chat/start", json!({"message": "Hello"})));
    let answers = futures::future::join_all(all).await;
    let n_begun = answers.iter().filter(|got| got.status == 201).count();
    assert!((1..=3).contains(&n_begun), "{n_begun}");
    assert!(answers.iter().all(|got| matches!(got.status, 201 | 503)));
    assert_eq!(server.services.store().count_conversations().await.unwrap().0, n_begun as i64);
}

#[tokio::test]
async fn turns_are_written_down_where_that_is_wanted() {
    let temp = tempfile::tempdir().unwrap();
    let log = LinesFile::new(temp.path().join("conversations.jsonl"));
    let rules = ConversationRules::new(None, None, Some(log.clone()));
    let server = Running::ruled(rules, Clock::new(|| 5_000, || 5_000)).await;
    let said = server.post("/chat/start", json!({"message": "Hello\nyou"})).await.ok(201);
    let id = said["id"].as_str().unwrap();
    server.post(&format!("/chat/{id}/message"), json!({"message": "And?"})).await.ok(200);
    let text = std::fs::read_to_string(log.path()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines.iter().all(|line| line["conversation_id"] == id && line["time"] == 5));
    let contents = |line: &Value| -> Vec<String> {
        let all = line["messages"].as_array().unwrap();
        all.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(contents(&lines[0]), ["Hello\nyou", "Yes."]);
    assert_eq!(contents(&lines[1]), ["And?", "Yes."]);
}
