//! [`ArgumentSchema`]: the JSON schema of a tool's arguments, compiled once.
//!
//! Source: JSON Schema, in the draft that the schema names, else 2020-12. The choice a reader would
//! question: a schema that describes no object is refused, because every call format writes arguments
//! as an object.

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::error::EnvError;

/// Reasons that are listed of one call.
const MAX_REASONS: usize = 5;

/// Judges the arguments of one tool.
#[derive(Debug)]
pub struct ArgumentSchema {
    validator: Validator,
}

impl ArgumentSchema {
    /// The schema of the tool called `tool`; null and `{}` allow any object.
    ///
    /// # Errors
    /// [`EnvError::ToolSchema`] where it is no JSON schema or describes no object.
    pub fn new(tool: &str, schema: &Value) -> Result<ArgumentSchema, EnvError> {
        let invalid = |message: String| EnvError::ToolSchema { tool: tool.to_owned(), message };
        let schema = match schema {
            Value::Null => json!({ "type": "object" }),
            Value::Object(map) => match map.get("type") {
                Some(Value::String(name)) if name == "object" => schema.clone(),
                Some(found) => {
                    return Err(invalid(format!("`type`: found {found}, allowed is \"object\"")));
                }
                None => {
                    let mut map = map.clone();
                    map.insert("type".to_owned(), "object".into());
                    Value::Object(map)
                }
            },
            other => return Err(invalid(format!("found {other}, allowed is a JSON schema"))),
        };
        let validator = jsonschema::validator_for(&schema).map_err(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { String::new() } else { format!("`{place}`: ") };
            invalid(format!("{place}{error}"))
        })?;
        Ok(ArgumentSchema { validator })
    }

    /// What does not fit, each with its place; nothing where the arguments fit.
    pub fn problems(&self, arguments: &Value) -> Vec<String> {
        let problem = |error: jsonschema::ValidationError<'_>| {
            let place = error.instance_path().to_string();
            if place.is_empty() { error.to_string() } else { format!("{place}: {error}") }
        };
        self.validator.iter_errors(arguments).take(MAX_REASONS).map(problem).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_judged_with_their_place() {
        let schema = json!({
            "properties": {"n": {"type": "integer", "minimum": 1}, "to": {"type": "string"}},
            "required": ["n"],
            "additionalProperties": false,
        });
        let schema = ArgumentSchema::new("f", &schema).unwrap();
        assert_eq!(schema.problems(&json!({"n": 2})), [] as [String; 0]);
        assert_eq!(schema.problems(&json!({"n": 0})), ["/n: 0 is less than the minimum of 1"]);
        assert_eq!(schema.problems(&json!({})), ["\"n\" is a required property"]);
        assert_eq!(schema.problems(&json!(3)), ["3 is not of type \"object\""]);
        assert!(schema.problems(&json!({"n": 1, "x": 2}))[0].contains("'x' was unexpected"));
    }

    #[test]
    fn what_is_no_schema_of_an_object_is_refused() {
        for (schema, expected) in [
            (json!({"type": "dict"}), "`type`: found \"dict\", allowed is \"object\""),
            (json!({"type": "array"}), "`type`: found \"array\", allowed is \"object\""),
            (json!([]), "found [], allowed is a JSON schema"),
            (json!({"properties": {"a": {"type": "text"}}}), "/properties/a/type"),
            (json!({"required": "a"}), "/required"),
        ] {
            let error = ArgumentSchema::new("f", &schema).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("\"f\""), "{error}");
        }
    }
}
