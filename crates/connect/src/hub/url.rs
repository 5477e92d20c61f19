//! Just enough about addresses to follow redirects safely: who is at the other end, and where a
//! `Location` points.

use ureq::http::Uri;

/// Scheme, host and port: two addresses with the same origin are the same server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    is_encrypted: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Origin of an `http` or `https` address; `None` for anything else.
    pub(super) fn of(url: &str) -> Option<Origin> {
        let uri: Uri = url.parse().ok()?;
        let is_encrypted = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        Some(Origin { is_encrypted, host, port })
    }

    /// Host without scheme and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

/// Where a redirect from `url` leads; `None` where `location` is no `http` address, or gives up
/// encryption.
pub(super) fn redirect_target(url: &str, location: &str) -> Option<String> {
    let from = Origin::of(url)?;
    let target = if location.starts_with('/') && !location.starts_with("//") {
        let scheme_end = url.find("://")? + 3;
        let path = url[scheme_end..].find('/').map_or(url.len(), |at| scheme_end + at);
        format!("{}{location}", &url[..path])
    } else {
        location.to_owned()
    };
    let to = Origin::of(&target)?;
    (to.is_encrypted || !from.is_encrypted).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let of = |url| Origin::of(url).unwrap();
        assert_eq!(of("https://Hub.co/x"), of("https://hub.co:443/y?z"));
        for other in ["http://hub.co", "https://hub.co:8443", "https://cdn.hub.co"] {
            assert_ne!(of("https://hub.co"), of(other), "{other}");
        }
        for bad in ["", "/x", "hub.co", "ftp://hub.co", "https://"] {
            assert_eq!(Origin::of(bad), None, "{bad}");
        }
    }

    #[test]
    fn redirects_stay_on_http_and_keep_encryption() {
        let from = "https://hub.co/a/b";
        let cases = [
            ("/c/d", Some("https://hub.co/c/d")),
            ("https://cdn.co/x?sig=1", Some("https://cdn.co/x?sig=1")),
            ("http://cdn.co/x", None),
            ("//cdn.co/x", None),
            ("c/d", None),
            ("file:///etc/passwd", None),
            ("", None),
        ];
        for (location, target) in cases {
            assert_eq!(redirect_target(from, location).as_deref(), target, "{location}");
        }
        let plain = redirect_target("http://127.0.0.1:80", "/x");
        assert_eq!(plain.as_deref(), Some("http://127.0.0.1:80/x"));
        assert!(redirect_target("http://a/b", "https://c").is_some());
    }
}
