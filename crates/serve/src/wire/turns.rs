//! Conversations of other APIs as ours.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use stateset_core::{Message, Role, ToolCall, ToolSpec};
use uuid::Uuid;

use crate::api_error::ApiError;
use crate::models::ServedModel;

/// An id that nothing else has: the prefix that clients expect, and a number.
pub(crate) fn id_of(prefix: &str) -> String {
    format!("{prefix}{}", Uuid::now_v7().simple())
}

/// Puts the model's own instructions before a conversation that has none.
pub(crate) fn begin_with_system(model: &ServedModel, messages: &mut Vec<Message>) {
    if let Some(system) = &model.system_prompt
        && !messages.iter().any(|message| message.role == Role::System)
    {
        messages.insert(0, Message::system(system));
    }
}

/// Refuses a conversation without messages.
///
/// # Errors
/// [`ApiError`] 400 of `field`.
pub(crate) fn at_least_one<T>(field: &str, messages: &[T]) -> Result<(), ApiError> {
    if messages.is_empty() {
        return Err(ApiError::invalid(field, "there must be at least one message"));
    }
    Ok(())
}

/// Refuses pictures, which none of the models here reads.
///
/// # Errors
/// [`ApiError`] 400 `images_unsupported`, of the first message with one.
pub(crate) fn text_only(field: &str, message: &Message) -> Result<(), ApiError> {
    if message.images.is_empty() {
        return Ok(());
    }
    let error = ApiError::invalid(field, "this model reads text only; leave the images out");
    Err(error.coded("images_unsupported"))
}

/// Arguments of a call, which come as a text that holds JSON.
///
/// # Errors
/// [`ApiError`] 400 of `field` where they are no JSON object.
pub(crate) fn arguments_of(field: &str, text: &str) -> Result<Value, ApiError> {
    // Clients send an empty text for a call without arguments.
    let text = if text.trim().is_empty() { "{}" } else { text };
    match serde_json::from_str(text) {
        Ok(Value::Object(arguments)) => Ok(Value::Object(arguments)),
        Ok(_) => Err(ApiError::invalid(field, "it must hold a JSON object")),
        Err(error) => Err(ApiError::invalid(field, format!("it must hold a JSON object: {error}"))),
    }
}

/// The call with this id among those made before.
///
/// # Errors
/// [`ApiError`] 400 of `field` where there is none.
pub(crate) fn call_with<'a>(
    earlier: &'a [Message],
    id: &str,
    field: &str,
) -> Result<&'a ToolCall, ApiError> {
    let mut calls = earlier.iter().rev().flat_map(|message| &message.tool_calls);
    calls.find(|call| call.id == id).ok_or_else(|| {
        ApiError::invalid(field, format!("no earlier message makes a call with the id {id:?}"))
    })
}

/// The tool with this name.
///
/// # Errors
/// [`ApiError`] 400 of `field` where none of `tools` has it.
pub(crate) fn tool_named(tools: &[ToolSpec], name: &str, field: &str) -> Result<(), ApiError> {
    if tools.iter().any(|tool| tool.name == name) {
        return Ok(());
    }
    Err(ApiError::invalid(field, format!("there is no tool {name:?} in \"tools\"")))
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
