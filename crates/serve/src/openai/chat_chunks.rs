//! The events of a streamed answer to a conversation.

use axum::response::sse::Event;

use super::chat_response::{
    ChatChunk, ChunkChoice, Delta, SaidCall, Wanted, finish_reason, told_tokens,
};
use super::logprobs::ChatLogprobs;
use super::usage::Usage;
use crate::answer::{AnswerEvent, Begun, Piece};
use crate::api_error::{ApiError, Dialect};
use crate::wire::{EventWriter, unnamed};

/// Writes chunks.
pub(super) struct ChatChunks {
    /// What all chunks begin with.
    head: ChatChunk,
    wanted: Wanted,
    /// Tell the usage at the end.
    include_usage: bool,
    usage: Usage,
    /// Calls so far, of each answer.
    n_calls: Vec<usize>,
}

impl ChatChunks {
    /// For `n` answers.
    pub(super) fn new(
        id: String,
        created: u64,
        model: String,
        n: usize,
        wanted: Wanted,
        include_usage: bool,
    ) -> ChatChunks {
        let head = ChatChunk {
            id,
            object: "chat.completion.chunk",
            created,
            model,
            choices: Vec::new(),
            usage: None,
            system_fingerprint: None,
            prompt_token_ids: None,
            policy_version: None,
        };
        ChatChunks { head, wanted, include_usage, usage: Usage::default(), n_calls: vec![0; n] }
    }

    fn chunk(&self, choice: ChunkChoice) -> Vec<Event> {
        vec![unnamed(&ChatChunk { choices: vec![choice], ..self.head.clone() })]
    }

    fn begun(&mut self, index: usize, begun: Begun) -> Vec<Event> {
        self.head.system_fingerprint = Some(fingerprint(begun.version.0));
        let delta =
            Delta { role: Some("assistant"), content: Some(String::new()), ..Delta::default() };
        let choice = ChunkChoice { index, delta, ..ChunkChoice::default() };
        let tells = self.wanted.token_ids;
        vec![unnamed(&ChatChunk {
            choices: vec![choice],
            prompt_token_ids: tells.then_some(begun.prompt_tokens),
            policy_version: tells.then_some(begun.version.0),
            ..self.head.clone()
        })]
    }

    fn piece(&self, index: usize, piece: Piece) -> Vec<Event> {
        let tells_tokens = self.wanted.logprobs || self.wanted.token_ids;
        let is_new = !piece.text.is_empty()
            || !piece.reasoning.is_empty()
            || (tells_tokens && !piece.tokens.is_empty());
        if !is_new {
            return Vec::new();
        }
        let some = |text: String| (!text.is_empty()).then_some(text);
        let delta = Delta {
            content: some(piece.text),
            reasoning_content: some(piece.reasoning),
            ..Delta::default()
        };
        let (token_ids, token_logprobs) = told_tokens(&piece.tokens, self.wanted.token_ids);
        let logprobs = self.wanted.logprobs.then(|| ChatLogprobs::of(&piece.tokens));
        self.chunk(ChunkChoice {
            index,
            delta,
            logprobs,
            token_ids,
            token_logprobs,
            finish_reason: None,
        })
    }
}

impl EventWriter for ChatChunks {
    fn begin(&mut self) -> Vec<Event> {
        Vec::new()
    }

    fn heard(&mut self, index: usize, event: AnswerEvent) -> Vec<Event> {
        match event {
            AnswerEvent::Begun(begun) => self.begun(index, begun),
            AnswerEvent::Piece(piece) => self.piece(index, piece),
            AnswerEvent::Call(call) => {
                let n = self.n_calls[index];
                if n > 0 && !self.wanted.several_calls {
                    return Vec::new();
                }
                self.n_calls[index] += 1;
                let tool_calls = vec![SaidCall::new(call, Some(n))];
                let delta = Delta { tool_calls, ..Delta::default() };
                self.chunk(ChunkChoice { index, delta, ..ChunkChoice::default() })
            }
            AnswerEvent::Done(answer) => {
                // All answers have one prompt.
                if index == 0 {
                    self.usage = self.usage.plus(Usage::prompt_of(&answer));
                }
                self.usage = self.usage.plus(Usage::drawn_of(&answer));
                let finish_reason = Some(finish_reason(answer.finish));
                self.chunk(ChunkChoice { index, finish_reason, ..ChunkChoice::default() })
            }
        }
    }

    fn end(&mut self) -> Vec<Event> {
        let usage = self.include_usage.then_some(self.usage);
        let told = usage.map(|_| unnamed(&ChatChunk { usage, ..self.head.clone() }));
        told.into_iter().chain([done()]).collect()
    }

    fn failed(&mut self, error: &ApiError) -> Vec<Event> {
        vec![unnamed(&Dialect::OpenAi.body(error))]
    }
}

/// What ends every stream that did not fail.
pub(super) fn done() -> Event {
    Event::default().data("[DONE]")
}

/// Names the weights with this number.
pub(super) fn fingerprint(version: u64) -> String {
    format!("policy-{version}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::openai::chat_response::ChatChoice;
    use crate::wire::scripted::{told, with_calls};

    fn chunks(wanted: Wanted) -> ChatChunks {
        ChatChunks::new("id".into(), 1, "m".into(), 1, wanted, true)
    }

    #[tokio::test]
    async fn chunks_add_up_to_the_whole() {
        for several_calls in [true, false] {
            let wanted = Wanted { logprobs: true, token_ids: true, several_calls };
            let (events, answer) = with_calls();
            let told = told(events.into_iter().map(Ok).collect(), chunks(wanted)).await;
            let whole = serde_json::to_value(ChatChoice::new(0, answer, wanted)).unwrap();
            let (mut text, mut thought) = (String::new(), String::new());
            let (mut calls, mut ids, mut logprobs) = (Vec::new(), Vec::new(), Vec::new());
            let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
            for (_, chunk) in &told {
                let choice = &chunk["choices"][0];
                text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
                thought.push_str(choice["delta"]["reasoning_content"].as_str().unwrap_or_default());
                calls.extend(list(&choice["delta"]["tool_calls"]));
                ids.extend(list(&choice["token_ids"]));
                logprobs.extend(list(&choice["logprobs"]["content"]));
            }
            for (index, call) in calls.iter_mut().enumerate() {
                assert_eq!(call.as_object_mut().unwrap().shift_remove("index"), Some(json!(index)));
            }
            let message = &whole["message"];
            assert_eq!(calls.len(), if several_calls { 2 } else { 1 });
            assert_eq!(
                (json!(text), json!(thought)),
                (message["content"].clone(), message["reasoning_content"].clone())
            );
            assert_eq!(json!(calls), message["tool_calls"]);
            assert_eq!(json!(ids), whole["token_ids"]);
            assert_eq!(json!(logprobs), whole["logprobs"]["content"]);
            let n = told.len();
            assert_eq!(told[n - 1].1, "[DONE]");
            assert_eq!(told[n - 2].1["usage"]["total_tokens"], 6);
            assert_eq!(told[n - 3].1["choices"][0]["finish_reason"], "tool_calls");
            assert_eq!(told[0].1["prompt_token_ids"], json!([7, 8]));
            assert_eq!(told[0].1["system_fingerprint"], "policy-3");
        }
    }

    #[tokio::test]
    async fn a_failure_in_the_middle_is_the_last_event() {
        let wanted = Wanted { logprobs: false, token_ids: false, several_calls: true };
        let (events, _) = with_calls();
        let mut events: Vec<_> = events.into_iter().take(2).map(Ok).collect();
        events.push(Err(ApiError::internal("the engine ended")));
        let told = told(events, chunks(wanted)).await;
        let (_, last) = told.last().unwrap();
        assert_eq!(last["error"]["code"], "internal_error");
        assert!(!last.to_string().contains("engine"));
    }
}
