//! Everything that can go wrong while talking to the outside. Messages finish "failed to ..." and end
//! with what the reader can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A model id is not written as one.
    #[error(
        "read the model id `{id}`: {problem}; write owner/name, owner/name@revision, or the path of \
         a folder that exists"
    )]
    BadId {
        /// What was given.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting, usually an environment variable, cannot be used.
    #[error("use the setting {name}: {problem}")]
    BadSetting {
        /// Name of the variable or field.
        name: &'static str,
        /// What was found and what is allowed; never a secret.
        problem: String,
    },
    /// Offline, and the cache does not hold a model that can be loaded.
    #[error(
        "find {id} in the cache {}: offline mode is on and the cache does not hold the whole \
         model; unset HF_HUB_OFFLINE, or give a local folder", cache.display()
    )]
    NotCached {
        /// The model.
        id: String,
        /// The cache that was searched.
        cache: PathBuf,
    },
    /// No connection to the hub.
    #[error(
        "download {id}: {host} cannot be reached from this machine ({cause}); check the network, \
         set HF_ENDPOINT to a mirror that can be reached, or give a local folder"
    )]
    Unreachable {
        /// The model.
        id: String,
        /// The host that was tried.
        host: String,
        /// What the attempt met.
        cause: String,
    },
    /// The hub knows no such model, or does not show it to this caller.
    #[error(
        "find {id} on {host}: there is no such model, or it is private (status {status}); check \
         the spelling, and for a private model set HF_TOKEN to a token that may read it"
    )]
    UnknownModel {
        /// The model.
        id: String,
        /// The host that answered.
        host: String,
        /// Status of the answer.
        status: u16,
    },
    /// The model exists, this branch, tag or commit of it does not.
    #[error("find revision `{revision}` of {id} on {host}: there is no such branch, tag or commit")]
    UnknownRevision {
        /// The model.
        id: String,
        /// The revision asked for.
        revision: String,
        /// The host that answered.
        host: String,
    },
    /// The model is given only to accounts that were granted access.
    #[error(
        "read {id} on {host}: access is restricted (status {status}); ask for access on the \
         model's page, then set HF_TOKEN to a token of the account that was granted it"
    )]
    Gated {
        /// The model.
        id: String,
        /// The host that answered.
        host: String,
        /// Status of the answer.
        status: u16,
    },
    /// The hub does not accept the token.
    #[error(
        "read {id} on {host}: the token is not accepted; set HF_TOKEN to a valid one, or unset it \
         for public models"
    )]
    BadToken {
        /// The model.
        id: String,
        /// The host that answered.
        host: String,
    },
    /// Any other answer that is not a success.
    #[error("read {id} on {host}: it answered with status {status}{message}; try again later")]
    Refused {
        /// The model.
        id: String,
        /// The host that answered.
        host: String,
        /// Status of the answer.
        status: u16,
        /// What the server said, in parentheses, or nothing.
        message: String,
    },
    /// The server answered in a way that makes no sense.
    #[error("understand the answer of {host} about {id}: {problem}; check HF_ENDPOINT")]
    BadAnswer {
        /// The model.
        id: String,
        /// The host that answered.
        host: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The repository has weights in other formats only.
    #[error(
        "load {id}: it has no safetensors weights, {found}; convert them with `save_pretrained(.., \
         safe_serialization=True)` and give the local folder, or pick another model", found = list_of(found)
    )]
    NoSafetensors {
        /// The model.
        id: String,
        /// Files that look like weights in other formats.
        found: Vec<String>,
    },
    /// A file that the model cannot do without is not in its repository.
    #[error(
        "load {id}: its repository has no `{file}`; it may be incomplete, pick another revision"
    )]
    MissingFile {
        /// The model.
        id: String,
        /// The file.
        file: String,
    },
    /// A file name from outside that could leave the model's folder.
    #[error("download {id}: it names a file {name:?}, which is not a plain file name")]
    UnsafeName {
        /// The model.
        id: String,
        /// The name found.
        name: String,
    },
    /// The download is larger than the caller allows.
    #[error("download {id}: {found_bytes} bytes are more than the limit of {limit_bytes}")]
    TooLarge {
        /// The model.
        id: String,
        /// Size of what is to be downloaded.
        found_bytes: u64,
        /// The limit set.
        limit_bytes: u64,
    },
    /// The model has more files than the caller allows.
    #[error("download {id}: {found} files are more than the limit of {limit}")]
    TooManyFiles {
        /// The model.
        id: String,
        /// Number of files.
        found: usize,
        /// The limit set.
        limit: usize,
    },
    /// There is no room left.
    #[error(
        "write {}: the disk is full, {needed_bytes} more bytes are needed; make room and run it \
         again, or set HF_HOME to a folder on another disk", path.display()
    )]
    DiskFull {
        /// File or folder that was written to.
        path: PathBuf,
        /// Bytes that were still to be written.
        needed_bytes: u64,
    },
    /// What arrived is not what was announced. It has been deleted.
    #[error("download `{file}` of {id}: {problem}; what arrived was deleted, run it again")]
    Damaged {
        /// The model.
        id: String,
        /// The file.
        file: String,
        /// What was found and what was announced.
        problem: String,
    },
    /// The connection broke. What arrived is kept.
    #[error(
        "download `{file}` of {id}: the connection broke after {done_bytes} of {total_bytes} bytes \
         ({cause}); run it again to continue from there"
    )]
    Interrupted {
        /// The model.
        id: String,
        /// The file.
        file: String,
        /// Bytes of it that are on disk.
        done_bytes: u64,
        /// Its size.
        total_bytes: u64,
        /// What happened.
        cause: String,
    },
    /// A file or folder of the cache cannot be used.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// `read`, `write` or the like.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ConnectError {
    /// True where the same request may succeed a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            ConnectError::Interrupted { .. } => true,
            ConnectError::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
            _ => false,
        }
    }

    /// True where the hub is not there at all, so that an older copy is better than nothing.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            ConnectError::Unreachable { .. } => true,
            ConnectError::Refused { status, .. } => *status >= 500,
            _ => false,
        }
    }

    /// A failure of the file system.
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> ConnectError {
        ConnectError::File { action, path: path.to_owned(), source }
    }

    /// A failure to write, with `needed_bytes` still to go.
    pub(crate) fn write(path: &Path, needed_bytes: u64, source: io::Error) -> ConnectError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ConnectError::DiskFull { path: path.to_owned(), needed_bytes }
            }
            _ => ConnectError::file("write", path, source),
        }
    }
}

fn list_of(found: &[String]) -> String {
    if found.is_empty() {
        return "nor any in another known format".to_owned();
    }
    format!("only {}", found.join(", "))
}
