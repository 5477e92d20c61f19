//! A stand-in for the hub: two servers on loopback, one for the hub and one for the host that large
//! files are redirected to. It answers as the hub does (tags, redirects, ranges, commits), logs every
//! request, and lets a test change any reply before it is sent.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};
use stateset_connect::{ConnectError, Hub, HubSettings, ModelId, Progress};
use tempfile::TempDir;

/// The only commit of the repository.
pub(crate) const COMMIT: &str = "362a1dadd42df1ea928b6c68bfdee817cff55c27";

/// The repository, and the id that most tests ask for.
pub(crate) const REPO: &str = "owner/tiny-model";

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// `GET` or `HEAD`.
    pub(crate) method: String,
    /// Path with query.
    pub(crate) path: String,
    /// Headers, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// True where the host of large files was asked.
    pub(crate) is_elsewhere: bool,
}

/// One reply before it is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Sends only this much of the body, then closes, or falls silent.
    pub(crate) cut: Option<usize>,
    /// Falls silent after the cut instead of closing.
    pub(crate) is_silent: bool,
}

/// A file of the repository.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: String,
    pub(crate) is_large: bool,
}

type Hook = Box<dyn FnMut(&Request, &mut Reply) + Send>;

/// The two servers, a cache folder, and what arrived.
pub(crate) struct StandIn {
    pub(crate) folder: TempDir,
    ports: [u16; 2],
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Served>,
    log: Vec<Request>,
    hook: Option<Hook>,
    ports: [u16; 2],
}

impl StandIn {
    /// Serves these files, large ones being those of safetensors.
    pub(crate) fn with(files: &[(&str, &str)]) -> StandIn {
        let served = files.iter().map(|(name, text)| {
            let is_large = name.ends_with(".safetensors");
            let sha256 = sha256(text.as_bytes());
            let etag = if is_large { sha256 } else { sha256[..40].to_owned() };
            ((*name).to_owned(), Served { bytes: text.as_bytes().to_vec(), etag, is_large })
        });
        StandIn::serving(served.collect())
    }

    /// A whole small model with 100,000 bytes of weights, and files that nobody wants.
    pub(crate) fn with_model() -> StandIn {
        StandIn::with(&[
            (".gitattributes", "x"),
            ("README.md", "x"),
            ("config.json", "{}"),
            ("generation_config.json", "{}"),
            ("logo.png", "x"),
            ("model.safetensors", &weights()),
            ("onnx/model.onnx", "x"),
            ("pytorch_model.bin", "x"),
            ("tokenizer.json", "{\"version\": \"1.0\"}"),
            ("tokenizer_config.json", ""),
            ("vocab.json", "{}"),
        ])
    }

    /// Serves these files.
    pub(crate) fn serving(files: BTreeMap<String, Served>) -> StandIn {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = [0, 1].map(|i: usize| listeners[i].local_addr().unwrap().port());
        let state = Arc::new(Mutex::new(State { files, ports, ..State::default() }));
        for (listener, is_elsewhere) in listeners.into_iter().zip([false, true]) {
            let state = state.clone();
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let state = state.clone();
                    thread::spawn(move || answer(stream, is_elsewhere, &state));
                }
            });
        }
        StandIn { folder: tempfile::tempdir().unwrap(), ports, state }
    }

    /// Lets a test change replies from now on.
    pub(crate) fn on_reply(&self, hook: impl FnMut(&Request, &mut Reply) + Send + 'static) {
        self.state.lock().unwrap().hook = Some(Box::new(hook));
    }

    /// Answers as the hub does from now on.
    pub(crate) fn behave(&self) {
        self.state.lock().unwrap().hook = None;
    }

    /// Requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    /// Settings that reach this server and waste no time.
    pub(crate) fn settings(&self) -> HubSettings {
        HubSettings {
            endpoint: format!("http://127.0.0.1:{}", self.ports[0]),
            n_retries: 0,
            retry_delay: Duration::from_millis(1),
            read_timeout: Duration::from_secs(5),
            ..HubSettings::new(self.folder.path())
        }
    }

    /// Fetches the model with these settings.
    pub(crate) fn fetch_with(&self, settings: HubSettings) -> Result<PathBuf, ConnectError> {
        fetch(settings, REPO, &mut |_| {})
    }

    /// Fetches the model.
    pub(crate) fn fetch(&self) -> Result<PathBuf, ConnectError> {
        self.fetch_with(self.settings())
    }

    /// Names in the blobs folder, sorted.
    pub(crate) fn blobs(&self) -> Vec<String> {
        names_in(&self.folder.path().join("models--owner--tiny-model/blobs"))
    }
}

/// Fetches `id`.
pub(crate) fn fetch(
    settings: HubSettings,
    id: &str,
    on_progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, ConnectError> {
    let id: ModelId = id.parse().unwrap();
    Hub::new(settings)?.fetch(&id, on_progress)
}

/// Text that is not the same anywhere.
pub(crate) fn weights() -> String {
    (0..12_500).map(|i| format!("{i:07}\n")).collect()
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names in a folder, sorted; none where there is no folder.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Reply {
    /// An empty reply with this status.
    pub(crate) fn status(status: u16) -> Reply {
        Reply { status, ..Reply::default() }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Reply {
        self.headers.insert(name.to_owned(), value.to_string());
        self
    }
}

impl Request {
    /// True for a request of the bytes of `file`, wherever they lie.
    pub(crate) fn is_for_bytes_of(&self, file: &str) -> bool {
        self.method == "GET" && self.path.ends_with(&format!("/{file}"))
    }
}

fn answer(mut stream: TcpStream, is_elsewhere: bool, state: &Mutex<State>) {
    let Some(request) = read_request(&stream, is_elsewhere) else { return };
    let reply = {
        let mut state = state.lock().unwrap();
        state.log.push(request.clone());
        let mut reply = reply_to(&request, &state);
        if let Some(mut hook) = state.hook.take() {
            hook(&request, &mut reply);
            state.hook = Some(hook);
        }
        reply
    };
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", reply.status);
    let length = reply.body.len().to_string();
    let own_length = reply.headers.contains_key("Content-Length");
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !own_length {
        head += &format!("Content-Length: {length}\r\n");
    }
    let body = if request.method == "HEAD" { &[][..] } else { &reply.body };
    let body = &body[..reply.cut.unwrap_or(body.len()).min(body.len())];
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    let _ = stream.write_all(body);
    if reply.is_silent {
        let _ = stream.read(&mut [0]);
    }
}

fn read_request(stream: &TcpStream, is_elsewhere: bool) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        })
        .collect();
    Some(Request { method, path, headers, is_elsewhere })
}

fn reply_to(request: &Request, state: &State) -> Reply {
    let missing = Reply::status(404).header("X-Error-Code", "EntryNotFound");
    if request.path.starts_with(&format!("/api/models/{REPO}/revision/")) {
        let siblings: Vec<_> =
            state.files.keys().map(|name| serde_json::json!({"rfilename": name})).collect();
        let listing = serde_json::json!({"id": REPO, "sha": COMMIT, "siblings": siblings});
        return Reply { body: listing.to_string().into_bytes(), ..Reply::status(200) };
    }
    if request.path.starts_with("/api/") {
        return Reply::status(404).header("X-Error-Code", "RepoNotFound");
    }
    let at_hub = request.path.strip_prefix(&format!("/{REPO}/resolve/{COMMIT}/"));
    let at_large = request.path.strip_prefix("/large/").filter(|_| request.is_elsewhere);
    let name = at_hub.filter(|_| !request.is_elsewhere).or(at_large);
    let Some((name, served)) = name.and_then(|name| Some((name, state.files.get(name)?))) else {
        return missing;
    };
    if served.is_large && !request.is_elsewhere {
        let there = format!("http://127.0.0.1:{}/large/{name}", state.ports[1]);
        return Reply::status(302)
            .header("Location", there)
            .header("X-Linked-Etag", format!("\"{}\"", served.etag))
            .header("X-Linked-Size", served.bytes.len())
            .header("ETag", "\"of the redirect\"")
            .header("X-Repo-Commit", COMMIT);
    }
    let reply = bytes_of(served, request.headers.get("range"));
    reply.header("ETag", format!("\"{}\"", served.etag)).header("X-Repo-Commit", COMMIT)
}

fn bytes_of(served: &Served, range: Option<&String>) -> Reply {
    let length = served.bytes.len();
    let start =
        range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match start {
        None => Reply { body: served.bytes.clone(), ..Reply::status(200) },
        Some(start) if start >= length => Reply::status(416),
        Some(start) => {
            let body = served.bytes[start..].to_vec();
            let range = format!("bytes {start}-{}/{length}", length - 1);
            Reply { body, ..Reply::status(206) }.header("Content-Range", range)
        }
    }
}
