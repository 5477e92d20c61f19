//! The addresses of the pages.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};
use stateset_train::REPORT_STYLE;
use tower_http::set_header::SetResponseHeaderLayer;

use super::{
    chat, compare, conversation, conversations, data, group, jobs, preferences, run, runs,
    scenario_set, step,
};
use crate::App;

/// What pages may load: from this server, and nothing written into them.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// All routes under `/dashboard`.
pub fn routes() -> Router<App> {
    let style = include_str!("dashboard.css");
    let css = ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "no-cache")],);
    let sheet = move || async move { (css.0, format!("{REPORT_STYLE}{style}")).into_response() };
    Router::new()
        .route("/dashboard", get(runs::page))
        .route("/dashboard/runs/{run}", get(run::page))
        .route("/dashboard/runs/{run}/live", get(run::live))
        .route("/dashboard/runs/{run}/conversations/{set}", get(conversations::page))
        .route("/dashboard/runs/{run}/conversations/{set}/{index}", get(conversation::page))
        .route("/dashboard/runs/{run}/steps/{step}", get(step::page))
        .route("/dashboard/runs/{run}/steps/{step}/{group}", get(group::page))
        .route("/dashboard/jobs", get(jobs::page))
        .route("/dashboard/jobs/live", get(jobs::live))
        .route("/dashboard/jobs/{id}/cancel", post(jobs::cancel))
        .route("/dashboard/jobs/{id}/resume", post(jobs::resume))
        .route("/dashboard/jobs/{id}/chat", post(jobs::chat))
        .route("/dashboard/compare", get(compare::page))
        .route("/dashboard/chat", get(chat::page))
        .route("/dashboard/data", get(data::page))
        .route("/dashboard/data/{set}", get(scenario_set::page))
        .route("/dashboard/preferences", post(preferences::add))
        .route("/dashboard/dashboard.css", get(sheet))
        .route("/dashboard/live.js", script(include_str!("live.js")))
        .route("/dashboard/tokens.js", script(include_str!("tokens.js")))
        .route("/dashboard/chat.js", script(include_str!("chat.js")))
        .layer(SetResponseHeaderLayer::overriding(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(POLICY),
        ))
        // Without it browsers would not say that a form was sent by a page of ours.
        .layer(SetResponseHeaderLayer::overriding(
            REFERRER_POLICY,
            HeaderValue::from_static("same-origin"),
        ))
}

fn script(text: &'static str) -> MethodRouter<App> {
    let kind = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    get(move || async move { (kind, text) })
}
