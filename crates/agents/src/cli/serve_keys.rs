//! Where a server keeps its API keys: what `serve` and `keys` have in common.

use std::path::PathBuf;

use clap::Args;
use stateset_serve::security::{KeyStore, KeysFile};
use stateset_serve::store::{Clock, Place, Store};

use super::error::Outcome;
use super::serve_state::of_store;

/// Where a server keeps what it must not forget.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlaceArgs {
    /// Folder for what the server must not forget: its database, its keys and the run folders of trainings
    #[arg(long, value_name = "DIR", default_value = "./stateset-data", env = "STATESET_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    /// A PostgreSQL database instead of a file in the data folder, such as postgres://user@host/name;
    /// several servers may share it
    #[arg(long, value_name = "URL", env = "STATESET_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
}

impl PlaceArgs {
    /// Opens the database.
    pub(crate) async fn store(&self) -> Outcome<Store> {
        let place =
            Place { folder: self.data_dir.clone(), database_url: self.database_url.clone() };
        Store::open(&place, Clock::system()).await.map_err(of_store)
    }

    /// The file of keys where it is a file: the one that is named, or one in the data folder.
    pub(crate) fn keys_file(&self, named: Option<&PathBuf>) -> Option<KeysFile> {
        let of_folder = || self.database_url.is_none().then(|| self.data_dir.join("keys.json"));
        named.cloned().or_else(of_folder).map(KeysFile::new)
    }

    /// Where keys are kept: a file, or else the shared database.
    pub(crate) fn keys(&self, named: Option<&PathBuf>, store: &Store) -> KeyStore {
        match self.keys_file(named) {
            Some(file) => KeyStore::File(file),
            None => KeyStore::Database(store.clone()),
        }
    }
}
