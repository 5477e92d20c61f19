//! The HTTP service: agents that answer over the network, and training that is asked for there.
//!
//! | module | what |
//! |---|---|
//! | [`agents`] | agents that clients describe |
//! | [`answer`] | one answer of a model, piece by piece |
//! | [`embedding`] | texts to vectors |
//! | [`app`] | what all handlers share |
//! | [`server`] | from settings to a listening server, and its end |
//! | [`body`] | JSON bodies of requests, and what is wrong with them |
//! | [`gateway`] | training programs that call a model, unchanged |
//! | [`models`] | the models that answer, and changing their weights while they do |
//! | [`api_error`] | every refusal: a stable code, a message, the place, in the words of each API |
//! | `objects_only` | structures are read from JSON objects and from nothing else |
//! | `path_name` | the name in a path |
//! | `description` | the server's own OpenAPI document |
//! | [`conversations`] | conversations whose history the server keeps |
//! | [`jobs`] | training that is asked for over HTTP |
//! | [`security`] | who may ask for what: keys, tokens, roles, lock-out, pages of other sites |
//! | [`limits`] | how much one caller and all requests may take |
//! | [`observe`] | measurements, health, request ids, slow requests, spans |
//! | [`dashboard`] | pages for people |
//! | [`openai`] | routes that speak as OpenAI's API does |
//! | [`anthropic`] | routes that speak as Anthropic's API does |
//! | `wire` | what such routes share on their way to an answer and back |
//! | [`services`] | the documented routes of the service, over the same state |
//! | [`DataDisk`] | the disk of checkpoints, and of health |
//! | [`LinesFile`] | files that only grow |
//! | [`store`] | what a server remembers, in a database |

pub mod agents;
pub mod answer;
pub mod anthropic;
pub mod api_error;
pub mod app;
pub mod body;
mod constraint;
pub mod conversations;
pub mod dashboard;
mod data_disk;
mod description;
pub mod embedding;
pub mod gateway;
pub mod jobs;
pub mod limits;
mod lines_file;
pub mod models;
mod objects_only;
pub mod observe;
pub mod openai;
mod path_name;
pub mod security;
mod serve_error;
pub mod server;
pub mod services;
pub mod store;
mod wire;

pub use app::App;
pub use data_disk::DataDisk;
pub use lines_file::LinesFile;
pub use models::{Library, LoadOptions, Loaded, Models, OpenModel, ServedModel};
pub use serve_error::ServeError;
pub use server::{ServeConfig, Server, Stopper};
pub use services::Services;
