//! Everything that talks to the outside for an agent; for now the model hub.
//!
//! [`Hub`] turns a model id such as `owner/name` into a local folder that the engine can load. It
//! blocks, so asynchronous callers run it in a blocking task. Only [`HubSettings::from_env`] reads
//! environment variables.

mod error;
mod hub;

pub use error::ConnectError;
pub use hub::{DEFAULT_ENDPOINT, Hub, HubSettings, ModelId, Progress, Token};
