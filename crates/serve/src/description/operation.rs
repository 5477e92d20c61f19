//! What is true of every operation: its name, who may use it, the headers of its answers.

use axum::http::Method;
use serde_json::{Value, json};

use super::refusals::add_refusals;
use crate::api_error::Dialect;
use crate::security::{Need, access_of};

/// What decides over the errors of an operation.
pub(super) struct Kind {
    pub(super) dialect: Dialect,
    /// Who may use it.
    pub(super) need: Need,
    /// Something is sent along.
    pub(super) has_body: bool,
    /// The path holds the name of something.
    pub(super) has_name: bool,
    /// It is asked for with more than a name.
    pub(super) has_parameters: bool,
    /// It may change what the server keeps.
    pub(super) writes: bool,
}

/// Completes the description of an operation; `schemas` are those of the document.
pub(super) fn complete(path: &str, method: &str, operation: &mut Value, schemas: &Value) {
    let (need, dialect) = (need_of(path, method), Dialect::of_path(path));
    operation["operationId"] = id_of(path, method).into();
    operation["security"] = security(need, dialect);
    let said = operation["description"].as_str().unwrap_or_default();
    let said = format!("{said} {}", needed(need, dialect));
    // An operation that is open and has no description stays without one.
    operation["description"] = Some(said.trim()).filter(|said| !said.is_empty()).into();
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        cannot_be_null(&mut parameter["schema"]);
    }
    if dialect == Dialect::Own {
        may_be_absent(&mut operation["requestBody"], schemas);
    }
    let parameters = operation["parameters"].as_array();
    let kind = Kind {
        dialect,
        need,
        has_body: operation["requestBody"].is_object(),
        has_name: path.contains('{'),
        has_parameters: parameters.into_iter().flatten().any(|parameter| parameter["in"] != "path"),
        writes: method != "get",
    };
    tidy(operation);
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        response["headers"] = headers(status.parse().unwrap_or_default());
        if matches!(need, Need::Role(_)) {
            add_limits(&mut response["headers"]);
        }
    }
    add_refusals(&kind, operation);
}

/// What opens an operation: one of these. A call of a model may name a sample, whose key then opens it.
fn security(need: Need, dialect: Dialect) -> Value {
    match need {
        Need::Open => json!([]),
        Need::Sample => json!([{"sample_key": []}]),
        Need::Role(_) if dialect == Dialect::Own => json!([{"bearer": []}, {"api_key": []}]),
        Need::Role(_) => {
            json!([{"bearer": []}, {"api_key": []}, {"sample": [], "sample_key": []}])
        }
    }
}

/// The same for people.
fn needed(need: Need, dialect: Dialect) -> String {
    match need {
        Need::Open => String::new(),
        Need::Sample => "Needs the key of the sample.".to_owned(),
        Need::Role(role) if dialect == Dialect::Own => format!("Needs the role {role}."),
        Need::Role(role) => format!(
            "Needs the role {role}; with X-Stateset-Sample the key of that sample, which then answers."
        ),
    }
}

fn header(what: &str, schema: Value) -> Value {
    json!({"description": what, "schema": schema})
}

/// Headers of answers that are counted, where the server counts.
fn add_limits(headers: &mut Value) {
    let count = || json!({"type": "integer", "minimum": 0});
    headers["x-ratelimit-limit"] = header("Requests that a full bucket holds", count());
    headers["x-ratelimit-remaining"] = header("Requests that may follow at once", count());
    headers["x-ratelimit-reset"] = header("Seconds until the bucket is full", count());
}

/// Headers of an answer with this status.
pub(super) fn headers(status: u16) -> Value {
    let mut headers = json!({
        "x-request-id": header("The request's name in the log", json!({"type": "string"})),
        "x-response-time-ms": header(
            "Milliseconds until the answer began", json!({"type": "integer", "minimum": 0})),
    });
    if status == 401 {
        headers["www-authenticate"] = header("How to send a key", json!({"type": "string"}));
    }
    if matches!(status, 409 | 429 | 503) {
        let wait = json!({"type": "integer", "minimum": 1});
        headers["retry-after"] = header("Seconds after which to try again", wait);
    }
    headers
}

fn need_of(path: &str, method: &str) -> Need {
    let method = method.to_uppercase().parse().unwrap_or(Method::GET);
    access_of(Some(path), &method)
}

/// A name that no other operation has: method and path.
fn id_of(path: &str, method: &str) -> String {
    let parts = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    std::iter::once(method).chain(parts).collect::<Vec<_>>().join("_")
}

/// A parameter that may be absent is described as one that may be null, which cannot be written in a query.
fn cannot_be_null(schema: &mut Value) {
    if let Some(kinds) = schema["type"].as_array() {
        let kinds: Vec<&Value> = kinds.iter().filter(|kind| **kind != "null").collect();
        if let [one] = kinds[..] {
            schema["type"] = one.clone();
        }
    }
}

/// No body at all counts as `{}`, which will do where no field has to be there.
fn may_be_absent(body: &mut Value, schemas: &Value) {
    let reference = body["content"]["application/json"]["schema"]["$ref"].as_str();
    let name = reference.and_then(|reference| reference.rsplit('/').next());
    if name.is_some_and(|name| schemas[name].is_object() && schemas[name]["required"].is_null()) {
        body["required"] = false.into();
    }
}

/// Looking into what is not there has left nulls behind.
fn tidy(operation: &mut Value) {
    if let Some(fields) = operation.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
}
