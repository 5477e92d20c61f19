//! `/gateway/{run}/{scenario}/{sample}/...`: the APIs of models, the user, the reward and the end, for one sample.
//!
//! All of them are opened by the key of the sample and by no other.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde::Deserialize;
use serde_json::json;
use tower::ServiceExt;

use super::reward::Verdict;
use super::session::Session;
use super::sessions::{Address, Sessions};
use super::world::UserTurn;
use crate::api_error::{ApiError, Dialect, layer, own_errors};
use crate::body::{JsonBody, OptionalJson};
use crate::models::{Models, ServedModel};
use crate::security::presented;
use crate::server::ServeConfig;
use crate::services::check_text;
use crate::{App, anthropic, openai};

/// Characters of the reason why a sample failed.
const MAX_ERROR_CHARS: usize = 10_000;

/// The routes of samples.
pub(crate) fn sample_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Gateway: FromRef<S>,
{
    Router::new()
        .route("/gateway/{run}/{scenario}/{sample}/reward", post(reward))
        .route("/gateway/{run}/{scenario}/{sample}/user", post(user))
        .route("/gateway/{run}/{scenario}/{sample}/end", post(end))
        .layer(from_fn(own_errors))
        .route("/gateway/{run}/{scenario}/{sample}/v1/{*rest}", any(model))
        .layer(map_response(layer(Dialect::OpenAi)))
}

/// What the routes of samples share.
#[derive(Clone)]
pub(crate) struct Gateway {
    sessions: Sessions,
    config: ServeConfig,
}

impl Gateway {
    /// Answers programs whose samples are among `sessions`.
    pub(super) fn new(sessions: Sessions, config: ServeConfig) -> Gateway {
        Gateway { sessions, config }
    }
}

impl FromRef<App> for Gateway {
    /// A server without jobs has no samples.
    fn from_ref(app: &App) -> Gateway {
        let sessions = app.services().map(|services| services.jobs().sessions().clone());
        Gateway::new(sessions.unwrap_or_default(), app.config().clone())
    }
}

type Place = Path<(String, String, String)>;

impl Gateway {
    fn session(
        &self,
        (run, scenario, sample): (String, String, String),
        headers: &header::HeaderMap,
    ) -> Result<Arc<Session>, ApiError> {
        let address = Address { run, scenario, sample };
        let Some(Ok(key)) = presented(headers) else {
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

/// How a sample ended.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct End {
    /// Why it failed; it did not where absent.
    error: Option<String>,
}

async fn end(
    State(gateway): State<Gateway>,
    Path(place): Place,
    headers: header::HeaderMap,
    OptionalJson(end): OptionalJson<End>,
) -> Result<Response, ApiError> {
    let session = gateway.session(place, &headers)?;
    if let Some(error) = &end.error {
        check_text("error", error, MAX_ERROR_CHARS)?;
    }
    session.end(end.error)?;
    Ok((StatusCode::ACCEPTED, axum::Json(json!({"accepted": true}))).into_response())
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
