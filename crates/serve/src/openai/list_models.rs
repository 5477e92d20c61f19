//! `GET /v1/models`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::api_error::ApiError;
use crate::models::ServedModel;
use crate::path_name::PathName;

/// The models that answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelList {
    /// Always `list`.
    object: &'static str,
    /// All of them.
    data: Vec<ModelInfo>,
}

/// One model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelInfo {
    /// Its name.
    id: String,
    /// Always `model`.
    object: &'static str,
    /// When its weights were loaded, in seconds since 1970.
    created: u64,
    /// Always `stateset-agents`.
    owned_by: &'static str,
}

/// The models that answer
#[utoipa::path(
    get,
    path = "/v1/models",
    tag = "openai",
    responses((status = 200, description = "All of them", body = ModelList))
)]
pub(super) async fn list(State(app): State<App>) -> Json<ModelList> {
    let data = app.models().all().iter().map(|model| ModelInfo::of(model)).collect();
    Json(ModelList { object: "list", data })
}

/// One model
#[utoipa::path(
    get,
    path = "/v1/models/{name}",
    tag = "openai",
    params(("name" = String, Path, description = "Its name; may hold slashes")),
    responses(
        (status = 200, description = "The model", body = ModelInfo),
    )
)]
pub(super) async fn one(
    State(app): State<App>,
    PathName(name): PathName,
) -> Result<Json<ModelInfo>, ApiError> {
    let model = app.models().find(Some(&name))?;
    Ok(Json(ModelInfo::of(&model)))
}

impl ModelInfo {
    fn of(model: &ServedModel) -> ModelInfo {
        ModelInfo {
            id: model.name.clone(),
            object: "model",
            created: model.created,
            owned_by: "stateset-agents",
        }
    }
}
