//! Answers of the engine in this process.

use std::sync::Arc;

use stateset_core::{
    FinishReason, Message, PolicyError, PolicyVersion, Purpose, RunSeed, Sampling, Stream,
    StreamKey,
};
use stateset_nn::{ChatFormat, DecodeStream, SampleRequest, Steering, TextError, Tokenizer};
use stateset_train::{LocalPolicy, Sampled, SampledToken, engine_error, stop_check};
use tokio::sync::mpsc;

use super::answering::{Says, policy_error};
use super::speech::{Speech, SpeechSpec, Spoken};
use super::{
    Answer, AnswerEvent, AnswerRequest, Begun, DrawnToken, Form, LikelyToken, Piece, Prompt,
};
use crate::api_error::ApiError;
use crate::constraint::{self, Constraint};
use crate::models::ServedModel;

pub(super) async fn answer(
    model: &Arc<ServedModel>,
    policy: &LocalPolicy,
    request: AnswerRequest,
    says: &Says,
) -> Result<Answer, ApiError> {
    let format = policy.format();
    let field = request.prompt.field();
    let prompt_tokens = prompt_tokens(format, &request.prompt)?;
    let constraint = constraint::of(model, format, &request).await?;
    let speech = Speech::new(speech_spec(format, &request, &prompt_tokens));
    let stops = stops(format, &request);
    let mut teller = Teller::new(format, speech, &request.prompt)
        .map_err(|error| policy_error(PolicyError::Failed(error.to_string()), field))?;
    let failure = constraint.as_ref().map(Constraint::failure);
    let sample = sample_request(format, request, prompt_tokens.clone(), stops, constraint)?;
    let (tokens, mut drawn) = mpsc::unbounded_channel();
    let begun = policy.engine().begin(sample, Some(tokens)).await;
    let mut ongoing = begun.map_err(|error| policy_error(engine_error(error), field))?;
    let version = PolicyVersion(model.version.0 + ongoing.version.0);
    let n_prompt = prompt_tokens.len();
    says.say(AnswerEvent::Begun(Begun { prompt_tokens: prompt_tokens.clone(), n_prompt, version }));
    let started = ongoing.started().await;
    if let Some(started) = started {
        model.watch.waited(started.waited);
    }
    while let Some(token) = drawn.recv().await {
        teller.hear(token, says);
    }
    let sampled = ongoing.whole().await;
    let sampled = sampled.map_err(|error| policy_error(engine_error(error), field))?;
    if let Some(why) = failure.and_then(|failure| failure.take()) {
        return Err(constraint::failed(&why));
    }
    let answer = teller.finish(&sampled, says);
    let n_cached = started.map(|started| started.n_cached);
    Ok(Answer { prompt_tokens, n_prompt, n_cached, version, ..answer })
}

impl Prompt {
    /// Where OpenAI's API has it.
    fn field(&self) -> &'static str {
        match self {
            Prompt::Chat { .. } => "messages",
            Prompt::Text(_) | Prompt::Tokens(_) => "prompt",
        }
    }

    fn is_chat(&self) -> bool {
        matches!(self, Prompt::Chat { .. })
    }
}

fn prompt_tokens(format: &ChatFormat, prompt: &Prompt) -> Result<Vec<u32>, ApiError> {
    let tokens = match prompt {
        Prompt::Chat { messages, tools } => format.prompt(messages, tools).map_err(|error| {
            let turn = error.turn().unwrap_or(messages.len().saturating_sub(1));
            ApiError::invalid(format!("messages[{turn}]"), error.to_string())
        })?,
        Prompt::Text(text) => {
            let encoded = format.tokenizer().encode(text, true);
            encoded.map_err(|error| ApiError::invalid("prompt", error.to_string()))?
        }
        Prompt::Tokens(tokens) => tokens.clone(),
    };
    let vocab_size = format.tokenizer().vocab_size();
    if tokens.is_empty() {
        return Err(ApiError::invalid("prompt", "there is nothing to continue"));
    }
    match tokens.iter().find(|token| **token as usize >= vocab_size) {
        Some(token) => {
            let message = format!("token {token} is outside the vocabulary of {vocab_size}");
            Err(ApiError::invalid("prompt", message))
        }
        None => Ok(tokens),
    }
}

/// Texts that end the answer: those of the request, then those of the model's own format where it is a
/// free conversation.
fn stops(format: &ChatFormat, request: &AnswerRequest) -> Vec<String> {
    let mut stops = request.sampling.stop.clone();
    if request.prompt.is_chat() && request.form == Form::Free {
        stops.extend(format.stop_texts());
    }
    stops
}

/// Forms are kept by the whole text, so nothing is read out of it, save calls where they are the form.
fn speech_spec<'a>(
    format: &ChatFormat,
    request: &'a AnswerRequest,
    prompt_tokens: &[u32],
) -> SpeechSpec<'a> {
    let stops = stops(format, request);
    let Prompt::Chat { messages, tools } = &request.prompt else {
        return SpeechSpec { stops, is_trimmed: false, thoughts: None, calls: None };
    };
    let is_free = request.form == Form::Free;
    let may_call = !tools.is_empty() && (is_free || matches!(request.form, Form::Calls(_)));
    let n_earlier = messages.iter().map(|message| message.tool_calls.len()).sum();
    SpeechSpec {
        stops,
        is_trimmed: format.template().is_plain(),
        thoughts: format.begins_in_thought(prompt_tokens).filter(|_| is_free),
        calls: may_call.then(|| (format.call_format(), &tools[..], n_earlier)),
    }
}

fn stream(seed: u64, choice: u16) -> Stream {
    let key = StreamKey { sample: choice, ..StreamKey::default() };
    RunSeed(seed).stream(Purpose::Sampling, key)
}

fn sample_request(
    format: &ChatFormat,
    request: AnswerRequest,
    prompt: Vec<u32>,
    stops: Vec<String>,
    constraint: Option<Constraint>,
) -> Result<SampleRequest, ApiError> {
    let seed = match request.seed {
        Some(seed) => seed,
        None => getrandom::u64().map_err(ApiError::internal)?,
    };
    let vocab_size = format.tokenizer().vocab_size();
    if let Some((token, _)) = request.logit_bias.iter().find(|(id, _)| *id as usize >= vocab_size) {
        let message = format!("token {token} is outside the vocabulary of {vocab_size}");
        return Err(ApiError::invalid(format!("logit_bias.{token}"), message));
    }
    let sampling = Sampling {
        greedy: request.sampling.greedy || request.sampling.temperature == 0.0,
        ..request.sampling
    };
    Ok(SampleRequest {
        end_tokens: format.end_ids().to_vec(),
        stop: stop_check(format.tokenizer(), stops),
        steering: Steering {
            bias: request.logit_bias,
            presence_penalty: request.presence_penalty,
            frequency_penalty: request.frequency_penalty,
            filter: constraint.map(Constraint::into_filter),
        },
        n_top: request.top_logprobs,
        ..SampleRequest::new(prompt, &sampling, stream(seed, request.choice))
    })
}

/// Turns drawn tokens into what is said.
struct Teller {
    tokenizer: Arc<Tokenizer>,
    end_ids: Vec<u32>,
    skips_special: bool,
    decoded: DecodeStream,
    speech: Speech,
    own_stops: Vec<String>,
    tokens: Vec<DrawnToken>,
    message: Message,
}

impl Teller {
    fn new(format: &ChatFormat, speech: Speech, prompt: &Prompt) -> Result<Teller, TextError> {
        let tokenizer = Arc::clone(format.tokenizer());
        let skips_special = !prompt.is_chat() || format.template().is_plain();
        Ok(Teller {
            decoded: DecodeStream::after(&tokenizer, skips_special)?,
            tokenizer,
            end_ids: format.end_ids().to_vec(),
            skips_special,
            speech,
            own_stops: format.stop_texts(),
            tokens: Vec::new(),
            message: Message::assistant(""),
        })
    }

    /// Says what is certain once this token is there.
    fn hear(&mut self, token: SampledToken, says: &Says) {
        let mut text = String::new();
        if !self.end_ids.contains(&token.id) {
            match self.decoded.push(&self.tokenizer, token.id) {
                Ok(piece) => text = piece.unwrap_or_default(),
                Err(error) => tracing::warn!(%error, token = token.id, "a token has no text"),
            }
        }
        let token = self.drawn(token);
        self.tokens.push(token.clone());
        let spoken = self.speech.push(&text);
        self.say(spoken, vec![token], says);
    }

    /// Says the rest; prompt and version are the caller's to fill in.
    fn finish(mut self, sampled: &Sampled, says: &Says) -> Answer {
        let rest = self.decoded.finish(&self.tokenizer).unwrap_or_default();
        let mut spoken = self.speech.push(&rest);
        let none = SpeechSpec { stops: Vec::new(), is_trimmed: false, thoughts: None, calls: None };
        let ending = std::mem::replace(&mut self.speech, Speech::new(none)).finish();
        spoken.extend(ending.rest);
        self.say(spoken, Vec::new(), says);
        if ending.has_thought {
            self.message.reasoning.get_or_insert_default();
        }
        let calls = !self.message.tool_calls.is_empty();
        let finish = match sampled.finish {
            FinishReason::Stop if calls => FinishReason::ToolCalls,
            other => other,
        };
        Answer {
            message: self.message,
            prompt_tokens: Vec::new(),
            n_prompt: 0,
            n_cached: None,
            n_drawn: self.tokens.len(),
            tokens: self.tokens,
            finish,
            stopped_by: ending.stop.filter(|stop| !self.own_stops.contains(stop)),
            is_steered: sampled.is_steered,
            version: sampled.version,
        }
    }

    /// Text and tokens in one piece as far as no call stands between.
    fn say(&mut self, spoken: Vec<Spoken>, tokens: Vec<DrawnToken>, says: &Says) {
        let mut piece = Piece { tokens, ..Piece::default() };
        for part in spoken {
            match part {
                Spoken::Text(text) => piece.text += &text,
                Spoken::Thought(text) => piece.reasoning += &text,
                Spoken::Call(call) => {
                    self.say_piece(std::mem::take(&mut piece), says);
                    self.message.tool_calls.push(call.clone());
                    says.say(AnswerEvent::Call(call));
                }
            }
        }
        self.say_piece(piece, says);
    }

    fn say_piece(&mut self, piece: Piece, says: &Says) {
        if piece == Piece::default() {
            return;
        }
        self.message.content += &piece.text;
        if !piece.reasoning.is_empty() {
            self.message.reasoning.get_or_insert_default().push_str(&piece.reasoning);
        }
        says.say(AnswerEvent::Piece(piece));
    }

    fn drawn(&self, token: SampledToken) -> DrawnToken {
        let likely = |(id, logprob): (u32, f32)| LikelyToken { id, logprob, bytes: self.bytes(id) };
        DrawnToken {
            id: token.id,
            logprob: token.logprob,
            bytes: self.bytes(token.id),
            top: token.top.into_iter().map(likely).collect(),
        }
    }

    /// Those that can stand in the text.
    fn bytes(&self, id: u32) -> Vec<u8> {
        let is_hidden = self.skips_special && self.tokenizer.is_special(id);
        if is_hidden || self.end_ids.contains(&id) {
            return Vec::new();
        }
        self.tokenizer.token_bytes(id)
    }
}
