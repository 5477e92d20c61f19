//! From bytes to the entries of a file, each with its place for messages.
//!
//! Places are lines in JSONL and numbers of entries, from 0, elsewhere. A line that is no JSON is a
//! problem of its own; the lines after it are read all the same.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};

/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Most entries in one file.
pub const MAX_ENTRIES: usize = 100_000;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON document.
    Json,
    /// One JSON object in each line; empty lines are skipped.
    Jsonl,
    /// One YAML document.
    Yaml,
}

impl Format {
    /// The format that the ending of `path` names.
    ///
    /// # Errors
    /// [`EnvError::UnknownFormat`] for any other ending than `.json`, `.jsonl`, `.yaml` and `.yml`.
    pub fn of_path(path: &Path) -> Result<Format, EnvError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "json" => Ok(Format::Json),
            "jsonl" | "ndjson" => Ok(Format::Jsonl),
            "yaml" | "yml" => Ok(Format::Yaml),
            _ => Err(EnvError::UnknownFormat { path: path.to_owned() }),
        }
    }
}

/// One entry of a file.
pub(super) struct Entry {
    /// Where it stands, such as `a.jsonl line 3`.
    pub(super) place: String,
    /// What it holds.
    pub(super) object: Map<String, Value>,
}

/// The entries of a file, and what is wrong with it as a whole.
pub(super) struct Entries {
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
}

/// Splits `bytes`; `list_key` is the key that may hold the list in a JSON or YAML object.
pub(super) fn read_entries(
    bytes: &[u8],
    format: Format,
    name: &str,
    list_key: &str,
) -> Result<Entries, EnvError> {
    let found = bytes.len() as u64;
    if found > MAX_FILE_BYTES {
        return Err(EnvError::TooLarge { name: name.to_owned(), found, limit: MAX_FILE_BYTES });
    }
    let mut reader = Reader { name, entries: Vec::new(), problems: Vec::new() };
    match std::str::from_utf8(bytes) {
        Ok(text) => reader.read(text.trim_start_matches('\u{feff}'), format, list_key),
        Err(error) => {
            let found = format!("bytes that are no UTF-8 after byte {}", error.valid_up_to());
            reader.problem(name.to_owned(), found, "UTF-8 text");
        }
    }
    if reader.entries.is_empty() && reader.problems.is_empty() {
        reader.problem(name.to_owned(), "no entries", "one entry or more");
    }
    if reader.entries.len() > MAX_ENTRIES {
        let found = format!("{} entries", reader.entries.len());
        reader.problem(name.to_owned(), found, format!("at most {MAX_ENTRIES}"));
        reader.entries.clear();
    }
    Ok(Entries { entries: reader.entries, problems: reader.problems })
}

struct Reader<'a> {
    name: &'a str,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn read(&mut self, text: &str, format: Format, list_key: &str) {
        match format {
            Format::Jsonl => self.read_lines(text),
            Format::Json => match serde_json::from_str(text) {
                Ok(document) => self.read_document(document, list_key),
                Err(error) => {
                    let place = format!("{} line {}", self.name, error.line());
                    self.problem(place, error.to_string(), "JSON");
                }
            },
            Format::Yaml => match yaml(text) {
                Ok(document) => self.read_document(document, list_key),
                Err(error) => {
                    let line =
                        error.location().map(|location| format!(" line {}", location.line()));
                    let place = format!("{}{}", self.name, line.unwrap_or_default());
                    let found = error.without_snippet().to_string();
                    self.problem(place, found, "YAML with at most 250,000 values");
                }
            },
        }
    }

    fn read_lines(&mut self, text: &str) {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = format!("{} line {}", self.name, index + 1);
            match serde_json::from_str(line) {
                Ok(value) => self.push(place, value),
                Err(error) => self.problem(place, error.to_string(), "a JSON object"),
            }
        }
    }

    fn read_document(&mut self, document: Value, list_key: &str) {
        let list = match document {
            Value::Object(mut object) => {
                let fields = Fields::new(self.name, &object, &[list_key]);
                self.problems.extend(fields.into_problems());
                object.remove(list_key).unwrap_or_default()
            }
            other => other,
        };
        let Value::Array(items) = list else {
            let allowed = format!("a list, or an object with a list under `{list_key}`");
            return self.problem(self.name.to_owned(), kind_of(&list), allowed);
        };
        for (index, value) in items.into_iter().enumerate() {
            self.push(format!("{} entry {index}", self.name), value);
        }
    }

    fn push(&mut self, place: String, value: Value) {
        match value {
            Value::Object(object) => self.entries.push(Entry { place, object }),
            other => self.problem(place, kind_of(&other), "an object"),
        }
    }

    fn problem(&mut self, place: String, found: impl Into<String>, allowed: impl Into<String>) {
        self.problems.push(Problem {
            place,
            key: String::new(),
            found: found.into(),
            allowed: allowed.into(),
            hint: None,
        });
    }
}

/// YAML 1.2: `no` and `on` are texts, because that is what a user says who says them.
pub(crate) fn yaml(text: &str) -> Result<Value, serde_saphyr::Error> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
}
