//! Keys that outlive the program: a JSON file of hashes, readable by its owner only.
//!
//! Two programs that change it wait for each other: they lock the folder that it is in, for the file itself is
//! replaced by each change.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::key_ring::hash;
use super::{GeneratedKey, Role};
use crate::ServeError;

/// Most bytes of a keys file; some ten thousand keys.
const MAX_BYTES: u64 = 2 << 20;

/// A file of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysFile {
    path: PathBuf,
}

/// A key as it is kept: what it is called, its hash, and what it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// What the key is called in logs and by people.
    pub name: String,
    /// SHA-256 of the key, in hexadecimal digits.
    pub sha256: String,
    /// What it opens.
    pub role: Role,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema_version: u32,
    keys: Vec<StoredKey>,
}

impl StoredKey {
    /// What is kept of this key.
    pub fn of(name: &str, key: &GeneratedKey, role: Role) -> StoredKey {
        let hex = |byte: &u8| format!("{byte:02x}");
        let sha256 = hash(key.reveal()).iter().map(hex).collect();
        StoredKey { name: name.to_owned(), sha256, role }
    }

    /// The first digits of its hash, by which people can tell it from others.
    pub fn fingerprint(&self) -> &str {
        self.sha256.get(..8).unwrap_or(&self.sha256)
    }

    pub(super) fn sha256_bytes(&self) -> Result<[u8; 32], ServeError> {
        let digits = self.sha256.as_bytes();
        let mut bytes = [0; 32];
        let is_hash = digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit);
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let text = std::str::from_utf8(pair).unwrap_or("");
            *byte = u8::from_str_radix(text, 16).unwrap_or(0);
        }
        is_hash.then_some(bytes).ok_or_else(|| ServeError::Setting {
            what: "keys file",
            message: format!("sha256 of key {:?} is not 64 hexadecimal digits", self.name),
        })
    }
}

impl KeysFile {
    /// The file at this path; it need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> KeysFile {
        KeysFile { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys in it; none where there is no file.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where it cannot be read or is not a keys file.
    pub fn read(&self) -> Result<Vec<StoredKey>, ServeError> {
        let length = match fs::metadata(&self.path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.refused(error)),
        };
        if length > MAX_BYTES {
            return Err(
                self.refused(format!("it has {length} bytes; at most {MAX_BYTES} are read"))
            );
        }
        let text = fs::read_to_string(&self.path).map_err(|error| self.refused(error))?;
        let written: Written = serde_json::from_str(&text).map_err(|error| self.refused(error))?;
        if written.schema_version != 1 {
            let found = written.schema_version;
            return Err(self.refused(format!("schema_version is {found}; this program reads 1")));
        }
        Ok(written.keys)
    }

    /// Adds a key; false where its name is taken.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where the file cannot be read or written.
    pub fn add(&self, key: StoredKey) -> Result<bool, ServeError> {
        self.change(|keys| {
            let is_new = keys.iter().all(|known| known.name != key.name);
            is_new.then(|| keys.push(key))
        })
    }

    /// Removes the key called `name`; false where there is none.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where the file cannot be read or written.
    pub fn remove(&self, name: &str) -> Result<bool, ServeError> {
        self.change(|keys| {
            let n_before = keys.len();
            keys.retain(|key| key.name != name);
            (keys.len() < n_before).then_some(())
        })
    }

    /// Writes the file anew where `change` says that it changed something.
    fn change(
        &self,
        change: impl FnOnce(&mut Vec<StoredKey>) -> Option<()>,
    ) -> Result<bool, ServeError> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let lock = || -> io::Result<fs::File> {
            fs::create_dir_all(folder)?;
            let folder = fs::File::open(folder)?;
            folder.lock()?;
            Ok(folder)
        };
        let _lock = lock().map_err(|error| self.refused(error))?;
        let mut keys = self.read()?;
        let has_changed = change(&mut keys).is_some();
        if has_changed {
            self.write(keys)?;
        }
        Ok(has_changed)
    }

    /// Writes these keys in the place of those that were there: a whole new file, then a rename, so that
    /// there is always a whole one.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where it cannot be written.
    pub fn write(&self, keys: Vec<StoredKey>) -> Result<(), ServeError> {
        let text = serde_json::to_string_pretty(&Written { schema_version: 1, keys })
            .map_err(|error| self.refused(error))?;
        let fresh = self.path.with_extension(format!("{}.part", std::process::id()));
        let write = || -> io::Result<()> {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut options = fs::OpenOptions::new();
            let mut file =
                options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&fresh, &self.path)
        };
        write().map_err(|error| self.refused(error))
    }

    fn refused(&self, message: impl std::fmt::Display) -> ServeError {
        let message = format!("{}: {message}", self.path.display());
        ServeError::Setting { what: "keys file", message }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::security::KeyRing;

    #[test]
    fn a_generated_key_opens_after_a_restart_and_is_nowhere_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeysFile::new(folder.path().join("data/keys.json"));
        assert_eq!(file.read().unwrap(), []);
        let key = GeneratedKey::draw().unwrap();
        assert!(key.reveal().starts_with("sk-stateset-") && key.reveal().len() >= 12 + 43);
        file.write(vec![StoredKey::of("first", &key, Role::Admin)]).unwrap();
        let text = fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains(key.reveal()) && !text.contains(&key.reveal()[12..]));
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        let mut ring = KeyRing::default();
        ring.add_stored(&file.read().unwrap()).unwrap();
        assert_eq!(ring.find(key.reveal()).unwrap().role, Role::Admin);
        assert!(ring.find(GeneratedKey::draw().unwrap().reveal()).is_none());
    }

    #[test]
    fn what_is_no_keys_file_is_refused_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let key = |sha: &str| format!(r#"{{"name": "a", "sha256": "{sha}", "role": "user"}}"#);
        let cases = [
            "".to_owned(),
            "[]".to_owned(),
            r#"{"schema_version": 2, "keys": []}"#.to_owned(),
            r#"{"schema_version": 1, "keys": [], "more": 1}"#.to_owned(),
            format!(r#"{{"schema_version": 1, "keys": [{}]}}"#, key("é").replace("user", "root")),
        ];
        for text in cases {
            fs::write(&path, &text).unwrap();
            let error = KeysFile::new(&path).read().unwrap_err().to_string();
            assert!(error.contains("keys.json"), "{text}: {error}");
        }
        for sha in ["", "é", &"g".repeat(64), &"0".repeat(63)] {
            fs::write(&path, format!(r#"{{"schema_version": 1, "keys": [{}]}}"#, key(sha)))
                .unwrap();
            let keys = KeysFile::new(&path).read().unwrap();
            assert!(KeyRing::default().add_stored(&keys).is_err(), "{sha:?}");
        }
    }
}
