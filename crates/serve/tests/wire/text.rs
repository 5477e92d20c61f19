//! `/v1/completions`.

use serde_json::{Value, json};

use crate::running::start;
use crate::schema::schema;

const PATH: &str = "/v1/completions";

#[tokio::test]
async fn streams_say_what_whole_answers_say() {
    let server = start().await;
    let asked = json!({
        "model": "tiny", "prompt": ["Hello", "Good day"], "n": 2, "seed": 3, "max_tokens": 12,
        "logprobs": 2, "return_token_ids": true,
    });
    let whole = server.post(PATH, &asked).await;
    schema("CreateCompletionResponse").check(&whole);
    let chunks = server.stream(PATH, &asked).await;
    let (last, chunks) = chunks.split_last().unwrap();
    assert_eq!(last.1, "[DONE]");
    for (index, choice) in whole["choices"].as_array().unwrap().iter().enumerate() {
        let mine = chunks
            .iter()
            .filter_map(|(_, chunk)| chunk["choices"].get(0))
            .filter(|choice| choice["index"] == index);
        let (mut text, mut tokens, mut offsets) = (String::new(), Vec::new(), Vec::new());
        let mut logprobs: Vec<Value> = Vec::new();
        for piece in mine {
            text.push_str(piece["text"].as_str().unwrap());
            let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
            tokens.extend(list(&piece["token_ids"]));
            offsets.extend(list(&piece["logprobs"]["text_offset"]));
            logprobs.extend(list(&piece["logprobs"]["token_logprobs"]));
        }
        assert_eq!(text, choice["text"].as_str().unwrap());
        assert_eq!(Value::from(tokens), choice["token_ids"]);
        assert_eq!(Value::from(offsets), choice["logprobs"]["text_offset"]);
        assert_eq!(Value::from(logprobs), choice["logprobs"]["token_logprobs"]);
        assert_eq!(choice["logprobs"]["top_logprobs"][0].as_object().unwrap().len(), 2);
    }
    let read: usize = [0, 2]
        .iter()
        .map(|at| whole["choices"][at]["prompt_token_ids"].as_array().unwrap().len())
        .sum();
    assert_eq!(whole["usage"]["prompt_tokens"], read);
}

#[tokio::test]
async fn echoes_and_tokens() {
    let server = start().await;
    let asked = json!({"model": "stub", "prompt": "Say: ", "echo": true, "max_tokens": 2});
    let whole = server.post(PATH, &asked).await;
    schema("CreateCompletionResponse").check(&whole);
    let choice = &whole["choices"][0];
    assert_eq!(choice["text"].as_str().unwrap().trim_end(), "Say: One two");
    assert_eq!(choice["finish_reason"], "length");
    let told = json!({
        "model": "tiny", "prompt": "Hello there", "max_tokens": 1, "return_token_ids": true,
        "temperature": 0,
    });
    let first = server.post(PATH, &told).await;
    let ids = first["choices"][0]["prompt_token_ids"].clone();
    let told =
        json!({"model": "tiny", "prompt": ids, "max_tokens": 1, "temperature": 0, "echo": true});
    let second = server.post(PATH, &told).await;
    let text = second["choices"][0]["text"].as_str().unwrap();
    let said = first["choices"][0]["text"].as_str().unwrap();
    assert!(text.contains("Hello there") && text.ends_with(said), "{text:?} {said:?}");
}
