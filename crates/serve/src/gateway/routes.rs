//! `/gateway/{run}/{scenario}/{sample}/...`: the APIs of models, the user, the reward and the end, for one sample.
//!
//! All of them are opened by the key of the sample and by no other.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{MethodFilter, on, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;
use utoipa::{OpenApi, ToSchema};

use super::address::Address;
use super::reward::Verdict;
use super::session::Session;
use super::sessions::{Sessions, missing_key};
use super::world::UserTurn;
use crate::api_error::{ApiError, OwnError};
use crate::body::{JsonBody, OptionalJson};
use crate::models::{Models, ServedModel};
use crate::security::presented;
use crate::server::ServeConfig;
use crate::services::check_text;
use crate::{App, anthropic, openai};

/// What the paths of all routes of a sample begin with.
pub(crate) const SAMPLE_PATH: &str = "/gateway/{run}/{scenario}/{sample}";

/// Routes of models' APIs, which a sample has too.
const APIS: [(&str, MethodFilter); 8] = [
    ("/v1/models", MethodFilter::GET),
    ("/v1/models/{*name}", MethodFilter::GET),
    ("/v1/chat/completions", MethodFilter::POST),
    ("/v1/completions", MethodFilter::POST),
    ("/v1/embeddings", MethodFilter::POST),
    ("/v1/responses", MethodFilter::POST),
    ("/v1/messages", MethodFilter::POST),
    ("/v1/messages/count_tokens", MethodFilter::POST),
];

/// Characters of the reason why a sample failed.
const MAX_ERROR_CHARS: usize = 10_000;

#[derive(OpenApi)]
#[openapi(paths(reward, user, end))]
pub(crate) struct GatewayPaths;

/// The routes of samples.
pub(crate) fn sample_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Gateway: FromRef<S>,
{
    let own = Router::new()
        .route("/gateway/{run}/{scenario}/{sample}/reward", post(reward))
        .route("/gateway/{run}/{scenario}/{sample}/user", post(user))
        .route("/gateway/{run}/{scenario}/{sample}/end", post(end));
    APIS.into_iter().fold(own, |routes, (path, method)| {
        routes.route(&format!("{SAMPLE_PATH}{path}"), on(method, model))
    })
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

/// The sample of a request, opened by its key.
struct Opened {
    session: Arc<Session>,
    config: ServeConfig,
}

impl<S: Send + Sync> FromRequestParts<S> for Opened
where
    Gateway: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Opened, ApiError> {
        let address = Address::from_request_parts(parts, state).await?;
        let Some(Ok(key)) = presented(&parts.headers) else { return Err(missing_key()) };
        let Gateway { sessions, config } = Gateway::from_ref(state);
        Ok(Opened { session: sessions.find(&address, key)?, config })
    }
}

/// That something was taken.
#[derive(Serialize, ToSchema)]
struct Accepted {
    /// Always true.
    accepted: bool,
}

/// Gives a sample its reward
///
/// It counts in the place of the reward of the run.
#[utoipa::path(
    post,
    path = "/gateway/{run}/{scenario}/{sample}/reward",
    tag = "gateway",
    params(Address),
    request_body = Verdict,
    responses(
        (status = 201, description = "It is kept", body = Accepted),
        (status = 409, description = "The sample has a reward already", body = OwnError),
    )
)]
async fn reward(
    Opened { session, .. }: Opened,
    JsonBody(verdict): JsonBody<Verdict>,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    session.judge(verdict.checked()?)?;
    Ok((StatusCode::CREATED, Json(Accepted { accepted: true })))
}

/// How a sample ended.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = SampleEnd)]
struct End {
    /// Why it failed; it did not where absent.
    #[schema(min_length = 1, max_length = 10_000)]
    error: Option<String>,
}

/// Ends a sample
///
/// Those that the server started a program for end with it.
#[utoipa::path(
    post,
    path = "/gateway/{run}/{scenario}/{sample}/end",
    tag = "gateway",
    params(Address),
    request_body = End,
    responses(
        (status = 202, description = "It ends", body = Accepted),
        (status = 409, description = "It has ended, or ends with its program", body = OwnError),
    )
)]
async fn end(
    Opened { session, .. }: Opened,
    OptionalJson(end): OptionalJson<End>,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    if let Some(error) = &end.error {
        check_text("error", error, MAX_ERROR_CHARS)?;
    }
    session.end(end.error)?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { accepted: true })))
}

/// What the user of a sample says next
#[utoipa::path(
    post,
    path = "/gateway/{run}/{scenario}/{sample}/user",
    tag = "gateway",
    params(Address),
    responses(
        (status = 200, description = "Words of the user of the run's own environment", body = UserTurn),
        (status = 409, description = "It is the model's turn", body = OwnError),
    )
)]
async fn user(Opened { session, .. }: Opened) -> Result<Json<UserTurn>, ApiError> {
    let Some(world) = &session.world else {
        return Err(ApiError::not_found("user", "of this run"));
    };
    Ok(Json(world.speak().await?))
}

/// A call of a model, answered by the episode of the sample.
async fn model(
    Opened { session, config }: Opened,
    mut request: Request,
) -> Result<Response, ApiError> {
    *request.uri_mut() = below_sample(request.uri())?;
    let model = ServedModel::spoken_by("policy", session);
    let app = App::new(config, Models::under_any_name(model));
    let apis = openai::routes().merge(anthropic::routes()).with_state(app);
    let answered = apis.oneshot(request).await;
    answered.map_err(ApiError::internal)
}

/// What stands behind the sample in a path, as it was sent.
fn below_sample(uri: &Uri) -> Result<Uri, ApiError> {
    let rest = uri.path().splitn(SAMPLE_PATH.split('/').count() + 1, '/').last();
    let path = format!("/{}", rest.unwrap_or_default());
    path.parse().map_err(|_| ApiError::not_found("route", &path))
}
