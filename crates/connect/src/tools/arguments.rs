//! Arguments of a call against the tool's JSON schema.

use jsonschema::Validator;
use serde_json::{Map, Value};
use stateset_core::ToolError;

use crate::remote::RemoteError;

/// Most mistakes that are told to the agent at once.
const MAX_TOLD: usize = 3;

/// A compiled schema.
pub(crate) struct Arguments {
    validator: Validator,
}

impl Arguments {
    /// Compiles `schema`, which must describe an object.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`] where it is no valid JSON schema of an object.
    pub(crate) fn new(who: &str, schema: &Value) -> Result<Arguments, RemoteError> {
        let bad = |problem: String| RemoteError::setting(who, "parameters", problem);
        if schema["type"] != "object" {
            let found = &schema["type"];
            return Err(bad(format!("its type is {found}, allowed is \"object\"")));
        }
        if let Err(error) = jsonschema::meta::validate(schema) {
            return Err(bad(format!("it is no JSON schema: {error} at {}", error.instance_path())));
        }
        let validator = jsonschema::validator_for(schema)
            .map_err(|error| bad(format!("it is no JSON schema: {error}")))?;
        Ok(Arguments { validator })
    }

    /// The fields of `arguments`.
    ///
    /// # Errors
    /// [`ToolError::BadArguments`] with what does not fit, for the agent to read.
    pub(crate) fn check(
        &self,
        tool: &str,
        arguments: Value,
    ) -> Result<Map<String, Value>, ToolError> {
        let told: Vec<String> = self
            .validator
            .iter_errors(&arguments)
            .take(MAX_TOLD)
            .map(|error| match error.instance_path().as_str() {
                "" => error.to_string(),
                place => format!("{place}: {error}"),
            })
            .collect();
        let bad = |message: String| ToolError::BadArguments { tool: tool.to_owned(), message };
        match (told.is_empty(), arguments) {
            (true, Value::Object(fields)) => Ok(fields),
            (true, other) => Err(bad(format!("found {other}, allowed is an object"))),
            (false, _) => Err(bad(told.join("; "))),
        }
    }
}
