//! Who may ask for what: API keys, tokens, roles, lock-out, and which pages may call.
//!
//! A request passes [`admit`] before any handler sees it. On a loopback address without keys, whoever
//! reaches the server is the person who started it; everywhere else a key or a token is needed.

mod admit;
mod browser;
mod client;
mod generated_key;
mod identity;
mod key_ring;
mod key_store;
mod keys_file;
mod lockout;
mod origin;
mod role;
mod roles;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod security;
mod token;

pub(crate) use admit::admit;
pub use client::TrustedProxies;
pub use generated_key::GeneratedKey;
pub use identity::{Identity, Who};
pub use key_ring::{KeyRing, MIN_KEY_CHARS};
pub use key_store::{KeyStore, keep_keys_fresh, usual_name};
pub use keys_file::{KeysFile, StoredKey};
pub use lockout::Lockout;
pub use role::Role;
pub use roles::{Access, Need, access_of};
pub(crate) use security::presented;
pub use security::{Security, SecuritySettings};
pub use token::{Presented, TokenSettings, Tokens};
