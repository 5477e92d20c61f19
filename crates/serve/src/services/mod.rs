//! The documented routes of the service, over one state.
//!
//! | file | routes |
//! |---|---|
//! | `index` | `GET /` |
//! | `chat` | `POST /api/chat`, `/chat/start`, `/chat/{id}/message` and their neighbours |
//! | `figures` | `GET /api/metrics` |
//! | `scale` | `POST /api/scale` |
//! | `socket` | WebSocket `/ws` |
//! | `stream` | `/api/v1/stream/chat` |
//!
//! Agents, conversations and jobs have folders of their own; where two documents name one thing
//! differently, both names lead to the same handlers.

mod chat;
mod fields;
mod figures;
mod index;
mod memory;
mod query;
mod routes;
mod scale;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod services;
mod socket;
mod stream;

pub(crate) use chat::ChatPaths;
pub(crate) use fields::{OnceHeader, check_text, unusable, with_key};
pub(crate) use memory::available_bytes;
pub(crate) use query::{List, ListParams, ListQuery};
pub(crate) use routes::ServicePaths;
pub use routes::routes;
pub use services::Services;
