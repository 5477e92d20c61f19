//! JSON bodies of requests, and what is wrong with them.
//!
//! Every route that takes JSON takes it through [`JsonBody`], so that one wrong body is refused in the
//! same way everywhere. What is not JSON is 400; JSON that does not fit is 422, which the OpenAI and
//! Anthropic dialects write as 400, since their clients expect it.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::api_error::ApiError;
use crate::objects_only::ObjectsOnly;

/// Longest part of a parser's message that is repeated to the client, in characters. Parsers quote
/// unknown names, which come from outside.
const MAX_QUOTED_CHARS: usize = 300;

/// How long a client may take to send a body.
const READ_LIMIT: Duration = Duration::from_secs(60);

/// A request's body, read as JSON into a `T`.
///
/// | refused | status | code |
/// |---|---|---|
/// | another content type | 415 | `unsupported_media_type` |
/// | not sent within a minute | 408 | `body_too_slow` |
/// | larger than the limit | 413 | `body_too_large` |
/// | not JSON, or nested too deeply | 400 | `invalid_json`, with line and column |
/// | a field `T` does not know and refuses | 422 | `unknown_field` |
/// | a field that is not there | 422 | `missing_field` |
/// | a value of another type (a list in the place of an object too) or outside of its range | 422 | `invalid_value` |
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonBody<T>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<JsonBody<T>, ApiError> {
        let bytes = read(request, state).await?;
        parse(&bytes).map(JsonBody)
    }
}

/// As [`JsonBody`], for routes all of whose fields may be absent: an empty body counts as `{}`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OptionalJson<T>(
    /// What was sent.
    pub T,
);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<OptionalJson<T>, ApiError> {
        let bytes = read(request, state).await?;
        let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
        parse(text).map(OptionalJson)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    is_json(request.headers())?;
    let read = tokio::time::timeout(READ_LIMIT, Bytes::from_request(request, state)).await;
    let bytes = read.map_err(|_| too_slow())?;
    bytes.map_err(|rejection| unreadable(rejection.status()))
}

/// What a client is told of JSON that does not fit, where it was read already.
pub fn refusal(error: &serde_json::Error) -> ApiError {
    misfit("", error)
}

/// Reads JSON as [`JsonBody`] does, for bodies that come another way, such as messages of a WebSocket.
///
/// # Errors
/// [`ApiError`] as in the table of [`JsonBody`].
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(ObjectsOnly(&mut json)).map_err(|error| {
        let path = error.path().to_string();
        misfit(if path == "." { "" } else { &path }, error.inner())
    })?;
    json.end().map_err(|error| misfit("", &error))?;
    Ok(value)
}

/// A body without a type is taken as JSON; forms and texts are not, since pages of other sites may send
/// those without asking.
fn is_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(given) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let given = given.to_str().unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
    {
        return Ok(());
    }
    let message = "the body must be JSON; send it with \"Content-Type: application/json\"";
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
        .at("header.content-type"))
}

fn too_slow() -> ApiError {
    let message = format!("the body did not come within {} s", READ_LIMIT.as_secs());
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
}

fn unreadable(status: StatusCode) -> ApiError {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        let message = "the body is larger than this server takes; send less at once";
        return ApiError::new(status, "body_too_large", message);
    }
    let message = "the body could not be read to its end; was the connection cut?";
    ApiError::new(StatusCode::BAD_REQUEST, "body_unreadable", message)
}

fn misfit(path: &str, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    if error.classify() != Category::Data {
        return ApiError::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            format!("the body is not JSON: {}", shortened(&text)),
        );
    }
    // The parser's own sentence names the field that is too much or absent; its path ends before it.
    let kinds = [
        ("unknown field `", "unknown_field"),
        ("missing field `", "missing_field"),
        ("duplicate field `", "invalid_value"),
    ];
    let named =
        kinds.iter().find_map(|(opening, code)| Some((*code, quoted_after(&text, opening)?)));
    let (code, field) = match named {
        Some((code, name)) => (code, joined(path, name)),
        None => ("invalid_value", path.to_owned()),
    };
    let refused = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, shortened(&text));
    if field.is_empty() { refused } else { refused.at(shortened(&field)) }
}

fn quoted_after<'a>(text: &'a str, opening: &str) -> Option<&'a str> {
    text.strip_prefix(opening)?.split('`').next()
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else if path == name || path.ends_with(&format!(".{name}")) {
        path.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Chat {
        messages: Vec<Turn>,
        #[serde(default)]
        n: u8,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Turn {
        content: String,
    }

    #[test]
    fn each_wrong_body_has_its_code_and_place() {
        let deep = "[".repeat(200);
        let cases: [(&str, u16, &str, Option<&str>); 14] = [
            ("", 400, "invalid_json", None),
            ("{\"messages\": [}", 400, "invalid_json", None),
            ("{\"messages\": []} x", 400, "invalid_json", None),
            (&deep, 422, "invalid_value", None),
            ("{}", 422, "missing_field", Some("messages")),
            ("7", 422, "invalid_value", None),
            (r#"{"messages": [], "m": 1}"#, 422, "unknown_field", Some("m")),
            (r#"{"messages": 3}"#, 422, "invalid_value", Some("messages")),
            (r#"{"messages": [[]]}"#, 422, "invalid_value", Some("messages[0]")),
            (r#"{"messages": [{}]}"#, 422, "missing_field", Some("messages[0].content")),
            (
                r#"{"messages": [{"content": 1}]}"#,
                422,
                "invalid_value",
                Some("messages[0].content"),
            ),
            (
                r#"{"messages": [{"content": "", "role": 1}]}"#,
                422,
                "unknown_field",
                Some("messages[0].role"),
            ),
            (r#"{"messages": [], "n": 256}"#, 422, "invalid_value", Some("n")),
            (r#"{"messages": [], "n": 1, "n": 1}"#, 422, "invalid_value", Some("n")),
        ];
        for (body, status, code, field) in cases {
            let error = parse::<Chat>(body.as_bytes()).unwrap_err();
            let got = (error.status.as_u16(), error.code, error.field.as_deref());
            assert_eq!(got, (status, code, field), "{body}: {}", error.message);
        }
    }

    #[test]
    fn what_is_not_json_is_said_with_line_and_column() {
        let error = parse::<Chat>(b"{\n  \"messages\": [,]}").unwrap_err();
        assert!(error.message.contains("line 2 column"), "{}", error.message);
        let deep = format!("{{\"x\":{}", "[".repeat(100_000));
        assert_eq!(parse::<Value>(deep.as_bytes()).unwrap_err().code, "invalid_json");
    }

    #[test]
    fn long_names_from_outside_are_not_repeated_whole() {
        let body = format!(r#"{{"messages": [], "{}": 1}}"#, "x".repeat(100_000));
        let error = parse::<Chat>(body.as_bytes()).unwrap_err();
        assert_eq!(error.code, "unknown_field");
        assert!(error.message.len() < 400 && error.field.unwrap().len() < 400);
    }

    #[test]
    fn only_json_is_taken() {
        let cases = [
            (None, true),
            (Some("application/json"), true),
            (Some("Application/JSON; charset=utf-8"), true),
            (Some("application/merge-patch+json"), true),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some(""), false),
        ];
        for (given, taken) in cases {
            let headers = given.map(|given| (CONTENT_TYPE, given.parse().unwrap()));
            let headers: HeaderMap = headers.into_iter().collect();
            assert_eq!(is_json(&headers).is_ok(), taken, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse::<Chat>(&bytes);
            let _ = parse::<Value>(&bytes);
        }

        #[test]
        fn what_fits_is_read(contents in proptest::collection::vec(any::<String>(), 0..5), n: u8) {
            let turns: Vec<Value> =
                contents.iter().map(|content| serde_json::json!({"content": content})).collect();
            let body = serde_json::json!({"messages": turns, "n": n}).to_string();
            let read: Chat = parse(body.as_bytes()).unwrap();
            let expected = contents.into_iter().map(|content| Turn { content }).collect();
            prop_assert_eq!(read, Chat { messages: expected, n });
        }
    }
}
