//! From settings to a listening server, and its end.

mod config;
mod connection;
mod headers;
mod router;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod server;
mod tls;

pub use config::ServeConfig;
pub use headers::check_origin;
pub(crate) use headers::protect;
#[cfg(test)]
pub(crate) use router::paths;
pub use router::router;
pub(crate) use router::wrong_method;
pub use server::{Server, Stopper};
pub use tls::TlsFiles;
