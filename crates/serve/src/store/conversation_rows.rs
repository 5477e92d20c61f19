//! Conversations as they are kept, and who may add to them.
//!
//! A conversation is claimed while it is answered, so that two messages at once cannot both be the next
//! one. A claim ends by itself after a while, for its holder may have died.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};
use stateset_core::{Message, MessageRecord};

use super::store::{LONGEST_LEASE_MILLIS, json_of};
use super::{Once, Page, PageAsked, Store, StoreError};

/// A conversation without its messages.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationRow {
    /// Its id.
    pub id: String,
    /// The agent that answers; removed agents leave `None`.
    pub agent_id: Option<String>,
    /// The served model that answers; the agent's or the server's first where `None`.
    pub model: Option<String>,
    /// How it draws, as the client wished.
    pub sampling: Value,
    /// Whom it is with, in the client's words.
    pub user_id: Option<String>,
    /// Whose key began it; empty for nobody in particular.
    pub owner: String,
    /// What the client wants to keep with it.
    pub metadata: Value,
    /// How many messages it has.
    pub n_messages: i64,
    /// When it was begun, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was last added to, in milliseconds since 1970.
    pub updated_at: i64,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredMessage {
    /// Its place, from 0.
    pub place: i64,
    /// The message.
    pub message: Message,
    /// When it was written, in milliseconds since 1970.
    pub created_at: i64,
}

/// The right to add to a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The conversation.
    pub id: String,
    /// Whose right it is.
    pub(super) token: String,
}

/// Messages to be added, with what makes the request count once.
#[derive(Clone, Debug)]
pub struct NewMessages {
    /// The messages, in order.
    pub messages: Vec<Message>,
    /// The idempotency key of the request and what it is answered.
    pub once: Option<(Once, Value)>,
}

const COLUMNS: &str =
    "id, agent_id, model, sampling, user_id, owner, metadata, n_messages, created_at, updated_at";

impl Store {
    /// Writes a new conversation with its first messages. False where its idempotency key was used
    /// meanwhile; nothing is written then.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then.
    pub async fn add_conversation(
        &self,
        conversation: &ConversationRow,
        new: &NewMessages,
    ) -> Result<bool, StoreError> {
        let mut writing = self.begin().await?;
        if !self.remember_answer(&mut writing, new).await? {
            return Ok(false);
        }
        let write = "INSERT INTO conversations (id, agent_id, model, sampling, user_id, metadata, \
                     n_messages, created_at, updated_at, owner, claim, claimed_until) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', 0)";
        let write = sqlx::query(write)
            .bind(&conversation.id)
            .bind(&conversation.agent_id)
            .bind(&conversation.model)
            .bind(conversation.sampling.to_string())
            .bind(&conversation.user_id)
            .bind(conversation.metadata.to_string())
            .bind(new.messages.len() as i64)
            .bind(conversation.created_at)
            .bind(conversation.updated_at)
            .bind(&conversation.owner);
        write.execute(&mut *writing).await?;
        self.write_messages(&mut writing, &conversation.id, 0, &new.messages).await?;
        writing.commit().await?;
        Ok(true)
    }

    /// The conversation of this id.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn conversation(&self, id: &str) -> Result<Option<ConversationRow>, StoreError> {
        let asked = format!("SELECT {COLUMNS} FROM conversations WHERE id = $1");
        let found = sqlx::query(sqlx::AssertSqlSafe(asked)).bind(id);
        found.fetch_optional(&self.pool).await?.as_ref().map(conversation_of).transpose()
    }

    /// Conversations, newest first; everybody's where `owner` is `None`.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn conversations(
        &self,
        page: &PageAsked,
        owner: Option<&str>,
    ) -> Result<Page<ConversationRow>, StoreError> {
        let whose = if owner.is_some() { "owner = $3 AND" } else { "" };
        let asked = format!(
            "SELECT {COLUMNS} FROM conversations WHERE {whose} id < $1 ORDER BY id DESC LIMIT $2"
        );
        let found = sqlx::query(sqlx::AssertSqlSafe(asked)).bind(page.before());
        let found = found.bind(page.limit_and_one());
        let found = match owner {
            Some(owner) => found.bind(owner),
            None => found,
        };
        let rows = found.fetch_all(&self.pool).await?;
        Ok(Page::of(rows.iter().map(conversation_of).collect::<Result<_, _>>()?, page))
    }

    /// All messages of a conversation, in order.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn messages(&self, id: &str) -> Result<Vec<StoredMessage>, StoreError> {
        let asked = "SELECT place, message, created_at FROM messages \
                     WHERE conversation_id = $1 ORDER BY place";
        let rows = sqlx::query(asked).bind(id).fetch_all(&self.pool).await?;
        rows.iter().map(|row| message_of(id, row)).collect()
    }

    /// Removes a conversation with its messages, also while it is answered. False where there was none.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn remove_conversation(&self, id: &str) -> Result<bool, StoreError> {
        let write = sqlx::query("DELETE FROM conversations WHERE id = $1").bind(id);
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Takes the right to add to a conversation for `lease_millis`; `None` where somebody else has it or
    /// there is no such conversation.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn claim_conversation(
        &self,
        id: &str,
        lease_millis: i64,
    ) -> Result<Option<Claimed>, StoreError> {
        let now = self.shared_now().await?;
        let token = self.new_id("claim");
        let write = "UPDATE conversations SET claim = $1, claimed_until = $2 \
                     WHERE id = $3 AND claimed_until NOT BETWEEN $4 AND $5";
        let write = sqlx::query(write).bind(&token).bind(now + lease_millis).bind(id).bind(now);
        let is_ours =
            write.bind(now + LONGEST_LEASE_MILLIS).execute(&self.pool).await?.rows_affected() == 1;
        Ok(is_ours.then(|| Claimed { id: id.to_owned(), token }))
    }

    /// Keeps the right for `lease_millis` from now; false where it is lost.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn renew_claim(
        &self,
        claim: &Claimed,
        lease_millis: i64,
    ) -> Result<bool, StoreError> {
        self.set_claim(claim, self.shared_now().await? + lease_millis).await
    }

    /// Gives the right back.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails; the right ends by itself then.
    pub async fn release_claim(&self, claim: &Claimed) -> Result<(), StoreError> {
        self.set_claim(claim, 0).await.map(|_| ())
    }

    async fn set_claim(&self, claim: &Claimed, until: i64) -> Result<bool, StoreError> {
        let write = "UPDATE conversations SET claimed_until = $1 WHERE id = $2 AND claim = $3";
        let write = sqlx::query(write).bind(until).bind(&claim.id).bind(&claim.token);
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Adds messages and gives the right back.
    ///
    /// # Errors
    /// [`StoreError::Changed`] where the right was lost or the conversation removed; nothing is written
    /// after an error.
    pub async fn add_messages(&self, claim: &Claimed, new: &NewMessages) -> Result<(), StoreError> {
        let changed = || StoreError::Changed { what: "conversation", id: claim.id.clone() };
        let mut writing = self.begin().await?;
        let write = "UPDATE conversations SET n_messages = n_messages + $1, updated_at = $2, \
                     claimed_until = 0 WHERE id = $3 AND claim = $4 RETURNING n_messages";
        let write = sqlx::query_scalar::<_, i64>(write)
            .bind(new.messages.len() as i64)
            .bind(self.now())
            .bind(&claim.id)
            .bind(&claim.token);
        let Some(n_messages) = write.fetch_optional(&mut *writing).await? else {
            return Err(changed());
        };
        let first = n_messages - new.messages.len() as i64;
        self.write_messages(&mut writing, &claim.id, first, &new.messages).await?;
        if !self.remember_answer(&mut writing, new).await? {
            return Err(changed());
        }
        Ok(writing.commit().await?)
    }

    async fn remember_answer(
        &self,
        writing: &mut Transaction<'static, Any>,
        new: &NewMessages,
    ) -> Result<bool, StoreError> {
        match &new.once {
            Some((once, answer)) => self.remember(writing, once, answer).await,
            None => Ok(true),
        }
    }

    async fn write_messages(
        &self,
        writing: &mut Transaction<'static, Any>,
        id: &str,
        first: i64,
        messages: &[Message],
    ) -> Result<(), StoreError> {
        let now = self.now();
        for (place, message) in (first..).zip(messages) {
            let written = serde_json::to_string(&MessageRecord::from(message));
            let written = written.map_err(|error| damaged(id, error))?;
            let write = "INSERT INTO messages (conversation_id, place, message, created_at) \
                         VALUES ($1, $2, $3, $4)";
            let write = sqlx::query(write).bind(id).bind(place).bind(written).bind(now);
            write.execute(&mut **writing).await?;
        }
        Ok(())
    }

    /// How many conversations were added to since `since`, and when the first of these last was.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn conversations_since(&self, since: i64) -> Result<(i64, Option<i64>), StoreError> {
        let asked = "SELECT COUNT(*) AS n, MIN(updated_at) AS first FROM conversations \
                     WHERE updated_at >= $1";
        let row = sqlx::query(asked).bind(since).fetch_one(&self.pool).await?;
        Ok((row.try_get("n")?, row.try_get("first")?))
    }

    /// How many conversations and messages there are.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn count_conversations(&self) -> Result<(i64, i64), StoreError> {
        let count = |asked: &'static str| sqlx::query_scalar::<_, i64>(asked).fetch_one(&self.pool);
        let conversations = count("SELECT COUNT(*) FROM conversations").await?;
        Ok((conversations, count("SELECT COUNT(*) FROM messages").await?))
    }
}

fn conversation_of(row: &AnyRow) -> Result<ConversationRow, StoreError> {
    let id: String = row.try_get("id")?;
    let (sampling, metadata): (String, String) =
        (row.try_get("sampling")?, row.try_get("metadata")?);
    Ok(ConversationRow {
        agent_id: row.try_get("agent_id")?,
        model: row.try_get("model")?,
        sampling: json_of("conversation", &id, &sampling)?,
        user_id: row.try_get("user_id")?,
        owner: row.try_get("owner")?,
        metadata: json_of("conversation", &id, &metadata)?,
        n_messages: row.try_get("n_messages")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
        id,
    })
}

fn message_of(id: &str, row: &AnyRow) -> Result<StoredMessage, StoreError> {
    let written: String = row.try_get("message")?;
    let record: MessageRecord = json_of("message of conversation", id, &written)?;
    Ok(StoredMessage {
        place: row.try_get("place")?,
        message: Message::try_from(record).map_err(|error| damaged(id, error))?,
        created_at: row.try_get("created_at")?,
    })
}

fn damaged(id: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged {
        what: "message of conversation",
        id: id.to_owned(),
        message: error.to_string(),
    }
}
