//! The routes of conversations.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use utoipa::OpenApi;

use super::ask::Ask;
use super::bodies::{Conversation, ConversationAnswer};
use super::caller::Caller;
use super::turn::say;
use crate::App;
use crate::api_error::{ApiError, OwnError};
use crate::body::OptionalJson;
use crate::path_name::PathName;
use crate::services::{List, ListParams, ListQuery, OnceHeader, with_key};

/// The names under which documents know conversations. The first is described, the others like it.
pub(crate) const ROOTS: [&str; 4] =
    ["/conversations", "/v1/conversations", "/v1/conversation", "/api/conversations"];

#[derive(OpenApi)]
#[openapi(paths(begin, list, one, add_message, remove))]
pub(crate) struct ConversationPaths;

pub(crate) fn conversation_routes() -> Router<App> {
    ROOTS.into_iter().fold(Router::new(), |router, root| {
        router
            .route(root, get(list).post(begin))
            .route(&format!("{root}/{{id}}"), get(one).delete(remove))
            .route(&format!("{root}/{{id}}/messages"), post(add_message))
    })
}

/// Begins a conversation, or goes on with the one that the body names
#[utoipa::path(
    post,
    path = "/conversations",
    tag = "conversations",
    params(OnceHeader),
    request_body = Ask,
    responses(
        (status = 200, description = "The answer in an old conversation", body = ConversationAnswer),
        (status = 201, description = "A new conversation and the answer", body = ConversationAnswer),
        (status = 404, description = "No conversation, agent or model has this name", body = OwnError),
        (status = 409, description = "It is being answered, or the key was used", body = OwnError),
    )
)]
async fn begin(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    OptionalJson(ask): OptionalJson<Ask>,
) -> Result<(StatusCode, Json<ConversationAnswer>), ApiError> {
    let mut turn = ask.turn(caller, None)?;
    turn.idempotency_key = with_key(&headers, turn.idempotency_key)?;
    let status = match turn.conversation {
        Some(_) => StatusCode::OK,
        None => StatusCode::CREATED,
    };
    Ok((status, Json(say(&app, turn).await?.body())))
}

/// The conversations, newest first
#[utoipa::path(
    get,
    path = "/conversations",
    tag = "conversations",
    params(ListParams),
    responses((status = 200, description = "A piece of the list", body = List<Conversation>))
)]
async fn list(
    State(app): State<App>,
    caller: Caller,
    ListQuery(page): ListQuery,
) -> Result<Json<List<Conversation>>, ApiError> {
    let found = app.services()?.store().conversations(&page, caller.of_owner()).await?;
    Ok(Json(List::of(&found, |row| &row.id, Conversation::of)))
}

/// A conversation with all its messages
#[utoipa::path(
    get,
    path = "/conversations/{id}",
    tag = "conversations",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The conversation", body = Conversation))
)]
pub(crate) async fn one(
    State(app): State<App>,
    caller: Caller,
    PathName(id): PathName,
) -> Result<Json<Conversation>, ApiError> {
    let store = app.services()?.store();
    let found = caller.find(store, &id).await?;
    Ok(Json(Conversation::of(&found).with(&store.messages(&id).await?)))
}

/// Says something to a conversation
#[utoipa::path(
    post,
    path = "/conversations/{id}/messages",
    tag = "conversations",
    params(("id" = String, Path, description = "Its id"), OnceHeader),
    request_body = Ask,
    responses(
        (status = 200, description = "The answer", body = ConversationAnswer),
        (status = 409, description = "It is being answered, or the key was used", body = OwnError),
    )
)]
pub(crate) async fn add_message(
    State(app): State<App>,
    caller: Caller,
    PathName(id): PathName,
    headers: HeaderMap,
    OptionalJson(ask): OptionalJson<Ask>,
) -> Result<Json<ConversationAnswer>, ApiError> {
    let mut turn = ask.turn(caller, Some(id))?;
    turn.idempotency_key = with_key(&headers, turn.idempotency_key)?;
    Ok(Json(say(&app, turn).await?.body()))
}

/// Removes a conversation
#[utoipa::path(
    delete,
    path = "/conversations/{id}",
    tag = "conversations",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    PathName(id): PathName,
) -> Result<StatusCode, ApiError> {
    let store = app.services()?.store();
    caller.find(store, &id).await?;
    match store.remove_conversation(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("conversation", &id)),
    }
}
