//! From what is heard of an answer to items, and the events that tell of them.
//!
//! Source: the stream events in OpenAI's description of its API. The choice a reader would question:
//! whole answers come out of the same writer, with its events left out, so that both always agree.

use axum::response::sse::Event;
use serde_json::{Value, json};
use stateset_core::{FinishReason, ToolCall};

use super::response::{
    FailedField, IncompleteField, InputDetails, ItemsResponse, ItemsUsage, OutputItem, OutputPart,
};
use crate::answer::{Answer, AnswerEvent, Piece};
use crate::api_error::ApiError;
use crate::openai::logprobs::{ChatLogprobs, TokenLogprob};
use crate::wire::{EventWriter, id_of, named};

/// Writes one answer.
pub(super) struct ItemsWriter {
    response: ItemsResponse,
    is_streamed: bool,
    wants_logprobs: bool,
    n_events: u64,
    events: Vec<Event>,
    thought: Option<Open>,
    said: Option<Open>,
    n_calls: usize,
}

/// An item that may still grow.
struct Open {
    index: usize,
    id: String,
    text: String,
    logprobs: Vec<TokenLogprob>,
    /// Log-probs that no event has told yet.
    untold: Vec<TokenLogprob>,
}

impl ItemsWriter {
    /// For the answer that `response` begins.
    pub(super) fn new(
        response: ItemsResponse,
        is_streamed: bool,
        wants_logprobs: bool,
    ) -> ItemsWriter {
        ItemsWriter {
            response,
            is_streamed,
            wants_logprobs,
            n_events: 0,
            events: Vec::new(),
            thought: None,
            said: None,
            n_calls: 0,
        }
    }

    /// The answer so far.
    pub(super) fn into_response(self) -> ItemsResponse {
        self.response
    }

    fn tell(&mut self, kind: &'static str, fields: impl FnOnce(&ItemsResponse) -> Value) {
        if !self.is_streamed {
            return;
        }
        let mut event = json!({"type": kind, "sequence_number": self.n_events});
        if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields(&self.response))
        {
            event.extend(fields);
        }
        self.n_events += 1;
        self.events.push(named(kind, &event));
    }

    fn tell_response(&mut self, kind: &'static str) {
        self.tell(kind, |response| json!({"response": response}));
    }

    fn add(&mut self, item: OutputItem) -> usize {
        let index = self.response.output.len();
        self.tell("response.output_item.added", |_| json!({"output_index": index, "item": item}));
        self.response.output.push(item);
        index
    }

    fn complete(&mut self, index: usize, item: OutputItem) {
        self.tell("response.output_item.done", |_| json!({"output_index": index, "item": item}));
        self.response.output[index] = item;
    }

    fn open(&mut self, prefix: &str, item: impl FnOnce(String) -> OutputItem) -> Open {
        let id = id_of(prefix);
        let index = self.add(item(id.clone()));
        let (text, logprobs, untold) = (String::new(), Vec::new(), Vec::new());
        Open { index, id, text, logprobs, untold }
    }

    fn piece(&mut self, piece: Piece) {
        let Piece { text, reasoning, tokens } = piece;
        if !reasoning.is_empty() {
            self.think(&reasoning);
        }
        let logprobs =
            if self.wants_logprobs { ChatLogprobs::of(&tokens).content } else { Vec::new() };
        if !text.is_empty() || !logprobs.is_empty() {
            self.say(&text, logprobs);
        }
    }

    fn think(&mut self, text: &str) {
        let mut thought = self
            .thought
            .take()
            .unwrap_or_else(|| self.open("rs_", |id| thought_item(id, "", "in_progress")));
        let place = json!({
            "item_id": thought.id, "output_index": thought.index, "content_index": 0, "delta": text,
        });
        self.tell("response.reasoning_text.delta", |_| place);
        thought.text.push_str(text);
        self.thought = Some(thought);
    }

    fn say(&mut self, text: &str, logprobs: Vec<TokenLogprob>) {
        let mut said = self.said.take().unwrap_or_else(|| self.open_message());
        said.untold.extend(logprobs);
        if !text.is_empty() {
            self.tell_delta(&mut said, text);
        }
        self.said = Some(said);
    }

    fn tell_delta(&mut self, said: &mut Open, text: &str) {
        said.text.push_str(text);
        let told = std::mem::take(&mut said.untold);
        self.tell("response.output_text.delta", |_| {
            let (id, index) = (&said.id, said.index);
            json!({
                "item_id": id, "output_index": index, "content_index": 0, "delta": text,
                "logprobs": told,
            })
        });
        said.logprobs.extend(told);
    }

    fn open_message(&mut self) -> Open {
        let open = self.open("msg_", |id| OutputItem::Message {
            id,
            role: "assistant",
            content: Vec::new(),
            status: "in_progress",
        });
        self.tell("response.content_part.added", |_| {
            json!({
                "item_id": open.id, "output_index": open.index, "content_index": 0,
                "part": OutputPart::said("", &[]),
            })
        });
        open
    }

    fn call(&mut self, call: ToolCall) {
        if self.n_calls > 0 && !self.response.parallel_tool_calls {
            return;
        }
        self.n_calls += 1;
        let (id, arguments) = (id_of("fc_"), call.arguments.to_string());
        let item = |arguments: &str, status| OutputItem::FunctionCall {
            id: id.clone(),
            call_id: call.id.clone(),
            name: call.name.clone(),
            arguments: arguments.to_owned(),
            status,
        };
        let index = self.add(item("", "in_progress"));
        self.tell(
            "response.function_call_arguments.delta",
            |_| json!({"item_id": id, "output_index": index, "delta": arguments}),
        );
        self.tell("response.function_call_arguments.done", |_| {
            json!({
                "item_id": id, "output_index": index, "name": call.name, "arguments": arguments,
            })
        });
        self.complete(index, item(&arguments, "completed"));
    }

    fn close_thought(&mut self, status: &'static str) {
        let Some(Open { index, id, text, .. }) = self.thought.take() else { return };
        self.tell(
            "response.reasoning_text.done",
            |_| json!({"item_id": id, "output_index": index, "content_index": 0, "text": text}),
        );
        self.complete(index, thought_item(id, &text, status));
    }

    fn close_message(&mut self, status: &'static str) {
        let Some(mut said) = self.said.take() else { return };
        if !said.untold.is_empty() {
            self.tell_delta(&mut said, "");
        }
        let Open { index, id, text, logprobs, .. } = said;
        self.tell("response.output_text.done", |_| {
            json!({
                "item_id": id, "output_index": index, "content_index": 0, "text": text,
                "logprobs": logprobs,
            })
        });
        let part = OutputPart::said(&text, &logprobs);
        self.tell(
            "response.content_part.done",
            |_| json!({"item_id": id, "output_index": index, "content_index": 0, "part": part}),
        );
        let content = vec![part];
        self.complete(index, OutputItem::Message { id, role: "assistant", content, status });
    }

    fn done(&mut self, answer: &Answer) {
        if self.said.is_none() && self.n_calls == 0 {
            self.said = Some(self.open_message());
        }
        let is_cut = answer.finish == FinishReason::Length;
        let status = if is_cut { "incomplete" } else { "completed" };
        self.close_thought(status);
        self.close_message(status);
        let (input_tokens, output_tokens) = (answer.n_prompt, answer.n_drawn);
        self.response.usage = Some(ItemsUsage {
            input_tokens,
            input_tokens_details: InputDetails {
                cached_tokens: answer.n_cached.unwrap_or_default(),
                ..InputDetails::default()
            },
            output_tokens,
            total_tokens: input_tokens + output_tokens,
            ..ItemsUsage::default()
        });
        self.response.status = status;
        if is_cut {
            let reason = "max_output_tokens";
            self.response.incomplete_details = Some(IncompleteField { reason });
        }
        self.tell_response(if is_cut { "response.incomplete" } else { "response.completed" });
    }

    fn told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

fn thought_item(id: String, text: &str, status: &'static str) -> OutputItem {
    let part = (!text.is_empty()).then(|| OutputPart::ReasoningText { text: text.to_owned() });
    let content = part.into_iter().collect();
    OutputItem::Reasoning { id, summary: Vec::new(), content, status }
}

impl EventWriter for ItemsWriter {
    fn begin(&mut self) -> Vec<Event> {
        self.tell_response("response.created");
        self.tell_response("response.in_progress");
        self.told()
    }

    fn heard(&mut self, _choice: usize, event: AnswerEvent) -> Vec<Event> {
        match event {
            AnswerEvent::Begun(_) => {}
            AnswerEvent::Piece(piece) => self.piece(piece),
            AnswerEvent::Call(call) => self.call(call),
            AnswerEvent::Done(answer) => self.done(&answer),
        }
        self.told()
    }

    fn end(&mut self) -> Vec<Event> {
        Vec::new()
    }

    fn failed(&mut self, error: &ApiError) -> Vec<Event> {
        self.response.status = "failed";
        let (code, message) = ("server_error", error.message.clone());
        self.response.error = Some(FailedField { code, message });
        self.tell_response("response.failed");
        self.told()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::scripted::{told, with_calls};

    fn begun() -> ItemsResponse {
        ItemsResponse {
            id: "resp_1".into(),
            object: "response",
            created_at: 1,
            status: "in_progress",
            error: None,
            incomplete_details: None,
            instructions: None,
            max_output_tokens: None,
            model: "m".into(),
            output: Vec::new(),
            parallel_tool_calls: true,
            previous_response_id: (),
            store: false,
            temperature: 1.0,
            text: json!({}),
            tool_choice: json!("auto"),
            tools: Vec::new(),
            top_p: 1.0,
            truncation: "disabled",
            usage: None,
            metadata: serde_json::Map::new(),
        }
    }

    #[tokio::test]
    async fn items_are_begun_and_ended_in_their_order() {
        let (events, _) = with_calls();
        let told =
            told(events.into_iter().map(Ok).collect(), ItemsWriter::new(begun(), true, true));
        let told = told.await;
        let names: Vec<&str> =
            told.iter().map(|(name, _)| name.trim_start_matches("response.")).collect();
        assert_eq!(
            names,
            [
                "created",
                "in_progress",
                "output_item.added",
                "reasoning_text.delta",
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_item.added",
                "function_call_arguments.delta",
                "function_call_arguments.done",
                "output_item.done",
                "output_item.added",
                "function_call_arguments.delta",
                "function_call_arguments.done",
                "output_item.done",
                "output_text.delta",
                "reasoning_text.done",
                "output_item.done",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "completed",
            ]
        );
        let output = &told.last().unwrap().1["response"]["output"];
        let kinds: Vec<&Value> = (0..4).map(|at| &output[at]["type"]).collect();
        assert_eq!(kinds, ["reasoning", "message", "function_call", "function_call"]);
        assert_eq!(output[1]["content"][0]["text"], "I look.");
    }

    #[test]
    fn the_whole_is_what_the_stream_ends_with() {
        let (events, _) = with_calls();
        let mut whole = ItemsWriter::new(begun(), false, false);
        for event in events {
            assert!(whole.heard(0, event).is_empty());
        }
        let whole = whole.into_response();
        assert_eq!((whole.status, whole.output.len()), ("completed", 4));
        assert_eq!(whole.usage.unwrap().total_tokens, 6);
    }
}
