//! WebSocket `/ws`: chat messages, figures and pings, one JSON object in each message.
//!
//! `{"type": "chat", "message": ..}` with the fields of `POST /api/chat` is answered by
//! `{"type": "chat_response", ..}`, `{"type": "metrics"}` by `{"type": "metrics", "data": ..}`, and
//! `{"type": "ping"}` by `{"type": "pong"}`. A field `request_id` comes back with the answer. What cannot
//! be understood is answered by `{"type": "error", ..}`; too much of it, too fast or too long, closes the
//! connection with 1008.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::chat::{ChatRequest, answer};
use super::figures::figures;
use super::unusable;
use crate::App;
use crate::api_error::{ApiError, Dialect};
use crate::body::refusal;
use crate::conversations::Caller;

/// Documented: bytes of a message.
const MAX_BYTES: usize = 64 << 10;

/// Documented: messages in a second.
const MAX_PER_SECOND: usize = 10;

/// Upgrades the connection.
pub(super) async fn socket(
    State(app): State<App>,
    caller: Caller,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|rejection| {
        ApiError::new(rejection.status(), "upgrade_required", rejection.body_text())
    })?;
    // Somewhat longer messages are read, so that they can be refused with the documented code.
    let upgrade = upgrade.max_message_size(4 * MAX_BYTES).max_frame_size(4 * MAX_BYTES);
    Ok(upgrade.on_upgrade(move |socket| serve(app, caller, socket)))
}

/// When the last messages came.
#[derive(Default)]
struct Pace {
    recent: Vec<Instant>,
}

impl Pace {
    /// Takes in a message; false where it is one too many for this second.
    fn allows(&mut self, now: Instant) -> bool {
        self.recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
        self.recent.push(now);
        self.recent.len() <= MAX_PER_SECOND
    }
}

async fn serve(app: App, caller: Caller, mut socket: WebSocket) {
    let mut pace = Pace::default();
    loop {
        let message = match socket.recv().await {
            None | Some(Ok(Message::Close(_))) => return,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) if pace.allows(Instant::now()) => {
                continue;
            }
            Some(Ok(Message::Text(text))) if text.len() <= MAX_BYTES => text,
            Some(Ok(Message::Text(_))) | Some(Err(_)) => {
                return close(socket, "a message has more than 64 KiB").await;
            }
            Some(Ok(Message::Binary(_))) => return close(socket, "messages have to be text").await,
            Some(Ok(_)) => return close(socket, "more than 10 messages in a second").await,
        };
        if !pace.allows(Instant::now()) {
            return close(socket, "more than 10 messages in a second").await;
        }
        let reply = reply(&app, &caller, &message).await.to_string();
        if socket.send(Message::Text(reply.into())).await.is_err() {
            return;
        }
    }
}

async fn close(mut socket: WebSocket, reason: &'static str) {
    let frame = CloseFrame { code: close_code::POLICY, reason: reason.into() };
    // The other side may be gone already.
    socket.send(Message::Close(Some(frame))).await.ok();
}

async fn reply(app: &App, caller: &Caller, text: &str) -> Value {
    let mut fields: Map<String, Value> = match serde_json::from_str(text) {
        Ok(fields) => fields,
        Err(error) => return failed(&refusal(&error), None),
    };
    let id = fields.remove("request_id");
    let kind = fields.remove("type");
    let replied = match kind.as_ref().and_then(Value::as_str) {
        Some("ping") => Ok(json!({"type": "pong"})),
        Some("metrics") => {
            figures(app).await.map(|figures| json!({"type": "metrics", "data": figures}))
        }
        Some("chat") => chat(app, caller, fields).await,
        _ => {
            let message = "found none that is known; allowed are chat, metrics and ping";
            Err(unusable("invalid_value", "type", message))
        }
    };
    match replied {
        Ok(mut body) => {
            if let Some(id) = id {
                body["request_id"] = id;
            }
            body
        }
        Err(error) => failed(&error, id),
    }
}

async fn chat(app: &App, caller: &Caller, fields: Map<String, Value>) -> Result<Value, ApiError> {
    let asked: ChatRequest = serde_json::from_value(fields.into()).map_err(|e| refusal(&e))?;
    let answer = answer(app, caller.clone(), asked).await?;
    let mut body = serde_json::to_value(answer).map_err(ApiError::internal)?;
    body["type"] = "chat_response".into();
    Ok(body)
}

fn failed(error: &ApiError, id: Option<Value>) -> Value {
    let mut body = Dialect::Own.body(error);
    body["type"] = "error".into();
    if let Some(id) = id {
        body["request_id"] = id;
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_messages_in_a_second_and_no_more() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert!((0..10).all(|_| pace.allows(start)));
        assert!(!pace.allows(start + Duration::from_millis(999)));
        assert!(pace.allows(start + Duration::from_millis(2000)));
    }
}
