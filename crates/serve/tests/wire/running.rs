//! A server on a free port, and calls of it.

use std::sync::Arc;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use stateset_connect::Secret;
use stateset_serve::jobs::JobSettings;
use stateset_serve::limits::Limits;
use stateset_serve::security::{Role, Security, SecuritySettings};
use stateset_serve::store::{Clock, Place, Store};
use stateset_serve::{
    App, Library, LoadOptions, Loaded, Models, ServeConfig, ServedModel, Server, Services, Stopper,
};
use stateset_train::{ModelSource, TrainError};
use tempfile::TempDir;

/// A server that runs until it is dropped.
pub(crate) struct Running {
    /// Such as `http://127.0.0.1:40123`.
    pub(crate) address: String,
    client: Client,
    stopper: Stopper,
    /// Where it keeps things, if it does.
    _folder: Option<TempDir>,
}

/// What opens everything of a server that has keys.
pub(crate) const KEY: &str = "key-of-the-admin";

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

fn options() -> LoadOptions {
    LoadOptions { threads: Some(1), slots: 8, ..LoadOptions::default() }
}

fn tiny() -> ServedModel {
    let source = ModelSource::open("builtin:tiny", &|name| unreachable!("{name} is not fetched"));
    ServedModel::load("tiny", source.unwrap(), &options()).unwrap()
}

fn stub() -> ServedModel {
    ServedModel::stub("stub", vec!["One two three.".into(), "Four five six.".into()])
}

/// A server with the embedded model, `tiny`, and one that says canned sentences, `stub`.
pub(crate) async fn start() -> Running {
    let config = ServeConfig { port: 0, ..ServeConfig::default() };
    running(App::new(config, Models::new(vec![tiny(), stub()])), None)
}

/// A server that also keeps things, knows the [`KEY`], and takes trainings without beginning them. Canned
/// sentences answer where no model is named.
pub(crate) async fn start_whole() -> Running {
    let keys = vec![("--api-key", Secret::new(KEY), Role::Admin)];
    let settings = SecuritySettings { keys, ..SecuritySettings::default() };
    let (security, _) = Security::open(settings, true).unwrap();
    let limits = Limits { rate_per_minute: None, ..Limits::default() };
    let security = Arc::new(security);
    let config = ServeConfig { port: 0, security, limits, ..ServeConfig::default() };
    let app = App::new(config, Models::new(vec![stub(), tiny()]));
    let folder = tempfile::tempdir().unwrap();
    let place = Place { folder: folder.path().to_owned(), database_url: None };
    let store = Store::open(&place, Clock::system()).await.unwrap();
    let open = |name: &str| {
        ModelSource::open(name, &|id| {
            let (what, message) = ("fetch the model", format!("{id} is not here"));
            Err(TrainError::Invalid { what, message })
        })
    };
    let library = Library::new("stub", Arc::new(open));
    library.remember("tiny", Loaded { source: "builtin:tiny".to_owned(), options: options() });
    let runs = folder.path().join("runs");
    let settings = JobSettings { threads: Some(1), max_running: 0, ..JobSettings::new(runs) };
    app.keep(Services::start(store, library, settings));
    running(app, Some(folder))
}

fn running(app: App, folder: Option<TempDir>) -> Running {
    let server = Server::bind(app).unwrap();
    let address = format!("http://{}", server.address().unwrap());
    let stopper = server.stopper();
    tokio::spawn(server.run());
    // A second test of this process finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    Running { address, client, stopper, _folder: folder }
}

impl Running {
    /// The body of what is at `path`.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.client.get(format!("{}{path}", self.address)).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// The answer to `body`, whatever its status.
    pub(crate) async fn send(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.client.post(format!("{}{path}", self.address)).json(body);
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// The answer to a `body` that is fine.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(path, body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// The events that answer a `body` that is fine: names and data. The end of OpenAI's streams is text.
    pub(crate) async fn stream(&self, path: &str, body: &Value) -> Vec<(String, Value)> {
        let mut body = body.clone();
        body["stream"] = true.into();
        let request = self.client.post(format!("{}{path}", self.address)).json(&body);
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, 200, "{text}");
        text.split("\n\n").filter(|event| !event.is_empty()).filter_map(read_event).collect()
    }
}

fn read_event(text: &str) -> Option<(String, Value)> {
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let data = line("data: ")?;
    let data = serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()));
    Some((line("event: ").unwrap_or_default().to_owned(), data))
}
