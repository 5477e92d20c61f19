//! Reading answers: never more than a limit, never longer than a time.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::call_error::RemoteError;
use super::client::no_answer;

/// Most characters of an error's text that are shown.
const MAX_SAID_CHARS: usize = 300;

/// Most bytes of an answer.
pub(crate) const MAX_ANSWER_BYTES: usize = 16 << 20;

/// The text of an answer, or the error that it is.
///
/// # Errors
/// [`RemoteError::Status`] for a status that is no success, [`RemoteError::BadAnswer`] for one that is
/// too long or not UTF-8, [`RemoteError::Closed`] and [`RemoteError::TimedOut`].
pub(crate) async fn read_text(
    who: &str,
    limit: Duration,
    mut response: Response,
) -> Result<String, RemoteError> {
    let bad = |problem: String| RemoteError::BadAnswer { who: who.to_owned(), problem };
    let (status, wait) = (response.status(), retry_after(response.headers()));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(who, limit, error))? {
        if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(bad("it is longer than 16 MiB".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(RemoteError::Status {
            who: who.to_owned(),
            status: status.as_u16(),
            message: said(&String::from_utf8_lossy(&bytes)),
            retry_after: wait,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad("it is not UTF-8".to_owned()))
}

/// The wish of `Retry-After` in seconds. Dates are not read: they need both clocks to agree.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// What an error's text says, in parentheses: OpenAI's `error.message`, or its beginning.
pub(crate) fn said(text: &str) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let message = json.as_ref().and_then(|value| {
        let error = &value["error"];
        [&error["message"], error, &value["message"], &value["detail"]]
            .into_iter()
            .find_map(|place| place.as_str())
    });
    let text = message.unwrap_or(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(MAX_SAID_CHARS).collect();
    if short.is_empty() { String::new() } else { format!(" ({short})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_found() {
        assert_eq!(said(r#"{"error": {"message": "too  long"}}"#), " (too long)");
        assert_eq!(said(r#"{"error": "busy"}"#), " (busy)");
        assert_eq!(said("<h1>Oops</h1>\n"), " (<h1>Oops</h1>)");
        assert_eq!(said(""), "");
        assert_eq!(said(&"x".repeat(5000)).len(), MAX_SAID_CHARS + 3);
    }

    #[test]
    fn seconds_are_read_and_dates_are_not() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("0.5"), Some(Duration::from_millis(500)));
        for bad in ["-1", "NaN", "1e99", "Thu, 26 Nov 2026 19:00:00 GMT"] {
            assert_eq!(wait(bad), None, "{bad}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
