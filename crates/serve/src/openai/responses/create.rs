//! The handler of `/v1/responses`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::{Value, json};

use super::input::messages;
use super::request::{ItemTool, ItemsRequest, TextField};
use super::response::ItemsResponse;
use super::writer::ItemsWriter;
use crate::App;
use crate::answer::{AnswerRequest, Form, Prompt};
use crate::api_error::ApiError;
use crate::body::JsonBody;
use crate::models::ServedModel;
use crate::openai::chat_request::FunctionField;
use crate::openai::fields::n_tokens;
use crate::openai::limits::MAX_TOP_LOGPROBS;
use crate::openai::tools::{Abilities, abilities, form_of, only_functions, specs};
use crate::wire::{
    EventWriter, FieldNames, Keeping, RangeCheck, SamplingFields, TextOr, begin_with_system, hear,
    id_of, now, stream_events,
};

const LOGPROBS: &str = "message.output_text.logprobs";
const NAMES: FieldNames = &[
    ("messages", "input"),
    ("response_format.json_schema", "text.format"),
    ("response_format", "text.format"),
    (".function.parameters", ".parameters"),
];

/// Answers items
///
/// With `stream` the answer comes as server-sent events, named by their `type`.
#[utoipa::path(
    post,
    path = "/v1/responses",
    tag = "openai",
    request_body = ItemsRequest,
    responses(
        (status = 200, description = "The answer, or a stream of events", content(
            (ItemsResponse = "application/json"),
            (String = "text/event-stream"),
        )),
    )
)]
pub(in crate::openai) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<ItemsRequest>,
) -> Result<Response, ApiError> {
    let model = app.models().find(request.model.as_deref())?;
    keeps_nothing(&request)?;
    let is_streamed = request.stream.unwrap_or_default();
    let wants_logprobs =
        request.include.as_ref().is_some_and(|all| all.iter().any(|one| one == LOGPROBS));
    let (asked, begun) = read(&model, request)?;
    let mut heard = hear(&model, vec![asked], NAMES);
    let mut writer = ItemsWriter::new(begun, is_streamed, wants_logprobs);
    if is_streamed {
        return stream_events(heard, writer, Keeping::Comment).await;
    }
    while let Some((choice, event)) = heard.next().await {
        writer.heard(choice, event?);
    }
    Ok(Json(writer.into_response()).into_response())
}

/// Refuses what would need earlier answers.
fn keeps_nothing(request: &ItemsRequest) -> Result<(), ApiError> {
    let refused = [
        ("previous_response_id", request.previous_response_id.is_some()),
        ("conversation", request.conversation.as_ref().is_some_and(|value| !value.is_null())),
        ("background", request.background == Some(true)),
    ];
    match refused.into_iter().find(|(_, is_asked)| *is_asked) {
        Some((field, _)) => {
            let message = "answers are not kept here; send the earlier items in \"input\"";
            Err(ApiError::invalid(field, message).coded("unsupported_value"))
        }
        None => Ok(()),
    }
}

/// What is asked of the model, and the answer as far as it is known before.
fn read(
    model: &ServedModel,
    request: ItemsRequest,
) -> Result<(AnswerRequest, ItemsResponse), ApiError> {
    let Some(input) = request.input else {
        return Err(ApiError::invalid("input", "it is missing"));
    };
    let mut messages = messages(request.instructions.as_deref(), input)?;
    begin_with_system(model, &mut messages);
    let given_tools = request.tools.unwrap_or_default();
    let echoed_tools = given_tools.iter().map(echoed_tool).collect();
    let tool_choice = echoed_choice(request.tool_choice.as_ref());
    let (form, text) = form(request.text)?;
    let tools = specs(functions(given_tools)?)?;
    let Abilities { tools, form } = abilities(tools, request.tool_choice, form)?;
    let max_output_tokens = n_tokens(request.max_output_tokens, "max_output_tokens")?;
    let top = request.top_logprobs.within("top_logprobs", 0.0..=MAX_TOP_LOGPROBS as f64)?;
    let fields = SamplingFields {
        temperature: request.temperature,
        top_p: request.top_p,
        max_tokens: max_output_tokens.unwrap_or(usize::MAX),
        top_logprobs: top.and_then(|n| usize::try_from(n).ok()).unwrap_or_default(),
        seed: request.seed,
        ..SamplingFields::default()
    };
    let asked = fields.request(model, Prompt::Chat { messages, tools }, form)?;
    let sampling = &asked.sampling;
    let response = ItemsResponse {
        id: id_of("resp_"),
        object: "response",
        created_at: now(),
        status: "in_progress",
        error: None,
        incomplete_details: None,
        instructions: request.instructions,
        max_output_tokens,
        model: model.name.clone(),
        output: Vec::new(),
        parallel_tool_calls: request.parallel_tool_calls.unwrap_or(true),
        previous_response_id: (),
        store: false,
        temperature: if sampling.greedy { 0.0 } else { sampling.temperature },
        text,
        tool_choice,
        tools: echoed_tools,
        top_p: request.top_p.unwrap_or(sampling.top_p),
        truncation: "disabled",
        usage: None,
        metadata: request.metadata.unwrap_or_default(),
    };
    Ok((asked, response))
}

fn functions(tools: Vec<ItemTool>) -> Result<Vec<(String, FunctionField)>, ApiError> {
    let function = |(at, tool): (usize, ItemTool)| {
        let field = format!("tools[{at}]");
        only_functions(&tool.kind, &field)?;
        let ItemTool { name, description, parameters, .. } = tool;
        match name {
            Some(name) => Ok((field, FunctionField { name, description, parameters })),
            None => Err(ApiError::invalid(format!("{field}.name"), "it is missing")),
        }
    };
    tools.into_iter().enumerate().map(function).collect()
}

/// The form, and how the answer repeats it.
fn form(text: Option<TextField>) -> Result<(Form, Value), ApiError> {
    let Some(format) = text.and_then(|text| text.format) else {
        return Ok((Form::Free, json!({"format": {"type": "text"}})));
    };
    let echoed = match format.kind.as_str() {
        "json_schema" => {
            let Some(name) = &format.name else {
                return Err(ApiError::invalid("text.format.name", "it is missing"));
            };
            let Some(schema) = &format.schema else {
                return Err(ApiError::invalid("text.format.schema", "it is missing"));
            };
            json!({
                "type": "json_schema", "name": name, "schema": schema,
                "strict": format.strict.unwrap_or_default(),
            })
        }
        kind => json!({"type": kind}),
    };
    let form = form_of(&format.kind, format.schema, "text.format", "text.format.schema")?;
    Ok((form, json!({"format": echoed})))
}

fn echoed_tool(tool: &ItemTool) -> Value {
    json!({
        "type": "function", "name": tool.name, "description": tool.description,
        "parameters": tool.parameters, "strict": tool.strict.unwrap_or_default(),
    })
}

fn echoed_choice(choice: Option<&TextOr<crate::openai::chat_request::ToolChoice>>) -> Value {
    match choice {
        None => json!("auto"),
        Some(TextOr::Text(word)) => json!(word),
        Some(TextOr::Other(choice)) if choice.kind == "allowed_tools" => {
            let tools = choice.tools.iter().flatten();
            let tools: Vec<Value> =
                tools.map(|tool| json!({"type": "function", "name": tool.name})).collect();
            json!({"type": "allowed_tools", "mode": choice.mode, "tools": tools})
        }
        Some(TextOr::Other(choice)) => {
            let function = choice.function.as_ref().map(|function| &function.name);
            json!({"type": "function", "name": choice.name.as_ref().or(function)})
        }
    }
}
