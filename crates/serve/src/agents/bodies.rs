//! Agents as they are asked for and shown.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SamplingWish;
use crate::store::AgentRow;

/// An agent that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAgent {
    /// What people call it; its id where absent.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: Option<String>,
    /// The served model; the server's first where absent.
    pub(super) model: Option<String>,
    /// Another name of `model`.
    pub(super) model_name: Option<String>,
    /// Its instructions; the model's own where absent.
    #[schema(min_length = 1, max_length = 10_000)]
    pub(super) system_prompt: Option<String>,
    /// How it draws.
    #[serde(default)]
    pub(super) sampling: SamplingWish,
    /// Counts before the one in `sampling`.
    #[schema(minimum = 0, maximum = 2)]
    pub(super) temperature: Option<f64>,
    /// Counts before the one in `sampling`.
    #[schema(minimum = 1, maximum = 8192)]
    pub(super) max_tokens: Option<usize>,
    /// Another name of `max_tokens`.
    #[schema(minimum = 1, maximum = 8192)]
    pub(super) max_new_tokens: Option<usize>,
}

/// A model with instructions and a way to draw.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Agent {
    /// Its id.
    id: String,
    /// The same.
    agent_id: String,
    /// Always `agent`.
    object: &'static str,
    /// What people call it.
    name: String,
    /// The served model; the server's first where null.
    #[schema(required)]
    model: Option<String>,
    /// Its instructions; the model's own where null.
    #[schema(required)]
    system_prompt: Option<String>,
    /// How it draws.
    sampling: SamplingWish,
    /// When it was made, in seconds since 1970.
    created_at: i64,
}

impl Agent {
    /// An agent as it is shown.
    pub(super) fn of(agent: &AgentRow) -> Agent {
        Agent {
            id: agent.id.clone(),
            agent_id: agent.id.clone(),
            object: "agent",
            name: agent.name.clone(),
            model: agent.model.clone(),
            system_prompt: agent.system_prompt.clone(),
            sampling: SamplingWish::kept(&agent.sampling),
            created_at: agent.created_at / 1000,
        }
    }
}
