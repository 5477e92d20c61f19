//! Routes that speak as Anthropic's API does.
//!
//! | method | path | answers | file |
//! |---|---|---|---|
//! | POST | `/v1/messages` | a conversation's next message | `messages` |
//! | POST | `/v1/messages/count_tokens` | how many tokens a conversation has | `count_tokens` |
//!
//! Source: Anthropic's documentation of its Messages API. Nothing is kept, and thoughts carry no
//! signature.

mod conversation;
mod count_tokens;
mod error_body;
mod messages;
mod request;
mod response;
mod routes;
mod schemas;
mod tools;
mod writer;

use error_body::AnthropicError;
pub(crate) use routes::openapi;
pub use routes::routes;
