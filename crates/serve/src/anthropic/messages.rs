//! `POST /v1/messages`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;

use super::conversation::conversation;
use super::request::MessagesRequest;
use super::response::{MessageResponse, MessageUsage};
use super::tools::{Abilities, abilities};
use super::writer::MessageWriter;
use crate::App;
use crate::answer::{AnswerRequest, Prompt};
use crate::api_error::ApiError;
use crate::body::JsonBody;
use crate::models::ServedModel;
use crate::openai::{limits, n_tokens};
use crate::wire::{
    EventWriter, FieldNames, Keeping, RangeCheck, SamplingFields, begin_with_system, hear, id_of,
    stream_events,
};

/// Answers a conversation
///
/// With `stream` the answer comes as server-sent events, named by their `type`.
#[utoipa::path(
    post,
    path = "/v1/messages",
    tag = "anthropic",
    request_body = MessagesRequest,
    responses(
        (status = 200, description = "The answer, or a stream of events", content(
            (MessageResponse = "application/json"),
            (String = "text/event-stream"),
        )),
    )
)]
pub(super) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<MessagesRequest>,
) -> Result<Response, ApiError> {
    let model = app.models().find(Some(&request.model))?;
    let is_streamed = request.stream.unwrap_or_default();
    let (asked, several_calls) = read(&model, request)?;
    let begun = MessageResponse {
        id: id_of("msg_"),
        kind: "message",
        role: "assistant",
        model: model.name.clone(),
        content: Vec::new(),
        stop_reason: None,
        stop_sequence: None,
        usage: MessageUsage::default(),
    };
    let mut heard = hear(&model, vec![asked], NAMES);
    let mut writer = MessageWriter::new(begun, is_streamed, several_calls);
    if is_streamed {
        return stream_events(heard, writer, Keeping::Ping).await;
    }
    while let Some((choice, event)) = heard.next().await {
        writer.heard(choice, event?);
    }
    Ok(Json(writer.into_response()).into_response())
}

fn read(model: &ServedModel, request: MessagesRequest) -> Result<(AnswerRequest, bool), ApiError> {
    let max_tokens = n_tokens(Some(request.max_tokens), "max_tokens")?;
    let mut messages = conversation(request.system, request.messages)?;
    begin_with_system(model, &mut messages);
    let abilities = abilities(request.tools, request.tool_choice)?;
    let Abilities { tools, form, several_calls } = abilities;
    let fields = SamplingFields {
        temperature: request.temperature.within("temperature", 0.0..=1.0)?,
        top_p: request.top_p,
        top_k: request.top_k,
        max_tokens: max_tokens.unwrap_or(usize::MAX),
        stop: stops(request.stop_sequences)?,
        seed: request.seed,
        ..SamplingFields::default()
    };
    let asked = fields.request(model, Prompt::Chat { messages, tools }, form)?;
    Ok((asked, several_calls))
}

const NAMES: FieldNames = &[(".function.parameters", ".input_schema")];

/// Most texts that end an answer; Anthropic's clients may send more than OpenAI's.
const MAX_STOPS: usize = 16;

fn stops(given: Option<Vec<String>>) -> Result<Vec<String>, ApiError> {
    let given = given.unwrap_or_default();
    if given.len() > MAX_STOPS {
        let message = format!("at most {MAX_STOPS} are allowed; there are {}", given.len());
        return Err(ApiError::invalid("stop_sequences", message));
    }
    let most = limits::MAX_STOP_BYTES;
    match given.iter().position(|text| text.is_empty() || text.len() > most) {
        Some(at) => {
            let message = format!("it must have 1 to {most} bytes");
            Err(ApiError::invalid(format!("stop_sequences[{at}]"), message))
        }
        None => Ok(given),
    }
}
