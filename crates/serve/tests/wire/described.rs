//! Our own description of these routes.

use serde_json::Value;
use stateset_serve::{anthropic, openai};

#[test]
fn every_reference_is_there_and_every_route_is_described() {
    let paths = [
        (
            openai::openapi().to_json().unwrap(),
            &[
                "/v1/chat/completions",
                "/v1/completions",
                "/v1/embeddings",
                "/v1/models",
                "/v1/responses",
            ][..],
        ),
        (
            anthropic::openapi().to_json().unwrap(),
            &["/v1/messages", "/v1/messages/count_tokens"][..],
        ),
    ];
    for (text, expected) in paths {
        let description: Value = serde_json::from_str(&text).unwrap();
        for path in expected {
            assert!(description["paths"][path].is_object(), "{path}");
        }
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(description.pointer(pointer).is_some(), "{pointer} leads nowhere");
        }
    }
}
