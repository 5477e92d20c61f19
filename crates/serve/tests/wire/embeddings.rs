//! `/v1/embeddings`.

use serde_json::{Value, json};

use crate::running::start;
use crate::schema::schema;

const PATH: &str = "/v1/embeddings";

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[tokio::test]
async fn vectors_have_length_one_in_both_formats() {
    let server = start().await;
    let answer = server.post(PATH, &json!({"model": "tiny", "input": ["Hello", "Good day"]})).await;
    schema("CreateEmbeddingResponse").check(&answer);
    for vector in answer["data"].as_array().unwrap() {
        let squares: f64 = numbers(&vector["embedding"]).iter().map(|x| x * x).sum();
        assert!((squares - 1.0).abs() < 1e-4, "{squares}");
    }
    let asked = json!({"model": "tiny", "input": "Hello", "encoding_format": "base64"});
    let text = server.post(PATH, &asked).await;
    let text = text["data"][0]["embedding"].as_str().unwrap().to_owned();
    let first = numbers(&answer["data"][0]["embedding"]);
    assert_eq!(text.len(), (first.len() * 4).div_ceil(3) * 4);
    let asked = json!({"model": "tiny", "input": "Hello", "dimensions": 8});
    let short = server.post(PATH, &asked).await;
    assert_eq!(numbers(&short["data"][0]["embedding"]).len(), 8);
}

#[tokio::test]
async fn what_is_wrong_has_its_place() {
    let server = start().await;
    let cases = [
        (json!({"model": "tiny"}), "input"),
        (json!({"model": "tiny", "input": []}), "input"),
        (json!({"model": "tiny", "input": ["a", ""]}), "input[1]"),
        (json!({"model": "tiny", "input": [[1], [4_000_000_000_u32]]}), "input[1]"),
        (json!({"model": "tiny", "input": "a", "dimensions": 0}), "dimensions"),
        (json!({"model": "tiny", "input": "a", "dimensions": 1_000_000}), "dimensions"),
        (json!({"model": "tiny", "input": "a", "encoding_format": "int8"}), "encoding_format"),
        (json!({"model": "stub", "input": "a"}), "model"),
    ];
    for (body, place) in cases {
        let (status, answer) = server.send(PATH, &body).await;
        assert_eq!((status.as_u16(), &answer["error"]["param"]), (400, &json!(place)), "{answer}");
    }
}
