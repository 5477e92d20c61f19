//! What clients send to conversations.

use serde::Deserialize;
use serde_json::Value;
use stateset_core::{Message, MessageRecord};

use super::caller::Caller;
use super::turn::Turn;
use crate::agents::SamplingWish;
use crate::api_error::ApiError;
use crate::services::{check_text, unusable};

/// Most characters of ids and keys that clients choose.
const MAX_NAME_CHARS: usize = 200;

/// Most bytes of what a client wants to keep with a conversation.
const MAX_METADATA_BYTES: usize = 16 << 10;

/// The body of `POST /conversations` and `POST /conversations/{id}/messages`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ask {
    messages: Vec<MessageRecord>,
    message: Option<String>,
    content: Option<String>,
    conversation_id: Option<String>,
    agent_id: Option<String>,
    model: Option<String>,
    user_id: Option<String>,
    metadata: Option<Value>,
    context: Option<Value>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<usize>,
    max_tokens: Option<usize>,
    stop: Option<Vec<String>>,
    idempotency_key: Option<String>,
    stream: bool,
}

impl Ask {
    /// The turn that is asked for, of the conversation in the path where there is one.
    pub(crate) fn turn(self, conversation: Option<String>) -> Result<Turn, ApiError> {
        if self.stream {
            let message = "conversations are answered as a whole; /v1/chat/completions streams";
            return Err(unusable("not_supported", "stream", message));
        }
        let of_path = conversation.is_some();
        let conversation = conversation.or(self.conversation_id);
        let is_old = conversation.is_some();
        let fixed = [
            ("agent_id", self.agent_id.is_some()),
            ("model", self.model.is_some()),
            ("user_id", self.user_id.is_some()),
            ("metadata", self.metadata.is_some() || self.context.is_some()),
        ];
        if let Some((field, _)) = fixed.iter().find(|(_, given)| is_old && *given) {
            let message = "it is settled when a conversation begins";
            return Err(unusable("not_supported", *field, message));
        }
        let mut messages = messages_of(self.messages)?;
        if let Some(text) = self.message.or(self.content) {
            check_text("message", &text, super::MAX_MESSAGE_CHARS)?;
            messages.push(Message::user(text));
        }
        if of_path && messages.is_empty() {
            return Err(unusable("missing_field", "message", "there is nothing to answer"));
        }
        for (field, text) in [
            ("user_id", &self.user_id),
            ("agent_id", &self.agent_id),
            ("model", &self.model),
            ("idempotency_key", &self.idempotency_key),
        ] {
            text.iter().try_for_each(|text| check_text(field, text, MAX_NAME_CHARS))?;
        }
        Ok(Turn {
            caller: Caller::default(),
            conversation,
            messages,
            wish: SamplingWish {
                temperature: self.temperature,
                top_p: self.top_p,
                top_k: self.top_k,
                max_tokens: self.max_tokens,
                stop: self.stop,
            },
            agent_id: self.agent_id,
            model: self.model,
            user_id: self.user_id,
            metadata: checked_metadata(self.metadata.or(self.context))?,
            idempotency_key: self.idempotency_key,
            aloud: None,
        })
    }
}

/// What a client wants to keep with a conversation.
pub(crate) fn checked_metadata(metadata: Option<Value>) -> Result<Value, ApiError> {
    let metadata = metadata.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    if !metadata.is_object() {
        return Err(unusable("invalid_value", "metadata", "it has to be an object"));
    }
    if metadata.to_string().len() > MAX_METADATA_BYTES {
        let message = format!("it has more than {MAX_METADATA_BYTES} bytes");
        return Err(unusable("invalid_length", "metadata", message));
    }
    Ok(metadata)
}

/// Messages as they come over the wire.
fn messages_of(records: Vec<MessageRecord>) -> Result<Vec<Message>, ApiError> {
    let message = |(place, record): (usize, MessageRecord)| {
        let refused = |error: stateset_core::RecordError| {
            unusable("invalid_value", format!("messages[{place}]"), error.to_string())
        };
        Message::try_from(record).map_err(refused)
    };
    records.into_iter().enumerate().map(message).collect()
}
