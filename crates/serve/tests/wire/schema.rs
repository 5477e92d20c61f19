//! OpenAI's description of its API, and what is held against it.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::data::test_data;

static DESCRIPTION: LazyLock<Option<Value>> = LazyLock::new(|| {
    let text = std::fs::read_to_string(test_data("openai/openapi.yaml")?).unwrap();
    let options = serde_saphyr::options! { budget: None };
    let mut whole: Value = serde_saphyr::from_str_with_options(&text, options).unwrap();
    let mut components = whole["components"].take();
    normalise(&mut components);
    Some(components)
});

/// Brings what the description takes from older versions of its language into the newest: `nullable`, and
/// properties that are `required` by themselves.
fn normalise(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(normalise),
        Value::Object(fields) => {
            fields.values_mut().for_each(normalise);
            match fields.get_mut("required") {
                Some(Value::Bool(_)) => drop(fields.remove("required")),
                // A property called `y` is a truth to readers of YAML.
                Some(Value::Array(names)) => {
                    names
                        .iter_mut()
                        .filter(|name| name.is_boolean())
                        .for_each(|name| *name = json!("y"));
                }
                _ => {}
            }
            let is_nullable = fields.get("nullable") == Some(&json!(true));
            if is_nullable {
                fields.remove("nullable");
                let or_null = json!([Value::Object(std::mem::take(fields)), {"type": "null"}]);
                fields.insert("anyOf".to_owned(), or_null);
            }
        }
        _ => {}
    }
}

/// A check of values against one schema.
pub(crate) struct Schema {
    validator: Option<jsonschema::Validator>,
    name: &'static str,
}

/// The schema of this name. Checks nothing, and says so, where the description is absent.
pub(crate) fn schema(name: &'static str) -> Schema {
    let validator = DESCRIPTION.as_ref().map(|components| {
        let reference = format!("#/components/schemas/{name}");
        let root = json!({"$ref": reference, "components": components});
        jsonschema::draft202012::new(&root).unwrap()
    });
    Schema { validator, name }
}

impl Schema {
    /// Panics with every reason why `value` does not fit.
    pub(crate) fn check(&self, value: &Value) {
        let Some(validator) = &self.validator else { return };
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}\n{value:#}", self.name);
    }
}
