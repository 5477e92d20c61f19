//! A key that the server makes itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Role, StoredKey};
use crate::ServeError;

/// What generated keys begin with, so that scanners of secrets find those that got out.
const PREFIX: &str = "sk-stateset-";

/// A fresh key of 256 random bits. It is shown once by [`GeneratedKey::reveal`] and never by `Debug`.
pub struct GeneratedKey(String);

impl GeneratedKey {
    /// Draws a key from the system's source of randomness.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where the system gives no randomness.
    pub fn draw() -> Result<GeneratedKey, ServeError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| ServeError::Setting {
            what: "generate an API key",
            message: format!("the system gives no randomness ({error}); give a key by --api-key"),
        })?;
        Ok(GeneratedKey(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What is kept of it: the key of an admin, for it was made because nobody could come in.
    pub fn stored(&self) -> StoredKey {
        StoredKey::of("generated", self, Role::Admin)
    }

    /// The key itself, to be shown to the person who started the server.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for GeneratedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedKey(..)")
    }
}
