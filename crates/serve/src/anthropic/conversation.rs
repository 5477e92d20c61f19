//! Messages of Anthropic's API to ours.
//!
//! The choice a reader would question: a result of a tool is a block of the user's message there and a
//! message of its own here, so one message may become several; the texts between keep their order.

use serde_json::Value;
use stateset_core::{ContentRecord, ImageUrlRecord, Message, PartRecord, Role, ToolCall};

use super::request::{Block, GivenMessage, ImageSource};
use crate::api_error::ApiError;
use crate::wire::{TextOr, at_least_one, call_with, text_only};

/// The conversation, checked.
///
/// # Errors
/// [`ApiError`] with the place of what is wrong.
pub(super) fn conversation(
    system: Option<TextOr<Vec<Block>>>,
    given: Vec<GivenMessage>,
) -> Result<Vec<Message>, ApiError> {
    at_least_one("messages", &given)?;
    let mut read = Vec::new();
    if let Some(system) = system {
        read.push(text_message(Role::System, system, "system")?);
    }
    let last = given.len() - 1;
    for (at, message) in given.into_iter().enumerate() {
        let field = format!("messages[{at}]");
        let GivenMessage { role, content } = message;
        let field = format!("{field}.content");
        match role.as_str() {
            "user" => user(content, &field, &mut read)?,
            "assistant" if at == last => {
                let message = "the last message is the user's; answers cannot be begun here";
                return Err(ApiError::invalid("messages", message));
            }
            "assistant" => read.push(assistant(content, &field)?),
            other => {
                let message = format!("{other:?} is no role; there are: user, assistant");
                return Err(ApiError::invalid(format!("messages[{at}].role"), message));
            }
        }
    }
    Ok(read)
}

fn user(content: TextOr<Vec<Block>>, field: &str, read: &mut Vec<Message>) -> Result<(), ApiError> {
    let blocks = match content {
        TextOr::Text(text) => {
            read.push(Message::user(text));
            return Ok(());
        }
        TextOr::Other(blocks) => blocks,
    };
    at_least_one(field, &blocks)?;
    let mut parts = Vec::new();
    for (at, block) in blocks.into_iter().enumerate() {
        let place = format!("{field}[{at}]");
        if block.kind == "tool_result" {
            flush(&mut parts, field, read)?;
            let result = result(block, &place, read)?;
            read.push(result);
        } else {
            parts.push(part(block, &place, "text, image, tool_result")?);
        }
    }
    flush(&mut parts, field, read)
}

fn flush(
    parts: &mut Vec<PartRecord>,
    field: &str,
    read: &mut Vec<Message>,
) -> Result<(), ApiError> {
    if !parts.is_empty() {
        read.push(joined(Role::User, std::mem::take(parts), field)?);
    }
    Ok(())
}

fn result(block: Block, field: &str, earlier: &[Message]) -> Result<Message, ApiError> {
    let id = required(block.tool_use_id, field, "tool_use_id")?;
    let call = call_with(earlier, &id, &format!("{field}.tool_use_id"))?;
    let place = format!("{field}.content");
    let content = block.content.unwrap_or(TextOr::Text(String::new()));
    let mut message = text_message(Role::Tool, content, &place)?;
    if block.is_error == Some(true) {
        // No template has a place for it, and the model should know.
        message.content = format!("error: {}", message.content);
    }
    message.name = Some(call.name.clone());
    message.tool_call_id = Some(id);
    Ok(message)
}

fn assistant(content: TextOr<Vec<Block>>, field: &str) -> Result<Message, ApiError> {
    let blocks = match content {
        TextOr::Text(text) => return Ok(Message::assistant(text)),
        TextOr::Other(blocks) => blocks,
    };
    let (mut parts, mut calls, mut thoughts) = (Vec::new(), Vec::new(), Vec::new());
    for (at, block) in blocks.into_iter().enumerate() {
        let place = format!("{field}[{at}]");
        match block.kind.as_str() {
            "tool_use" => calls.push(call(block, &place)?),
            "thinking" => thoughts.push(block.thinking.unwrap_or_default()),
            "redacted_thinking" => {}
            _ => parts.push(part(block, &place, "text, tool_use, thinking")?),
        }
    }
    let mut message = joined(Role::Assistant, parts, field)?;
    message.tool_calls = calls;
    message.reasoning = (!thoughts.is_empty()).then(|| thoughts.join("\n"));
    Ok(message)
}

fn call(block: Block, field: &str) -> Result<ToolCall, ApiError> {
    Ok(ToolCall {
        id: required(block.id, field, "id")?,
        name: required(block.name, field, "name")?,
        arguments: Value::Object(block.input.unwrap_or_default()),
    })
}

fn text_message(role: Role, content: TextOr<Vec<Block>>, field: &str) -> Result<Message, ApiError> {
    let blocks = match content {
        TextOr::Text(text) => return Ok(Message::new(role, text)),
        TextOr::Other(blocks) => blocks,
    };
    let part = |(at, block)| part(block, &format!("{field}[{at}]"), "text, image");
    let parts = blocks.into_iter().enumerate().map(part).collect::<Result<Vec<_>, _>>()?;
    joined(role, parts, field)
}

fn joined(role: Role, parts: Vec<PartRecord>, field: &str) -> Result<Message, ApiError> {
    let (text, images) = ContentRecord::Parts(parts).into_text_and_images();
    let message = Message { images, ..Message::new(role, text) };
    text_only(field, &message)?;
    Ok(message)
}

fn part(block: Block, field: &str, allowed: &str) -> Result<PartRecord, ApiError> {
    match block.kind.as_str() {
        "text" => Ok(PartRecord::Text { text: required(block.text, field, "text")? }),
        "image" => {
            let url = url(required(block.source, field, "source")?, &format!("{field}.source"))?;
            Ok(PartRecord::ImageUrl { image_url: ImageUrlRecord { url, detail: None } })
        }
        other => {
            let message = format!("{other:?} cannot be read here; there are: {allowed}");
            Err(ApiError::invalid(format!("{field}.type"), message).coded("unsupported_value"))
        }
    }
}

fn url(source: ImageSource, field: &str) -> Result<String, ApiError> {
    match source.kind.as_str() {
        "url" => required(source.url, field, "url"),
        "base64" => {
            let kind = required(source.media_type, field, "media_type")?;
            let data = required(source.data, field, "data")?;
            Ok(format!("data:{kind};base64,{data}"))
        }
        other => {
            let message = format!("{other:?} cannot be read; there are: base64, url");
            Err(ApiError::invalid(format!("{field}.type"), message))
        }
    }
}

fn required<T>(value: Option<T>, field: &str, name: &str) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::invalid(format!("{field}.{name}"), "it is missing"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(messages: Value) -> Result<Vec<Message>, ApiError> {
        conversation(None, serde_json::from_value(messages).unwrap())
    }

    #[test]
    fn results_become_messages_in_their_order() {
        let read = read(json!([
            {"role": "user", "content": "weather?"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "a", "name": "look", "input": {"city": "Rome"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "is_error": true,
                 "content": [{"type": "text", "text": "no such city"}]},
                {"type": "text", "text": "and now?"},
            ]},
        ]))
        .unwrap();
        let said: Vec<(&str, &str)> =
            read.iter().map(|m| (m.role.as_str(), m.content.as_str())).collect();
        let expected = [
            ("user", "weather?"),
            ("assistant", "I look."),
            ("tool", "error: no such city"),
            ("user", "and now?"),
        ];
        assert_eq!(said, expected);
        assert_eq!(read[1].reasoning.as_deref(), Some("hm"));
        assert_eq!(read[2].name.as_deref(), Some("look"));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let user = |block: Value| json!([{"role": "user", "content": [block]}]);
        let cases = [
            (json!([]), "messages"),
            (json!([{"role": "system", "content": "a"}]), "messages[0].role"),
            (json!([{"role": "assistant", "content": "a"}]), "messages"),
            (json!([{"role": "user", "content": []}]), "messages[0].content"),
            (user(json!({"type": "text"})), "messages[0].content[0].text"),
            (user(json!({"type": "document"})), "messages[0].content[0].type"),
            (user(json!({"type": "image"})), "messages[0].content[0].source"),
            (
                user(
                    json!({"type": "image", "source": {"type": "url", "url": "https://a.example"}}),
                ),
                "messages[0].content",
            ),
            (
                user(json!({"type": "image", "source": {"type": "file"}})),
                "messages[0].content[0].source.type",
            ),
            (
                user(json!({"type": "tool_result", "tool_use_id": "x"})),
                "messages[0].content[0].tool_use_id",
            ),
        ];
        for (messages, place) in cases {
            let error = read(messages.clone()).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(place), "{messages}");
        }
    }
}
