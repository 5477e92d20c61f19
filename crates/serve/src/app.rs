//! What all handlers share.

use std::sync::{Arc, OnceLock};

use axum::http::StatusCode;
use futures::future::BoxFuture;

use crate::api_error::ApiError;
use crate::limits::Gate;
use crate::models::Models;
use crate::observe::Observed;
use crate::server::ServeConfig;
use crate::services::Services;

/// Handed to every handler; clones share everything.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
}

struct Parts {
    config: ServeConfig,
    models: Models,
    services: OnceLock<Services>,
    gate: Gate,
    observed: Observed,
}

impl App {
    /// Puts the parts together.
    pub fn new(config: ServeConfig, models: Models) -> App {
        let (gate, observed) = (Gate::new(&config.limits), Observed::new(&config, &models));
        let services = OnceLock::new();
        App { parts: Arc::new(Parts { config, models, services, gate, observed }) }
    }

    /// Settings of the server.
    pub fn config(&self) -> &ServeConfig {
        &self.parts.config
    }

    /// The models that answer.
    pub fn models(&self) -> &Models {
        &self.parts.models
    }

    /// Gives the server a database, conversations and jobs. Only the first ones given count.
    pub fn keep(&self, services: Services) {
        let store = services.store().clone();
        let probe = move || -> BoxFuture<'static, Result<(), String>> {
            let store = store.clone();
            // What the database says is for the log; health is read by strangers.
            let away = |error| {
                tracing::error!(%error, "the database does not answer");
                "the database does not answer".to_owned()
            };
            Box::pin(async move { store.check().await.map_err(away) })
        };
        self.observed().health().add("database", Arc::new(probe));
        if self.parts.services.set(services).is_err() {
            tracing::warn!("a server was given a second database, which is not used");
        }
    }

    /// What needs a database.
    ///
    /// # Errors
    /// [`ApiError`] 503 where the server was given none.
    pub fn services(&self) -> Result<&Services, ApiError> {
        self.parts.services.get().ok_or_else(|| {
            let message = "this server keeps nothing; start it with a data folder";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "no_database", message)
        })
    }

    /// The limits that count.
    pub fn gate(&self) -> &Gate {
        &self.parts.gate
    }

    /// Measurements and health.
    pub fn observed(&self) -> &Observed {
        &self.parts.observed
    }
}
