//! Where the hub is, where its cache lies, and the limits of a download.
//!
//! Source of the variables, their precedence and defaults: `constants.py` of huggingface_hub 2.4, so
//! that both tools use one cache and one token. A variable that is set but empty counts as unset.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::url::Origin;
use crate::ConnectError;

/// The public hub.
pub const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// A secret that opens private and gated models; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// How to reach the hub and what it may use up.
#[derive(Clone, Debug)]
pub struct HubSettings {
    /// Folder of the cache in Hugging Face's layout; it holds `models--owner--name` folders.
    pub cache: PathBuf,
    /// Address of the hub or of a mirror, with or without a path.
    pub endpoint: String,
    /// Sent to the endpoint, and to no other host.
    pub token: Option<Token>,
    /// Uses the cache alone and opens no connection.
    pub is_offline: bool,
    /// Address of an HTTP proxy.
    pub proxy: Option<String>,
    /// Hosts that are reached without the proxy, separated by commas, as in `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// Limit of the bytes that one call may download; `None` for no limit.
    pub max_download_bytes: Option<u64>,
    /// Limit of the files of one model.
    pub max_files: usize,
    /// How often a request is repeated after a passing failure. Bytes that arrived reset the count.
    pub n_retries: u32,
    /// Pause before the first repetition; it doubles each time, up to 30 s.
    pub retry_delay: Duration,
    /// Limit of finding the host and connecting to it.
    pub connect_timeout: Duration,
    /// Limit of a silence while an answer is awaited or read.
    pub read_timeout: Duration,
}

impl HubSettings {
    /// The public hub with this cache: no token, no proxy, 1000 files, 5 repetitions after 1 s, 10 s
    /// to connect, 30 s of silence.
    pub fn new(cache: impl Into<PathBuf>) -> HubSettings {
        HubSettings {
            cache: cache.into(),
            endpoint: DEFAULT_ENDPOINT.to_owned(),
            token: None,
            is_offline: false,
            proxy: None,
            no_proxy: None,
            max_download_bytes: None,
            max_files: 1000,
            n_retries: 5,
            retry_delay: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
        }
    }

    /// The settings that the environment asks for.
    ///
    /// | what | variables, the first that is set wins |
    /// |---|---|
    /// | cache | `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME`/hub, `XDG_CACHE_HOME`/huggingface/hub, ~/.cache/huggingface/hub |
    /// | endpoint | `HF_ENDPOINT` |
    /// | token | `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`, the file `HF_TOKEN_PATH`, the file token in `HF_HOME`; none with `HF_HUB_DISABLE_IMPLICIT_TOKEN` |
    /// | offline | `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE`: 1, on, yes or true |
    /// | proxy | `HTTPS_PROXY` or `HTTP_PROXY` by the endpoint's scheme, `ALL_PROXY`, `NO_PROXY`, in both cases |
    ///
    /// # Errors
    /// [`ConnectError::BadSetting`] where the token cannot be sent in a header or no home folder is
    /// known; [`ConnectError::File`] where the token file cannot be read.
    pub fn from_env() -> Result<HubSettings, ConnectError> {
        HubSettings::from_variables(&|name| std::env::var(name).ok())
    }

    fn from_variables(get: &dyn Fn(&str) -> Option<String>) -> Result<HubSettings, ConnectError> {
        let vars = Variables { get };
        let hf_home = vars.hf_home();
        let cache = match vars.first(&["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"]) {
            Some(folder) => vars.expand(&folder),
            None => hf_home.clone().ok_or_else(no_home)?.join("hub"),
        };
        let endpoint = vars.first(&["HF_ENDPOINT"]).unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let by_scheme = match endpoint.starts_with("https:") {
            true => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            false => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        Ok(HubSettings {
            token: vars.token(hf_home.as_deref())?,
            is_offline: vars.is_on(&["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]),
            proxy: vars.first(&by_scheme),
            no_proxy: vars.first(&["NO_PROXY", "no_proxy"]),
            endpoint,
            ..HubSettings::new(cache)
        })
    }

    /// The endpoint without a slash at its end, and whose server it is.
    pub(super) fn checked_endpoint(&self) -> Result<(String, Origin), ConnectError> {
        let endpoint = self.endpoint.trim_end_matches('/');
        let is_plain = !endpoint.contains(['?', '#', '@']);
        match Origin::of(endpoint).filter(|_| is_plain) {
            Some(origin) => Ok((endpoint.to_owned(), origin)),
            None => Err(ConnectError::BadSetting {
                name: "HF_ENDPOINT",
                problem: format!("`{endpoint}` is not an address such as {DEFAULT_ENDPOINT}"),
            }),
        }
    }
}

impl Token {
    /// A token without the white space around it.
    ///
    /// # Errors
    /// [`ConnectError::BadSetting`] where it is empty or holds characters that a header cannot carry.
    pub fn new(text: &str) -> Result<Token, ConnectError> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(Token(text.to_owned()));
        }
        let problem = "a token has visible ASCII characters only, and at least one".to_owned();
        Err(ConnectError::BadSetting { name: "HF_TOKEN", problem })
    }

    /// Value of the `Authorization` header.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
}

impl Variables<'_> {
    fn first(&self, names: &[&str]) -> Option<String> {
        let set = names.iter().filter_map(|name| (self.get)(name));
        set.map(|value| value.trim().to_owned()).find(|value| !value.is_empty())
    }

    fn is_on(&self, names: &[&str]) -> bool {
        let value = self.first(names).unwrap_or_default().to_ascii_lowercase();
        ["1", "on", "yes", "true"].contains(&value.as_str())
    }

    fn home(&self) -> Option<PathBuf> {
        self.first(&["HOME", "USERPROFILE"]).map(PathBuf::from)
    }

    /// `~/x` becomes `x` in the home folder, for variables that no shell has expanded.
    fn expand(&self, folder: &str) -> PathBuf {
        match (folder.strip_prefix("~/"), self.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(folder),
        }
    }

    fn hf_home(&self) -> Option<PathBuf> {
        if let Some(folder) = self.first(&["HF_HOME"]) {
            return Some(self.expand(&folder));
        }
        let caches = self.first(&["XDG_CACHE_HOME"]).map(|folder| self.expand(&folder));
        let caches = caches.or_else(|| self.home().map(|home| home.join(".cache")))?;
        Some(caches.join("huggingface"))
    }

    fn token(&self, hf_home: Option<&Path>) -> Result<Option<Token>, ConnectError> {
        if self.is_on(&["HF_HUB_DISABLE_IMPLICIT_TOKEN"]) {
            return Ok(None);
        }
        if let Some(text) = self.first(&["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"]) {
            return Token::new(&text).map(Some);
        }
        let named = self.first(&["HF_TOKEN_PATH"]).map(|path| self.expand(&path));
        let Some(path) = named.or_else(|| hf_home.map(|home| home.join("token"))) else {
            return Ok(None);
        };
        match fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => Ok(None),
            Ok(text) => Token::new(&text).map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(ConnectError::file("read the token file", &path, e)),
        }
    }
}

fn no_home() -> ConnectError {
    let problem = "neither it nor a home folder is known; set it to a folder for models".to_owned();
    ConnectError::BadSetting { name: "HF_HOME", problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<HubSettings, ConnectError> {
        HubSettings::from_variables(&|name| {
            pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_cache_is_the_one_of_the_python_tools() {
        let home = ("HOME", "/h");
        for (pairs, cache) in [
            (vec![home], "/h/.cache/huggingface/hub"),
            (vec![home, ("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (vec![home, ("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/f")], "/f/hub"),
            (vec![home, ("HF_HOME", "~/f")], "/h/f/hub"),
            (vec![home, ("HF_HOME", "")], "/h/.cache/huggingface/hub"),
            (vec![("HF_HOME", "/f"), ("HUGGINGFACE_HUB_CACHE", "/old")], "/old"),
            (vec![("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HUB_CACHE", "/c")], "/c"),
        ] {
            assert_eq!(settings(&pairs).unwrap().cache, PathBuf::from(cache), "{pairs:?}");
        }
        let error = settings(&[]).unwrap_err();
        assert!(matches!(error, ConnectError::BadSetting { name: "HF_HOME", .. }), "{error}");
    }

    #[test]
    fn the_token_comes_from_the_variable_then_from_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let hf_home = folder.path().to_str().unwrap();
        let none = settings(&[("HF_HOME", hf_home)]).unwrap();
        assert_eq!(none.token, None);
        fs::write(folder.path().join("token"), "hf_file\n").unwrap();
        let from_file = settings(&[("HF_HOME", hf_home)]).unwrap();
        assert_eq!(from_file.token.unwrap().bearer(), "Bearer hf_file");
        let pairs = [("HF_HOME", hf_home), ("HF_TOKEN", " hf_var\n")];
        let token = settings(&pairs).unwrap().token.unwrap();
        assert_eq!(token.bearer(), "Bearer hf_var");
        assert!(!format!("{token:?}").contains("hf_var"));
        let pairs = [pairs[0], pairs[1], ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")];
        assert_eq!(settings(&pairs).unwrap().token, None);
        assert!(settings(&[("HOME", "/h"), ("HF_TOKEN", "two words")]).is_err());
        let path = [("HOME", "/h"), ("HF_TOKEN_PATH", hf_home)];
        assert!(matches!(settings(&path), Err(ConnectError::File { .. })), "a folder is no file");
    }

    #[test]
    fn offline_endpoint_and_proxy_follow_their_variables() {
        let read = |pairs: &[(&str, &str)]| settings(&[&[("HOME", "/h")], pairs].concat()).unwrap();
        for (value, is_offline) in
            [("1", true), ("TRUE", true), ("on", true), ("0", false), ("", false)]
        {
            assert_eq!(read(&[("HF_HUB_OFFLINE", value)]).is_offline, is_offline, "{value}");
        }
        assert!(read(&[("TRANSFORMERS_OFFLINE", "yes")]).is_offline);
        assert_eq!(read(&[]).endpoint, DEFAULT_ENDPOINT);
        let proxies = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://p:2")];
        assert_eq!(read(&proxies).proxy.as_deref(), Some("http://s:1"));
        let plain = [proxies[0], proxies[1], ("HF_ENDPOINT", "http://mirror/")];
        assert_eq!(read(&plain).proxy.as_deref(), Some("http://p:2"));
        assert_eq!(read(&plain).checked_endpoint().unwrap().0, "http://mirror");
    }

    #[test]
    fn an_endpoint_that_is_no_address_is_refused() {
        for endpoint in
            ["", "huggingface.co", "ftp://x", "https://", "https://u:p@x", "https://x?y"]
        {
            let settings = HubSettings { endpoint: endpoint.to_owned(), ..HubSettings::new("/c") };
            assert!(settings.checked_endpoint().is_err(), "{endpoint}");
        }
    }
}
