//! The name of one request, in the log and in the answer's headers.

use std::fmt;

use axum::http::{HeaderMap, HeaderValue};

/// Longest id that is taken from a client.
const MAX_CHARS: usize = 128;

/// The name of one request. Handlers find it among the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The header it is in, of requests and of answers.
    pub const HEADER: &'static str = "x-request-id";

    /// The client's, where it sent one of at most 128 letters, digits, dots, dashes and underscores (what
    /// else it could hold might break a log); a fresh one otherwise.
    pub fn of(headers: &HeaderMap) -> RequestId {
        let given = headers.get(RequestId::HEADER);
        match given.filter(|given| is_sane(given.as_bytes())) {
            Some(given) => RequestId(given.clone()),
            None => RequestId::fresh(),
        }
    }

    fn fresh() -> RequestId {
        let id = uuid::Uuid::now_v7().simple().to_string();
        RequestId(HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none")))
    }

    /// As a header's value.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

fn is_sane(id: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=MAX_CHARS).contains(&id.len()) && id.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sane_ids_are_taken() {
        let cases = [
            ("abc-123_x.y", true),
            (&"a".repeat(128), true),
            (&"a".repeat(129), false),
            ("", false),
            ("a b", false),
            ("a\"b", false),
            ("a=b", false),
        ];
        for (given, taken) in cases {
            let headers = [("x-request-id".parse().unwrap(), given.parse().unwrap())];
            let id = RequestId::of(&headers.into_iter().collect());
            assert_eq!(id.to_string() == given, taken, "{given:?}");
            assert!(is_sane(id.header().as_bytes()));
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
