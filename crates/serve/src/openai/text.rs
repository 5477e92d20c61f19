//! `POST /v1/completions`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::fields::{biases, each_choice, n_choices, n_tokens, stops};
use super::limits::{DEFAULT_COMPLETION_TOKENS, MAX_LOGPROBS, MAX_PROMPTS};
use super::text_chunks::{TextChunks, TextWanted};
use super::text_request::TextRequest;
use super::text_response::TextResponse;
use crate::App;
use crate::answer::{Form, Prompt};
use crate::api_error::ApiError;
use crate::body::JsonBody;
use crate::models::{ServedModel, Voice};
use crate::wire::{
    Keeping, RangeCheck, SamplingFields, hear, id_of, now, prompts, stream_events, wholes,
};

/// Continues texts
///
/// With `stream` the continuation comes as server-sent events, each a chunk; `[DONE]` is the last.
#[utoipa::path(
    post,
    path = "/v1/completions",
    tag = "openai",
    request_body = TextRequest,
    responses(
        (status = 200, description = "The answers, or a stream of chunks", content(
            (TextResponse = "application/json"),
            (String = "text/event-stream"),
        )),
    )
)]
pub(super) async fn complete(
    State(app): State<App>,
    JsonBody(mut request): JsonBody<TextRequest>,
) -> Result<Response, ApiError> {
    let model = app.models().find(request.model.as_deref())?;
    supported(&request)?;
    let is_streamed = request.stream.unwrap_or_default();
    let n = n_choices(request.n)?;
    let Some(input) = request.prompt.take() else {
        return Err(ApiError::invalid("prompt", "it is missing"));
    };
    let prompts = prompts(input, "prompt", MAX_PROMPTS)?;
    let echo = request.echo.unwrap_or_default();
    let wanted = TextWanted {
        logprobs: request.logprobs.is_some(),
        token_ids: request.return_token_ids.unwrap_or_default(),
        usage: request.stream_options.and_then(|o| o.include_usage).unwrap_or_default(),
    };
    let fields = fields(request)?;
    let (mut requests, mut echoes) = (Vec::new(), Vec::new());
    for prompt in prompts {
        let said = if echo { text_of(&model, &prompt)? } else { String::new() };
        echoes.extend(std::iter::repeat_n(said, n));
        requests.extend(each_choice(fields.request(&model, prompt, Form::Free)?, n));
    }
    let writer = TextChunks::new(id_of("cmpl-"), now(), model.name.clone(), wanted, echoes, n);
    if is_streamed {
        return stream_events(hear(&model, requests, &[]), writer, Keeping::Comment).await;
    }
    Ok(Json(writer.whole(wholes(&model, requests).await?)).into_response())
}

/// Refuses what is described and not there.
fn supported(request: &TextRequest) -> Result<(), ApiError> {
    let unsupported = |field: &str, message: &str| {
        Err(ApiError::invalid(field, message).coded("unsupported_value"))
    };
    if request.suffix.as_ref().is_some_and(|suffix| !suffix.is_empty()) {
        return unsupported("suffix", "no model here fills gaps; leave it out");
    }
    if request.best_of.is_some_and(|best_of| best_of != request.n.unwrap_or(1)) {
        return unsupported("best_of", "it must be equal to \"n\": all that is drawn is told");
    }
    if request.echo == Some(true) && request.logprobs.is_some() {
        return unsupported("echo", "log-probs of prompts are not told; ask for one or the other");
    }
    if request.stream_options.is_some() && request.stream != Some(true) {
        return unsupported("stream_options", "it is allowed with \"stream\": true only");
    }
    Ok(())
}

fn fields(request: TextRequest) -> Result<SamplingFields, ApiError> {
    let logprobs = request.logprobs.within("logprobs", 0.0..=MAX_LOGPROBS as f64)?;
    let max_tokens = n_tokens(request.max_tokens, "max_tokens")?;
    Ok(SamplingFields {
        temperature: request.temperature,
        top_p: request.top_p,
        top_k: request.top_k,
        min_p: request.min_p,
        repetition_penalty: request.repetition_penalty,
        presence_penalty: request.presence_penalty,
        frequency_penalty: request.frequency_penalty,
        max_tokens: max_tokens.unwrap_or(DEFAULT_COMPLETION_TOKENS),
        stop: stops(request.stop)?,
        logit_bias: biases(request.logit_bias)?,
        top_logprobs: logprobs.and_then(|n| usize::try_from(n).ok()).unwrap_or_default(),
        seed: request.seed,
    })
}

/// What a prompt says.
fn text_of(model: &ServedModel, prompt: &Prompt) -> Result<String, ApiError> {
    match (prompt, &model.voice) {
        (Prompt::Text(text), _) => Ok(text.clone()),
        (Prompt::Tokens(tokens), Voice::Local(policy)) => {
            let text = policy.format().tokenizer().decode(tokens, false);
            text.map_err(|error| ApiError::invalid("prompt", error.to_string()))
        }
        _ => Err(ApiError::invalid("echo", "this model has no tokens to say")),
    }
}
