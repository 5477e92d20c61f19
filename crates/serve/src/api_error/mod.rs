//! Every refusal of a request: a stable code, a message a person understands, and the place at fault.
//!
//! Handlers return an [`ApiError`] and know nothing of how it is written: the routes of each API carry a
//! layer ([`layer`]) that writes it in that API's words, and what stands around every request writes the
//! rest in this server's own, which tell of the request too.

#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod api_error;
mod dialect;
mod full_disk;
mod own_body;

pub use api_error::ApiError;
pub(crate) use dialect::written;
pub use dialect::{Dialect, layer};
pub(crate) use full_disk::{full_disk, is_full_disk};
pub(crate) use own_body::{Asked, OwnError, words_of_path};
