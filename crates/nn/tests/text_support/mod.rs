//! Where the tests of the text side find golden files, tiny models and real data.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use stateset_nn::{TextFiles, Tokenizer};

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
        "phi3 in a phi3 model folder" => return Some(phi3_in_its_folder(&data("tokenizers/phi3")?)),
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
