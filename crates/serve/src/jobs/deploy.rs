//! Serving what a job has trained.

use axum::http::StatusCode;

use super::jobs::{check_memory, has_model};
use crate::App;
use crate::api_error::ApiError;
use crate::models::{Loaded, ServedModel};
use crate::services::{check_text, unusable};

/// Loads the newest checkpoint of a job and serves it by `name`, in the place of the model of that name
/// where there is one. Answers that have begun end with the weights they began with. The next server
/// over the same database serves it as well.
pub(crate) async fn deploy(app: &App, id: &str, name: Option<String>) -> Result<String, ApiError> {
    let name = name.unwrap_or_else(|| id.to_owned());
    check_text("name", &name, 200)?;
    load(app, id, &name).await?;
    app.services()?.store().set_deployment(&name, id).await?;
    Ok(name)
}

/// Serves the trainings that an earlier server served. What cannot be loaded any more is left out.
pub async fn serve_deployed(app: App) {
    let deployed = match app.services() {
        Ok(services) => services.store().deployments().await,
        Err(_) => return,
    };
    match deployed {
        Ok(deployed) => {
            for (name, id) in deployed {
                if let Err(error) = load(&app, &id, &name).await {
                    tracing::warn!(name, id, %error.message, "a training is not served any more");
                }
            }
        }
        Err(error) => tracing::warn!(%error, "trainings that were served before are not"),
    }
}

async fn load(app: &App, id: &str, name: &str) -> Result<(), ApiError> {
    let services = app.services()?;
    let job = services.jobs().find(id).await?;
    let run_dir = has_model(&job).ok_or_else(|| {
        let message = "it has no checkpoint yet";
        ApiError::new(StatusCode::CONFLICT, "no_checkpoint", message)
    })?;
    let _one = services.exchanging().await;
    let library = services.library();
    let like = library.loaded(name).or_else(|| library.loaded(library.first()));
    let options = like.map(|loaded| loaded.options).unwrap_or_default();
    put(app, name, Loaded { source: run_dir, options }).await
}

/// Loads a model and serves it by `name`.
pub(crate) async fn put(app: &App, name: &str, loaded: Loaded) -> Result<(), ApiError> {
    let (task_app, task_name, task_loaded) = (app.clone(), name.to_owned(), loaded.clone());
    let model = tokio::task::spawn_blocking(move || {
        let library = task_app.services()?.library();
        let source = library.open(&task_loaded.source);
        let cannot = |error| unusable("model_not_loadable", "name", format!("failed to {error}"));
        let source = source.map_err(cannot)?;
        let spec = ServedModel::engine_spec(&source, &task_loaded.options);
        let plan = spec.memory_plan(&source).map_err(|error| cannot(error.into()))?;
        check_memory(plan.total_bytes())?;
        ServedModel::load(&task_name, source, &task_loaded.options).map_err(cannot)
    });
    let model = model.await.map_err(ApiError::internal)??;
    app.models().put(model);
    app.services()?.library().remember(name, loaded);
    Ok(())
}
