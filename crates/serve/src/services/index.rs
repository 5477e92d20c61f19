//! `GET /`: what this server is and where its routes are.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;
use crate::description::endpoints;

/// What this server is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Index {
    /// Always `stateset-agents`.
    name: &'static str,
    /// Its version.
    version: &'static str,
    /// Names of the models that answer.
    models: Vec<String>,
    /// Paths of its routes, by what they are for.
    #[schema(value_type = HashMap<String, Vec<String>>)]
    endpoints: &'static BTreeMap<String, Vec<String>>,
}

/// What this server is and where its routes are
#[utoipa::path(
    get,
    path = "/",
    tag = "operations",
    responses((status = 200, description = "Name, version, models and routes", body = Index))
)]
pub(super) async fn index(State(app): State<App>) -> Json<Index> {
    let models = app.models().all().iter().map(|model| model.name.clone()).collect();
    Json(Index {
        name: "stateset-agents",
        version: env!("CARGO_PKG_VERSION"),
        models,
        endpoints: endpoints(),
    })
}
