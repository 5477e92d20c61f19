//! Which of two answers people found better, as lines that preference learning reads.

use std::io;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::run::blocking;
use crate::App;
use crate::api_error::{ApiError, full_disk, is_full_disk};
use crate::body::JsonBody;
use crate::lines_file::LinesFile;

/// Most messages of a prompt.
const MAX_MESSAGES: usize = 256;
/// Most bytes of a line.
const MAX_BYTES: usize = 1 << 20;

/// A file of pairs, one JSON object a line, as `train --algorithm dpo --pairs FILE` reads them.
#[derive(Clone, Debug)]
pub struct PreferenceFile {
    file: LinesFile,
}

/// A better and a worse answer.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Preference {
    prompt: Vec<Said>,
    chosen: String,
    rejected: String,
    /// Models that gave the two answers.
    #[serde(default)]
    chosen_model: String,
    #[serde(default)]
    rejected_model: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Said {
    role: String,
    content: String,
}

impl PreferenceFile {
    /// The file at `path`, which is made with its folder when the first pair comes.
    pub fn new(path: impl Into<PathBuf>) -> PreferenceFile {
        PreferenceFile { file: LinesFile::new(path) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

pub(super) async fn add(
    State(app): State<App>,
    JsonBody(pair): JsonBody<Preference>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    check(&pair)?;
    let answer = |text: &str| json!([{"role": "assistant", "content": text}]);
    let line = json!({
        "prompt": pair.prompt,
        "chosen": answer(&pair.chosen),
        "rejected": answer(&pair.rejected),
        "metadata": {"chosen_model": pair.chosen_model, "rejected_model": pair.rejected_model},
    })
    .to_string();
    if line.len() > MAX_BYTES {
        let message = format!("a pair may have {MAX_BYTES} bytes and this one has {}", line.len());
        return Err(ApiError::invalid("prompt", message));
    }
    let file = app.config().preferences.clone();
    let path = file.path().display().to_string();
    let refused = |error: io::Error| match is_full_disk(&error) {
        true => full_disk(error),
        false => ApiError::internal(error),
    };
    blocking(move || file.file.append(&line).map_err(refused)).await?;
    Ok((StatusCode::CREATED, Json(json!({"written": true, "file": path}))))
}

fn check(pair: &Preference) -> Result<(), ApiError> {
    let n = pair.prompt.len();
    if n == 0 || n > MAX_MESSAGES {
        let message = format!("1 to {MAX_MESSAGES} messages are needed, not {n}");
        return Err(ApiError::invalid("prompt", message));
    }
    for (index, said) in pair.prompt.iter().enumerate() {
        if !["system", "user", "assistant"].contains(&said.role.as_str()) {
            let message = format!("{:?} is not system, user or assistant", said.role);
            return Err(ApiError::invalid(format!("prompt[{index}].role"), message));
        }
    }
    for (field, text) in [("chosen", &pair.chosen), ("rejected", &pair.rejected)] {
        if text.trim().is_empty() {
            return Err(ApiError::invalid(field, "an answer needs words"));
        }
    }
    if pair.chosen == pair.rejected {
        return Err(ApiError::invalid("rejected", "both answers are the same"));
    }
    Ok(())
}
