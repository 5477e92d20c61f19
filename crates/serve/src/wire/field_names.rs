//! Errors of an answer name fields as OpenAI's chat does; other APIs have other names.

use crate::api_error::ApiError;

/// Parts of field names, each with what it is called in another API.
pub(crate) type FieldNames = &'static [(&'static str, &'static str)];

/// The error with the field as the other API calls it. Which message it was is left out: there, messages
/// are counted in another way.
pub(crate) fn renamed(mut error: ApiError, names: FieldNames) -> ApiError {
    if names.is_empty() {
        return error;
    }
    if let Some(field) = &mut error.field {
        if field.starts_with("messages[") {
            field.truncate("messages".len());
        }
        for (from, to) in names {
            *field = field.replace(from, to);
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_called_as_the_other_api_calls_them() {
        const NAMES: FieldNames = &[("messages", "input"), (".function.parameters", ".parameters")];
        for (field, expected) in [
            ("messages[3].content", "input"),
            ("tools[1].function.parameters", "tools[1].parameters"),
            ("top_p", "top_p"),
        ] {
            let error = renamed(ApiError::invalid(field, "no"), NAMES);
            assert_eq!(error.field.as_deref(), Some(expected));
        }
    }
}
