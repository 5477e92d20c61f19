//! Call objects in JSON: written with the spaces that chat templates write, read under all the keys
//! that models use.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use serde_json::{Map, Value};

use super::scan::{Found, Spoken, Unread};

const NAME_KEYS: [&str; 3] = ["name", "tool", "function"];
const ARGUMENT_KEYS: [&str; 2] = ["arguments", "parameters"];

/// JSON as Python's `json.dumps(value, ensure_ascii=False)` writes it, which is what chat templates
/// put into prompts.
pub(super) fn json_text(value: &Value) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, Spaced);
    // Writing a JSON value into memory cannot fail: its keys are strings and its numbers finite.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok());
    String::from_utf8_lossy(&out).into_owned()
}

/// The same, with the first character of each of `marks` written as an escape, so that no mark stands
/// in the text. Marks begin with a character that JSON has only in strings.
pub(super) fn json_without(value: &Value, marks: &[&str]) -> String {
    let mut text = json_text(value);
    for mark in marks {
        text = escaped(&text, mark);
    }
    text
}

fn escaped(text: &str, mark: &str) -> String {
    let Some(first) = mark.chars().next() else { return text.to_owned() };
    let rest = &mark[first.len_utf8()..];
    text.replace(mark, &format!("\\u{:04x}{rest}", u32::from(first)))
}

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(writer, escape)
    }
}

/// `{"NAME_KEY": name, "ARGUMENTS_KEY": arguments}`.
pub(super) fn call_object(keys: [&str; 2], name: &str, arguments: &Value) -> Value {
    let [name_key, arguments_key] = keys;
    let mut object = Map::new();
    object.insert(name_key.to_owned(), name.into());
    object.insert(arguments_key.to_owned(), arguments.clone());
    Value::Object(object)
}

/// All calls of a text that should hold call objects, one after another or in a list. Never empty.
pub(super) fn calls_in(text: &str) -> Vec<Found> {
    let unread = |why: String| vec![Err(Unread { raw: text.trim().to_owned(), why })];
    let mut calls = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value {
            Ok(Value::Array(items)) => calls.extend(items.into_iter().map(call_of)),
            Ok(value) => calls.push(call_of(value)),
            Err(error) => return unread(format!("it is not JSON: {error}")),
        }
    }
    if calls.is_empty() { unread("there is no call in it".to_owned()) } else { calls }
}

/// The call that an object stands for.
pub(super) fn call_of(value: Value) -> Found {
    read_call(&value).map_err(|why| Unread { raw: json_text(&value), why })
}

/// True for an object that has the keys of a call, right or wrong in their values.
pub(super) fn is_call_object(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        let has = |keys: &[&str]| keys.iter().any(|key| object.contains_key(*key));
        has(&NAME_KEYS)
            && (has(&ARGUMENT_KEYS) || object.get("function").is_some_and(is_call_object))
    })
}

fn read_call(value: &Value) -> Result<Spoken, String> {
    let Value::Object(object) = value else {
        return Err("a call is a JSON object with `name` and `arguments`".to_owned());
    };
    if let Some(inner @ Value::Object(_)) = object.get("function") {
        return read_call(inner);
    }
    let name = NAME_KEYS.iter().find_map(|key| object.get(*key)?.as_str());
    let name = name.filter(|name| !name.trim().is_empty());
    let Some(name) = name else { return Err("it has no `name` of a tool".to_owned()) };
    let arguments = ARGUMENT_KEYS.iter().find_map(|key| object.get(*key));
    Ok(Spoken { name: name.trim().to_owned(), arguments: arguments_of(arguments)? })
}

/// Arguments as an object; some models write that object into a string.
fn arguments_of(found: Option<&Value>) -> Result<Value, String> {
    match found {
        None | Some(Value::Null) => Ok(Value::Object(Map::new())),
        Some(Value::Object(map)) => Ok(Value::Object(map.clone())),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => Ok(Value::Object(map)),
            _ => Err("its arguments are a string that holds no JSON object".to_owned()),
        },
        Some(_) => Err("its arguments are not a JSON object".to_owned()),
    }
}

/// Whether the object that `text` begins with has one of `keys` as its first key; `None` until that
/// can be seen.
pub(super) fn begins_with_key(text: &str, keys: &[&str]) -> Option<bool> {
    let inside = text.strip_prefix('{')?.trim_start();
    if inside.is_empty() {
        return None;
    }
    let Some(key) = inside.strip_prefix('"') else { return Some(false) };
    match key.find('"') {
        Some(end) => Some(keys.contains(&&key[..end])),
        None if keys.iter().any(|known| known.starts_with(key)) => None,
        None => Some(false),
    }
}

/// True where a text that is no whole JSON mentions the key of a call's arguments.
pub(super) fn mentions_arguments(text: &str) -> bool {
    text.contains("\"arguments\"") || text.contains("\"parameters\"")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spaces_are_those_of_python() {
        let value = json!({"a": [1, 2.0, "é\n"], "b": {}, "c": []});
        assert_eq!(json_text(&value), r#"{"a": [1, 2.0, "é\n"], "b": {}, "c": []}"#);
        let hidden = json_without(&json!({"a": "x</t>"}), &["</t>"]);
        assert_eq!(hidden, r#"{"a": "x\u003c/t>"}"#);
        assert_eq!(serde_json::from_str::<Value>(&hidden).unwrap(), json!({"a": "x</t>"}));
    }

    #[test]
    fn calls_are_read_under_many_keys() {
        let f = |arguments| Spoken { name: "f".to_owned(), arguments };
        for text in [
            r#"{"name": "f", "arguments": {"a": 1}}"#,
            r#"{"tool": "f", "parameters": {"a": 1}}"#,
            r#"{"name": "f", "arguments": "{\"a\": 1}"}"#,
            r#"{"type": "function", "function": {"name": "f", "parameters": {"a": 1}}}"#,
            r#"[{"function": "f", "arguments": {"a": 1}}]"#,
        ] {
            assert_eq!(calls_in(text), [Ok(f(json!({"a": 1})))], "{text}");
        }
        assert_eq!(calls_in(r#"{"name": "f"}"#), [Ok(f(json!({})))]);
        for (text, why) in [
            (r#"{"name": 1, "arguments": {}}"#, "it has no `name` of a tool"),
            (r#"{"name": "f", "arguments": [1]}"#, "its arguments are not a JSON object"),
            ("  ", "there is no call in it"),
            ("[]", "there is no call in it"),
            ("3", "a call is a JSON object with `name` and `arguments`"),
        ] {
            let found = calls_in(text);
            assert_eq!(found[0].as_ref().unwrap_err().why, why, "{text}");
        }
    }

    #[test]
    fn the_first_key_is_seen_as_it_arrives() {
        let keys = ["name"];
        for (text, expected) in [
            ("{", None),
            ("{ \"na", None),
            ("{\"name\"", Some(true)),
            ("{\"nome", Some(false)),
            ("{\"names\"", Some(false)),
            ("{}", Some(false)),
            ("{1", Some(false)),
        ] {
            assert_eq!(begins_with_key(text, &keys), expected, "{text}");
        }
    }
}
