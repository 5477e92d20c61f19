//! The routes of agents.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::SamplingWish;
use crate::App;
use crate::api_error::ApiError;
use crate::body::OptionalJson;
use crate::services::{ListQuery, check_text, page_body};
use crate::store::AgentRow;

/// Most characters of an agent's name.
const MAX_NAME_CHARS: usize = 200;

/// Most characters of instructions.
const MAX_PROMPT_CHARS: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAgent {
    name: Option<String>,
    model: Option<String>,
    model_name: Option<String>,
    system_prompt: Option<String>,
    #[serde(default)]
    sampling: SamplingWish,
    temperature: Option<f64>,
    max_tokens: Option<usize>,
    max_new_tokens: Option<usize>,
}

pub(crate) fn agent_routes() -> Router<App> {
    Router::new()
        .route("/agents", get(list).post(create))
        .route("/agents/{id}", get(one).delete(remove))
}

/// The agent of this id.
pub(crate) async fn find(app: &App, id: &str) -> Result<AgentRow, ApiError> {
    let found = app.services()?.store().agent(id).await?;
    found.ok_or_else(|| ApiError::not_found("agent", id))
}

async fn create(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<NewAgent>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let store = app.services()?.store();
    let sampling = SamplingWish {
        temperature: asked.temperature,
        max_tokens: asked.max_tokens.or(asked.max_new_tokens),
        ..SamplingWish::default()
    };
    let sampling = sampling.over(asked.sampling);
    sampling.check()?;
    let id = store.new_id("agent");
    let name = asked.name.unwrap_or_else(|| id.clone());
    check_text("name", &name, MAX_NAME_CHARS)?;
    if let Some(prompt) = &asked.system_prompt {
        check_text("system_prompt", prompt, MAX_PROMPT_CHARS)?;
    }
    let model = asked.model.or(asked.model_name);
    if model.is_some() {
        app.models().find(model.as_deref())?;
    }
    let agent = AgentRow {
        id,
        name,
        model,
        system_prompt: asked.system_prompt,
        sampling: sampling.to_value(),
        created_at: store.now(),
    };
    store.add_agent(&agent).await?;
    Ok((StatusCode::CREATED, Json(body(&agent))))
}

async fn list(State(app): State<App>, ListQuery(page): ListQuery) -> Result<Json<Value>, ApiError> {
    let agents = app.services()?.store().agents(&page).await?;
    Ok(Json(page_body(&agents, |agent| &agent.id, body)))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    Ok(Json(body(&find(&app, &id).await?)))
}

async fn remove(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    match app.services()?.store().remove_agent(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("agent", &id)),
    }
}

fn body(agent: &AgentRow) -> Value {
    json!({
        "id": agent.id, "agent_id": agent.id, "object": "agent", "name": agent.name,
        "model": agent.model, "system_prompt": agent.system_prompt, "sampling": agent.sampling,
        "created_at": agent.created_at / 1000,
    })
}
