//! The API keys a server takes.
//!
//! A key is kept as its SHA-256 only. That is enough for keys the server makes (256 random bits cannot be
//! guessed from a hash, so a slow hash would protect nothing) and those are the only ones that are
//! written to disk; keys that people chose stay in memory.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::keys_file::StoredKey;
use super::{Identity, Role, Who};
use crate::ServeError;

/// Fewest characters of a key that a person chose.
pub const MIN_KEY_CHARS: usize = 12;

struct Key {
    name: Arc<str>,
    sha256: [u8; 32],
    role: Role,
}

/// The API keys a server takes.
#[derive(Default)]
pub struct KeyRing {
    keys: Vec<Key>,
}

impl KeyRing {
    /// True where no key opens anything.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes a key that a person chose; `source` says where it was given, for messages.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where it is shorter than [`MIN_KEY_CHARS`] or could not be sent in a header.
    pub fn add(&mut self, source: &'static str, key: &str, role: Role) -> Result<(), ServeError> {
        let refused = |message: String| ServeError::Setting {
            what: source,
            message: message + "; it is not shown here",
        };
        if key.chars().count() < MIN_KEY_CHARS {
            return Err(refused(format!("a key has at least {MIN_KEY_CHARS} characters")));
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused("a key is made of visible ASCII characters".to_owned()));
        }
        let name = format!("{source}#{}", self.keys.len() + 1);
        self.keys.push(Key { name: name.into(), sha256: hash(key), role });
        Ok(())
    }

    /// Takes keys of a list such as `first-key:user,second-key:trainer|admin`; keys without a role are of
    /// users.
    ///
    /// # Errors
    /// As [`KeyRing::add`], and where a role is unknown.
    pub fn add_list(&mut self, source: &'static str, list: &str) -> Result<(), ServeError> {
        for (index, entry) in list.split(',').map(str::trim).enumerate() {
            if entry.is_empty() {
                continue;
            }
            let (key, role) = match entry.rsplit_once(':') {
                Some((key, roles)) => (key, Role::highest(roles)),
                None => (entry, Some(Role::User)),
            };
            let role = role.ok_or_else(|| ServeError::Setting {
                what: source,
                message: format!(
                    "entry {} names an unknown role; entries are KEY:ROLE|ROLE with user, trainer or admin",
                    index + 1
                ),
            })?;
            self.add(source, key, role)?;
        }
        Ok(())
    }

    /// Takes keys of a keys file.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where a hash is not one.
    pub fn add_stored(&mut self, stored: &[StoredKey]) -> Result<(), ServeError> {
        for key in stored {
            let sha256 = key.sha256_bytes()?;
            self.keys.push(Key { name: key.name.as_str().into(), sha256, role: key.role });
        }
        Ok(())
    }

    /// A ring with these keys of a keys file or database alone.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where a hash is not one.
    pub(super) fn of_stored(stored: &[StoredKey]) -> Result<KeyRing, ServeError> {
        let mut ring = KeyRing::default();
        ring.add_stored(stored)?;
        Ok(ring)
    }

    /// Whose key this is. Every key is compared, each in constant time, so that the time says nothing.
    pub fn find(&self, presented: &str) -> Option<Identity> {
        let presented = hash(presented);
        let mut found = None;
        for key in &self.keys {
            if bool::from(key.sha256.ct_eq(&presented)) {
                found = Some(key);
            }
        }
        found.map(|key| Identity { who: Who::Key(Arc::clone(&key.name)), role: key.role })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} keys)", self.keys.len())
    }
}

pub(super) fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "correct-horse-battery";

    #[test]
    fn a_key_opens_with_its_role_and_no_other_does() {
        let mut ring = KeyRing::default();
        ring.add("--api-key", KEY, Role::Trainer).unwrap();
        assert_eq!(ring.find(KEY).unwrap().role, Role::Trainer);
        for wrong in ["", "correct-horse-batterz", "correct-horse-batter", "correct-horse-battery "]
        {
            assert_eq!(ring.find(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn lists_are_read_as_documented() {
        let mut ring = KeyRing::default();
        ring.add_list(
            "API_KEYS",
            "plain-key-of-user, with:colon:inside:admin ,trainer-key-1:user|trainer,",
        )
        .unwrap();
        let role = |key: &str| ring.find(key).map(|identity| identity.role);
        assert_eq!(role("plain-key-of-user"), Some(Role::User));
        assert_eq!(role("with:colon:inside"), Some(Role::Admin));
        assert_eq!(role("trainer-key-1"), Some(Role::Trainer));
    }

    #[test]
    fn refused_keys_are_not_repeated() {
        let mut ring = KeyRing::default();
        for list in [
            "short",
            "secret-secret-secret:root",
            "secret secret secret:user",
            "sécret-sécret-é:user",
        ] {
            let error = ring.add_list("API_KEYS", list).unwrap_err().to_string();
            assert!(error.starts_with("API_KEYS: ") && !error.contains("cret"), "{error}");
        }
        assert!(ring.is_empty());
    }
}
