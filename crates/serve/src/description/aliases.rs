//! Paths that lead to the handlers of others, for two documents may name one thing differently.

use serde_json::{Map, Value};

use crate::conversations::ROOTS;

/// Whether one path stands for all methods of another, or for one.
const ALL: Option<&str> = None;

/// A path, the one whose handlers it leads to, and the only method for which it does.
const ALIASES: [(&str, &str, Option<&str>); 18] = [
    ("/healthz", "/health", ALL),
    ("/v1/health", "/health", ALL),
    ("/api/v2/health", "/health", ALL),
    ("/v1/metrics", "/api/metrics", ALL),
    ("/api/v2/metrics", "/api/metrics", ALL),
    ("/v1/scale", "/api/scale", ALL),
    ("/v1/chat", "/api/chat", ALL),
    ("/api/v2/chat", "/api/chat", ALL),
    ("/chat/{id}", "/conversations/{id}", Some("delete")),
    ("/chat/{id}/history", "/conversations/{id}", Some("get")),
    ("/chat/{id}/message", "/conversations/{id}/messages", ALL),
    ("/v1/training", "/training", Some("get")),
    ("/api/jobs", "/training", Some("get")),
    ("/v1/jobs", "/training", Some("get")),
    ("/api/status/{id}", "/training/{id}", Some("get")),
    ("/v1/status/{id}", "/training/{id}", Some("get")),
    ("/v1/train", "/api/train", ALL),
    ("/api/v2/train", "/api/train", ALL),
];

/// Beginnings of paths, and those that they stand for.
const ROOTS_OF_TRAININGS: [(&str, &str); 4] = [
    ("/v1/training/{id}", "/training/{id}"),
    ("/api/jobs/{id}", "/training/{id}"),
    ("/v1/jobs/{id}", "/training/{id}"),
    ("/api/v2/jobs/{id}", "/training/{id}"),
];

/// Describes every alias as what it leads to.
pub(super) fn add_aliases(paths: &mut Map<String, Value>) {
    let of_conversations = ROOTS[1..].iter().map(|root| (*root, ROOTS[0]));
    for (alias, root) in of_conversations.chain(ROOTS_OF_TRAININGS) {
        let below: Vec<String> =
            paths.keys().filter(|path| is_below(path, root)).cloned().collect();
        for path in below {
            copy(paths, &format!("{alias}{}", &path[root.len()..]), &path, ALL);
        }
    }
    for (alias, path, method) in ALIASES {
        copy(paths, alias, path, method);
    }
}

fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn copy(paths: &mut Map<String, Value>, alias: &str, path: &str, only: Option<&str>) {
    let Some(Value::Object(methods)) = paths.get(path).cloned() else { return };
    let target = paths.entry(alias).or_insert_with(|| Value::Object(Map::new()));
    for (method, mut operation) in methods {
        if only.is_none_or(|only| only == method) {
            let same = format!("The same as {} {path}.", method.to_uppercase());
            operation["description"] = same.into();
            target[method] = operation;
        }
    }
}
