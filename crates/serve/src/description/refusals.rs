//! The errors of each kind of operation, in the words of its API.

use serde_json::{Map, Value, json};

use super::operation::{Kind, headers};
use crate::api_error::Dialect;
use crate::security::Need;

/// Every status of an error, and when it comes.
const WHEN: [(u16, &str); 13] = [
    (400, "The request cannot be read, or a field is wrong"),
    (401, "The key is missing or wrong"),
    (403, "The key's role is not enough, or the page or host is not allowed"),
    (404, "There is nothing of this name"),
    (408, "The body did not come in time"),
    (409, "It cannot be done now"),
    (413, "The body is larger than the server takes"),
    (415, "The body says that it is not JSON"),
    (422, "A field is wrong"),
    (429, "The caller has asked too often"),
    (500, "The server failed"),
    (503, "The server, its database or the model has no room or does not answer"),
    (507, "The server's disk is full"),
];

/// Adds the errors that an operation can have besides those it names itself.
pub(super) fn add_refusals(kind: &Kind, operation: &mut Value) {
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for status in statuses(kind) {
        responses.entry(status.to_string()).or_insert_with(
            || json!({"$ref": format!("#/components/responses/{}", name(kind.dialect, status))}),
        );
    }
}

/// All errors, by the names that operations refer to.
pub(super) fn responses() -> Map<String, Value> {
    let dialects = [Dialect::Own, Dialect::OpenAi, Dialect::Anthropic];
    let each = dialects.into_iter().flat_map(|dialect| WHEN.map(|(status, _)| (dialect, status)));
    each.map(|(dialect, status)| (name(dialect, status), response(dialect, status))).collect()
}

fn statuses(kind: &Kind) -> Vec<u16> {
    let is_own = kind.dialect == Dialect::Own;
    let mut statuses = vec![403, 500];
    match kind.need {
        Need::Open => {}
        Need::Sample => statuses.extend([401, 409]),
        Need::Role(_) => statuses.extend([401, 429, 503]),
    }
    if !is_own {
        // What a sample may answer, which the path or a header names.
        statuses.extend([400, 404, 409]);
    }
    if kind.has_body {
        statuses.extend([400, 408, 413, 415, if is_own { 422 } else { 404 }]);
    }
    if kind.has_name {
        statuses.extend([400, 404]);
    }
    if kind.has_parameters && is_own {
        statuses.push(422);
    }
    if kind.writes && is_own && kind.need != Need::Sample {
        statuses.push(507);
    }
    statuses
}

fn name(dialect: Dialect, status: u16) -> String {
    match dialect {
        Dialect::Own => format!("Error{status}"),
        Dialect::OpenAi => format!("OpenAiError{status}"),
        Dialect::Anthropic => format!("AnthropicError{status}"),
    }
}

fn response(dialect: Dialect, status: u16) -> Value {
    let when = WHEN.iter().find(|(known, _)| *known == status).map_or("", |(_, when)| when);
    let schema = match dialect {
        Dialect::Own => "Error",
        Dialect::OpenAi => "OpenAiError",
        Dialect::Anthropic => "AnthropicError",
    };
    let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
    json!({
        "description": when, "headers": headers(status),
        "content": {"application/json": {"schema": schema}},
    })
}
