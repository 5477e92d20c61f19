//! What clients send to conversations.

use serde::Deserialize;
use serde_json::Value;
use stateset_core::{Message, MessageRecord};
use utoipa::ToSchema;

use super::caller::Caller;
use super::message_schema::ConversationMessage;
use super::turn::Turn;
use crate::agents::SamplingWish;
use crate::api_error::ApiError;
use crate::services::{check_text, unusable};

/// Most characters of ids and keys that clients choose.
const MAX_NAME_CHARS: usize = 200;

/// Most bytes of what a client wants to keep with a conversation.
const MAX_METADATA_BYTES: usize = 16 << 10;

/// What is said to a conversation, or begins one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConversationRequest)]
pub(crate) struct Ask {
    /// What is said, in order; at most 128 messages of 4000 characters. Only the first of a conversation
    /// may hold instructions, of 10000 characters.
    #[serde(default)]
    #[schema(value_type = Vec<ConversationMessage>, max_items = 128)]
    messages: Vec<MessageRecord>,
    /// A message of the user, after `messages`.
    #[schema(min_length = 1, max_length = 4000)]
    message: Option<String>,
    /// Another name of `message`.
    #[schema(min_length = 1, max_length = 4000)]
    content: Option<String>,
    /// The conversation, where the path does not name it; a new one where absent.
    conversation_id: Option<String>,
    /// Of a new conversation: the agent that answers.
    #[schema(min_length = 1, max_length = 200)]
    agent_id: Option<String>,
    /// Of a new conversation: the served model.
    #[schema(min_length = 1, max_length = 200)]
    model: Option<String>,
    /// Of a new conversation: whom it is with.
    #[schema(min_length = 1, max_length = 200)]
    user_id: Option<String>,
    /// Of a new conversation: what is kept with it, at most 16 KiB.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// Another name of `metadata`.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
    /// 0 always takes the likeliest token.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Keep the smallest set of tokens with this probability.
    #[schema(exclusive_minimum = 0, maximum = 1)]
    top_p: Option<f64>,
    /// Keep the k likeliest tokens; 0 keeps all.
    top_k: Option<usize>,
    /// Most tokens of the answer.
    #[schema(minimum = 1, maximum = 8192)]
    max_tokens: Option<usize>,
    /// Up to 8 texts that end the answer, none of them empty.
    #[schema(max_items = 8)]
    stop: Option<Vec<String>>,
    /// Lets the request count once; the header `Idempotency-Key` counts before it.
    #[schema(min_length = 1, max_length = 200)]
    idempotency_key: Option<String>,
    /// Only `false`: answers come as a whole.
    #[serde(default)]
    stream: bool,
}

impl Ask {
    /// The turn that is asked for, of the conversation in the path where there is one.
    pub(crate) fn turn(
        self,
        caller: Caller,
        conversation: Option<String>,
    ) -> Result<Turn, ApiError> {
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
            caller,
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
