//! What may be asked for with the id that an answer holds.

use serde_json::{Map, Value, json};

/// Paths whose answers hold the id of something that lies below another path. All others make what lies
/// below themselves.
const MAKES: [(&str, &str); 4] = [
    ("/chat/start", "/chat"),
    ("/api/chat", "/api/conversations"),
    ("/v1/chat", "/v1/conversations"),
    ("/api/train", "/api/jobs"),
];

/// Links every answer that holds an id to what can be done with it.
pub(super) fn add_links(paths: &mut Map<String, Value>) {
    let makers: Vec<String> = paths
        .iter()
        .filter(|(_, item)| item["post"].is_object())
        .map(|(path, _)| path.clone())
        .collect();
    for path in makers {
        let links = links_below(paths, root_of(&path));
        let Some(responses) = paths[&path]["post"]["responses"].as_object_mut() else { continue };
        let answers = responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
        for (_, response) in answers.filter(|_| !links.is_empty()) {
            response["links"] = Value::Object(links.clone());
        }
    }
}

fn root_of(path: &str) -> &str {
    MAKES.iter().find(|(maker, _)| *maker == path).map_or(path, |(_, root)| root)
}

fn links_below(paths: &Map<String, Value>, root: &str) -> Map<String, Value> {
    let start = format!("{root}/{{id}}");
    let below = paths.iter().filter(|(path, _)| path.starts_with(&start));
    let operations = below.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let link = |(_, operation): (&String, &Value)| {
        let id = operation["operationId"].as_str()?.to_owned();
        let link = json!({"operationId": id, "parameters": {"id": "$response.body#/id"}});
        Some((id, link))
    };
    operations.filter_map(link).collect()
}
