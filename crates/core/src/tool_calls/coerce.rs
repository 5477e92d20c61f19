//! Text to the JSON value that a tool's schema asks for, where a format writes arguments as bare text.
//!
//! Source: the parameter conversion of Qwen3-Coder's published parser, in words: a text stays a text
//! where the schema allows one, and is read as JSON where it allows only other things. The choice a
//! reader would question: what fits no allowed type stays text, so that the tool's own validation can
//! say what is wrong with it.

use serde_json::Value;

use crate::ToolSpec;

/// Deepest chain of `anyOf` and the like that is followed.
const MAX_DEPTH: usize = 8;

/// What a schema allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Allowed {
    text: bool,
    integer: bool,
    number: bool,
    boolean: bool,
    null: bool,
    structure: bool,
}

/// The value of argument `key` of `tool`, written as `text`. Text where the tool is not known.
pub(super) fn coerced(text: &str, tool: Option<&ToolSpec>, key: &str) -> Value {
    let schema = tool.and_then(|tool| tool.parameters.get("properties")?.get(key));
    let mut allowed = Allowed::default();
    if let Some(schema) = schema {
        allowed.add(schema, MAX_DEPTH);
    }
    if allowed == Allowed::default() || (allowed.text && !allowed.null) {
        return Value::from(text);
    }
    let trimmed = text.trim();
    let read = serde_json::from_str(trimmed).ok().or_else(|| python_word(trimmed));
    match read {
        Some(value) if allowed.fits(&value) => allowed.adapted(value),
        _ => Value::from(text),
    }
}

fn python_word(text: &str) -> Option<Value> {
    match text {
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        "None" => Some(Value::Null),
        _ => None,
    }
}

impl Allowed {
    fn add(&mut self, schema: &Value, depth: usize) {
        if depth == 0 {
            return;
        }
        match schema.get("type") {
            Some(Value::String(name)) => self.add_type(name),
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).for_each(|name| self.add_type(name));
            }
            _ => {
                let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
                listed.chain(schema.get("const")).for_each(|value| self.add_value(value));
            }
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            let members = schema.get(key).and_then(Value::as_array);
            members.into_iter().flatten().for_each(|member| self.add(member, depth - 1));
        }
    }

    fn add_type(&mut self, name: &str) {
        match name {
            "string" => self.text = true,
            "integer" => self.integer = true,
            "number" => self.number = true,
            "boolean" => self.boolean = true,
            "null" => self.null = true,
            "object" | "array" => self.structure = true,
            _ => {}
        }
    }

    fn add_value(&mut self, value: &Value) {
        match value {
            Value::String(_) => self.text = true,
            Value::Number(n) if n.is_f64() => self.number = true,
            Value::Number(_) => self.integer = true,
            Value::Bool(_) => self.boolean = true,
            Value::Null => self.null = true,
            Value::Array(_) | Value::Object(_) => self.structure = true,
        }
    }

    /// True where the value is better than its text.
    fn fits(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.null,
            _ if self.text => false,
            Value::String(_) => false,
            Value::Bool(_) => self.boolean,
            Value::Number(n) => {
                self.number || (self.integer && n.as_f64().is_some_and(|x| x.fract() == 0.0))
            }
            Value::Array(_) | Value::Object(_) => self.structure,
        }
    }

    /// `5.0` as `5` where only whole numbers are allowed.
    fn adapted(&self, value: Value) -> Value {
        let whole = value.as_f64().filter(|_| value.is_f64() && !self.number);
        // Beyond 2^53 a float's digits are not those that were written.
        match whole.filter(|x| x.abs() < 9_007_199_254_740_992.0) {
            Some(x) => Value::from(x as i64),
            None => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_decides() {
        let tool = ToolSpec {
            name: "f".into(),
            description: String::new(),
            parameters: json!({"type": "object", "properties": {
                "s": {"type": "string"},
                "i": {"type": "integer"},
                "n": {"type": "number"},
                "b": {"type": "boolean"},
                "l": {"type": "array"},
                "maybe": {"type": ["string", "null"]},
                "any": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                "one": {"enum": [1, 2]},
            }}),
        };
        for (key, text, expected) in [
            ("s", "5", json!("5")),
            ("s", " null ", json!(" null ")),
            ("i", " 5 ", json!(5)),
            ("i", "5.0", json!(5)),
            ("i", "5.5", json!("5.5")),
            ("i", "five", json!("five")),
            ("n", "5", json!(5)),
            ("n", "-1.5e3", json!(-1500.0)),
            ("b", "true", json!(true)),
            ("b", "False", json!(false)),
            ("b", "yes", json!("yes")),
            ("l", "[1, {\"a\": 2}]", json!([1, {"a": 2}])),
            ("l", "[1", json!("[1")),
            ("maybe", "null", json!(null)),
            ("maybe", "5", json!("5")),
            ("any", "7", json!(7)),
            ("one", "2", json!(2)),
            ("unknown", "2", json!("2")),
        ] {
            assert_eq!(coerced(text, Some(&tool), key), expected, "{key} {text}");
        }
        assert_eq!(coerced("2", None, "i"), json!("2"));
    }
}
