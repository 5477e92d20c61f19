//! The routes of agents.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::OpenApi;

use super::SamplingWish;
use super::bodies::{Agent, NewAgent};
use crate::App;
use crate::api_error::{ApiError, OwnError};
use crate::body::OptionalJson;
use crate::path_name::PathName;
use crate::services::{List, ListParams, ListQuery, check_text};
use crate::store::AgentRow;

/// Most characters of an agent's name.
const MAX_NAME_CHARS: usize = 200;

/// Most characters of instructions.
const MAX_PROMPT_CHARS: usize = 10_000;

#[derive(OpenApi)]
#[openapi(paths(create, list, one, remove))]
pub(crate) struct AgentPaths;

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

/// Makes an agent
#[utoipa::path(
    post,
    path = "/agents",
    tag = "agents",
    request_body = NewAgent,
    responses(
        (status = 201, description = "The agent", body = Agent),
        (status = 404, description = "No model has this name", body = OwnError),
    )
)]
async fn create(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<NewAgent>,
) -> Result<(StatusCode, Json<Agent>), ApiError> {
    let store = app.services()?.store();
    asked.sampling.check().map_err(of_sampling)?;
    // Each name is checked, also where another one counts before it.
    let renamed = SamplingWish { max_tokens: asked.max_new_tokens, ..SamplingWish::default() };
    renamed.check().map_err(|error| error.at("max_new_tokens"))?;
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
    Ok((StatusCode::CREATED, Json(Agent::of(&agent))))
}

/// The agents, newest first
#[utoipa::path(
    get,
    path = "/agents",
    tag = "agents",
    params(ListParams),
    responses((status = 200, description = "A piece of the list", body = List<Agent>))
)]
async fn list(
    State(app): State<App>,
    ListQuery(page): ListQuery,
) -> Result<Json<List<Agent>>, ApiError> {
    let agents = app.services()?.store().agents(&page).await?;
    Ok(Json(List::of(&agents, |agent| &agent.id, Agent::of)))
}

/// One agent
#[utoipa::path(
    get,
    path = "/agents/{id}",
    tag = "agents",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The agent", body = Agent))
)]
async fn one(State(app): State<App>, PathName(id): PathName) -> Result<Json<Agent>, ApiError> {
    Ok(Json(Agent::of(&find(&app, &id).await?)))
}

/// Removes an agent
#[utoipa::path(
    delete,
    path = "/agents/{id}",
    tag = "agents",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone; its conversations stay"))
)]
async fn remove(State(app): State<App>, PathName(id): PathName) -> Result<StatusCode, ApiError> {
    match app.services()?.store().remove_agent(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("agent", &id)),
    }
}

/// The same refusal, of a field that lies in `sampling`.
fn of_sampling(error: ApiError) -> ApiError {
    let field = error.field.clone().unwrap_or_default();
    error.at(format!("sampling.{field}"))
}
