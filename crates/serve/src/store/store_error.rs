//! Why something could not be remembered.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::StatusCode;

use crate::api_error::{ApiError, full_disk};

/// Why something could not be written to or read from the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder is used by another process.
    #[error(
        "use the data folder {}: another server holds it (choose another by --data-dir, or share a \
         PostgreSQL database by --database-url)", folder.display()
    )]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The data folder cannot be used.
    #[error("use the data folder {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address of the database is none that can be used.
    #[error("use the database {shown}: {message}")]
    Address {
        /// The address without its password.
        shown: String,
        /// What is wrong, and what is allowed.
        message: String,
    },
    /// The database's layout could not be brought up to date.
    #[error("bring the database up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database does not answer; it may come back.
    #[error("reach the database: {0}")]
    Unavailable(sqlx::Error),
    /// The disk under the database is full or cannot be written.
    #[error("write to the database's disk: {0}")]
    Full(sqlx::Error),
    /// What was read is not what this program writes.
    #[error("read {what} {id:?} from the database: {message}")]
    Damaged {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
        /// What is wrong with it.
        message: String,
    },
    /// The request of this idempotency key was another one.
    #[error("the idempotency key {0:?} was used for another request")]
    OtherRequest(String),
    /// Somebody else changed the same thing meanwhile.
    #[error("change {what} {id:?}: it was changed by somebody else meanwhile")]
    Changed {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
    },
    /// A text holds a character that the database cannot keep.
    #[error("keep a text with the character U+0000")]
    Text,
    /// The database refused.
    #[error("ask the database: {0}")]
    Sql(sqlx::Error),
}

/// SQLite's codes for a full disk and for failed writes, without their finer distinctions.
const SQLITE_FULL: [i64; 2] = [13, 10];

/// Its codes for waiting too long for another writer.
const SQLITE_BUSY: [i64; 2] = [5, 6];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => StoreError::Unavailable(error),
            sqlx::Error::Database(of_database) => {
                let code = of_database.code().unwrap_or_default().into_owned();
                match kind_of(&code) {
                    Kind::Away => StoreError::Unavailable(error),
                    Kind::Full => StoreError::Full(error),
                    Kind::Text => StoreError::Text,
                    Kind::Other => StoreError::Sql(error),
                }
            }
            _ => StoreError::Sql(error),
        }
    }
}

enum Kind {
    Away,
    Full,
    Text,
    Other,
}

/// PostgreSQL's codes have five characters, SQLite's are numbers of fewer.
fn kind_of(code: &str) -> Kind {
    if code.len() == 5 {
        return match code {
            "53100" => Kind::Full,
            "22021" => Kind::Text,
            // Lost connections, too little of something, and shut down or starting up.
            _ if ["08", "53", "57P"].iter().any(|class| code.starts_with(class)) => Kind::Away,
            _ => Kind::Other,
        };
    }
    // The lowest byte is the kind, the others say more of it.
    match code.parse::<i64>().map(|number| number & 0xff) {
        Ok(kind) if SQLITE_FULL.contains(&kind) => Kind::Full,
        Ok(kind) if SQLITE_BUSY.contains(&kind) => Kind::Away,
        _ => Kind::Other,
    }
}

/// How long clients are asked to wait for a database that is away.
const AWAY: Duration = Duration::from_secs(2);

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match &error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "a request found no database");
                let message = "the database does not answer; nothing was changed, try again";
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "database_unavailable", message)
                    .retry_after(AWAY)
            }
            StoreError::Full(_) => full_disk(error),
            StoreError::OtherRequest(key) => {
                let message = format!(
                    "the idempotency key {key:?} was used for another request; use a new one"
                );
                ApiError::new(StatusCode::CONFLICT, "idempotency_conflict", message)
                    .at("idempotency_key")
            }
            StoreError::Changed { what, id } => {
                let message = format!("the {what} {id:?} was changed or removed meanwhile");
                ApiError::new(StatusCode::CONFLICT, "changed_meanwhile", message)
            }
            StoreError::Text => {
                let message = "a text of the request holds the character U+0000";
                ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", message)
            }
            _ => ApiError::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_databases_are_told_apart() {
        for away in ["57P01", "08006", "53300", "5", "261"] {
            assert!(matches!(kind_of(away), Kind::Away), "{away}");
        }
        for full in ["53100", "13", "10", "778"] {
            assert!(matches!(kind_of(full), Kind::Full), "{full}");
        }
        for other in ["23505", "42P01", "42601", "19", "1555", ""] {
            assert!(matches!(kind_of(other), Kind::Other), "{other}");
        }
    }
}
