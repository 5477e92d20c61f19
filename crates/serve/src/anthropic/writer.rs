//! From what is heard of an answer to blocks, and the events that tell of them.
//!
//! Source: the streaming page of Anthropic's documentation. Whole answers come out of the same writer,
//! with its events left out, so that both always agree.

use axum::response::sse::Event;
use serde_json::{Value, json};
use stateset_core::ToolCall;

use super::response::{MessageResponse, MessageUsage, SaidBlock, stop_of};
use crate::answer::{Answer, AnswerEvent, Begun, Piece};
use crate::api_error::{ApiError, Dialect};
use crate::wire::{EventWriter, named};

/// Writes one answer.
pub(super) struct MessageWriter {
    response: MessageResponse,
    is_streamed: bool,
    several_calls: bool,
    n_calls: usize,
    /// The last block may still grow.
    is_open: bool,
    events: Vec<Event>,
}

impl MessageWriter {
    /// For the answer that `response` begins.
    pub(super) fn new(
        response: MessageResponse,
        is_streamed: bool,
        several_calls: bool,
    ) -> MessageWriter {
        let events = Vec::new();
        MessageWriter { response, is_streamed, several_calls, n_calls: 0, is_open: false, events }
    }

    /// The answer so far.
    pub(super) fn into_response(self) -> MessageResponse {
        self.response
    }

    fn tell(&mut self, kind: &'static str, fields: impl FnOnce(&MessageResponse) -> Value) {
        if !self.is_streamed {
            return;
        }
        let mut event = json!({"type": kind});
        if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields(&self.response))
        {
            event.extend(fields);
        }
        self.events.push(named(kind, &event));
    }

    fn last(&self) -> usize {
        self.response.content.len().saturating_sub(1)
    }

    /// Begins a block; `shown` is how an empty one looks.
    fn open(&mut self, block: SaidBlock, shown: Value) {
        self.close();
        self.response.content.push(block);
        self.is_open = true;
        let index = self.last();
        self.tell("content_block_start", |_| json!({"index": index, "content_block": shown}));
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            let index = self.last();
            self.tell("content_block_stop", |_| json!({"index": index}));
        }
    }

    fn delta(&mut self, delta: Value) {
        let index = self.last();
        self.tell("content_block_delta", |_| json!({"index": index, "delta": delta}));
    }

    fn begun(&mut self, begun: &Begun) {
        self.response.usage.input_tokens = begun.n_prompt;
        self.tell("message_start", |response| json!({"message": response}));
        self.tell("ping", |_| json!({}));
    }

    fn piece(&mut self, piece: &Piece) {
        if !piece.reasoning.is_empty() {
            self.think(&piece.reasoning);
        }
        if !piece.text.is_empty() {
            self.say(&piece.text);
        }
    }

    fn think(&mut self, more: &str) {
        if !(self.is_open
            && matches!(self.response.content.last(), Some(SaidBlock::Thinking { .. })))
        {
            let block = SaidBlock::Thinking { thinking: String::new(), signature: "" };
            self.open(block, json!({"type": "thinking", "thinking": "", "signature": ""}));
        }
        if let Some(SaidBlock::Thinking { thinking, .. }) = self.response.content.last_mut() {
            thinking.push_str(more);
        }
        self.delta(json!({"type": "thinking_delta", "thinking": more}));
    }

    fn say(&mut self, more: &str) {
        if !(self.is_open && matches!(self.response.content.last(), Some(SaidBlock::Text { .. }))) {
            let block = SaidBlock::Text { text: String::new() };
            self.open(block, json!({"type": "text", "text": ""}));
        }
        if let Some(SaidBlock::Text { text }) = self.response.content.last_mut() {
            text.push_str(more);
        }
        self.delta(json!({"type": "text_delta", "text": more}));
    }

    fn call(&mut self, call: ToolCall) {
        if self.n_calls > 0 && !self.several_calls {
            return;
        }
        self.n_calls += 1;
        let ToolCall { id, name, arguments } = call;
        let shown = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
        let text = arguments.to_string();
        self.open(SaidBlock::ToolUse { id, name, input: arguments }, shown);
        self.delta(json!({"type": "input_json_delta", "partial_json": text}));
        self.close();
    }

    fn done(&mut self, answer: &Answer) {
        self.close();
        let (reason, text) = stop_of(answer);
        self.response.usage = MessageUsage {
            input_tokens: answer.n_prompt - answer.n_cached.unwrap_or_default(),
            cache_read_input_tokens: answer.n_cached,
            output_tokens: answer.n_drawn,
        };
        self.response.stop_reason = Some(reason);
        self.response.stop_sequence.clone_from(&text);
        let delta = json!({"stop_reason": reason, "stop_sequence": text});
        self.tell("message_delta", |response| json!({"delta": delta, "usage": response.usage}));
        self.tell("message_stop", |_| json!({}));
    }

    fn told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

impl EventWriter for MessageWriter {
    fn begin(&mut self) -> Vec<Event> {
        Vec::new()
    }

    fn heard(&mut self, _choice: usize, event: AnswerEvent) -> Vec<Event> {
        match event {
            AnswerEvent::Begun(begun) => self.begun(&begun),
            AnswerEvent::Piece(piece) => self.piece(&piece),
            AnswerEvent::Call(call) => self.call(call),
            AnswerEvent::Done(answer) => self.done(&answer),
        }
        self.told()
    }

    fn end(&mut self) -> Vec<Event> {
        Vec::new()
    }

    fn failed(&mut self, error: &ApiError) -> Vec<Event> {
        vec![named("error", &Dialect::Anthropic.body(error))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::scripted::{told, with_calls};

    fn begun() -> MessageResponse {
        MessageResponse {
            id: "msg_1".into(),
            kind: "message",
            role: "assistant",
            model: "m".into(),
            content: Vec::new(),
            stop_reason: None,
            stop_sequence: None,
            usage: MessageUsage::default(),
        }
    }

    #[tokio::test]
    async fn blocks_are_begun_and_ended_in_their_order() {
        let (events, _) = with_calls();
        let writer = MessageWriter::new(begun(), true, true);
        let told = told(events.into_iter().map(Ok).collect(), writer).await;
        let mut n_open = 0;
        let mut blocks = Vec::new();
        for (name, event) in &told {
            match name.as_str() {
                "content_block_start" => {
                    assert_eq!((n_open, &event["index"]), (0, &json!(blocks.len())));
                    n_open = 1;
                    blocks.push(event["content_block"]["type"].as_str().unwrap());
                }
                "content_block_stop" => n_open -= 1,
                _ => {}
            }
        }
        assert_eq!(blocks, ["thinking", "text", "tool_use", "tool_use", "text"]);
        assert_eq!((n_open, told[0].0.as_str()), (0, "message_start"));
        assert_eq!(told[0].1["message"]["usage"]["input_tokens"], 2);
        let (name, delta) = &told[told.len() - 2];
        assert_eq!(
            (name.as_str(), &delta["delta"]["stop_reason"]),
            ("message_delta", &json!("tool_use"))
        );
    }

    #[test]
    fn the_whole_has_the_same_blocks() {
        for (several_calls, n) in [(true, 5), (false, 4)] {
            let (events, _) = with_calls();
            let mut whole = MessageWriter::new(begun(), false, several_calls);
            for event in events {
                assert!(whole.heard(0, event).is_empty());
            }
            let whole = whole.into_response();
            assert_eq!(whole.content.len(), n);
            let usage = MessageUsage {
                input_tokens: 1,
                cache_read_input_tokens: Some(1),
                output_tokens: 4,
            };
            assert_eq!(whole.usage, usage);
        }
    }
}
