//! Where the tests of the text side find golden files, tiny models and real data.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use stateset_core::{Message, Role, ToolCall, ToolSpec};
use stateset_nn::{ChatTemplate, Date, RenderOptions, SpecialTokens, TextFiles, Tokenizer};

/// `tests/golden` of the workspace.
pub(crate) fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// One golden file.
pub(crate) fn golden(name: &str) -> Value {
    let text = std::fs::read_to_string(golden_folder().join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A folder of the real data; `None`, with a line that says so, where it is absent.
pub(crate) fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var("STATESET_TEST_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let full = root.join(path);
    if full.exists() {
        return Some(full);
    }
    println!("SKIPPED: {} is absent", full.display());
    None
}

/// The tokenizer behind a name of the golden files.
pub(crate) fn tokenizer(name: &str) -> Option<Tokenizer> {
    let folder = match name {
        _ if name.starts_with("tiny-") => golden_folder().join("text").join(name),
        "gpt2" | "llama2" | "minimind" | "phi3" => data(&format!("tokenizers/{name}"))?,
        "phi3 in a phi3 model folder" => {
            return Some(phi3_in_its_folder(&data("tokenizers/phi3")?));
        }
        _ => data(name)?,
    };
    Some(Tokenizer::from_folder(&folder).unwrap())
}

fn phi3_in_its_folder(folder: &Path) -> Tokenizer {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let files = ["tokenizer.json", "tokenizer_config.json"].map(|name| (name, read(name).into()));
    let config = ("config.json", br#"{"model_type": "phi3"}"#.to_vec().into());
    let files = TextFiles::from_memory("phi3", files.into_iter().chain([config])).unwrap();
    Tokenizer::load(&files).unwrap()
}

/// Numbers of a JSON list.
pub(crate) fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

/// A message of the golden file.
pub(crate) fn message(value: &Value) -> Message {
    let text = |key: &str| value[key].as_str().map(str::to_string);
    let calls = value["tool_calls"].as_array().into_iter().flatten().map(|call| ToolCall {
        id: call["id"].as_str().unwrap().to_string(),
        name: call["function"]["name"].as_str().unwrap().to_string(),
        arguments: call["function"]["arguments"].clone(),
    });
    Message {
        role: Role::from_name(value["role"].as_str().unwrap()).unwrap(),
        content: text("content").unwrap(),
        images: Vec::new(),
        reasoning: text("reasoning_content"),
        tool_calls: calls.collect(),
        tool_call_id: text("tool_call_id"),
        name: text("name"),
    }
}

/// A tool of the golden file.
pub(crate) fn tool(value: &Value) -> ToolSpec {
    let function = &value["function"];
    ToolSpec {
        name: function["name"].as_str().unwrap().to_string(),
        description: function["description"].as_str().unwrap().to_string(),
        parameters: function["parameters"].clone(),
    }
}

/// A conversation of the golden file.
pub(crate) fn conversation(golden: &Value, name: &str) -> (Vec<Message>, Vec<ToolSpec>) {
    let found = &golden["conversations"][name];
    let list = |key: &str| found[key].as_array().unwrap().clone();
    (list("messages").iter().map(message).collect(), list("tools").iter().map(tool).collect())
}

/// The chat template that a case of the golden file was rendered with.
pub(crate) fn template(place: &str) -> Option<ChatTemplate> {
    let (kind, path) = place.split_once(':').unwrap();
    let file = match kind {
        "own" => golden_folder().join(path),
        "data" => data(path)?,
        _ => {
            return Some(
                ChatTemplate::load(&TextFiles::from_folder(&data(path)?).unwrap()).unwrap(),
            );
        }
    };
    Some(ChatTemplate::from_source(place, &std::fs::read_to_string(file).unwrap()).unwrap())
}

/// What a case of the golden file was rendered with, beside its messages.
pub(crate) fn options(golden: &Value, case: &Value, tools: Vec<ToolSpec>) -> RenderOptions {
    let mut special_tokens = SpecialTokens::default();
    for (role, token) in case["special_tokens"].as_object().unwrap() {
        special_tokens.set(role, token.as_str().unwrap());
    }
    RenderOptions {
        tools,
        add_generation_prompt: false,
        date: Some(Date::parse(golden["now"].as_str().unwrap()).unwrap()),
        kwargs: case["kwargs"].as_object().unwrap().clone(),
        special_tokens,
    }
}
