//! Where keys are kept that outlive the program, and changes of them while a server runs.
//!
//! The file in the data folder is the usual place: it can be changed beside a running server, which holds
//! the SQLite database for itself. Servers that share a database share its keys.

use std::sync::Arc;
use std::time::Duration;

use super::keys_file::{KeysFile, StoredKey};
use super::{Role, Security};
use crate::ServeError;
use crate::store::Store;

/// Most characters of a key's name.
const MAX_NAME_CHARS: usize = 100;

/// How often a running server looks for keys that were added or revoked.
const LOOK: Duration = Duration::from_secs(2);

/// Where keys are kept.
#[derive(Clone, Debug)]
pub enum KeyStore {
    /// A file.
    File(KeysFile),
    /// The database that servers share.
    Database(Store),
}

impl KeyStore {
    /// All keys.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where they cannot be read.
    pub async fn read(&self) -> Result<Vec<StoredKey>, ServeError> {
        match self {
            KeyStore::File(file) => blocking(file, KeysFile::read).await,
            KeyStore::Database(store) => store.keys().await.map_err(of_database),
        }
    }

    /// Keeps a key.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where its name is taken or cannot be one, or where it cannot be written.
    pub async fn add(&self, key: &StoredKey) -> Result<(), ServeError> {
        check_name(&key.name)?;
        let key = key.clone();
        let name = key.name.clone();
        let is_new = match self {
            KeyStore::File(file) => blocking(file, move |file| file.add(key)).await?,
            KeyStore::Database(store) => store.add_key(&key).await.map_err(of_database)?,
        };
        if is_new {
            return Ok(());
        }
        let message =
            format!("there is a key called {name:?} already; revoke it, or take another name");
        Err(ServeError::Setting { what: "--name", message })
    }

    /// Forgets the key called `name`. A running server takes it for two seconds more at most.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where there is none, with the names there are.
    pub async fn revoke(&self, name: &str) -> Result<(), ServeError> {
        let wanted = name.to_owned();
        let was_there = match self {
            KeyStore::File(file) => blocking(file, move |file| file.remove(&wanted)).await?,
            KeyStore::Database(store) => store.remove_key(name).await.map_err(of_database)?,
        };
        if was_there {
            return Ok(());
        }
        let names: Vec<String> = self.read().await?.into_iter().map(|key| key.name).collect();
        let message = match names.is_empty() {
            true => format!("there is no key {name:?}; none are kept here"),
            false => format!("there is no key {name:?}; those there are: {}", names.join(", ")),
        };
        Err(ServeError::Setting { what: "revoke a key", message })
    }
}

/// Tells `security` of keys that were added or revoked, as long as the server runs. While they cannot be
/// read, those that were read last count.
pub async fn keep_keys_fresh(kept: KeyStore, security: Arc<Security>) {
    let mut is_readable = true;
    loop {
        tokio::time::sleep(LOOK).await;
        let renewed = kept.read().await.and_then(|keys| security.renew(&keys));
        match renewed {
            Ok(()) => is_readable = true,
            Err(error) if is_readable => {
                tracing::warn!(%error, "API keys cannot be read again; those known before count");
                is_readable = false;
            }
            Err(_) => {}
        }
    }
}

/// The name of a key of this role that was given none.
pub fn usual_name(role: Role, key: &StoredKey) -> String {
    format!("{role}-{}", key.fingerprint())
}

fn check_name(name: &str) -> Result<(), ServeError> {
    let n = name.chars().count();
    if (1..=MAX_NAME_CHARS).contains(&n) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    let message = format!(
        "a name has 1 to {MAX_NAME_CHARS} characters, none of them invisible; found {name:?}"
    );
    Err(ServeError::Setting { what: "--name", message })
}

async fn blocking<T: Send + 'static>(
    file: &KeysFile,
    work: impl FnOnce(&KeysFile) -> Result<T, ServeError> + Send + 'static,
) -> Result<T, ServeError> {
    let file = file.clone();
    let done = tokio::task::spawn_blocking(move || work(&file)).await;
    done.unwrap_or_else(|error| {
        Err(ServeError::Setting { what: "keys file", message: error.to_string() })
    })
}

fn of_database(error: crate::store::StoreError) -> ServeError {
    ServeError::Setting { what: "keys in the database", message: format!("failed to {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::GeneratedKey;
    use crate::store::{Clock, Place};

    /// Both places, in a folder.
    async fn places(folder: &std::path::Path) -> [KeyStore; 2] {
        let place = Place { folder: folder.to_owned(), database_url: None };
        let store = Store::open(&place, Clock::system()).await.unwrap();
        [KeyStore::File(KeysFile::new(folder.join("keys.json"))), KeyStore::Database(store)]
    }

    #[tokio::test]
    async fn keys_are_added_once_and_revoked_once() {
        let folder = tempfile::tempdir().unwrap();
        for kept in places(folder.path()).await {
            let key = GeneratedKey::draw().unwrap();
            let first = StoredKey::of("first", &key, Role::Trainer);
            kept.add(&first).await.unwrap();
            let second = StoredKey::of("second", &GeneratedKey::draw().unwrap(), Role::User);
            kept.add(&second).await.unwrap();
            assert_eq!(kept.read().await.unwrap(), [first.clone(), second.clone()]);
            let taken = kept.add(&first).await.unwrap_err().to_string();
            assert!(taken.contains("\"first\" already"), "{taken}");
            kept.revoke("first").await.unwrap();
            let gone = kept.revoke("first").await.unwrap_err().to_string();
            assert!(gone.contains("those there are: second"), "{gone}");
            assert_eq!(kept.read().await.unwrap(), [second]);
            for name in ["", "a\nb", &"x".repeat(101)] {
                assert!(
                    kept.add(&StoredKey { name: name.to_owned(), ..first.clone() }).await.is_err()
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_server_hears_of_both_and_never_opens_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeyStore::File(KeysFile::new(folder.path().join("keys.json")));
        let security = Arc::new(Security::default());
        assert_eq!(security.anonymous(true), Some(Role::Admin));
        let key = GeneratedKey::draw().unwrap();
        kept.add(&StoredKey::of("first", &key, Role::User)).await.unwrap();
        security.renew(&kept.read().await.unwrap()).unwrap();
        assert_eq!(security.role_of(key.reveal()), Some(Role::User));
        assert_eq!(security.anonymous(true), None);
        kept.revoke("first").await.unwrap();
        let watching = tokio::spawn(keep_keys_fresh(kept, security.clone()));
        while security.role_of(key.reveal()).is_some() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        // The last key is gone, which must not make an admin of everyone.
        assert_eq!(security.anonymous(true), None);
        watching.abort();
    }
}
