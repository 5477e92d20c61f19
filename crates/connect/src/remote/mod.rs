//! Policies behind HTTP, and what every call over HTTP shares: the client, secrets, errors.

mod answer;
mod call_error;
mod chat_wire;
mod client;
mod policy;
mod secret;

pub(crate) use answer::read_text;
pub use call_error::RemoteError;
pub use chat_wire::Usage;
pub(crate) use client::{checked_url, http_client, no_answer, without_secrets};
pub use policy::{RemotePolicy, RemotePolicySettings};
pub use secret::Secret;
