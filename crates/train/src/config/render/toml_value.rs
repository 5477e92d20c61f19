//! Single values in TOML.

use serde_json::Value;

use super::super::check::number_text;

/// `value` as TOML on the right of an equals sign; null as an empty text, which means "not set".
pub(super) fn toml_value(value: &Value) -> String {
    match value {
        Value::Number(number) => number_text(number),
        other => plain(other).to_string(),
    }
}

fn plain(value: &Value) -> toml::Value {
    match value {
        Value::Null => toml::Value::String(String::new()),
        Value::Bool(is_on) => toml::Value::Boolean(*is_on),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => toml::Value::Integer(whole),
            None => toml::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(items) => toml::Value::Array(items.iter().map(plain).collect()),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| (name.clone(), plain(value));
            toml::Value::Table(fields.iter().map(field).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::super::origin::Origin;
    use super::super::super::read::{Format, parse_text};
    use super::*;

    fn read_back(value: &Value) -> Value {
        let text = format!("x = {}  # a comment\n", toml_value(value));
        let content = parse_text(&text, Format::Toml, &Origin::Default).expect("it is TOML");
        content.into_value()["x"].clone()
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let number = any::<f64>().prop_filter("finite", |number| number.is_finite());
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            number.prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn small_numbers_stay_readable() {
        assert_eq!(toml_value(&json!(5e-6)), "5e-6");
        assert_eq!(toml_value(&json!(1.0)), "1.0");
        assert_eq!(toml_value(&json!(7)), "7");
        assert_eq!(
            toml_value(&json!({"b": 1, "a c": [true, "x"]})),
            r#"{ "a c" = [true, "x"], b = 1 }"#
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn values_come_back_as_they_were(value in any_value()) {
            prop_assert_eq!(read_back(&value), value);
        }
    }
}
