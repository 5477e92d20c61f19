//! Agents as they are kept.

use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::store::json_of;
use super::{Page, PageAsked, Store, StoreError};

/// An agent: a model with instructions and a way to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentRow {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The served model; the server's first where `None`.
    pub model: Option<String>,
    /// Its instructions; the model's own where `None`.
    pub system_prompt: Option<String>,
    /// How it draws, as its owner wished.
    pub sampling: Value,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

const COLUMNS: &str = "id, name, model, system_prompt, sampling, created_at";

impl Store {
    /// Writes a new agent.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then.
    pub async fn add_agent(&self, agent: &AgentRow) -> Result<(), StoreError> {
        let write = "INSERT INTO agents (id, name, model, system_prompt, sampling, created_at) \
                     VALUES ($1, $2, $3, $4, $5, $6)";
        let write = sqlx::query(write)
            .bind(&agent.id)
            .bind(&agent.name)
            .bind(&agent.model)
            .bind(&agent.system_prompt)
            .bind(agent.sampling.to_string())
            .bind(agent.created_at);
        write.execute(&self.pool).await?;
        Ok(())
    }

    /// The agent of this id.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn agent(&self, id: &str) -> Result<Option<AgentRow>, StoreError> {
        let asked = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM agents WHERE id = $1"));
        let found = sqlx::query(asked).bind(id).fetch_optional(&self.pool).await?;
        found.as_ref().map(agent_of).transpose()
    }

    /// Agents, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn agents(&self, page: &PageAsked) -> Result<Page<AgentRow>, StoreError> {
        let asked = format!("SELECT {COLUMNS} FROM agents WHERE id < $1 ORDER BY id DESC LIMIT $2");
        let found = sqlx::query(sqlx::AssertSqlSafe(asked)).bind(page.before());
        let rows = found.bind(page.limit_and_one()).fetch_all(&self.pool).await?;
        let agents = rows.iter().map(agent_of).collect::<Result<_, _>>()?;
        Ok(Page::of(agents, page))
    }

    /// Removes an agent; its conversations stay without it. False where there was none.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn remove_agent(&self, id: &str) -> Result<bool, StoreError> {
        let write = sqlx::query("DELETE FROM agents WHERE id = $1").bind(id);
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }
}

fn agent_of(row: &AnyRow) -> Result<AgentRow, StoreError> {
    let id: String = row.try_get("id")?;
    let sampling: String = row.try_get("sampling")?;
    Ok(AgentRow {
        name: row.try_get("name")?,
        model: row.try_get("model")?,
        system_prompt: row.try_get("system_prompt")?,
        sampling: json_of("agent", &id, &sampling)?,
        created_at: row.try_get("created_at")?,
        id,
    })
}
