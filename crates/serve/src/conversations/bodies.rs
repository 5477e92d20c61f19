//! Conversations as they are shown.

use serde_json::{Value, json};
use stateset_core::MessageRecord;

use super::turn::Said;
use crate::store::{ConversationRow, StoredMessage};

/// A conversation without its messages.
pub(super) fn conversation_body(row: &ConversationRow) -> Value {
    json!({
        "id": row.id, "conversation_id": row.id, "object": "conversation",
        "agent_id": row.agent_id, "model": row.model, "sampling": row.sampling,
        "user_id": row.user_id, "metadata": row.metadata, "message_count": row.n_messages,
        "created_at": row.created_at / 1000, "updated_at": row.updated_at / 1000,
    })
}

/// The messages of a conversation.
pub(super) fn messages_body(messages: &[StoredMessage]) -> Value {
    let one = |stored: &StoredMessage| {
        let mut body =
            serde_json::to_value(MessageRecord::from(&stored.message)).unwrap_or_default();
        body["place"] = stored.place.into();
        body["created_at"] = (stored.created_at / 1000).into();
        body
    };
    messages.iter().map(one).collect()
}

impl Said {
    /// The answer as it is shown.
    pub(crate) fn body(&self) -> Value {
        json!({
            "id": self.conversation_id, "conversation_id": self.conversation_id,
            "object": "conversation.answer", "model": self.model, "response": self.response,
            "message": self.response.as_ref()
                .map(|text| json!({"role": "assistant", "content": text})),
            "finish_reason": self.finish_reason, "message_count": self.n_messages,
            "messages_left_out": self.messages_left_out,
            "usage": {
                "prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens,
                "total_tokens": self.tokens(),
            },
            "tokens_used": self.tokens(), "processing_time_ms": self.processing_time_ms,
        })
    }

    /// Tokens read and drawn.
    pub(crate) fn tokens(&self) -> usize {
        self.prompt_tokens + self.completion_tokens
    }
}
