//! Addresses with places for arguments: `https://shop.example/orders/{order_id}?part={part}`.
//!
//! Places stand behind the host only, so an argument cannot choose who is called. Values are encoded so
//! that they stay inside their place: no `/`, `?` or `#`, and in the path neither nothing nor dots only,
//! because `..` would climb out of it.

use reqwest::Url;
use serde_json::{Map, Value};

use crate::remote::{RemoteError, checked_url};

/// A checked template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UrlTemplate {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Place { name: String, is_path: bool },
}

impl UrlTemplate {
    /// Reads `text`.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`] for braces that do not fit, a place in the host, or no address.
    pub(crate) fn parse(who: &str, text: &str) -> Result<UrlTemplate, RemoteError> {
        let bad = |problem: String| RemoteError::setting(who, "url", problem);
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut before = String::new();
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').ok_or_else(|| bad("a `{` has no `}`".to_owned()))?;
            let (plain, name) = (&rest[..open], &rest[open + 1..open + close]);
            before.push_str(plain);
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(bad(format!("{{{name}}} names no argument")));
            }
            let behind_host = before.split_once("://").is_some_and(|(_, r)| r.contains(['/', '?']));
            if !behind_host {
                return Err(bad(format!(
                    "{{{name}}} stands in the host, allowed is a place behind it"
                )));
            }
            pieces.push(Piece::Text(plain.to_owned()));
            let is_path = !before.contains('?');
            pieces.push(Piece::Place { name: name.to_owned(), is_path });
            rest = &rest[open + close + 1..];
        }
        if rest.contains('}') {
            return Err(bad("a `}` has no `{`".to_owned()));
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let template = UrlTemplate { pieces };
        let example = template.joined(|_, _| Ok::<_, RemoteError>("x".to_owned()))?;
        if checked_url(who, "url", &example)?.fragment().is_some() {
            return Err(bad("it has a `#`, which is never sent".to_owned()));
        }
        Ok(template)
    }

    /// Scheme, host and port: what may be shown of the address.
    pub(crate) fn site(&self) -> String {
        let filled = self.joined(|_, _| Ok::<_, std::convert::Infallible>("x".to_owned()));
        let Ok(text) = filled;
        Url::parse(&text).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// Names of the places.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The address with values in its places, which are taken out of `arguments`.
    ///
    /// # Errors
    /// What is wrong with a value, for the agent to read.
    pub(crate) fn fill(&self, arguments: &mut Map<String, Value>) -> Result<Url, String> {
        let filled = self.joined(|name, is_path| {
            let value = arguments.get(name).ok_or_else(|| format!("{name} is missing"))?;
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return Err(format!("{name} is {value}, allowed is a text or a number")),
            };
            if is_path && text.trim_matches('.').is_empty() {
                return Err(format!("{name} is {text:?}, which cannot stand in an address"));
            }
            Ok(encoded(&text))
        })?;
        // Keeps the order of the others, which `remove` does not.
        arguments.retain(|key, _| !self.names().any(|name| name == key));
        Url::parse(&filled).map_err(|error| error.to_string())
    }

    fn joined<E>(
        &self,
        mut value: impl FnMut(&str, bool) -> Result<String, E>,
    ) -> Result<String, E> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Place { name, is_path } => text.push_str(&value(name, *is_path)?),
            }
        }
        Ok(text)
    }
}

/// Everything but RFC 3986's unreserved characters as `%XX`.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn filled(template: &str, arguments: Value) -> Result<String, String> {
        let template = UrlTemplate::parse("t", template).unwrap();
        let mut fields = arguments.as_object().unwrap().clone();
        template.fill(&mut fields).map(|url| url.to_string())
    }

    #[test]
    fn values_stay_in_their_places() {
        let template = "https://h.example/orders/{id}/items?q={q}";
        for (id, q, expected) in [
            (json!("A 1/2"), json!("a&b=c"), "orders/A%201%2F2/items?q=a%26b%3Dc"),
            (json!(7), json!(true), "orders/7/items?q=true"),
            (json!("é#?"), json!(".."), "orders/%C3%A9%23%3F/items?q=.."),
            (json!("a..b"), json!(""), "orders/a..b/items?q="),
        ] {
            let url = filled(template, json!({"id": id, "q": q})).unwrap();
            assert_eq!(url, format!("https://h.example/{expected}"));
        }
    }

    #[test]
    fn what_would_climb_out_is_refused() {
        for id in [json!(""), json!("."), json!(".."), json!(null), json!([1]), json!({})] {
            let result = filled("https://h.example/a/{id}", json!({ "id": id }));
            assert!(result.as_ref().is_err_and(|why| why.contains("id is")), "{result:?}");
        }
        assert_eq!(filled("https://h/{id}", json!({})), Err("id is missing".to_owned()));
    }

    #[test]
    fn bad_templates_say_why() {
        for (template, part) in [
            ("https://{host}/a", "{host} stands in the host"),
            ("https://a.{host}", "{host} stands in the host"),
            ("{all}", "{all} stands in the host"),
            ("https://h/{a", "a `{` has no `}`"),
            ("https://h/a}", "a `}` has no `{`"),
            ("https://h/{}", "{} names no argument"),
            ("https://h/{a b}", "{a b} names no argument"),
            ("ftp://h/{a}", "found \"ftp\""),
            ("/orders/{a}", "stands in the host"),
            ("https://h/a#{b}", "it has a `#`"),
        ] {
            let error = UrlTemplate::parse("the tool \"t\"", template).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("`url`"), "{template}: {error}");
        }
    }

    proptest! {
        #[test]
        fn host_and_depth_never_change(id in "(\\PC|[./\\\\%@:?#]){0,12}") {
            if let Ok(url) = filled("https://h.example/a/{id}/b", json!({ "id": id })) {
                let url = Url::parse(&url).unwrap();
                prop_assert_eq!(url.host_str(), Some("h.example"));
                prop_assert_eq!(url.path_segments().unwrap().count(), 3);
                prop_assert!(url.path().starts_with("/a/") && url.path().ends_with("/b"));
                prop_assert_eq!(url.query(), None);
            }
        }

        #[test]
        fn parsing_never_panics(text in "(https://h|\\PC|[{}/?#]){0,12}") {
            let _ = UrlTemplate::parse("t", &text);
        }
    }
}
