//! API keys of servers that share a database, as hashes.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};
use crate::security::StoredKey;

impl Store {
    /// Keeps a key; false where its name is taken.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn add_key(&self, key: &StoredKey) -> Result<bool, StoreError> {
        let write = "INSERT INTO api_keys (name, sha256, role, created_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (name) DO NOTHING";
        let write = sqlx::query(write)
            .bind(&key.name)
            .bind(&key.sha256)
            .bind(key.role.name())
            .bind(self.now());
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let asked = "SELECT name, sha256, role FROM api_keys ORDER BY created_at, name";
        let rows = sqlx::query(asked).fetch_all(&self.pool).await?;
        rows.iter().map(key_of).collect()
    }

    /// Forgets a key; false where there is none of this name.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn remove_key(&self, name: &str) -> Result<bool, StoreError> {
        let write = sqlx::query("DELETE FROM api_keys WHERE name = $1").bind(name);
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }
}

fn key_of(row: &AnyRow) -> Result<StoredKey, StoreError> {
    let (name, role): (String, String) = (row.try_get("name")?, row.try_get("role")?);
    let damaged = |message| StoreError::Damaged { what: "API key", id: name.clone(), message };
    let role = role.parse().map_err(damaged)?;
    Ok(StoredKey { sha256: row.try_get("sha256")?, role, name })
}
