//! The model hub: ids, settings, Hugging Face's cache layout, and downloads.

mod attempts;
mod cache;
mod download;
mod fetch;
mod files;
mod model_id;
mod settings;
mod transport;
mod url;

pub use fetch::{Hub, Progress};
pub use model_id::ModelId;
pub use settings::{DEFAULT_ENDPOINT, HubSettings, Token};
