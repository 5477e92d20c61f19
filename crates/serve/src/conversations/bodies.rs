//! Conversations as they are shown.

use serde::Serialize;
use serde_json::Value;
use stateset_core::MessageRecord;
use utoipa::ToSchema;

use super::message_schema::KeptMessage;
use super::turn::Said;
use crate::agents::SamplingWish;
use crate::store::{ConversationRow, StoredMessage};

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conversation {
    /// Its id.
    id: String,
    /// The same.
    conversation_id: String,
    /// Always `conversation`.
    object: &'static str,
    /// The agent that answers; removed agents leave null.
    #[schema(required)]
    agent_id: Option<String>,
    /// The served model that answers; the agent's or the server's first where null.
    #[schema(required)]
    model: Option<String>,
    /// How it draws, as the client wished.
    sampling: SamplingWish,
    /// Whom it is with, in the client's words.
    #[schema(required)]
    user_id: Option<String>,
    /// What the client keeps with it.
    #[schema(value_type = Object)]
    metadata: Value,
    /// How many messages it has.
    #[schema(minimum = 0)]
    message_count: i64,
    /// When it was begun, in seconds since 1970.
    created_at: i64,
    /// When it was last added to, in seconds since 1970.
    updated_at: i64,
    /// Its messages, where one conversation is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<KeptMessage>, required = false)]
    messages: Option<Vec<Value>>,
}

/// What came out of saying something.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConversationAnswer {
    /// The conversation's id.
    id: String,
    /// The same.
    pub(crate) conversation_id: String,
    /// Always `conversation.answer`.
    object: &'static str,
    /// The model that answered.
    model: String,
    /// The answer; null where nothing was asked.
    #[schema(required)]
    response: Option<String>,
    /// The answer as a message.
    #[schema(required)]
    message: Option<AnswerMessage>,
    /// `stop` or `length`.
    #[schema(required)]
    finish_reason: Option<String>,
    /// Messages of the conversation now.
    #[schema(minimum = 0)]
    message_count: i64,
    /// Messages that the model did not read, for the conversation is too long for it.
    messages_left_out: usize,
    /// Tokens of the answer.
    usage: AnswerUsage,
    /// The same, in sum.
    tokens_used: usize,
    /// How long it took.
    processing_time_ms: f64,
    /// What the client sent along; `/api/chat` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    pub(crate) context: Option<Value>,
    /// How it was answered; `/api/chat` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<ChatMetadata>,
}

/// An answer as a message.
#[derive(Debug, Serialize, ToSchema)]
struct AnswerMessage {
    /// Always `assistant`.
    role: &'static str,
    /// The answer.
    content: String,
}

/// Tokens of an answer.
#[derive(Debug, Serialize, ToSchema)]
struct AnswerUsage {
    /// Tokens that were read.
    prompt_tokens: usize,
    /// Tokens that were drawn.
    completion_tokens: usize,
    /// Both.
    total_tokens: usize,
}

/// How a chat message was answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChatMetadata {
    /// The strategy that was asked for.
    pub(crate) strategy: String,
    /// The model that answered.
    pub(crate) model: String,
    /// `stop` or `length`.
    #[schema(required)]
    pub(crate) finish_reason: Option<String>,
    /// Messages that the model did not read.
    pub(crate) messages_left_out: usize,
}

impl Conversation {
    /// A conversation without its messages.
    pub(super) fn of(row: &ConversationRow) -> Conversation {
        Conversation {
            id: row.id.clone(),
            conversation_id: row.id.clone(),
            object: "conversation",
            agent_id: row.agent_id.clone(),
            model: row.model.clone(),
            sampling: SamplingWish::kept(&row.sampling),
            user_id: row.user_id.clone(),
            metadata: row.metadata.clone(),
            message_count: row.n_messages,
            created_at: row.created_at / 1000,
            updated_at: row.updated_at / 1000,
            messages: None,
        }
    }

    /// The same with its messages.
    pub(super) fn with(self, messages: &[StoredMessage]) -> Conversation {
        let one = |stored: &StoredMessage| {
            let mut body =
                serde_json::to_value(MessageRecord::from(&stored.message)).unwrap_or_default();
            body["place"] = stored.place.into();
            body["created_at"] = (stored.created_at / 1000).into();
            body
        };
        Conversation { messages: Some(messages.iter().map(one).collect()), ..self }
    }
}

impl Said {
    /// The answer as it is shown.
    pub(crate) fn body(self) -> ConversationAnswer {
        let content = self.response.clone();
        ConversationAnswer {
            object: "conversation.answer",
            message: content.map(|content| AnswerMessage { role: "assistant", content }),
            usage: AnswerUsage {
                prompt_tokens: self.prompt_tokens,
                completion_tokens: self.completion_tokens,
                total_tokens: self.tokens(),
            },
            tokens_used: self.tokens(),
            id: self.conversation_id.clone(),
            conversation_id: self.conversation_id,
            model: self.model,
            response: self.response,
            finish_reason: self.finish_reason,
            message_count: self.n_messages,
            messages_left_out: self.messages_left_out,
            processing_time_ms: self.processing_time_ms,
            context: None,
            metadata: None,
        }
    }

    /// Tokens read and drawn.
    pub(crate) fn tokens(&self) -> usize {
        self.prompt_tokens + self.completion_tokens
    }
}
