//! `/gateway/{run}/{scenario}/{sample}/...`: the APIs of models, the reward and the user, for one sample.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::json;
use tower::ServiceExt;

use super::reward::Verdict;
use super::session::Session;
use super::sessions::{Address, Sessions};
use super::world::UserTurn;
use crate::api_error::{ApiError, Dialect, layer, own_errors};
use crate::body::JsonBody;
use crate::models::{Models, ServedModel};
use crate::server::ServeConfig;
use crate::{App, anthropic, openai};

/// All routes of a gateway.
pub(super) fn routes(sessions: Sessions, config: &ServeConfig) -> Router {
    let state = Gateway { sessions, config: config.clone() };
    Router::new()
        .route("/gateway/{run}/{scenario}/{sample}/reward", post(reward))
        .route("/gateway/{run}/{scenario}/{sample}/user", post(user))
        .layer(from_fn(own_errors))
        .route("/gateway/{run}/{scenario}/{sample}/v1/{*rest}", any(model))
        .layer(axum::extract::DefaultBodyLimit::max(config.max_body_bytes))
        .layer(map_response(layer(Dialect::OpenAi)))
        .with_state(state)
}

#[derive(Clone)]
struct Gateway {
    sessions: Sessions,
    config: ServeConfig,
}

type Place = Path<(String, String, String)>;

impl Gateway {
    fn session(
        &self,
        (run, scenario, sample): (String, String, String),
        headers: &header::HeaderMap,
    ) -> Result<Arc<Session>, ApiError> {
        let address = Address { run, scenario, sample };
        let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = given("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(key) = bearer.or_else(|| given("x-api-key")) else {
            let message = "the sample's key is missing: send \"Authorization: Bearer KEY\"";
            return Err(ApiError::new(StatusCode::UNAUTHORIZED, "missing_key", message));
        };
        self.sessions.find(&address, key)
    }
}

async fn reward(
    State(gateway): State<Gateway>,
    Path(place): Place,
    headers: header::HeaderMap,
    JsonBody(verdict): JsonBody<Verdict>,
) -> Result<Response, ApiError> {
    let session = gateway.session(place, &headers)?;
    session.judge(verdict.checked()?)?;
    Ok((StatusCode::CREATED, axum::Json(json!({"accepted": true}))).into_response())
}

async fn user(
    State(gateway): State<Gateway>,
    Path(place): Place,
    headers: header::HeaderMap,
) -> Result<axum::Json<UserTurn>, ApiError> {
    let session = gateway.session(place, &headers)?;
    let Some(world) = &session.world else {
        return Err(ApiError::not_found("user", "of this run"));
    };
    Ok(axum::Json(world.speak().await?))
}

/// Whatever an API of the server offers, answered by the episode of the sample.
async fn model(
    State(gateway): State<Gateway>,
    Path((run, scenario, sample, rest)): Path<(String, String, String, String)>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let session = gateway.session((run, scenario, sample), request.headers())?;
    let path = format!("/v1/{rest}");
    *request.uri_mut() = path.parse::<Uri>().map_err(|_| ApiError::not_found("route", &path))?;
    let model = ServedModel::spoken_by("policy", session);
    let app = App::new(gateway.config.clone(), Models::under_any_name(model));
    let apis = openai::routes().merge(anthropic::routes()).with_state(app);
    let answered = apis.oneshot(request).await;
    answered.map_err(ApiError::internal)
}
