//! The events of streamed completions, and whole answers, which are their sum.

use axum::response::sse::Event;

use super::chat_chunks::{done, fingerprint};
use super::chat_response::{finish_reason, told_tokens};
use super::logprobs::TextLogprobs;
use super::text_response::{TextChoice, TextResponse};
use super::usage::Usage;
use crate::answer::{Answer, AnswerEvent, Piece};
use crate::api_error::{ApiError, Dialect};
use crate::wire::{EventWriter, unnamed};

/// What a client wants to be told beside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextWanted {
    /// Log-probs.
    pub logprobs: bool,
    /// Tokens.
    pub token_ids: bool,
    /// The number of tokens, at the end of a stream.
    pub usage: bool,
}

/// Writes completions.
pub(super) struct TextChunks {
    head: TextResponse,
    wanted: TextWanted,
    /// What is said before each answer.
    echoes: Vec<String>,
    /// Characters said so far, of each answer.
    offsets: Vec<usize>,
    /// Answers to one prompt, which is read once.
    n_each: usize,
    usage: Usage,
}

impl TextChunks {
    /// Begins each answer with its echo; `n_each` answers belong to each prompt.
    pub(super) fn new(
        id: String,
        created: u64,
        model: String,
        wanted: TextWanted,
        echoes: Vec<String>,
        n_each: usize,
    ) -> TextChunks {
        let head = TextResponse {
            id,
            object: "text_completion",
            created,
            model,
            choices: Vec::new(),
            usage: None,
            system_fingerprint: None,
            policy_version: None,
        };
        let offsets = echoes.iter().map(|echo| echo.chars().count()).collect();
        TextChunks { head, wanted, echoes, offsets, n_each, usage: Usage::default() }
    }

    /// All answers at once.
    pub(super) fn whole(mut self, answers: Vec<Answer>) -> TextResponse {
        let mut choices = Vec::with_capacity(answers.len());
        for (index, answer) in answers.into_iter().enumerate() {
            self.count(index, &answer);
            self.know(answer.version.0);
            let mut text = std::mem::take(&mut self.echoes[index]);
            text.push_str(&answer.message.content);
            let tells = self.wanted.token_ids;
            let (token_ids, token_logprobs) = told_tokens(&answer.tokens, tells);
            choices.push(TextChoice {
                index,
                text,
                logprobs: self.logprobs(index, &answer.tokens),
                finish_reason: Some(finish_reason(answer.finish)),
                prompt_token_ids: tells.then_some(answer.prompt_tokens),
                token_ids,
                token_logprobs,
            });
        }
        TextResponse { choices, usage: Some(self.usage), ..self.head }
    }

    fn know(&mut self, version: u64) {
        self.head.system_fingerprint = Some(fingerprint(version));
        self.head.policy_version = self.wanted.token_ids.then_some(version);
    }

    fn count(&mut self, index: usize, answer: &Answer) {
        if index.is_multiple_of(self.n_each) {
            self.usage = self.usage.plus(Usage::prompt_of(answer));
        }
        self.usage = self.usage.plus(Usage::drawn_of(answer));
    }

    fn logprobs(
        &mut self,
        index: usize,
        tokens: &[crate::answer::DrawnToken],
    ) -> Option<TextLogprobs> {
        let offset = &mut self.offsets[index];
        self.wanted.logprobs.then(|| TextLogprobs::of(tokens, offset))
    }

    fn chunk(&self, choice: TextChoice) -> Vec<Event> {
        vec![unnamed(&TextResponse { choices: vec![choice], ..self.head.clone() })]
    }

    fn piece(&mut self, index: usize, piece: Piece) -> Vec<Event> {
        let tells_tokens = self.wanted.logprobs || self.wanted.token_ids;
        let has_told_tokens = tells_tokens && !piece.tokens.is_empty();
        if piece.text.is_empty() && !has_told_tokens {
            return Vec::new();
        }
        let (token_ids, token_logprobs) = told_tokens(&piece.tokens, self.wanted.token_ids);
        let logprobs = self.logprobs(index, &piece.tokens);
        let text = piece.text;
        let choice = TextChoice {
            index,
            text,
            logprobs,
            token_ids,
            token_logprobs,
            ..TextChoice::default()
        };
        self.chunk(choice)
    }
}

impl EventWriter for TextChunks {
    fn begin(&mut self) -> Vec<Event> {
        Vec::new()
    }

    fn heard(&mut self, index: usize, event: AnswerEvent) -> Vec<Event> {
        match event {
            AnswerEvent::Begun(begun) => {
                self.know(begun.version.0);
                let text = std::mem::take(&mut self.echoes[index]);
                let ids = self.wanted.token_ids.then_some(begun.prompt_tokens);
                self.chunk(TextChoice {
                    index,
                    text,
                    prompt_token_ids: ids,
                    ..TextChoice::default()
                })
            }
            AnswerEvent::Piece(piece) => self.piece(index, piece),
            // No tools are offered here.
            AnswerEvent::Call(_) => Vec::new(),
            AnswerEvent::Done(answer) => {
                self.count(index, &answer);
                let finish_reason = Some(finish_reason(answer.finish));
                self.chunk(TextChoice { index, finish_reason, ..TextChoice::default() })
            }
        }
    }

    fn end(&mut self) -> Vec<Event> {
        let usage = self.wanted.usage.then_some(self.usage);
        let told = usage.map(|_| unnamed(&TextResponse { usage, ..self.head.clone() }));
        told.into_iter().chain([done()]).collect()
    }

    fn failed(&mut self, error: &ApiError) -> Vec<Event> {
        vec![unnamed(&Dialect::OpenAi.body(error))]
    }
}
