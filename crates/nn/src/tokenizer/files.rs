//! The small files of a model folder that say how text becomes tokens: read once, kept as bytes.
//!
//! A model may live in a folder or be embedded in the program (`include_bytes!`), so everything
//! above works on names and bytes. The choice a reader would question: the bytes are kept for the
//! life of the tokenizer, so that saving writes back exactly what was loaded.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde_json::{Map, Value};

use crate::text_error::TextError;

/// Largest tokenizer file that is read, in bytes.
pub const MAX_TOKENIZER_BYTES: u64 = 64 << 20;

/// Largest configuration or template file that is read, in bytes.
pub const MAX_CONFIG_BYTES: u64 = 4 << 20;

/// Files that hold a vocabulary.
const TOKENIZER_FILES: [&str; 6] =
    ["tokenizer.json", "vocab.json", "merges.txt", "encoder.json", "vocab.bpe", "tokenizer.model"];

/// Files that describe it, and the chat template.
const CONFIG_FILES: [&str; 4] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
];

/// Files of the model that are read but belong to its checkpoint.
const MODEL_FILES: [&str; 2] = ["config.json", "generation_config.json"];

/// Folder of named chat templates.
const TEMPLATE_FOLDER: &str = "chat_templates";

/// The text files of one model, by name.
#[derive(Clone, Debug, Default)]
pub struct TextFiles {
    origin: String,
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

impl TextFiles {
    /// Reads the known files of a model folder; absent ones are skipped.
    ///
    /// # Errors
    /// [`TextError::ReadFile`] and [`TextError::FileTooLarge`].
    pub fn from_folder(folder: &Path) -> Result<TextFiles, TextError> {
        let mut all = TextFiles { origin: folder.display().to_string(), files: BTreeMap::new() };
        for name in TOKENIZER_FILES.iter().chain(&CONFIG_FILES).chain(&MODEL_FILES) {
            if let Some(bytes) = read_limited(&folder.join(name), limit_of(name))? {
                all.files.insert((*name).to_string(), Cow::Owned(bytes));
            }
        }
        for name in template_names(&folder.join(TEMPLATE_FOLDER))? {
            let name = format!("{TEMPLATE_FOLDER}/{name}");
            if let Some(bytes) = read_limited(&folder.join(&name), MAX_CONFIG_BYTES)? {
                all.files.insert(name, Cow::Owned(bytes));
            }
        }
        Ok(all)
    }

    /// Files that are already in memory, named as in a model folder. `origin` is what errors call
    /// them.
    ///
    /// # Errors
    /// [`TextError::FileTooLarge`].
    pub fn from_memory<'n>(
        origin: &str,
        files: impl IntoIterator<Item = (&'n str, Cow<'static, [u8]>)>,
    ) -> Result<TextFiles, TextError> {
        let mut all = TextFiles { origin: origin.to_string(), files: BTreeMap::new() };
        for (name, bytes) in files {
            check_size(name, bytes.len() as u64, limit_of(name))?;
            all.files.insert(name.to_string(), bytes);
        }
        Ok(all)
    }

    /// Where the files come from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Bytes of the file `name`.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(AsRef::as_ref)
    }

    /// The same files with another chat template.
    pub fn with_template(&self, template: Vec<u8>) -> TextFiles {
        let mut all = self.clone();
        all.files.insert("chat_template.jinja".to_owned(), Cow::Owned(template));
        all
    }

    /// Names and bytes of all files but `config.json`, which whoever writes weights writes.
    pub fn beside_config(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let all = self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_ref()));
        all.filter(|(name, _)| *name != "config.json")
    }

    /// Name that errors use for the file `name`.
    pub fn label(&self, name: &str) -> String {
        format!("{}/{name}", self.origin)
    }

    /// Writes the tokenizer and template files to `folder`, as they were read. Files of the
    /// checkpoint (`config.json`, `generation_config.json`) are left to whoever writes the
    /// checkpoint.
    ///
    /// # Errors
    /// [`TextError::WriteFile`].
    pub fn save(&self, folder: &Path) -> Result<(), TextError> {
        for (name, bytes) in &self.files {
            if !MODEL_FILES.contains(&name.as_str()) {
                write_file(&folder.join(name), bytes)?;
            }
        }
        Ok(())
    }

    /// Named chat templates of the folder `chat_templates`, by name without `.jinja`.
    pub(crate) fn named_templates(&self) -> impl Iterator<Item = (&str, &str, &[u8])> {
        self.files.iter().filter_map(|(path, bytes)| {
            let name = path.strip_prefix(TEMPLATE_FOLDER)?.strip_prefix('/')?;
            Some((name.strip_suffix(".jinja")?, path.as_str(), bytes.as_ref()))
        })
    }

    /// The file `name` as UTF-8 text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, TextError> {
        let Some(bytes) = self.get(name) else { return Ok(None) };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(e) => Err(TextError::bad_file(
                self.label(name),
                format!("byte {}", e.valid_up_to()),
                "is not UTF-8",
            )),
        }
    }

    /// The file `name` as a JSON object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, TextError> {
        let Some(bytes) = self.get(name) else { return Ok(None) };
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => Ok(Some(map)),
            Ok(_) => {
                Err(TextError::bad_file(self.label(name), "top level", "is not a JSON object"))
            }
            Err(e) => Err(TextError::bad_file(
                self.label(name),
                format!("line {}, column {}", e.line(), e.column()),
                e,
            )),
        }
    }
}

/// Writes `bytes` to `path`, making its folder.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), TextError> {
    let failed = |source| TextError::WriteFile { path: path.to_path_buf(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    fs::write(path, bytes).map_err(failed)
}

fn limit_of(name: &str) -> u64 {
    if TOKENIZER_FILES.contains(&name) { MAX_TOKENIZER_BYTES } else { MAX_CONFIG_BYTES }
}

fn check_size(file: &str, bytes: u64, limit: u64) -> Result<(), TextError> {
    if bytes > limit {
        return Err(TextError::FileTooLarge { file: file.to_string(), bytes, limit });
    }
    Ok(())
}

fn read_limited(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, TextError> {
    let failed = |source| TextError::ReadFile { path: path.to_path_buf(), source };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    let size = file.metadata().map_err(failed)?.len();
    check_size(&path.display().to_string(), size, limit)?;
    let mut bytes = Vec::new();
    // The length of a pipe or a growing file is not to be trusted.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    check_size(&path.display().to_string(), bytes.len() as u64, limit)?;
    Ok(Some(bytes))
}

fn template_names(folder: &Path) -> Result<Vec<String>, TextError> {
    let failed = |source| TextError::ReadFile { path: folder.to_path_buf(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string()
            && name.ends_with(".jinja")
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
