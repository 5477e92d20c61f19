//! [`ChatFormat`]: a tokenizer and a chat template that belong together, and the run's settings for
//! both.
//!
//! Everything between conversations and tokens goes through this value: first prompts,
//! continuations, supervised traces, end tokens, and sampled tokens back into messages. The choice
//! a reader would question: text of users and tools cannot make special tokens unless
//! [`UserText::AsTransformers`] asks for it, although `transformers` lets it by default; ordinary
//! text gets the same tokens either way.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use stateset_core::{CallFormat, Message, Segment, ToolSpec};

use super::chat_template::{ChatTemplate, RenderOptions};
use super::control::{ControlTokens, Unmarked};
use super::date::Date;
use crate::text_error::TextError;
use crate::tokenizer::{KnownToken, TextFiles, Tokenizer};

/// What the text of a control token becomes where its speaker may not write it: any in user
/// messages, tool results and tool descriptions, those of turns in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserText {
    /// Ordinary tokens that spell it.
    #[default]
    Spelled,
    /// The control token, as `apply_chat_template` of transformers does.
    AsTransformers,
}

/// How conversations become tokens and back, for one model in one run. Clones share tokenizer and
/// template.
#[derive(Clone, Debug)]
pub struct ChatFormat {
    tokenizer: Arc<Tokenizer>,
    template: Arc<ChatTemplate>,
    date: Option<Date>,
    kwargs: Map<String, Value>,
    end_ids: Arc<[u32]>,
    pub(super) control: Arc<ControlTokens>,
    pub(super) call_format: CallFormat,
}

impl ChatFormat {
    /// Joins a tokenizer with a template. `date` answers `strftime_now`; `kwargs` are further
    /// variables of the template.
    pub fn new(
        tokenizer: impl Into<Arc<Tokenizer>>,
        template: impl Into<Arc<ChatTemplate>>,
        date: Option<Date>,
        kwargs: Map<String, Value>,
    ) -> Self {
        let (tokenizer, template) = (tokenizer.into(), template.into());
        let written = tokenizer.turn_ends(|token| template.mentions(token));
        let end_ids: BTreeSet<u32> = tokenizer.end_ids().iter().copied().chain(written).collect();
        let end_ids = end_ids.into_iter().collect();
        let control = Arc::default();
        let call_format = template.call_format();
        let mut format =
            ChatFormat { tokenizer, template, date, kwargs, end_ids, control, call_format };
        format.control = Arc::new(format.find_control());
        format
    }

    /// Tokenizer and template of a model folder.
    ///
    /// # Errors
    /// Any loading variant of [`TextError`].
    pub fn from_folder(
        folder: &Path,
        date: Option<Date>,
        kwargs: Map<String, Value>,
    ) -> Result<Self, TextError> {
        ChatFormat::load(&TextFiles::from_folder(folder)?, date, kwargs)
    }

    /// Tokenizer and template of files that are already read.
    ///
    /// # Errors
    /// Any loading variant of [`TextError`].
    pub fn load(
        files: &TextFiles,
        date: Option<Date>,
        kwargs: Map<String, Value>,
    ) -> Result<Self, TextError> {
        Ok(ChatFormat::new(Tokenizer::load(files)?, ChatTemplate::load(files)?, date, kwargs))
    }

    /// The same format with another rule for control tokens in users' text.
    pub fn with_user_text(mut self, user_text: UserText) -> Self {
        if user_text == UserText::AsTransformers {
            self.control = Arc::default();
        }
        self
    }

    /// The same format with other variables of the template.
    pub fn with_kwargs(mut self, kwargs: Map<String, Value>) -> Self {
        self.kwargs = kwargs;
        self
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Arc<Tokenizer> {
        &self.tokenizer
    }

    /// The template.
    pub fn template(&self) -> &ChatTemplate {
        &self.template
    }

    /// Ids at which generation ends, ascending: those of the tokenizer, and the end-of-turn tokens
    /// that this template writes.
    pub fn end_ids(&self) -> &[u32] {
        &self.end_ids
    }

    /// Texts at which generation ends; none for models with a chat template.
    pub fn stop_texts(&self) -> Vec<String> {
        self.template.stop_texts()
    }

    /// Tokens of the conversation up to the answer, as a first prompt.
    ///
    /// # Errors
    /// The template variants of [`TextError`], with the turn, and those of encoding.
    pub fn prompt(&self, messages: &[Message], tools: &[ToolSpec]) -> Result<Vec<u32>, TextError> {
        self.tokens_of(&self.rendered(messages, tools, true)?)
    }

    /// The conversation as text with the places of users' control tokens.
    pub(super) fn rendered(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
        prompt: bool,
    ) -> Result<Unmarked, TextError> {
        if messages.is_empty() {
            return Err(TextError::CannotContinue { turn: 0, why: "there is no message".into() });
        }
        let options = self.options(tools, prompt);
        let render = |messages: &[Message]| {
            self.template.render_marked(messages, &options, &self.control, false)
        };
        let messages = self.adapted(messages, tools);
        render(&messages).or_else(|error| {
            if messages.iter().all(|message| message.tool_calls.is_empty()) {
                return Err(error);
            }
            // Some templates know tools but not several calls at once; a model makes them all the same.
            render(&self.with_calls_in_text(&messages)).map_err(|_| error)
        })
    }

    pub(super) fn options(&self, tools: &[ToolSpec], add_generation_prompt: bool) -> RenderOptions {
        RenderOptions {
            tools: tools.to_vec(),
            add_generation_prompt,
            date: self.date,
            kwargs: self.kwargs.clone(),
            special_tokens: self.tokenizer.special_tokens().clone(),
        }
    }

    /// Tokens of a whole rendered text.
    pub(super) fn tokens_of(&self, rendered: &Unmarked) -> Result<Vec<u32>, TextError> {
        self.tokens_within(rendered, 0..rendered.text.len(), None)
    }

    /// Tokens of the bytes `range` of a rendered text, after the token `previous`; `None` begins a
    /// sequence. Control tokens of users are spelled.
    pub(super) fn tokens_within(
        &self,
        rendered: &Unmarked,
        range: Range<usize>,
        previous: Option<u32>,
    ) -> Result<Vec<u32>, TextError> {
        let mut ids = if previous.is_none() { self.opening()? } else { Vec::new() };
        let n_opening = ids.len();
        let mut done = range.start;
        let end = range.end..range.end;
        for spelled in rendered.spelled.iter().chain([&end]) {
            let (start, end) =
                (spelled.start.clamp(done, range.end), spelled.end.clamp(done, range.end));
            // What begins a text follows the opening tokens without being affected by them.
            let last =
                |ids: &[u32]| if ids.len() > n_opening { ids.last().copied() } else { previous };
            if done < start {
                ids.extend(self.tokenizer.encode_after(last(&ids), &rendered.text[done..start])?);
            }
            if start < end {
                ids.extend(self.tokenizer.encode_spelled(last(&ids), &rendered.text[start..end])?);
            }
            done = end;
        }
        Ok(ids)
    }

    /// Special tokens and added ones that the template writes; of turns are those that end an
    /// answer or that the template writes around a question.
    fn find_control(&self) -> ControlTokens {
        let is_control = |token: &&KnownToken| {
            let is_visible = !token.content.trim().is_empty();
            token.is_special || (is_visible && self.template.mentions(&token.content))
        };
        let options = self.options(&[], true);
        let question = self.template.render(&[Message::user("?")], &options).unwrap_or_default();
        let is_of_turns = |token: &&KnownToken| {
            let ends = self.end_ids().contains(&token.id);
            let stands = token.is_special && question.contains(&token.content);
            ends || (stands && !token.content.contains("think"))
        };
        let all = self.tokenizer.added().filter(is_control);
        let of_turns = self.tokenizer.added().filter(is_of_turns);
        let content = |token: &KnownToken| token.content.clone();
        ControlTokens::new(all.map(content), of_turns.map(content))
    }

    /// Tokens before every text. Templates write them out; plain conversations leave them to the
    /// tokenizer.
    fn opening(&self) -> Result<Vec<u32>, TextError> {
        if !self.template.is_plain() {
            return Ok(Vec::new());
        }
        let around_nothing = self.tokenizer.encode("", true)?;
        Ok(around_nothing
            .into_iter()
            .take_while(|&id| Some(id) == self.tokenizer.bos_id())
            .take(1)
            .collect())
    }

    /// The text that a row of tokens stands for: stretches, and whether each was written by the
    /// model.
    pub(super) fn text_read(&self, segment: &Segment) -> Result<Vec<(String, bool)>, TextError> {
        let skip_special = self.template.is_plain();
        segment
            .spans()
            .iter()
            .map(|span| {
                let ids = &segment.tokens()[span.start..span.end];
                let text = if span.start == 0 {
                    self.tokenizer.decode(ids, skip_special)?
                } else {
                    self.tokenizer.decode_after(ids, skip_special)?
                };
                Ok((text, span.origin != stateset_core::Origin::Given))
            })
            .collect()
    }
}
