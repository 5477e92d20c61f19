//! Holding a conversation while it is answered.

use std::time::Duration;

use crate::api_error::ApiError;
use crate::store::{Claimed, NewMessages, Store, StoreError};

/// How long a claim lasts without being renewed: how long a conversation stays busy when the process
/// that answers it dies.
const LEASE_MILLIS: i64 = 30_000;

/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// A conversation that nobody else can add to. Dropped, it is free again.
pub(super) struct Claim {
    store: Store,
    claimed: Option<Claimed>,
}

impl Claim {
    /// Takes a conversation.
    ///
    /// # Errors
    /// [`ApiError`] 404 where there is none, 409 where it is being answered.
    pub(super) async fn take(store: &Store, id: &str) -> Result<Claim, ApiError> {
        if let Some(claimed) = store.claim_conversation(id, LEASE_MILLIS).await? {
            return Ok(Claim { store: store.clone(), claimed: Some(claimed) });
        }
        if store.conversation(id).await?.is_none() {
            return Err(ApiError::not_found("conversation", id));
        }
        let message = "another message to this conversation is being answered; wait for its answer";
        Err(ApiError::new(axum::http::StatusCode::CONFLICT, "conversation_busy", message)
            .retry_after(Duration::from_secs(1)))
    }

    /// Does `work` and keeps the conversation meanwhile.
    pub(super) async fn during<T>(
        &self,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(RENEWED_EVERY) => self.renew().await?,
            }
        }
    }

    async fn renew(&self) -> Result<(), ApiError> {
        let Some(claimed) = &self.claimed else { return Ok(()) };
        match self.store.renew_claim(claimed, LEASE_MILLIS).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                Err(StoreError::Changed { what: "conversation", id: claimed.id.clone() }.into())
            }
            // The database may be back before the claim ends; the answer is not thrown away yet.
            Err(error) => {
                tracing::warn!(%error, "a conversation's claim could not be renewed");
                Ok(())
            }
        }
    }

    /// Writes messages and gives the conversation back.
    ///
    /// # Errors
    /// [`ApiError`] where the claim was lost or the database fails; nothing is written then.
    pub(super) async fn finish(mut self, new: &NewMessages) -> Result<(), ApiError> {
        let Some(claimed) = self.claimed.take() else { return Ok(()) };
        let written = self.store.add_messages(&claimed, new).await;
        if written.is_err() {
            self.claimed = Some(claimed);
        }
        Ok(written?)
    }
}

impl Claim {
    /// Gives the conversation back; where that fails, goes on trying in a task of its own.
    pub(super) async fn release(mut self) {
        if let Some(claimed) = &self.claimed
            && self.store.release_claim(claimed).await.is_ok()
        {
            self.claimed = None;
        }
    }
}

/// Gives a conversation back as soon as the database takes it, which may be away or full.
async fn release(store: &Store, claimed: &Claimed) {
    for _ in 0..LEASE_MILLIS / 1000 {
        match store.release_claim(claimed).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "a conversation is busy still"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let (Some(claimed), Ok(runtime)) =
            (self.claimed.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let store = self.store.clone();
        runtime.spawn(async move { release(&store, &claimed).await });
    }
}
