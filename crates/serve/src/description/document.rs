//! The whole document: what each group of routes says of itself, put together.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::DocumentPaths;
use super::aliases::add_aliases;
use super::links::add_links;
use super::operation::complete;
use super::refusals::responses;
use super::samples::add_samples;
use crate::agents::AgentPaths;
use crate::api_error::OwnError;
use crate::conversations::ConversationPaths;
use crate::gateway::GatewayPaths;
use crate::jobs::JobPaths;
use crate::observe::ObservePaths;
use crate::services::{ChatPaths, ServicePaths};
use crate::{anthropic, openai};

/// What the groups of routes are for.
const TAGS: [(&str, &str); 7] = [
    ("openai", "As OpenAI's API"),
    ("anthropic", "As Anthropic's API"),
    ("agents", "A model with instructions and a way to draw"),
    ("conversations", "Conversations whose history the server keeps"),
    ("training", "Trainings, which run in the server"),
    ("gateway", "Samples of trainings, which programs play"),
    ("operations", "How the server is, and how much it does"),
];

static DOCUMENT: LazyLock<Value> = LazyLock::new(written);
static ENDPOINTS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(grouped);

/// The server's OpenAPI 3.1 document. The pages under `/dashboard` and the WebSocket `/ws` are not in it.
pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Paths by what they are for.
pub(crate) fn endpoints() -> &'static BTreeMap<String, Vec<String>> {
    &ENDPOINTS
}

#[derive(OpenApi)]
#[openapi(components(schemas(OwnError)))]
struct Shared;

fn groups() -> [utoipa::openapi::OpenApi; 10] {
    [
        DocumentPaths::openapi(),
        ObservePaths::openapi(),
        ServicePaths::openapi(),
        AgentPaths::openapi(),
        ConversationPaths::openapi(),
        ChatPaths::openapi(),
        JobPaths::openapi(),
        GatewayPaths::openapi(),
        openai::openapi(),
        anthropic::openapi(),
    ]
}

fn written() -> Value {
    let whole = groups().into_iter().fold(Shared::openapi(), utoipa::openapi::OpenApi::merge_from);
    let mut document = serde_json::to_value(whole).unwrap_or_default();
    document["info"] = json!({
        "title": "StateSet Agents", "version": env!("CARGO_PKG_VERSION"),
        "description": env!("CARGO_PKG_DESCRIPTION"),
        "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
    });
    document["tags"] =
        TAGS.iter().map(|(name, what)| json!({"name": name, "description": what})).collect();
    document["components"]["responses"] = Value::Object(responses());
    document["components"]["securitySchemes"] = json!({
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or a JWT"},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "sample_key": {"type": "http", "scheme": "bearer", "description": "The key of a sample"},
        "sample": {
            "type": "apiKey", "in": "header", "name": "X-Stateset-Sample",
            "description": "Names the sample that answers, as run/scenario/sample",
        },
    });
    let schemas = document["components"]["schemas"].clone();
    if let Some(paths) = document["paths"].as_object_mut() {
        add_samples(paths);
        add_aliases(paths);
        for (path, method, operation) in operations(paths) {
            complete(path, method, operation, &schemas);
        }
        add_links(paths);
    }
    document
}

fn operations(paths: &mut Map<String, Value>) -> impl Iterator<Item = (&str, &str, &mut Value)> {
    paths.iter_mut().flat_map(|(path, item)| {
        let methods = item.as_object_mut().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

fn grouped() -> BTreeMap<String, Vec<String>> {
    let mut groups = BTreeMap::<String, Vec<String>>::new();
    for (path, item) in document()["paths"].as_object().into_iter().flatten() {
        let operation = item.as_object().and_then(|methods| methods.values().next());
        let tag = operation.and_then(|operation| operation["tags"][0].as_str());
        groups.entry(tag.unwrap_or("operations").to_owned()).or_default().push(path.clone());
    }
    groups
        .entry("operations".to_owned())
        .or_default()
        .extend(["/dashboard", "/ws"].map(str::to_owned));
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::Body;
    use axum::http::{Method, Request};
    use tower::ServiceExt;

    use super::*;
    use crate::server::{paths, router};
    use crate::{App, Models, ServeConfig};

    /// Pages for people, and what is no request and answer.
    const LEFT_OUT: [&str; 3] = ["/dashboard", "/ws", "/v1/ws"];

    fn is_left_out(path: &str) -> bool {
        LEFT_OUT.iter().any(|left_out| {
            path.strip_prefix(left_out).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn described() -> BTreeSet<(String, String)> {
        let mut paths = document()["paths"].as_object().unwrap().clone();
        let all = operations(&mut paths);
        all.map(|(path, method, _)| (path.to_owned(), method.to_uppercase())).collect()
    }

    /// Every path of the router with the methods that it takes, which it says when it is asked otherwise.
    async fn routed() -> BTreeSet<(String, String)> {
        let app = App::new(ServeConfig::default(), Models::new(Vec::new()));
        let router = router(app.clone());
        let mut routed = BTreeSet::new();
        for path in paths(app).into_iter().filter(|path| !is_left_out(path)) {
            let uri = path.replace(['{', '}', '*'], "");
            let asked =
                Request::builder().method(Method::TRACE).uri(uri).header("host", "localhost");
            let asked = asked.body(Body::empty()).unwrap();
            let refused = router.clone().oneshot(asked).await.unwrap();
            assert_eq!(refused.status(), 405, "{path}");
            let allowed = refused.headers()["allow"].to_str().unwrap().to_owned();
            // What answers GET answers HEAD, and nobody describes that.
            for method in allowed.split(',').filter(|method| *method != "HEAD") {
                routed.insert((path.replace("{*", "{"), method.to_owned()));
            }
        }
        routed
    }

    #[tokio::test]
    async fn every_route_is_described_and_all_that_is_described_is_a_route() {
        let (described, routed) = (described(), routed().await);
        let missing: Vec<_> = routed.difference(&described).collect();
        assert!(missing.is_empty(), "routes without a description: {missing:#?}");
        let invented: Vec<_> = described.difference(&routed).collect();
        assert!(invented.is_empty(), "described, and no routes: {invented:#?}");
    }

    #[test]
    fn a_sample_is_opened_by_its_key_alone_and_may_be_named_in_a_header() {
        let security = |path: &str| document()["paths"][path]["post"]["security"].clone();
        let of_sample = json!([{"sample_key": []}]);
        for route in ["/reward", "/user", "/end", "/v1/chat/completions", "/v1/messages"] {
            let path = format!("/gateway/{{run}}/{{scenario}}/{{sample}}{route}");
            assert_eq!(security(&path), of_sample, "{route}");
        }
        let named = json!({"sample": [], "sample_key": []});
        for (path, may_name) in
            [("/v1/responses", true), ("/v1/messages", true), ("/v1/chat", false)]
        {
            let all = security(path);
            assert_eq!(all.as_array().unwrap().contains(&named), may_name, "{path}");
        }
    }

    #[test]
    fn no_two_groups_mean_different_things_by_one_name() {
        let mut known = BTreeMap::new();
        for group in groups() {
            let group = serde_json::to_value(group).unwrap();
            for (name, schema) in group["components"]["schemas"].as_object().into_iter().flatten() {
                let before = known.entry(name.clone()).or_insert_with(|| schema.clone());
                assert_eq!(before, schema, "{name}");
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_its_own_name() {
        let text = document().to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document().pointer(pointer).is_some(), "{pointer} leads nowhere");
        }
        let mut paths = document()["paths"].as_object().unwrap().clone();
        let mut names = BTreeSet::new();
        for (path, method, operation) in operations(&mut paths) {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name}");
            let tag = operation["tags"][0].as_str().unwrap();
            assert!(TAGS.iter().any(|(known, _)| *known == tag), "{method} {path}: {tag}");
        }
    }
}
