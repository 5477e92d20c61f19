//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::chat_chunks::{ChatChunks, fingerprint};
use super::chat_request::ChatRequest;
use super::chat_response::{ChatChoice, ChatResponse, Wanted};
use super::fields::{biases, each_choice, n_choices, n_tokens, stops};
use super::limits::MAX_TOP_LOGPROBS;
use super::messages::messages;
use super::tools::{Abilities, abilities, chat_form, functions, specs};
use super::usage::Usage;
use crate::App;
use crate::answer::{AnswerRequest, Prompt};
use crate::api_error::ApiError;
use crate::body::JsonBody;
use crate::models::ServedModel;
use crate::wire::{
    Keeping, RangeCheck, SamplingFields, begin_with_system, hear, id_of, now, stream_events, wholes,
};

/// Answers a conversation
///
/// With `stream` the answer comes as server-sent events, each a chunk; `[DONE]` is the last.
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    tag = "openai",
    request_body = ChatRequest,
    responses(
        (status = 200, description = "The answers, or a stream of chunks", content(
            (ChatResponse = "application/json"),
            (String = "text/event-stream"),
        )),
    )
)]
pub(super) async fn chat(
    State(app): State<App>,
    JsonBody(request): JsonBody<ChatRequest>,
) -> Result<Response, ApiError> {
    let model = app.models().find(request.model.as_deref())?;
    let asked = Asked::read(&model, request)?;
    let (id, created, name) = (id_of("chatcmpl-"), now(), model.name.clone());
    let Asked { request, n, wanted, .. } = asked;
    let requests = each_choice(request, n);
    if asked.is_streamed {
        let writer = ChatChunks::new(id, created, name, n, wanted, asked.include_usage);
        return stream_events(hear(&model, requests, &[]), writer, Keeping::Comment).await;
    }
    let mut answers = wholes(&model, requests).await?;
    let usage = Usage::of(&answers);
    let version = answers.first().map_or(0, |answer| answer.version.0);
    let prompt_tokens = answers.first_mut().map(|answer| std::mem::take(&mut answer.prompt_tokens));
    let choice = |(index, answer)| ChatChoice::new(index, answer, wanted);
    Ok(Json(ChatResponse {
        id,
        object: "chat.completion",
        created,
        model: name,
        choices: answers.into_iter().enumerate().map(choice).collect(),
        usage,
        system_fingerprint: fingerprint(version),
        prompt_token_ids: prompt_tokens.filter(|_| wanted.token_ids),
        policy_version: wanted.token_ids.then_some(version),
    })
    .into_response())
}

/// A request, checked.
struct Asked {
    request: AnswerRequest,
    n: usize,
    wanted: Wanted,
    is_streamed: bool,
    include_usage: bool,
}

impl Asked {
    fn read(model: &Arc<ServedModel>, asked: ChatRequest) -> Result<Asked, ApiError> {
        let is_streamed = asked.stream.unwrap_or_default();
        if asked.stream_options.is_some() && !is_streamed {
            let message = "it is allowed with \"stream\": true only";
            return Err(ApiError::invalid("stream_options", message));
        }
        let mut messages = messages(asked.messages)?;
        begin_with_system(model, &mut messages);
        let tools = specs(functions(asked.tools.unwrap_or_default())?)?;
        let form = chat_form(asked.response_format)?;
        let Abilities { tools, form } = abilities(tools, asked.tool_choice, form)?;
        let logprobs = asked.logprobs.unwrap_or_default();
        let newer = n_tokens(asked.max_completion_tokens, "max_completion_tokens")?;
        let older = n_tokens(asked.max_tokens, "max_tokens")?;
        let fields = SamplingFields {
            temperature: asked.temperature,
            top_p: asked.top_p,
            top_k: asked.top_k,
            min_p: asked.min_p,
            repetition_penalty: asked.repetition_penalty,
            presence_penalty: asked.presence_penalty,
            frequency_penalty: asked.frequency_penalty,
            max_tokens: newer.or(older).unwrap_or(usize::MAX),
            stop: stops(asked.stop)?,
            logit_bias: biases(asked.logit_bias)?,
            top_logprobs: top_logprobs(asked.top_logprobs, logprobs)?,
            seed: asked.seed,
        };
        Ok(Asked {
            request: fields.request(model, Prompt::Chat { messages, tools }, form)?,
            n: n_choices(asked.n)?,
            wanted: Wanted {
                logprobs,
                token_ids: asked.return_token_ids.unwrap_or_default(),
                several_calls: asked.parallel_tool_calls.unwrap_or(true),
            },
            is_streamed,
            include_usage: asked.stream_options.and_then(|o| o.include_usage).unwrap_or_default(),
        })
    }
}

fn top_logprobs(asked: Option<i64>, logprobs: bool) -> Result<usize, ApiError> {
    let asked = asked.within("top_logprobs", 0.0..=MAX_TOP_LOGPROBS as f64)?.unwrap_or_default();
    if asked > 0 && !logprobs {
        let message = "it is allowed with \"logprobs\": true only";
        return Err(ApiError::invalid("top_logprobs", message));
    }
    Ok(usize::try_from(asked).unwrap_or_default())
}
