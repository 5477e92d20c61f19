//! Routes that speak as OpenAI's API does.
//!
//! | method | path | answers | file |
//! |---|---|---|---|
//! | GET | `/v1/models`, `/v1/models/{name}` | the models | `list_models` |
//! | POST | `/v1/chat/completions` | a conversation's next message | `chat` |
//! | POST | `/v1/completions` | a text's continuation | `text` |
//! | POST | `/v1/embeddings` | vectors of texts | `embeddings` |
//! | POST | `/v1/responses` | the next items of a conversation | `responses` |
//!
//! Each request type has a file (`chat_request`), so has what is said (`chat_response`) and how that is
//! written in events (`chat_chunks`); what is between is in `messages`, `tools` and `fields`.

mod chat;
mod chat_chunks;
mod chat_request;
mod chat_response;
mod embeddings;
mod error_body;
mod fields;
pub mod limits;
mod list_models;
mod logprobs;
mod messages;
mod responses;
mod routes;
pub(crate) mod schemas;
mod text;
mod text_chunks;
mod text_request;
mod text_response;
mod tools;
mod usage;

pub(crate) use chat_request::FunctionField;
use error_body::OpenAiError;
pub(crate) use fields::n_tokens;
pub(crate) use routes::openapi;
pub use routes::routes;
pub(crate) use tools::specs;
