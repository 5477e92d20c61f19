//! Messages of OpenAI's API to ours.

use stateset_core::{ContentRecord, ImageUrlRecord, Message, PartRecord, Role, ToolCall};

use super::chat_request::{CallField, ChatMessage, PartField};
use crate::api_error::ApiError;
use crate::wire::{TextOr, arguments_of, at_least_one, call_with, text_only};

/// The conversation, checked.
///
/// # Errors
/// [`ApiError`] with the place of what is wrong.
pub(super) fn messages(given: Vec<ChatMessage>) -> Result<Vec<Message>, ApiError> {
    at_least_one("messages", &given)?;
    let mut read = Vec::with_capacity(given.len());
    for (at, message) in given.into_iter().enumerate() {
        let field = format!("messages[{at}]");
        let message = one(message, &field, &read)?;
        read.push(message);
    }
    Ok(read)
}

fn one(given: ChatMessage, field: &str, earlier: &[Message]) -> Result<Message, ApiError> {
    let role = role(&given.role, field)?;
    let is_answer = role == Role::Assistant;
    let has_content = given.content.is_some() || given.refusal.is_some();
    let calls = given.tool_calls.unwrap_or_default();
    let only_calls = is_answer && !calls.is_empty();
    if !has_content && !only_calls {
        return Err(ApiError::invalid(format!("{field}.content"), "it is missing"));
    }
    if !is_answer && !calls.is_empty() {
        let message = "only messages of the assistant make calls";
        return Err(ApiError::invalid(format!("{field}.tool_calls"), message));
    }
    let content = given.content.unwrap_or(TextOr::Text(given.refusal.unwrap_or_default()));
    let (content, images) = content_of(content, &format!("{field}.content"))?;
    let mut message = Message { images, ..Message::new(role, content) };
    text_only(&format!("{field}.content"), &message)?;
    message.reasoning = given.reasoning_content.filter(|_| is_answer);
    message.name = given.name;
    message.tool_calls = calls_of(calls, field)?;
    if role == Role::Tool {
        let field = format!("{field}.tool_call_id");
        let Some(id) = given.tool_call_id else {
            return Err(ApiError::invalid(field, "the result of a tool names the call it answers"));
        };
        message.name = Some(call_with(earlier, &id, &field)?.name.clone());
        message.tool_call_id = Some(id);
    }
    Ok(message)
}

fn role(name: &str, field: &str) -> Result<Role, ApiError> {
    let role = if name == "developer" { Some(Role::System) } else { Role::from_name(name) };
    role.ok_or_else(|| {
        let allowed = "system, developer, user, assistant, tool";
        let message = format!("{name:?} is no role; there are: {allowed}");
        ApiError::invalid(format!("{field}.role"), message)
    })
}

/// Text and pictures of a content.
///
/// # Errors
/// [`ApiError`] with the place of a part that cannot be read.
fn content_of(
    content: TextOr<Vec<PartField>>,
    field: &str,
) -> Result<(String, Vec<stateset_core::ImageContent>), ApiError> {
    let parts = match content {
        TextOr::Text(text) => return Ok((text, Vec::new())),
        TextOr::Other(parts) => parts,
    };
    let part = |(at, part)| part_of(part, &format!("{field}[{at}]"));
    let parts = parts.into_iter().enumerate().map(part).collect::<Result<Vec<_>, _>>()?;
    Ok(ContentRecord::Parts(parts).into_text_and_images())
}

fn part_of(part: PartField, field: &str) -> Result<PartRecord, ApiError> {
    let missing = |name: &str| ApiError::invalid(format!("{field}.{name}"), "it is missing");
    match part.kind.as_str() {
        "text" => Ok(PartRecord::Text { text: part.text.ok_or_else(|| missing("text"))? }),
        "refusal" => Ok(PartRecord::Text { text: part.refusal.ok_or_else(|| missing("refusal"))? }),
        "image_url" => {
            let image = part.image_url.ok_or_else(|| missing("image_url"))?;
            let image_url = ImageUrlRecord { url: image.url, detail: image.detail };
            Ok(PartRecord::ImageUrl { image_url })
        }
        other => {
            let message = format!("{other:?} cannot be read; there are: text, image_url, refusal");
            Err(ApiError::invalid(format!("{field}.type"), message).coded("unsupported_value"))
        }
    }
}

fn calls_of(calls: Vec<CallField>, field: &str) -> Result<Vec<ToolCall>, ApiError> {
    let call = |(at, call): (usize, CallField)| {
        let place = format!("{field}.tool_calls[{at}].function.arguments");
        let arguments = arguments_of(&place, &call.function.arguments)?;
        Ok(ToolCall { id: call.id, name: call.function.name, arguments })
    };
    calls.into_iter().enumerate().map(call).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let word = prop_oneof![
            Just(Value::Null),
            Just(json!("user")),
            Just(json!("assistant")),
            Just(json!("tool")),
            Just(json!("text")),
            Just(json!("{}")),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        let key = prop::sample::select(vec![
            "role",
            "content",
            "type",
            "text",
            "tool_calls",
            "tool_call_id",
            "id",
            "function",
            "name",
            "arguments",
            "image_url",
            "url",
        ]);
        word.prop_recursive(4, 32, 5, move |inner| {
            let object = prop::collection::vec((key.clone(), inner.clone()), 0..5);
            let object = object.prop_map(|entries| {
                let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(entries.collect())
            });
            prop_oneof![prop::collection::vec(inner, 0..4).prop_map(Value::Array), object]
        })
    }

    proptest! {
        #[test]
        fn no_messages_make_it_panic(given in prop::collection::vec(value(), 0..4)) {
            if let Ok(given) = serde_json::from_value(Value::Array(given)) {
                let refused = messages(given).err();
                prop_assert!(refused.is_none_or(|error| error.field.is_some()));
            }
        }
    }
}
