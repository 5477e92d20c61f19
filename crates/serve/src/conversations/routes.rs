//! The routes of conversations.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::ask::Ask;
use super::bodies::{conversation_body, messages_body};
use super::caller::Caller;
use super::turn::{Turn, say};
use crate::App;
use crate::api_error::ApiError;
use crate::body::OptionalJson;
use crate::services::{ListQuery, page_body, with_key};

/// The names under which documents know conversations.
const ROOTS: [&str; 4] =
    ["/conversations", "/v1/conversations", "/v1/conversation", "/api/conversations"];

pub(crate) fn conversation_routes() -> Router<App> {
    ROOTS.into_iter().fold(Router::new(), |router, root| {
        router
            .route(root, get(list).post(begin))
            .route(&format!("{root}/{{id}}"), get(one).delete(remove))
            .route(&format!("{root}/{{id}}/messages"), post(add_message))
    })
}

async fn begin(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    OptionalJson(ask): OptionalJson<Ask>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let mut turn = Turn { caller, ..ask.turn(None)? };
    turn.idempotency_key = with_key(&headers, turn.idempotency_key)?;
    let status = match turn.conversation {
        Some(_) => StatusCode::OK,
        None => StatusCode::CREATED,
    };
    Ok((status, Json(say(&app, turn).await?.body())))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    ListQuery(page): ListQuery,
) -> Result<Json<Value>, ApiError> {
    let found = app.services()?.store().conversations(&page, caller.of_owner()).await?;
    Ok(Json(page_body(&found, |row| &row.id, conversation_body)))
}

/// A conversation with all its messages.
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let store = app.services()?.store();
    let found = caller.find(store, &id).await?;
    let mut body = conversation_body(&found);
    body["messages"] = messages_body(&store.messages(&id).await?);
    Ok(Json(body))
}

/// Says something to a conversation.
pub(crate) async fn add_message(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    OptionalJson(ask): OptionalJson<Ask>,
) -> Result<Json<Value>, ApiError> {
    let mut turn = Turn { caller, ..ask.turn(Some(id))? };
    turn.idempotency_key = with_key(&headers, turn.idempotency_key)?;
    Ok(Json(say(&app, turn).await?.body()))
}

/// Removes a conversation.
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let store = app.services()?.store();
    caller.find(store, &id).await?;
    match store.remove_conversation(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("conversation", &id)),
    }
}
