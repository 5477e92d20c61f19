//! The database of a server, opened and migrated.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyPool, Connection, Transaction};
use uuid::Uuid;

use super::migrations::migrator;
use super::{Clock, StoreError};

/// Where a server keeps what it must not forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Folder of run folders and, without `database_url`, of the database.
    pub folder: PathBuf,
    /// Address of a PostgreSQL database, such as `postgres://user@host/name`.
    pub database_url: Option<String>,
}

/// The database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) pool: AnyPool,
    clock: Clock,
    kind: Kind,
    /// Held until the store is closed: one process at a time has the file.
    lock: Arc<Mutex<Option<File>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// Connections to the database.
const MAX_CONNECTIONS: u32 = 8;

/// How long a request waits for a connection before the database counts as away.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// What every connection to SQLite begins with. `FULL` writes through to the disk at each commit.
const SQLITE_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 3000";

/// No lease or claim lasts as long. One that ends later was given before the database's clock was set back,
/// and holds nobody up.
pub(super) const LONGEST_LEASE_MILLIS: i64 = 60 * 60 * 1000;

/// How long an idempotency key is remembered.
const KEYS_KEPT_MILLIS: i64 = 24 * 60 * 60 * 1000;

impl Store {
    /// Opens the database, makes it where it is absent, and brings its layout up to date.
    ///
    /// # Errors
    /// [`StoreError`] where the folder is in use or cannot be written, or the database does not answer.
    pub async fn open(place: &Place, clock: Clock) -> Result<Store, StoreError> {
        sqlx::any::install_default_drivers();
        let of_folder = |source| StoreError::Folder { folder: place.folder.clone(), source };
        std::fs::create_dir_all(&place.folder).map_err(of_folder)?;
        let store = match &place.database_url {
            Some(url) => Store::postgres(url, clock).await?,
            None => Store::sqlite(&place.folder, clock).await?,
        };
        migrator().run(&store.pool).await?;
        store.tidy().await?;
        Ok(store)
    }

    async fn sqlite(folder: &Path, clock: Clock) -> Result<Store, StoreError> {
        let lock = lock(folder)?;
        let file = folder.join("stateset.db");
        let shown = file.display().to_string();
        let url = format!("sqlite://{}?mode=rwc", escaped(&shown));
        let pool = AnyPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(MAX_WAIT)
            // SQLite ends a transaction by itself where the disk fails. The driver does not notice, and such
            // a connection would refuse every later one.
            .before_acquire(|connection, _| {
                Box::pin(async move { Ok(!connection.is_in_transaction()) })
            })
            .after_connect(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql(SQLITE_SETTINGS).execute(connection).await.map(|_| ())
                })
            })
            .connect_with(options(&url, &shown)?)
            .await?;
        Ok(Store { pool, clock, kind: Kind::Sqlite, lock: Arc::new(Mutex::new(Some(lock))) })
    }

    async fn postgres(url: &str, clock: Clock) -> Result<Store, StoreError> {
        let shown = without_password(url);
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let message = "it has to begin with postgres:// (without an address, a file in the data \
                           folder is used)";
            return Err(StoreError::Address { shown, message: message.to_owned() });
        }
        let pool = AnyPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(MAX_WAIT)
            .connect_with(options(url, &shown)?)
            .await?;
        Ok(Store { pool, clock, kind: Kind::Postgres, lock: Arc::default() })
    }

    /// The date, in milliseconds since 1970, by this process's clock: for what is shown.
    pub fn now(&self) -> i64 {
        self.clock.millis()
    }

    /// Now, by the clock that all who share the database agree on, for what lasts a while: PostgreSQL's, or
    /// the steady hand of the only process that has the file.
    ///
    /// # Errors
    /// [`StoreError`] where the database does not answer.
    pub async fn shared_now(&self) -> Result<i64, StoreError> {
        if self.kind == Kind::Sqlite {
            return Ok(self.clock.steady_millis());
        }
        let asked = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
        Ok(sqlx::query_scalar(asked).fetch_one(&self.pool).await?)
    }

    /// True where other processes may use the same database.
    pub fn is_shared(&self) -> bool {
        self.kind == Kind::Postgres
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError`] where it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        sqlx::query_scalar::<_, i64>("SELECT CAST(1 AS BIGINT)").fetch_one(&self.pool).await?;
        Ok(())
    }

    /// A new id with this prefix. Later ids sort after earlier ones.
    pub fn new_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", Uuid::now_v7().simple())
    }

    /// Forgets idempotency keys that are too old to be asked for again. A database of one process also
    /// forgets whom its conversations and jobs were claimed by: that process is gone.
    async fn tidy(&self) -> Result<(), StoreError> {
        let old = self.now() - KEYS_KEPT_MILLIS;
        let forget = "DELETE FROM idempotency_keys WHERE created_at < $1";
        sqlx::query(forget).bind(old).execute(&self.pool).await?;
        if self.kind == Kind::Sqlite {
            for free in [
                "UPDATE conversations SET claimed_until = 0 WHERE claimed_until > 0",
                "UPDATE jobs SET leased_until = 0 WHERE leased_until > 0",
            ] {
                sqlx::query(free).execute(&self.pool).await?;
            }
        }
        Ok(())
    }

    /// Begins to write several things at once.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(match self.kind {
            // Takes the right to write at once, so that two writers wait instead of failing.
            Kind::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Kind::Postgres => self.pool.begin().await?,
        })
    }

    /// Closes all connections, so that the data folder can be opened again.
    pub async fn close(&self) {
        self.pool.close().await;
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Text of a column that holds JSON, read back.
pub(super) fn json_of<T: serde::de::DeserializeOwned>(
    what: &'static str,
    id: &str,
    text: &str,
) -> Result<T, StoreError> {
    let damaged = |error: serde_json::Error| StoreError::Damaged {
        what,
        id: id.to_owned(),
        message: error.to_string(),
    };
    serde_json::from_str(text).map_err(damaged)
}

fn options(url: &str, shown: &str) -> Result<AnyConnectOptions, StoreError> {
    url.parse().map_err(|error: sqlx::Error| StoreError::Address {
        shown: shown.to_owned(),
        message: error.to_string(),
    })
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let of_folder = |source| StoreError::Folder { folder: folder.to_owned(), source };
    let path = folder.join("stateset.lock");
    let opened = File::options().write(true).create(true).truncate(false).open(path);
    let file = opened.map_err(of_folder)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(of_folder(source)),
    }
}

/// A path as part of an address.
fn escaped(path: &str) -> String {
    let one = |c: char| match c {
        '%' => "%25".to_owned(),
        '?' => "%3F".to_owned(),
        '#' => "%23".to_owned(),
        c => c.to_string(),
    };
    path.chars().map(one).collect()
}

/// An address that may be shown.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "(no address)".to_owned() };
    let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let place = place.split('?').next().unwrap_or_default();
    match user.split(':').next() {
        Some("") | None => format!("{scheme}://{place}"),
        Some(user) => format!("{scheme}://{user}@{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let shown = without_password("postgres://me:se@cret@host:5432/name?password=x");
        assert_eq!(shown, "postgres://me@host:5432/name");
        assert_eq!(without_password("postgres:///name"), "postgres:///name");
        assert_eq!(without_password("me:secret"), "(no address)");
    }

    #[tokio::test]
    async fn a_folder_is_used_by_one_store_at_a_time() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("odd % name? #1");
        let place = Place { folder, database_url: None };
        let first = Store::open(&place, Clock::system()).await.unwrap();
        first.check().await.unwrap();
        let error = Store::open(&place, Clock::system()).await.unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error}");
        first.close().await;
        Store::open(&place, Clock::system()).await.unwrap();
    }

    #[tokio::test]
    async fn other_databases_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let url = Some("mysql://me:secret@host/name".to_owned());
        let place = Place { folder: temp.path().to_owned(), database_url: url };
        let error = Store::open(&place, Clock::system()).await.unwrap_err().to_string();
        assert!(error.contains("postgres://") && !error.contains("secret"), "{error}");
    }
}
