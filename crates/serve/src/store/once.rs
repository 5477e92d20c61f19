//! Requests that count once: sent again with the same idempotency key, they have the first one's answer.

use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{Any, Row, Transaction};

use super::store::json_of;
use super::{Store, StoreError};

/// What makes a request count once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// Where the key counts, such as a route.
    pub scope: String,
    /// The client's key.
    pub key: String,
    /// Hash of what was asked; see [`asked_sha256`].
    pub asked_sha256: String,
}

/// The hash of a request, in lower-case hexadecimal. It is taken of the request as it was understood, so
/// the order of fields does not count where the order in `asked` does not.
pub fn asked_sha256(asked: &Value) -> String {
    let digest = Sha256::digest(asked.to_string().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// What the first request with this key was answered; `None` where this is the first.
    ///
    /// # Errors
    /// [`StoreError::OtherRequest`] where the first was another request.
    pub async fn answered(&self, once: &Once) -> Result<Option<Value>, StoreError> {
        let asked =
            "SELECT asked_sha256, answer FROM idempotency_keys WHERE scope = $1 AND name = $2";
        let found = sqlx::query(asked).bind(&once.scope).bind(&once.key);
        let Some(row) = found.fetch_optional(&self.pool).await? else { return Ok(None) };
        if row.try_get::<String, _>("asked_sha256")? != once.asked_sha256 {
            return Err(StoreError::OtherRequest(once.key.clone()));
        }
        let answer: String = row.try_get("answer")?;
        Ok(Some(json_of("idempotency key", &once.key, &answer)?))
    }

    /// Remembers the answer beside what else is written. False where another request with the key was
    /// quicker; nothing may be written then.
    pub(super) async fn remember(
        &self,
        writing: &mut Transaction<'static, Any>,
        once: &Once,
        answer: &Value,
    ) -> Result<bool, StoreError> {
        let write = "INSERT INTO idempotency_keys (scope, name, asked_sha256, answer, created_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let write = sqlx::query(write)
            .bind(&once.scope)
            .bind(&once.key)
            .bind(&once.asked_sha256)
            .bind(answer.to_string())
            .bind(self.now());
        Ok(write.execute(&mut **writing).await?.rows_affected() == 1)
    }
}
