//! `GET /`: what this server is and where its routes are.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::App;

pub(super) async fn index(State(app): State<App>) -> Json<Value> {
    let models: Vec<String> = app.models().all().iter().map(|model| model.name.clone()).collect();
    Json(json!({
        "name": "stateset-agents", "version": env!("CARGO_PKG_VERSION"), "models": models,
        "endpoints": {
            "openai": ["/v1/models", "/v1/chat/completions", "/v1/completions", "/v1/embeddings"],
            "agents": ["/agents", "/agents/{id}"],
            "conversations": [
                "/conversations", "/conversations/{id}", "/conversations/{id}/messages", "/api/chat",
                "/chat/start", "/chat/{id}/message", "/chat/{id}/history", "/chat/{id}",
                "/api/v1/stream/chat",
            ],
            "training": [
                "/training", "/training/{id}", "/training/{id}/events", "/training/{id}/resume",
                "/training/{id}/deploy", "/api/train", "/api/status/{id}", "/api/jobs/{id}",
                "/v1/training", "/v1/training/{id}", "/api/batch/train", "/api/batch/status",
                "/api/batch/cancel",
            ],
            "operations": [
                "/live", "/health", "/api/metrics", "/api/v2/system/status", "/api/scale", "/ws",
            ],
            "gateway": [
                "/gateway/{run}/samples",
                "/gateway/{run}/{scenario}/{sample}/v1/chat/completions",
                "/gateway/{run}/{scenario}/{sample}/v1/responses",
                "/gateway/{run}/{scenario}/{sample}/v1/messages",
                "/gateway/{run}/{scenario}/{sample}/user",
                "/gateway/{run}/{scenario}/{sample}/reward",
                "/gateway/{run}/{scenario}/{sample}/end",
            ],
        },
    }))
}
