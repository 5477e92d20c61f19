//! Answers that are written down, for tests of how they are told.

use futures::stream::{self, StreamExt};
use serde_json::{Value, json};
use stateset_core::{FinishReason, Message, PolicyVersion, ToolCall};

use super::choices::Heard;
use super::{EventWriter, Keeping, stream_events};
use crate::answer::{Answer, AnswerEvent, Begun, DrawnToken, Piece};
use crate::api_error::ApiError;

/// A token that says `text`.
pub(crate) fn token(id: u32, text: &str) -> DrawnToken {
    DrawnToken { id, logprob: -0.5, bytes: text.into(), top: Vec::new() }
}

/// An answer that thinks, speaks, calls two tools and speaks again; and the same as a whole.
pub(crate) fn with_calls() -> (Vec<AnswerEvent>, Answer) {
    let call = |id: &str| ToolCall {
        id: id.to_owned(),
        name: "look".to_owned(),
        arguments: json!({"city": "Rome"}),
    };
    let piece = |text: &str, reasoning: &str, tokens: Vec<DrawnToken>| {
        AnswerEvent::Piece(Piece { text: text.into(), reasoning: reasoning.into(), tokens })
    };
    let tokens = vec![token(1, "hm"), token(2, "I "), token(3, "look"), token(4, "")];
    let answer = Answer {
        message: Message {
            reasoning: Some("hm".into()),
            tool_calls: vec![call("a"), call("b")],
            ..Message::assistant("I look.")
        },
        prompt_tokens: vec![7, 8],
        tokens: tokens.clone(),
        n_prompt: 2,
        n_cached: Some(1),
        n_drawn: 4,
        finish: FinishReason::ToolCalls,
        stopped_by: None,
        is_steered: false,
        version: PolicyVersion(3),
    };
    let begun = Begun { prompt_tokens: vec![7, 8], n_prompt: 2, version: PolicyVersion(3) };
    let events = vec![
        AnswerEvent::Begun(begun),
        piece("", "hm", tokens[..1].to_vec()),
        piece("I look", "", tokens[1..3].to_vec()),
        AnswerEvent::Call(call("a")),
        AnswerEvent::Call(call("b")),
        piece(".", "", tokens[3..].to_vec()),
        AnswerEvent::Done(Box::new(answer.clone())),
    ];
    (events, answer)
}

/// What a client hears of these events: names and data.
pub(crate) async fn told(
    events: Vec<Result<AnswerEvent, ApiError>>,
    writer: impl EventWriter,
) -> Vec<(String, Value)> {
    let heard: Heard = stream::iter(events.into_iter().map(|event| (0, event))).boxed();
    let response = stream_events(heard, writer, Keeping::Comment).await.unwrap();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let event = |text: &str| {
        let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let data = line("data: ")?;
        let data = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()));
        Some((line("event: ").unwrap_or_default().to_owned(), data))
    };
    text.split("\n\n").filter_map(event).collect()
}
