//! From settings to a listening server, and its end.

mod config;
mod router;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod server;

pub use config::ServeConfig;
pub use router::router;
pub(crate) use router::wrong_method;
pub use server::{Server, Stopper};
