//! `GET /v1/models`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::App;
use crate::api_error::ApiError;
use crate::models::ServedModel;

pub(super) async fn list(State(app): State<App>) -> Json<Value> {
    let models: Vec<Value> = app.models().all().iter().map(|model| written(model)).collect();
    Json(json!({"object": "list", "data": models}))
}

pub(super) async fn one(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let model = app.models().find(Some(&name))?;
    Ok(Json(written(&model)))
}

fn written(model: &ServedModel) -> Value {
    json!({
        "id": model.name, "object": "model", "created": model.created, "owned_by": "stateset-agents",
    })
}
