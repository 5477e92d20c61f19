//! Which collector gets the spans.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::remote::checked_url;
use crate::{RemoteError, Secret};

/// What an error is about.
pub(super) const WHO: &str = "the trace collector";

/// Which collector gets the spans, and under which name.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) service: String,
}

impl TraceSettings {
    /// A collector at `endpoint`, such as `http://localhost:4318`; spans go to `v1/traces` below it. Headers
    /// are written as the environment variable of OpenTelemetry has them: `key=value,key=value`, with
    /// values percent-encoded.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`] for what is no address of HTTP or no list of headers.
    pub fn new(
        endpoint: &str,
        headers: Option<&Secret>,
        service: &str,
    ) -> Result<TraceSettings, RemoteError> {
        let mut url = checked_url(WHO, "endpoint", endpoint.trim())?;
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let headers = headers.map_or(Ok(HeaderMap::new()), |headers| read(headers.reveal()))?;
        Ok(TraceSettings { url, headers, service: service.to_owned() })
    }
}

/// The headers of a list. No message shows a value.
fn read(list: &str) -> Result<HeaderMap, RemoteError> {
    let mut headers = HeaderMap::new();
    for (at, pair) in list.split(',').map(str::trim).enumerate() {
        if pair.is_empty() {
            continue;
        }
        let bad = || {
            let message = format!("entry {} is not of the form key=value", at + 1);
            RemoteError::setting(WHO, "headers", message)
        };
        let (name, value) = pair.split_once('=').ok_or_else(bad)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| bad())?;
        let mut value = HeaderValue::try_from(decoded(value.trim())).map_err(|_| bad())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Without percent-encoding; what is not of its form stays as it is.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| bytes[at] == b'%');
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_go_below_the_endpoint() {
        for (endpoint, url) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("https://a.example/otlp/", "https://a.example/otlp/v1/traces"),
        ] {
            assert_eq!(TraceSettings::new(endpoint, None, "s").unwrap().url.as_str(), url);
        }
        for wrong in ["", "localhost:4318", "grpc://localhost"] {
            let error = TraceSettings::new(wrong, None, "s").unwrap_err().to_string();
            assert!(error.contains("endpoint"), "{error}");
        }
    }

    #[test]
    fn headers_are_read_and_not_shown() {
        let list = Secret::new("authorization=Basic%20c2VjcmV0, x-team = a=b,");
        let settings = TraceSettings::new("http://a", Some(&list), "s").unwrap();
        assert_eq!(settings.headers["authorization"], "Basic c2VjcmV0");
        assert_eq!(settings.headers["x-team"], "a=b");
        assert!(!format!("{settings:?}").contains("c2VjcmV0"));
        for wrong in ["secret", "a b=secret", "a=se\ncret"] {
            let error = TraceSettings::new("http://a", Some(&Secret::new(wrong)), "s").unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
