//! Which trainings are served, and by what names.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError};

impl Store {
    /// Remembers that the model of a job is served by `name`, instead of what was served by it before.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn set_deployment(&self, name: &str, job_id: &str) -> Result<(), StoreError> {
        let write = "INSERT INTO deployments (name, job_id, created_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (name) DO UPDATE SET job_id = $2, created_at = $3";
        let write = sqlx::query(write).bind(name).bind(job_id).bind(self.now());
        write.execute(&self.pool).await?;
        Ok(())
    }

    /// Names with the jobs whose models are served by them, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn deployments(&self) -> Result<Vec<(String, String)>, StoreError> {
        let asked = "SELECT name, job_id FROM deployments ORDER BY created_at, name";
        let rows = sqlx::query(asked).fetch_all(&self.pool).await?;
        let pair = |row: &AnyRow| Ok((row.try_get("name")?, row.try_get("job_id")?));
        rows.iter().map(pair).collect()
    }
}
