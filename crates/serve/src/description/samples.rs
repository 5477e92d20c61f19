//! The APIs of models below the path of a sample: described as what they are elsewhere.

use serde_json::{Map, Value, json};
use utoipa::IntoParams;

use crate::api_error::Dialect;
use crate::gateway::{Address, SAMPLE_PATH};

/// What a sample refuses, for its episode is a conversation.
const REFUSED: [&str; 2] = ["/v1/completions", "/v1/embeddings"];

/// Describes every route of a model's API once more, below the path of a sample.
pub(super) fn add_samples(paths: &mut Map<String, Value>) {
    let of_apis = paths.iter().filter(|(path, _)| Dialect::of_path(path) != Dialect::Own);
    let of_apis: Vec<(String, Value)> =
        of_apis.map(|(path, item)| (path.clone(), item.clone())).collect();
    for (path, mut item) in of_apis {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            put_below_sample(operation, method, &path);
        }
        paths.insert(format!("{SAMPLE_PATH}{path}"), item);
    }
}

fn put_below_sample(operation: &mut Value, method: &str, path: &str) {
    let same = format!("{} {path}", method.to_uppercase());
    operation["tags"] = json!(["gateway"]);
    if REFUSED.contains(&path) {
        operation["description"] =
            format!("As {same}, and refused: a sample is a conversation.").into();
        operation["responses"] = json!({});
    } else {
        operation["description"] =
            format!("As {same}, answered by the episode of the sample.").into();
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let address = json!(Address::into_params(|| None));
    operation["parameters"] = [list(&address), list(&operation["parameters"])].concat().into();
}
