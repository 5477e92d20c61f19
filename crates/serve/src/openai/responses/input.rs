//! Items to messages.
//!
//! The choice a reader would question: calls that follow each other belong to the assistant's message
//! before them, because templates render one message with its calls.

use stateset_core::{
    ContentRecord, ImageContent, ImageUrlRecord, Message, PartRecord, Role, ToolCall,
};

use super::request::{InputItem, ItemPart};
use crate::api_error::ApiError;
use crate::wire::{TextOr, arguments_of, at_least_one, call_with, text_only};

/// The conversation, checked.
///
/// # Errors
/// [`ApiError`] with the place of what is wrong.
pub(super) fn messages(
    instructions: Option<&str>,
    input: TextOr<Vec<InputItem>>,
) -> Result<Vec<Message>, ApiError> {
    let mut read: Vec<Message> = instructions.map(Message::system).into_iter().collect();
    let items = match input {
        TextOr::Text(text) => {
            read.push(Message::user(text));
            return Ok(read);
        }
        TextOr::Other(items) => items,
    };
    at_least_one("input", &items)?;
    for (at, item) in items.into_iter().enumerate() {
        add(item, &format!("input[{at}]"), &mut read)?;
    }
    Ok(read)
}

fn add(item: InputItem, field: &str, read: &mut Vec<Message>) -> Result<(), ApiError> {
    match item.kind.as_deref().unwrap_or("message") {
        "message" => read.push(message(item, field)?),
        "function_call" => {
            let call = call(item, field)?;
            match read.last_mut() {
                Some(last) if last.role == Role::Assistant => last.tool_calls.push(call),
                _ => {
                    let tool_calls = vec![call];
                    read.push(Message { tool_calls, ..Message::assistant("") });
                }
            }
        }
        "function_call_output" => read.push(result(item, field, read)?),
        // Thoughts of earlier answers help no template that we know of.
        "reasoning" => {}
        other => {
            let allowed = "message, function_call, function_call_output, reasoning";
            let message = format!("{other:?} cannot be read; there are: {allowed}");
            return Err(
                ApiError::invalid(format!("{field}.type"), message).coded("unsupported_value")
            );
        }
    }
    Ok(())
}

fn message(item: InputItem, field: &str) -> Result<Message, ApiError> {
    let role = match item.role.as_deref() {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        other => {
            let found = other.unwrap_or_default();
            let allowed = "system, developer, user, assistant";
            let message = format!("{found:?} is no role; there are: {allowed}");
            return Err(ApiError::invalid(format!("{field}.role"), message));
        }
    };
    let place = format!("{field}.content");
    let (text, images) = content(item.content, &place)?;
    let message = Message { images, ..Message::new(role, text) };
    text_only(&place, &message)?;
    Ok(message)
}

fn call(item: InputItem, field: &str) -> Result<ToolCall, ApiError> {
    let arguments = required(item.arguments, field, "arguments")?;
    Ok(ToolCall {
        id: required(item.call_id, field, "call_id")?,
        name: required(item.name, field, "name")?,
        arguments: arguments_of(&format!("{field}.arguments"), &arguments)?,
    })
}

fn result(item: InputItem, field: &str, earlier: &[Message]) -> Result<Message, ApiError> {
    let id = required(item.call_id, field, "call_id")?;
    let call = call_with(earlier, &id, &format!("{field}.call_id"))?;
    let place = format!("{field}.output");
    let (text, images) = content(item.output, &place)?;
    let message = Message { images, ..Message::tool_result(call, text) };
    text_only(&place, &message)?;
    Ok(message)
}

fn required(value: Option<String>, field: &str, name: &str) -> Result<String, ApiError> {
    value.ok_or_else(|| ApiError::invalid(format!("{field}.{name}"), "it is missing"))
}

fn content(
    content: Option<TextOr<Vec<ItemPart>>>,
    field: &str,
) -> Result<(String, Vec<ImageContent>), ApiError> {
    let parts = match content {
        None => return Err(ApiError::invalid(field, "it is missing")),
        Some(TextOr::Text(text)) => return Ok((text, Vec::new())),
        Some(TextOr::Other(parts)) => parts,
    };
    let part = |(at, part)| part_of(part, &format!("{field}[{at}]"));
    let parts = parts.into_iter().enumerate().map(part).collect::<Result<Vec<_>, _>>()?;
    Ok(ContentRecord::Parts(parts).into_text_and_images())
}

fn part_of(part: ItemPart, field: &str) -> Result<PartRecord, ApiError> {
    match part.kind.as_str() {
        "input_text" | "output_text" | "text" => {
            Ok(PartRecord::Text { text: required(part.text, field, "text")? })
        }
        "refusal" => Ok(PartRecord::Text { text: required(part.refusal, field, "refusal")? }),
        "input_image" => {
            let url = required(part.image_url, field, "image_url")?;
            Ok(PartRecord::ImageUrl { image_url: ImageUrlRecord { url, detail: part.detail } })
        }
        other => {
            let allowed = "input_text, output_text, input_image, refusal";
            let message = format!("{other:?} cannot be read; there are: {allowed}");
            Err(ApiError::invalid(format!("{field}.type"), message).coded("unsupported_value"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(input: Value) -> Result<Vec<Message>, ApiError> {
        messages(Some("be kind"), serde_json::from_value(input).unwrap())
    }

    #[test]
    fn calls_join_the_message_before_them() {
        let read = read(json!([
            {"role": "user", "content": "weather?"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{\"x\": 1}"},
            {"type": "function_call", "call_id": "2", "name": "g", "arguments": ""},
            {"type": "function_call_output", "call_id": "2", "output": "cold"},
        ]))
        .unwrap();
        let roles: Vec<&str> = read.iter().map(|message| message.role.as_str()).collect();
        assert_eq!(roles, ["system", "user", "assistant", "tool"]);
        assert_eq!(read[2].tool_calls.len(), 2);
        assert_eq!(read[3].name.as_deref(), Some("g"));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let cases = [
            (json!([]), "input"),
            (json!([{"role": "owner", "content": ""}]), "input[0].role"),
            (json!([{"role": "user"}]), "input[0].content"),
            (json!([{"type": "file_search_call"}]), "input[0].type"),
            (
                json!([{"type": "function_call_output", "call_id": "9", "output": ""}]),
                "input[0].call_id",
            ),
            (
                json!([{"type": "function_call", "call_id": "9", "name": "f", "arguments": "["}]),
                "input[0].arguments",
            ),
            (
                json!([{"role": "user", "content": [{"type": "input_audio"}]}]),
                "input[0].content[0].type",
            ),
            (
                json!([{"role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}]),
                "input[0].content",
            ),
        ];
        for (input, place) in cases {
            let error = read(input.clone()).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(place), "{input}");
        }
    }
}
