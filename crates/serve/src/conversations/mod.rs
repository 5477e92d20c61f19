//! Conversations whose history the server keeps.
//!
//! | method and path | success | errors |
//! |---|---|---|
//! | `POST /conversations` | 201, the conversation with the answer | 404 agent or model, 422 a field, 503 `too_many_conversations` |
//! | `GET /conversations` | 200, a list | 422 a parameter |
//! | `GET /conversations/{id}` | 200, with all messages | 404 |
//! | `POST /conversations/{id}/messages` | 200, the answer | 404, 409 `conversation_busy`, 410 `conversation_ended`, 422 |
//! | `DELETE /conversations/{id}` | 204 | 404 |
//!
//! `/v1/conversations`, `/v1/conversation` and `/api/conversations` are the same routes.
//!
//! Two messages to one conversation at once: the second is refused with 409, for it cannot have been
//! written in view of the first one's answer. A message and its answer are written together, after the
//! answer is whole and before it is acknowledged; a request that fails or is given up leaves nothing.

mod ask;
mod bodies;
mod caller;
mod claim;
mod history;
mod message_schema;
mod routes;
mod rules;
mod turn;

pub(crate) use ask::{Ask, checked_metadata};
pub(crate) use bodies::{ChatMetadata, ConversationAnswer};
pub(crate) use caller::Caller;
pub(crate) use history::MAX_MESSAGE_CHARS;
pub(crate) use message_schema::ConversationMessage;
pub(crate) use routes::{ConversationPaths, ROOTS, add_message, conversation_routes, one, remove};
pub use rules::ConversationRules;
pub(crate) use turn::{Said, Turn, say};
