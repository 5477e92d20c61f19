//! Requests to the hub: the listing of a repository, what is known about a file, and its bytes.
//!
//! Source of routes and headers: `hf_api.py`, `file_download.py` and `utils/_http.py` of
//! huggingface_hub 2.4. Redirects are followed here and not by the HTTP library, because the first
//! answer for a large file carries its tag and size, and because the token goes to the endpoint's own
//! server only: large files come from other hosts.

use std::fmt::Display;
use std::io::{self, Read};
use std::sync::Arc;

use serde::Deserialize;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body, Proxy, Timeout};

use super::files::Presence;
use super::model_id::{ModelId, is_commit};
use super::settings::{HubSettings, Token};
use super::url::{Origin, redirect_target};
use crate::ConnectError;

/// Limit of a listing.
const MAX_LISTING_BYTES: u64 = 32 << 20;

/// Redirects that are followed for one request.
const MAX_REDIRECTS: usize = 10;

/// Limit of a tag, which becomes a file name.
const MAX_TAG_CHARS: usize = 128;

const NO_NAME: &str = "its name cannot be resolved, so there is probably no network";
const NO_ANSWER: &str = "it does not answer in time";

/// Speaks to one endpoint.
pub(super) struct Transport {
    agent: Agent,
    endpoint: String,
    origin: Origin,
    token: Option<Token>,
}

/// Files of a repository at one commit.
#[derive(Debug)]
pub(super) struct Listing {
    /// The commit that the revision stands for.
    pub(super) commit: String,
    /// Names of all files, with folders.
    pub(super) names: Vec<String>,
}

/// What the hub says about a file.
#[derive(Clone, Debug)]
pub(super) struct RemoteFile {
    /// Its name.
    pub(super) name: String,
    /// Names the content; SHA-256 in hexadecimal for large files.
    pub(super) etag: String,
    /// Length in bytes.
    pub(super) size: u64,
}

/// The answer to a request for bytes.
pub(super) struct Bytes {
    /// Position in the file of the first byte that comes.
    pub(super) start: u64,
    /// The bytes.
    pub(super) reader: Box<dyn Read>,
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Head,
    Get,
}

struct Answer {
    response: Response<Body>,
    from: Origin,
}

#[derive(Deserialize)]
struct ListingBody {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Transport {
    /// A transport with these settings; opens no connection.
    ///
    /// # Errors
    /// [`ConnectError::BadSetting`] for an endpoint or a proxy that is no address.
    pub(super) fn new(settings: &HubSettings) -> Result<Transport, ConnectError> {
        let (endpoint, origin) = settings.checked_endpoint()?;
        Ok(Transport { agent: agent(settings)?, endpoint, origin, token: settings.token.clone() })
    }

    /// Files of the repository, and the commit that its revision stands for.
    pub(super) fn list(&self, id: &ModelId) -> Result<Listing, ConnectError> {
        let revision = id.revision().replace('/', "%2F").replace('+', "%2B");
        let url = format!("{}/api/models/{}/revision/{revision}", self.endpoint, id.repo());
        let answer = self.send(id, Verb::Get, &url, 0)?;
        if !answer.response.status().is_success() {
            return Err(self.refusal(id, &answer, None));
        }
        let mut text = Vec::new();
        let body = answer.response.into_body().into_reader();
        body.take(MAX_LISTING_BYTES + 1)
            .read_to_end(&mut text)
            .map_err(|e| self.unreachable(id, &answer.from, e.to_string()))?;
        if text.len() as u64 > MAX_LISTING_BYTES {
            return Err(self.bad_answer(id, "the listing is longer than 32 MiB"));
        }
        let listing: ListingBody = serde_json::from_slice(&text)
            .map_err(|e| self.bad_answer(id, format!("the listing cannot be read ({e})")))?;
        if !is_commit(&listing.sha) {
            return Err(self.bad_answer(id, format!("{:?} is not a commit", listing.sha)));
        }
        let names = listing.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
        Ok(Listing { commit: listing.sha, names })
    }

    /// Tag and size of a file.
    pub(super) fn describe(
        &self,
        id: &ModelId,
        commit: &str,
        name: &str,
    ) -> Result<RemoteFile, ConnectError> {
        let answer = self.send(id, Verb::Head, &self.file_url(id, commit, name), 0)?;
        let status = answer.response.status();
        if !status.is_success() && !status.is_redirection() {
            return Err(self.refusal(id, &answer, Some(name)));
        }
        let header = |linked, own| answer.header(linked).or_else(|| answer.header(own));
        let etag = header("x-linked-etag", "etag").and_then(plain_tag);
        let etag =
            etag.ok_or_else(|| self.bad_answer(id, format!("`{name}` has no usable tag")))?;
        let size = header("x-linked-size", "content-length").and_then(|n| n.trim().parse().ok());
        let size = size.ok_or_else(|| self.bad_answer(id, format!("`{name}` has no length")))?;
        Ok(RemoteFile { name: name.to_owned(), etag, size })
    }

    /// Bytes of a file from `start` on, or from 0 where the server does not serve parts.
    pub(super) fn open(
        &self,
        id: &ModelId,
        commit: &str,
        name: &str,
        start: u64,
    ) -> Result<Bytes, ConnectError> {
        let answer = self.send(id, Verb::Get, &self.file_url(id, commit, name), start)?;
        let start = match answer.response.status().as_u16() {
            200 => 0,
            206 if answer.range_start() == Some(start) => start,
            206 => return Err(self.bad_answer(id, format!("`{name}` came in another range"))),
            _ => return Err(self.refusal(id, &answer, Some(name))),
        };
        Ok(Bytes { start, reader: Box::new(answer.response.into_body().into_reader()) })
    }

    fn file_url(&self, id: &ModelId, commit: &str, name: &str) -> String {
        format!("{}/{}/resolve/{commit}/{name}", self.endpoint, id.repo())
    }

    fn send(
        &self,
        id: &ModelId,
        verb: Verb,
        url: &str,
        start: u64,
    ) -> Result<Answer, ConnectError> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.send_once(id, verb, &url, start)?;
            let is_linked = answer.header("x-linked-etag").is_some()
                && answer.header("x-linked-size").is_some();
            let is_final = !answer.response.status().is_redirection();
            if is_final || (verb == Verb::Head && is_linked) {
                return Ok(answer);
            }
            let location = answer.header("location").unwrap_or_default();
            url = redirect_target(&url, location).ok_or_else(|| {
                // What follows the path of a signed address is a secret.
                let shown = location.split('?').next().unwrap_or_default();
                self.bad_answer(id, format!("it redirects to `{shown}`, which is not followed"))
            })?;
        }
        Err(self.bad_answer(id, format!("it redirects more than {MAX_REDIRECTS} times")))
    }

    fn send_once(
        &self,
        id: &ModelId,
        verb: Verb,
        url: &str,
        start: u64,
    ) -> Result<Answer, ConnectError> {
        let from = Origin::of(url)
            .ok_or_else(|| self.bad_answer(id, format!("`{url}` is not an address")))?;
        let mut request = match verb {
            Verb::Head => self.agent.head(url),
            Verb::Get => self.agent.get(url),
        };
        if let Some(token) = self.token.as_ref().filter(|_| from == self.origin) {
            request = request.header("Authorization", token.bearer());
        }
        if start > 0 {
            request = request.header("Range", format!("bytes={start}-"));
        }
        match request.call() {
            Ok(response) => Ok(Answer { response, from }),
            Err(e) => Err(self.unreachable(id, &from, cause_of(&e))),
        }
    }

    /// What a status that is no success means. `file` is set once the listing has been read, so that
    /// the repository is known to exist.
    fn refusal(&self, id: &ModelId, answer: &Answer, file: Option<&str>) -> ConnectError {
        let (id_text, host) = (id.to_string(), answer.from.host().to_owned());
        let status = answer.response.status().as_u16();
        let message = answer.header("x-error-message").unwrap_or_default();
        // Other hosts know nothing of models and accounts: their answers say only that they failed.
        let code = match answer.from == self.origin {
            true => answer.header("x-error-code").unwrap_or_default(),
            false => "elsewhere",
        };
        match (code, status, file) {
            ("GatedRepo", ..) => ConnectError::Gated { id: id_text, host, status },
            ("RevisionNotFound", ..) => ConnectError::UnknownRevision {
                id: id.repo().to_owned(),
                revision: id.revision().to_owned(),
                host,
            },
            ("elsewhere", ..) => refused(id_text, host, status, message),
            (_, 401, _) if message.starts_with("Invalid credentials") => {
                ConnectError::BadToken { id: id_text, host }
            }
            (_, 403, _) | (_, 401, Some(_)) => ConnectError::Gated { id: id_text, host, status },
            (_, 401 | 404, None) => ConnectError::UnknownModel { id: id_text, host, status },
            (_, 404, Some(file)) => {
                ConnectError::MissingFile { id: id_text, file: file.to_owned() }
            }
            _ => refused(id_text, host, status, message),
        }
    }

    /// An answer that makes no sense.
    pub(super) fn bad_answer(&self, id: &ModelId, problem: impl Into<String>) -> ConnectError {
        let (id, host) = (id.to_string(), self.origin.host().to_owned());
        ConnectError::BadAnswer { id, host, problem: problem.into() }
    }

    fn unreachable(&self, id: &ModelId, host: &Origin, cause: String) -> ConnectError {
        ConnectError::Unreachable { id: id.to_string(), host: host.host().to_owned(), cause }
    }
}

impl Listing {
    /// Whether the repository has a file; never unknown.
    pub(super) fn presence(&self, name: &str) -> Presence {
        match self.names.iter().any(|listed| listed == name) {
            true => Presence::Here,
            false => Presence::Absent,
        }
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// `5` of `Content-Range: bytes 5-9/10`.
    fn range_start(&self) -> Option<u64> {
        let range = self.header("content-range")?.strip_prefix("bytes ")?;
        range.split_once('-')?.0.trim().parse().ok()
    }
}

fn agent(settings: &HubSettings) -> Result<Agent, ConnectError> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy(settings)?)
        .user_agent(concat!("stateset-agents/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_per_read(Some(settings.read_timeout))
        .timeout_per_write(Some(settings.read_timeout))
        .build();
    Ok(config.new_agent())
}

fn proxy(settings: &HubSettings) -> Result<Option<Proxy>, ConnectError> {
    let Some(address) = &settings.proxy else { return Ok(None) };
    // The address may hold a password, so it is not repeated.
    let bad = |_| ConnectError::BadSetting {
        name: "HTTPS_PROXY",
        problem: "it is not an address such as http://proxy.example:8080".to_owned(),
    };
    let plain = Proxy::new(address).map_err(bad)?;
    let mut builder = Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
    if let Some(name) = plain.username() {
        builder = builder.username(name);
    }
    if let Some(password) = plain.password() {
        builder = builder.password(password);
    }
    let exempt = settings.no_proxy.as_deref().unwrap_or_default().split(',').map(str::trim);
    for host in exempt.filter(|host| !host.is_empty()) {
        builder = builder.no_proxy(host);
    }
    builder.build().map(Some).map_err(bad)
}

/// The tag without quotes and weakness mark, where it can be a file name.
fn plain_tag(text: &str) -> Option<String> {
    let text = text.trim();
    let tag = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let is_name = !tag.is_empty() && tag.len() <= MAX_TAG_CHARS && !tag.starts_with('.');
    (is_name && tag.bytes().all(is_plain)).then(|| tag.to_owned())
}

fn refused(id: String, host: String, status: u16, message: &str) -> ConnectError {
    let shown: String = message.chars().filter(|c| !c.is_control()).take(200).collect();
    let message = if shown.is_empty() { shown } else { format!(" ({shown})") };
    ConnectError::Refused { id, host, status, message }
}

/// A failed connection in plain words.
fn cause_of(error: &ureq::Error) -> String {
    let text = match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(Timeout::Resolve) => NO_NAME,
        ureq::Error::Timeout(_) => NO_ANSWER,
        ureq::Error::Io(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
            "nothing listens there"
        }
        ureq::Error::Io(e) if e.kind() == io::ErrorKind::TimedOut => NO_ANSWER,
        // The standard library has no kind for this; it is its text before what the system says.
        ureq::Error::Io(e) if e.to_string().starts_with("failed to lookup address") => NO_NAME,
        // What rustls finds wrong with a certificate comes as invalid data.
        ureq::Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => return not_secure(e),
        ureq::Error::Rustls(e) => return not_secure(e),
        ureq::Error::Tls(what) => return not_secure(what),
        ureq::Error::Io(e) => return e.to_string(),
        ureq::Error::ConnectProxyFailed(_) => "the proxy makes no connection to it",
        other => return other.to_string(),
    };
    text.to_owned()
}

fn not_secure(problem: impl Display) -> String {
    format!(
        "no secure connection: {problem}; certificates are taken from the system, or from the file \
         that SSL_CERT_FILE names"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_could_leave_the_cache_is_not_used() {
        let sha = "a".repeat(64);
        for (text, tag) in [
            (format!("\"{sha}\""), Some(sha.as_str())),
            ("W/\"abc\"".to_owned(), Some("abc")),
            ("abc-5".to_owned(), Some("abc-5")),
            (String::new(), None),
            ("\"../../x\"".to_owned(), None),
            ("/etc/passwd".to_owned(), None),
            ("..".to_owned(), None),
            ("a b".to_owned(), None),
            ("a".repeat(129), None),
        ] {
            assert_eq!(plain_tag(&text).as_deref(), tag, "{text}");
        }
    }

    #[test]
    fn the_proxy_keeps_its_password_and_its_exceptions() {
        let settings = HubSettings {
            proxy: Some("http://me:p%40ss@proxy.example:3128".to_owned()),
            no_proxy: Some("localhost, .corp.example".to_owned()),
            ..HubSettings::new("/c")
        };
        let built = proxy(&settings).unwrap().unwrap();
        assert_eq!((built.host(), built.port()), ("proxy.example", 3128));
        assert_eq!((built.username(), built.password()), (Some("me"), Some("p@ss")));
        assert!(built.is_no_proxy(&"http://hub.corp.example/x".parse().unwrap()));
        assert!(built.is_no_proxy(&"http://localhost/".parse().unwrap()));
        assert!(!built.is_no_proxy(&"https://huggingface.co/".parse().unwrap()));
        let bad = HubSettings { proxy: Some("gopher://user:secret@x".to_owned()), ..settings };
        assert!(!proxy(&bad).unwrap_err().to_string().contains("secret"));
    }
}
