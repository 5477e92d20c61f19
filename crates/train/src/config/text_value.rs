//! Values written as text, in environment variables and flags.
//!
//! The kind of the key says how a text is read. A text that does not fit is left as it is; the check
//! that every value goes through then names it.

use serde_json::{Number, Value};

use super::key::Kind;
use super::read::json_value;

/// The value that `text` stands for.
pub(super) fn value_from_text(kind: Kind, text: &str) -> Value {
    let read = match kind {
        Kind::Bool => bool_from_text(text),
        Kind::Integer { .. } | Kind::Number(_) => number_from_text(text),
        Kind::TextList if !text.trim_start().starts_with('[') => Some(list_from_text(text)),
        Kind::Weights if !text.trim_start().starts_with('{') => weights_from_text(text),
        Kind::TextList | Kind::Object | Kind::ObjectList | Kind::Weights => json_value(text),
        Kind::Any => bool_from_text(text).or_else(|| number_from_text(text)),
        Kind::Text { .. } | Kind::Choice { .. } | Kind::Path => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

fn bool_from_text(text: &str) -> Option<Value> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(Value::Bool(true)),
        "false" | "no" | "off" | "0" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn number_from_text(text: &str) -> Option<Value> {
    let text = text.trim();
    let whole = text.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
}

/// `a, b`
fn list_from_text(text: &str) -> Value {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(Value::from).collect()
}

/// `helpfulness=0.6, safety=0.4`
fn weights_from_text(text: &str) -> Option<Value> {
    let pair = |part: &str| {
        let (name, weight) = part.split_once('=')?;
        Some((name.trim().to_owned(), number_from_text(weight)?))
    };
    text.split(',').map(pair).collect::<Option<_>>().map(Value::Object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_kind_says_how_a_text_is_read() {
        assert_eq!(value_from_text(Kind::Bool, "Yes"), json!(true));
        assert_eq!(value_from_text(Kind::integer(0, 9), "7"), json!(7));
        assert_eq!(value_from_text(Kind::number_from(0.0), "5e-6"), json!(5e-6));
        assert_eq!(value_from_text(Kind::LINE, "7"), json!("7"));
        assert_eq!(value_from_text(Kind::TextList, "q_proj, v_proj,"), json!(["q_proj", "v_proj"]));
        assert_eq!(value_from_text(Kind::TextList, r#"["a,b"]"#), json!(["a,b"]));
        assert_eq!(value_from_text(Kind::Weights, "a=0.5, b=1"), json!({"a": 0.5, "b": 1}));
        assert_eq!(value_from_text(Kind::Object, r#"{"a": [1]}"#), json!({"a": [1]}));
    }

    #[test]
    fn what_does_not_fit_stays_a_text() {
        for kind in [Kind::Bool, Kind::integer(0, 9), Kind::Weights, Kind::Object] {
            for text in ["fast", "{", "nan", "=,="] {
                assert_eq!(value_from_text(kind, text), json!(text));
            }
        }
    }
}
