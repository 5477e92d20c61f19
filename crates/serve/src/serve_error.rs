//! Why a server could not start or had to end.

use std::io;
use std::net::SocketAddr;

/// A failure that ends the server, as against those that end a request.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("listen on {address}: {source} (is another program there? choose one with --port)")]
    Bind {
        /// What was to be listened on.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The connection to clients broke as a whole.
    #[error("serve requests: {0}")]
    Io(#[from] io::Error),
    /// A setting makes no sense.
    #[error("{what}: {message}")]
    Setting {
        /// Which one, as the user gave it.
        what: &'static str,
        /// What is wrong, and what is allowed.
        message: String,
    },
}
