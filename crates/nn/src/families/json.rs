//! Reads keys of a Hugging Face `config.json`, with errors that say which key and what it held.

use serde_json::{Map, Value};

use crate::NnError;

/// A configuration object and the path to it.
#[derive(Clone)]
pub(crate) struct ConfigJson<'a> {
    object: &'a Map<String, Value>,
    path: String,
}

impl<'a> ConfigJson<'a> {
    pub(crate) fn root(value: &'a Value) -> Result<Self, NnError> {
        match value {
            Value::Object(object) => Ok(ConfigJson { object, path: String::new() }),
            _ => Err(NnError::ModelConfig {
                key: "(root)".to_owned(),
                message: "expected an object".to_owned(),
            }),
        }
    }

    pub(crate) fn error(&self, key: &str, message: impl Into<String>) -> NnError {
        NnError::ModelConfig { key: format!("{}{key}", self.path), message: message.into() }
    }

    /// The value of `key`; null counts as absent.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn object(&self, key: &str) -> Result<Option<ConfigJson<'a>>, NnError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(object)) => {
                Ok(Some(ConfigJson { object, path: format!("{}{key}.", self.path) }))
            }
            Some(other) => Err(self.wrong(key, other, "an object")),
        }
    }

    pub(crate) fn size(&self, key: &str) -> Result<usize, NnError> {
        self.size_if_any(key)?.ok_or_else(|| self.error(key, "it is missing"))
    }

    /// A whole number from 1 to 2^31.
    pub(crate) fn size_if_any(&self, key: &str) -> Result<Option<usize>, NnError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_u64() {
            Some(n) if (1..=1 << 31).contains(&n) => Ok(Some(n as usize)),
            _ => Err(self.wrong(key, value, "a whole number from 1 to 2147483648")),
        }
    }

    pub(crate) fn number(&self, key: &str, default: f64) -> Result<f64, NnError> {
        Ok(self.number_if_any(key)?.unwrap_or(default))
    }

    pub(crate) fn number_if_any(&self, key: &str) -> Result<Option<f64>, NnError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_f64() {
            Some(x) if x.is_finite() => Ok(Some(x)),
            _ => Err(self.wrong(key, value, "a number")),
        }
    }

    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool, NnError> {
        match self.value(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong(key, other, "true or false")),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, NnError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, other, "a string")),
        }
    }

    pub(crate) fn numbers(&self, key: &str) -> Result<Vec<f64>, NnError> {
        let value = self.value(key).ok_or_else(|| self.error(key, "it is missing"))?;
        let list = value.as_array().and_then(|list| list.iter().map(Value::as_f64).collect());
        list.ok_or_else(|| self.wrong(key, value, "a list of numbers"))
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>, NnError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let list = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
        list.map(Some).ok_or_else(|| self.wrong(key, value, "a list of strings"))
    }

    fn wrong(&self, key: &str, found: &Value, allowed: &str) -> NnError {
        let mut found = found.to_string();
        if found.len() > 60 {
            found.truncate(found.floor_char_boundary(57));
            found.push_str("...");
        }
        self.error(key, format!("found {found}, allowed is {allowed}"))
    }
}
