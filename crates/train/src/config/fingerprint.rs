//! Whether two configurations give the same run.
//!
//! Only keys that influence the result count ([`super::Effect::Outcome`]), by their resolved values
//! and not by where those are from. A run is resumed only with an equal fingerprint.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::check::shown;
use super::key::Effect;
use super::values::Values;

/// Goes into every fingerprint; changes when keys change their meaning.
const SCHEMA: &str = "stateset run configuration 1\n";

/// A key whose values differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path of the key.
    pub path: &'static str,
    /// Its value on the left, for messages.
    pub left: String,
    /// Its value on the right.
    pub right: String,
}

/// Differences of two configurations in what influences the result, sorted by path.
pub fn differences(left: &Values, right: &Values) -> Vec<Difference> {
    let differing = |path: &&'static str| value(left, path) != value(right, path);
    let difference = |path: &'static str| Difference {
        path,
        left: shown(value(left, path)),
        right: shown(value(right, path)),
    };
    result_paths().filter(differing).map(difference).collect()
}

impl Values {
    /// SHA-256 over everything that influences the result, as 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(SCHEMA);
        for path in result_paths() {
            let value = value(self, path);
            if !value.is_null() {
                hash.update(format!("{path}={value}\n"));
            }
        }
        hash.finalize().iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Keys that count, sorted, so that their order in documents does not matter.
fn result_paths() -> impl Iterator<Item = &'static str> {
    let counts = super::keys::all_keys().filter(|key| key.effect == Effect::Outcome);
    let mut paths: Vec<&'static str> = counts.map(|key| key.path).collect();
    paths.sort_unstable();
    paths.into_iter()
}

fn value<'a>(values: &'a Values, path: &str) -> &'a Value {
    const NOTHING: &Value = &Value::Null;
    values.set(path).map_or(NOTHING, |setting| &setting.value)
}
