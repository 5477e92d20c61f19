//! The HTTP service: agents that answer over the network, and training that is asked for there.
//!
//! | module | what |
//! |---|---|
//! | [`answer`] | one answer of a model, piece by piece |
//! | [`app`] | what all handlers share |
//! | [`server`] | from settings to a listening server, and its end |
//! | [`body`] | JSON bodies of requests, and what is wrong with them |
//! | [`gateway`] | training programs that call a model, unchanged |
//! | [`models`] | the models that answer, and changing their weights while they do |
//! | [`api_error`] | every refusal: a stable code, a message, the place, in the words of each API |
//! | [`openai`] | routes that speak as OpenAI's API does |
//! | [`anthropic`] | routes that speak as Anthropic's API does |
//! | `wire` | what such routes share on their way to an answer and back |

pub mod answer;
pub mod anthropic;
pub mod api_error;
pub mod app;
pub mod body;
pub mod gateway;
pub mod models;
pub mod openai;
mod serve_error;
pub mod server;
mod wire;

pub use app::App;
pub use models::{LoadOptions, Models, ServedModel};
pub use serve_error::ServeError;
pub use server::{ServeConfig, Server, Stopper};
