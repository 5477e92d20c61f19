//! The HTTP service: agents that answer over the network, and training that is asked for there.
//!
//! | module | what |
//! |---|---|
//! | [`answer`] | one answer of a model, piece by piece |
//! | [`app`] | what all handlers share |
//! | [`server`] | from settings to a listening server, and its end |
//! | [`body`] | JSON bodies of requests, and what is wrong with them |
//! | [`models`] | the models that answer, and changing their weights while they do |
//! | [`api_error`] | every refusal: a stable code, a message, the place, in the words of each API |
//! | [`security`] | who may ask for what: keys, tokens, roles, lock-out, pages of other sites |
//! | [`limits`] | how much one caller, one request and all of them may take |
//! | [`observe`] | measurements, health, request ids, slow requests |
//! | [`openai`] | routes that speak as OpenAI's API does |

pub mod answer;
pub mod api_error;
pub mod app;
pub mod body;
pub mod limits;
pub mod models;
pub mod observe;
pub mod openai;
pub mod security;
mod serve_error;
pub mod server;

pub use app::App;
pub use models::{LoadOptions, Models, ServedModel};
pub use serve_error::ServeError;
pub use server::{ServeConfig, Server, Stopper};
