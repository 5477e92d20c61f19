//! Reads the fields of one object that a user wrote and collects everything that is wrong with it.
//!
//! `serde` stops at the first problem; here every key is looked at, so that a file can be mended in
//! one go. Unknown keys are refused with the nearest known one.

use serde_json::{Map, Value};

use crate::error::Problem;
use crate::names::{listed, nearest};

/// The fields of one object, and the problems found in them so far.
pub(crate) struct Fields<'a> {
    place: &'a str,
    prefix: String,
    object: &'a Map<String, Value>,
    problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// Looks at `object`, found at `place`; a key outside `allowed` is a problem.
    pub(crate) fn new(place: &'a str, object: &'a Map<String, Value>, allowed: &[&str]) -> Self {
        Fields::nested(place, String::new(), object, allowed)
    }

    /// The same for an object inside another one; `prefix` (such as `customer.`) goes before keys.
    pub(crate) fn nested(
        place: &'a str,
        prefix: String,
        object: &'a Map<String, Value>,
        allowed: &[&str],
    ) -> Self {
        let mut fields = Fields { place, prefix, object, problems: Vec::new() };
        for key in object.keys().filter(|key| !allowed.contains(&key.as_str())) {
            let hint = nearest(key, allowed).map(|name| format!("did you mean `{name}`?"));
            fields.problem_with_hint(key, "an unknown key", listed(allowed), hint);
        }
        fields
    }

    /// Everything that was wrong.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Adds problems that were found in a part of this object.
    pub(crate) fn extend(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
    }

    /// Notes that `key` holds `found` where only `allowed` is.
    pub(crate) fn problem(
        &mut self,
        key: &str,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        self.problem_with_hint(key, found, allowed, None);
    }

    /// The same with what the writer probably meant.
    pub(crate) fn problem_with_hint(
        &mut self,
        key: &str,
        found: impl Into<String>,
        allowed: impl Into<String>,
        hint: Option<String>,
    ) {
        self.problems.push(Problem {
            place: self.place.to_owned(),
            key: format!("{}{key}", self.prefix),
            found: found.into(),
            allowed: allowed.into(),
            hint,
        });
    }

    /// The value of `key`; null counts as absent.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// The text of `key`; a whole number counts as the text it is written as. Other numbers do not:
    /// their text (`4.10`, `0482` in YAML) is lost before it gets here.
    pub(crate) fn text(&mut self, key: &str, max_chars: usize) -> Option<String> {
        let value = self.value(key)?;
        match text_of(value) {
            Some(text) => self.within(key, text, max_chars),
            None => {
                self.problem_with_hint(key, kind_of(value), "text", quotes_hint(value));
                None
            }
        }
    }

    /// The text of `key`, where any number will do as well.
    pub(crate) fn text_or_number(&mut self, key: &str, max_chars: usize) -> Option<String> {
        match self.value(key) {
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => self.text(key, max_chars),
        }
    }

    /// The list of texts of `key`.
    pub(crate) fn texts(&mut self, key: &str, max_items: usize, max_chars: usize) -> Vec<String> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.problem(key, kind_of(value), "a list of texts");
            return Vec::new();
        };
        if items.len() > max_items {
            self.problem(key, format!("{} entries", items.len()), format!("at most {max_items}"));
            return Vec::new();
        }
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = format!("{key}[{index}]");
            match text_of(item) {
                Some(text) if text.trim().is_empty() => {
                    self.problem(&at, "an empty text", "a text")
                }
                Some(text) => texts.extend(self.within(&at, text, max_chars)),
                None => self.problem_with_hint(&at, kind_of(item), "text", quotes_hint(item)),
            }
        }
        texts
    }

    /// The whole number of `key`, within `range`.
    pub(crate) fn count(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Option<usize> {
        let value = self.value(key)?;
        let count = value.as_u64().and_then(|n| usize::try_from(n).ok());
        if let Some(count) = count.filter(|count| range.contains(count)) {
            return Some(count);
        }
        let allowed = format!("a whole number from {} to {}", range.start(), range.end());
        self.problem(key, shown(value), allowed);
        None
    }

    /// The share of `key`, a number from 0 to 1.
    pub(crate) fn share(&mut self, key: &str) -> Option<f64> {
        let value = self.value(key)?;
        let share = value.as_f64().filter(|share| (0.0..=1.0).contains(share));
        if share.is_none() {
            self.problem(key, shown(value), "a number from 0 to 1");
        }
        share
    }

    /// True or false at `key`.
    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.value(key)?;
        if value.as_bool().is_none() {
            self.problem(key, kind_of(value), "true or false");
        }
        value.as_bool()
    }

    /// The number of `key`, above `low` and at most `high`.
    pub(crate) fn number_above_to(&mut self, key: &str, low: f64, high: f64) -> Option<f64> {
        let value = self.value(key)?;
        let number = value.as_f64().filter(|number| *number > low && *number <= high);
        if number.is_none() {
            self.problem(key, shown(value), format!("a number above {low}, at most {high}"));
        }
        number
    }

    /// The member of a closed set that `key` names.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &str,
        members: &[T],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let value = self.value(key)?;
        let names: Vec<&str> = members.iter().map(|member| name(*member)).collect();
        let found = value.as_str().and_then(|text| names.iter().position(|known| *known == text));
        if let Some(index) = found {
            return Some(members[index]);
        }
        let hint = value.as_str().and_then(|text| nearest(text, &names));
        let hint = hint.map(|name| format!("did you mean {name:?}?"));
        self.problem_with_hint(key, shown(value), listed(&names), hint);
        None
    }

    /// The object of `key`.
    pub(crate) fn object(&mut self, key: &str) -> Option<&'a Map<String, Value>> {
        let value = self.value(key)?;
        if value.as_object().is_none() {
            self.problem(key, kind_of(value), "an object");
        }
        value.as_object()
    }

    fn within(&mut self, key: &str, text: String, max_chars: usize) -> Option<String> {
        let n_chars = text.chars().count();
        if n_chars <= max_chars {
            return Some(text);
        }
        self.problem(key, format!("{n_chars} characters"), format!("at most {max_chars}"));
        None
    }
}

/// What a value is, in words.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

fn quotes_hint(value: &Value) -> Option<String> {
    let is_plain = matches!(value, Value::Number(_) | Value::Bool(_) | Value::Null);
    is_plain.then(|| "put it in quotes".to_owned())
}

/// A value as it can stand in a message: short texts and numbers as they are.
fn shown(value: &Value) -> String {
    const MAX_CHARS: usize = 40;
    match value {
        Value::String(text) if text.chars().count() <= MAX_CHARS => format!("{text:?}"),
        Value::Number(number) => number.to_string(),
        other => kind_of(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_problem_of_an_object_is_found() {
        let value = json!({"topik": 1, "id": true, "n": 12, "list": ["a", "", 3, {}]});
        let object = value.as_object().expect("it is an object");
        let mut fields = Fields::new("line 4", object, &["topic", "id", "n", "list"]);
        assert_eq!(fields.text("id", 10), None);
        assert_eq!(fields.count("n", 1..=10), None);
        assert_eq!(fields.texts("list", 9, 9), ["a", "3"]);
        let shown: Vec<String> = fields.into_problems().iter().map(Problem::to_string).collect();
        assert_eq!(
            shown,
            [
                "line 4: `topik`: found an unknown key, allowed is topic, id, n and list; \
             did you mean `topic`?",
                "line 4: `id`: found true or false, allowed is text; put it in quotes",
                "line 4: `n`: found 12, allowed is a whole number from 1 to 10",
                "line 4: `list[1]`: found an empty text, allowed is a text",
                "line 4: `list[3]`: found an object, allowed is text",
            ]
        );
    }
}
