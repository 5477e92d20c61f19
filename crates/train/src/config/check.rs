//! Whether a value is what its key may hold, and the one form in which it is kept.
//!
//! Kept forms are canonical, so that equal settings have equal fingerprints: whole numbers for whole
//! numbers however they were written, floats for all others, lists for lists, no null inside tables.

use serde_json::{Map, Number, Value};
use stateset_algo::DpoLoss;

use super::key::{Effect, Key, Kind};
use super::keys::ALGORITHMS;
use super::lookup::nearest;

/// Most characters of a value in a message.
const SHOWN_CHARS: usize = 60;

/// Names that people know as a choice of one key and that are another's here: key, name, hint.
const ELSEWHERE: [(&str, &str, &str); 6] = [
    ("algorithm", "bco", "it is a loss of dpo: preference_loss = \"bco_pair\""),
    ("algorithm", "wpo", "it is dpo with use_weighting = true"),
    ("algorithm", "gigpo", "it is grpo with advantage = \"gigpo\""),
    ("algorithm", "mt_grpo", "it is grpo with advantage = \"mt_grpo\""),
    ("algorithm", "alphapo", "it is simpo with alphapo_alpha"),
    ("algorithm", "sft", "supervised fine-tuning is a command of its own"),
];

/// What is wrong with a value.
#[derive(Debug, PartialEq)]
pub(super) struct Mismatch {
    pub(super) found: String,
    pub(super) hint: Option<String>,
}

/// The canonical form of `value` for `key`; null where it says "not set".
pub(super) fn check(key: &Key, value: Value) -> Result<Value, Mismatch> {
    let is_nothing = value.is_null() || value.as_str() == Some("");
    if is_nothing {
        return if key.is_optional { Ok(Value::Null) } else { Err(mismatch(&value, None)) };
    }
    if key.effect == Effect::Unavailable {
        return if is_off(&value) { Ok(value) } else { Err(mismatch(&value, Some(key.doc))) };
    }
    match key.kind {
        Kind::Bool => check_bool(value),
        Kind::Integer { min, max } => check_integer(value, min, max),
        Kind::Number(range) => match as_number(&value) {
            Some(number) if range.contains(number) => Ok(float(number)),
            Some(_) => Err(mismatch(&value, None)),
            None => Err(mismatch(&value, number_hint(&value))),
        },
        Kind::Text { max_chars } => match value.as_str() {
            Some(text) if text.chars().count() <= max_chars => Ok(value),
            Some(text) => Err(too_long(text.chars().count())),
            None => Err(mismatch(&value, text_hint(&value))),
        },
        Kind::Path => match value.as_str() {
            Some(text) if !text.contains('\0') => Ok(value),
            _ => Err(mismatch(&value, text_hint(&value))),
        },
        Kind::Choice { names, synonyms } => check_choice(key, value, names, synonyms),
        Kind::TextList => check_texts(value),
        Kind::Object => match value {
            Value::Object(_) => canonical(value),
            _ => Err(mismatch(&value, None)),
        },
        Kind::ObjectList => check_objects(value),
        Kind::Weights => check_weights(value),
        Kind::Any => canonical(value),
    }
}

/// A value for a message, cut where it is long.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::Number(number) => number_text(number),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A number as people write it: `5e-6`, not `0.000005`.
pub(super) fn number_text(number: &Number) -> String {
    match number.as_i64() {
        Some(whole) => whole.to_string(),
        None => format!("{:?}", number.as_f64().unwrap_or(f64::NAN)),
    }
}

fn mismatch(value: &Value, hint: Option<&str>) -> Mismatch {
    Mismatch { found: shown(value), hint: hint.map(str::to_owned) }
}

fn too_long(n_chars: usize) -> Mismatch {
    Mismatch { found: format!("a text of {n_chars} characters"), hint: None }
}

/// Off values of what is not there: false, 0, "none", empty.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_on) => !is_on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text.eq_ignore_ascii_case("none"),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn check_bool(value: Value) -> Result<Value, Mismatch> {
    let hint = value.is_string().then_some("write true or false without quotes");
    if value.is_boolean() { Ok(value) } else { Err(mismatch(&value, hint)) }
}

fn check_integer(value: Value, min: i64, max: i64) -> Result<Value, Mismatch> {
    match as_integer(&value) {
        Some(whole) if (min..=max).contains(&whole) => Ok(Value::from(whole)),
        Some(_) => Err(mismatch(&value, None)),
        None => Err(mismatch(&value, number_hint(&value))),
    }
}

/// Whole numbers may be written as floats (`1e3`), as long as nothing is lost.
fn as_integer(value: &Value) -> Option<i64> {
    /// Up to here every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = value.as_number()?;
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
    })
}

fn as_number(value: &Value) -> Option<f64> {
    value.as_number().and_then(Number::as_f64)
}

/// A float; callers have made sure that it is finite.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn number_hint(value: &Value) -> Option<&'static str> {
    let is_quoted = value.as_str().is_some_and(|text| text.trim().parse::<f64>().is_ok());
    is_quoted.then_some("write the number without quotes")
}

fn text_hint(value: &Value) -> Option<&'static str> {
    (value.is_number() || value.is_boolean()).then_some("put quotes around it")
}

fn check_choice(
    key: &Key,
    value: Value,
    names: &[&'static str],
    synonyms: &[(&str, &'static str)],
) -> Result<Value, Mismatch> {
    let text = match &value {
        Value::String(text) => text.to_lowercase(),
        Value::Bool(is_on) => is_on.to_string(),
        _ => return Err(mismatch(&value, None)),
    };
    let synonym = synonyms.iter().find(|(other, _)| *other == text).map(|(_, name)| *name);
    if let Some(name) = synonym.or_else(|| names.iter().copied().find(|name| *name == text)) {
        return Ok(Value::from(name));
    }
    if let Some(hint) = elsewhere(key, &text) {
        return Err(mismatch(&value, Some(&hint)));
    }
    let hint = nearest(&text, names.iter().copied()).map(|near| format!("did you mean {near}?"));
    Err(mismatch(&value, hint.as_deref()))
}

/// Where a name belongs that is no choice of this key. Other trainers have methods and losses of
/// preferences among their loss types.
fn elsewhere(key: &Key, text: &str) -> Option<String> {
    if key.path == "training.loss_type" && ALGORITHMS.contains(&text) {
        return Some(format!("it is a method: algorithm = \"{text}\""));
    }
    if key.path == "training.loss_type" && text.parse::<DpoLoss>().is_ok() {
        return Some(format!("it is a loss of dpo: preference_loss = \"{text}\""));
    }
    let known = ELSEWHERE.iter().find(|(path, name, _)| *path == key.path && *name == text);
    known.map(|(_, _, hint)| (*hint).to_owned())
}

fn check_texts(value: Value) -> Result<Value, Mismatch> {
    match value {
        Value::String(_) => Ok(Value::Array(vec![value])),
        Value::Array(items) => match items.iter().find(|item| !item.is_string()) {
            Some(other) => Err(Mismatch {
                found: format!("a list with {} in it", shown(other)),
                hint: text_hint(other).map(str::to_owned),
            }),
            None => Ok(Value::Array(items)),
        },
        other => Err(mismatch(&other, None)),
    }
}

fn check_objects(value: Value) -> Result<Value, Mismatch> {
    let Value::Array(items) = &value else { return Err(mismatch(&value, None)) };
    match items.iter().find(|item| !item.is_object()) {
        Some(other) => {
            Err(Mismatch { found: format!("a list with {} in it", shown(other)), hint: None })
        }
        None => canonical(value),
    }
}

fn check_weights(value: Value) -> Result<Value, Mismatch> {
    let Value::Object(fields) = &value else { return Err(mismatch(&value, None)) };
    let mut weights: Vec<(String, Value)> = Vec::new();
    for (name, weight) in fields {
        let Some(number) = as_number(weight).filter(|number| number.is_finite()) else {
            return Err(Mismatch {
                found: format!("{} for {name}", shown(weight)),
                hint: number_hint(weight).map(str::to_owned),
            });
        };
        weights.push((name.clone(), float(number)));
    }
    weights.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Value::Object(weights.into_iter().collect()))
}

/// Free values: tables sorted and without nulls, numbers within 64 bits; a null in a list is refused.
fn canonical(value: Value) -> Result<Value, Mismatch> {
    Ok(match value {
        Value::Object(fields) => {
            let mut kept: Vec<(String, Value)> = Vec::new();
            for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
                kept.push((name, canonical(value)?));
            }
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(kept.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            if items.contains(&Value::Null) {
                return Err(Mismatch { found: "a list with nothing in it".to_owned(), hint: None });
            }
            Value::Array(items.into_iter().map(canonical).collect::<Result<_, _>>()?)
        }
        Value::Number(number) if number.as_i64().is_none() => {
            float(number.as_f64().unwrap_or_default())
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lookup::key_of;
    use super::*;

    fn checked(path: &str, value: Value) -> Result<Value, Mismatch> {
        check(key_of(path).expect("a key"), value)
    }

    fn found(path: &str, value: Value) -> (String, String) {
        let mismatch = checked(path, value).expect_err("a mismatch");
        (mismatch.found, mismatch.hint.unwrap_or_default())
    }

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(checked("training.lora_alpha", json!(16)), Ok(json!(16.0)));
        assert_eq!(checked("training.num_episodes", json!(1e3)), Ok(json!(1000)));
        assert_eq!(found("training.num_episodes", json!(1.5)).0, "1.5");
        assert_eq!(found("training.num_episodes", json!(u64::MAX)).0, "1.8446744073709552e19");
        assert_eq!(
            found("training.learning_rate", json!("5e-6")),
            ("\"5e-6\"".to_owned(), "write the number without quotes".to_owned())
        );
        assert_eq!(found("training.learning_rate", json!(5e-324 * 0.0)).0, "0.0");
    }

    #[test]
    fn choices_know_their_synonyms() {
        assert_eq!(checked("profile", json!("speed")), Ok(json!("aggressive")));
        assert_eq!(checked("training.scale_rewards", json!(true)), Ok(json!("group")));
        assert_eq!(found("profile", json!("agressive")).1, "did you mean aggressive?");
        assert_eq!(
            found("training.loss_type", json!("cispo")).1,
            "it is a method: algorithm = \"cispo\""
        );
        assert_eq!(
            found("training.loss_type", json!("hinge")).1,
            "it is a loss of dpo: preference_loss = \"hinge\""
        );
        assert_eq!(
            found("algorithm", json!("bco")).1,
            "it is a loss of dpo: preference_loss = \"bco_pair\""
        );
    }

    #[test]
    fn nothing_unsets_only_what_is_optional() {
        assert_eq!(checked("agent.system_prompt", Value::Null), Ok(Value::Null));
        assert_eq!(checked("agent.system_prompt", json!("")), Ok(Value::Null));
        assert_eq!(found("training.seed", Value::Null).0, "nothing");
        assert_eq!(found("agent.model_name", json!("")).0, "\"\"");
    }

    #[test]
    fn what_is_not_there_may_only_be_off() {
        for off in [json!(false), json!(0), json!("none"), json!([]), Value::Null] {
            assert!(checked("training.continual_strategy", off.clone()).is_ok(), "{off}");
        }
        let (found, hint) = found("training.continual_strategy", json!("ewc"));
        assert_eq!(found, "\"ewc\"");
        assert_eq!(hint, "Continual learning is not part of this version.");
    }

    #[test]
    fn free_values_lose_nulls_and_order() {
        let value = json!({"b": 1, "a": {"x": null, "y": [1, {"z": null}]}});
        let wanted = r#"{"a":{"y":[1,{}]},"b":1}"#;
        assert_eq!(checked("metadata", value).expect("a table").to_string(), wanted);
        assert_eq!(found("metadata", json!({"a": [null]})).0, "a list with nothing in it");
        assert_eq!(found("metadata", json!([1])).0, "[1]");
    }

    #[test]
    fn lists_and_weights_name_what_is_wrong_inside() {
        assert_eq!(checked("agent.stop", json!("x")), Ok(json!(["x"])));
        assert_eq!(found("agent.stop", json!(["a", 5])).0, "a list with 5 in it");
        assert_eq!(found("environment.scenarios", json!([{}, "a"])).0, "a list with \"a\" in it");
        let (found, hint) = found("reward.weights", json!({"safety": "0.4"}));
        assert_eq!(found, "\"0.4\" for safety");
        assert_eq!(hint, "write the number without quotes");
    }

    #[test]
    fn long_values_are_cut_in_messages() {
        let text = "ä".repeat(100);
        assert!(shown(&json!(text)).ends_with("ä..."));
        assert_eq!(
            found("agent.model_name", json!("x".repeat(1001))).0,
            "a text of 1001 characters"
        );
    }
}
