//! A server on a free port, and how tests talk to it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::Value;
use stateset_serve::conversations::ConversationRules;
use stateset_serve::jobs::JobSettings;
use stateset_serve::security::Security;
use stateset_serve::store::{Clock, Place, Store};
use stateset_serve::{
    App, DataDisk, Library, LoadOptions, Loaded, Models, OpenModel, ServeConfig, ServedModel,
    Server, Services,
};
use stateset_train::ModelSource;
use tempfile::TempDir;

/// A server that runs.
pub(crate) struct Running {
    pub(crate) base: String,
    pub(crate) services: Services,
    pub(crate) app: App,
    client: Client,
    /// Kept until the end.
    pub(crate) folder: Arc<TempDir>,
}

/// An answer: its status and body.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) retry_after: Option<String>,
}

impl Got {
    /// The body of a request that did what it should.
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The code and field of a refusal.
    pub(crate) fn refused(&self) -> (u16, &str, Option<&str>) {
        let error = &self.body["error"];
        let code = error["code"].as_str().unwrap_or_else(|| panic!("{}", self.body));
        (self.status, code, error["details"]["field"].as_str())
    }
}

/// Size of the models in tests.
pub(crate) fn small() -> LoadOptions {
    LoadOptions { threads: Some(1), slots: 4, context: 256, ..LoadOptions::default() }
}

/// Finds embedded models and folders; nothing is downloaded.
pub(crate) fn opener() -> OpenModel {
    Arc::new(|name| {
        ModelSource::open(name, &|id| {
            let (what, message) = ("fetch the model", format!("{id} is not here"));
            Err(stateset_train::TrainError::Invalid { what, message })
        })
    })
}

/// A database in this folder.
async fn in_file(folder: &Path, clock: Clock) -> Store {
    let place = Place { folder: folder.to_owned(), database_url: None };
    Store::open(&place, clock).await.unwrap()
}

/// Settings of jobs that are quick about everything.
pub(crate) fn quick(folder: &Path) -> JobSettings {
    JobSettings {
        threads: Some(1),
        poll: Duration::from_millis(50),
        lease: Duration::from_millis(1500),
        ..JobSettings::new(folder.join("runs"))
    }
}

impl Running {
    /// A server with canned answers.
    pub(crate) async fn canned(replies: &[&str]) -> Running {
        let replies = replies.iter().map(|reply| (*reply).to_owned()).collect();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let library = Library::new("stub:", opener());
        let settings = quick(folder.path());
        let store = in_file(folder.path(), Clock::system()).await;
        let model = ServedModel::stub("stub:", replies);
        Running::over(folder, store, model, library, settings).await
    }

    /// A server with canned answers that holds conversations by these rules and by this clock.
    pub(crate) async fn ruled(rules: ConversationRules, clock: Clock) -> Running {
        let config = ServeConfig { port: 0, conversations: rules, ..ServeConfig::default() };
        Running::configured(config, clock).await
    }

    /// A server with canned answers.
    pub(crate) async fn configured(config: ServeConfig, clock: Clock) -> Running {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let store = in_file(folder.path(), clock).await;
        let library = Library::new("stub:", opener());
        let settings = quick(folder.path());
        let model = ServedModel::stub("stub:", vec!["Yes.".to_owned()]);
        Running::of(config, folder, store, model, library, settings).await
    }

    /// A server with the embedded model.
    pub(crate) async fn tiny() -> Running {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let settings = quick(folder.path());
        Running::tiny_in(folder, None, settings).await
    }

    /// The same over this database and folder.
    pub(crate) async fn tiny_in(
        folder: Arc<TempDir>,
        database_url: Option<String>,
        settings: JobSettings,
    ) -> Running {
        let place = Place { folder: folder.path().to_owned(), database_url };
        let store = Store::open(&place, Clock::system()).await.unwrap();
        Running::tiny_over(folder, store, settings).await
    }

    /// The same over this store.
    pub(crate) async fn tiny_over(
        folder: Arc<TempDir>,
        store: Store,
        settings: JobSettings,
    ) -> Running {
        let config = ServeConfig { port: 0, ..ServeConfig::default() };
        Running::tiny_of(config, folder, store, settings).await
    }

    /// A server that knows keys and trains.
    pub(crate) async fn tiny_guarded(security: Security) -> Running {
        let config =
            ServeConfig { port: 0, security: Arc::new(security), ..ServeConfig::default() };
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let store = in_file(folder.path(), Clock::system()).await;
        let settings = quick(folder.path());
        Running::tiny_of(config, folder, store, settings).await
    }

    /// A server that trains on this disk and is quick to try again.
    pub(crate) async fn tiny_on(disk: DataDisk) -> Running {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let data_dir = Some(folder.path().to_owned());
        let config =
            ServeConfig { port: 0, data_dir, disk: disk.clone(), ..ServeConfig::default() };
        let store = in_file(folder.path(), Clock::system()).await;
        let pause = Duration::from_millis(200);
        let settings = JobSettings { disk, pause, ..quick(folder.path()) };
        Running::tiny_of(config, folder, store, settings).await
    }

    async fn tiny_of(
        config: ServeConfig,
        folder: Arc<TempDir>,
        store: Store,
        settings: JobSettings,
    ) -> Running {
        let source = opener()("builtin:tiny").unwrap();
        let model = ServedModel::load("tiny", source, &small()).unwrap();
        let library = Library::new("tiny", opener());
        let loaded = Loaded { source: "builtin:tiny".to_owned(), options: small() };
        library.remember("tiny", loaded);
        Running::of(config, folder, store, model, library, settings).await
    }

    /// A server that knows keys and trains nothing itself.
    pub(crate) async fn guarded(security: Security) -> Running {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let store = in_file(folder.path(), Clock::system()).await;
        let settings = JobSettings { max_running: 0, ..quick(folder.path()) };
        let model = ServedModel::stub("stub:", Vec::new());
        let library = Library::new("builtin:tiny", opener());
        let security = Arc::new(security);
        let config = ServeConfig { port: 0, security, ..ServeConfig::default() };
        Running::of(config, folder, store, model, library, settings).await
    }

    async fn over(
        folder: Arc<TempDir>,
        store: Store,
        model: ServedModel,
        library: Library,
        settings: JobSettings,
    ) -> Running {
        let config = ServeConfig { port: 0, ..ServeConfig::default() };
        Running::of(config, folder, store, model, library, settings).await
    }

    async fn of(
        config: ServeConfig,
        folder: Arc<TempDir>,
        store: Store,
        model: ServedModel,
        library: Library,
        settings: JobSettings,
    ) -> Running {
        let app = App::new(config, Models::new(vec![model]));
        let services = Services::start(store, library, settings);
        app.keep(services.clone());
        let server = Server::bind(app.clone()).unwrap();
        let base = format!("http://{}", server.address().unwrap());
        tokio::spawn(server.run());
        // The client wants one even where nothing is encrypted.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::builder().no_proxy().build().unwrap();
        Running { base, services, app, client, folder }
    }

    /// Sends a request with this JSON.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Got {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let retry = response.headers().get("retry-after");
        let retry_after = retry.map(|value| value.to_str().unwrap().to_owned());
        let text = response.text().await.unwrap();
        // Probes are answered in plain words.
        let body = serde_json::from_str(&text).unwrap_or(Value::from(text));
        Got { status, body, retry_after }
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Got {
        self.send(Method::DELETE, path, None).await
    }

    /// Waits until a job is in one of these states.
    pub(crate) async fn wait_for(&self, id: &str, states: &[&str]) -> Value {
        let start = Instant::now();
        loop {
            let job = self.get(&format!("/training/{id}")).await.ok(200);
            if states.contains(&job["status"].as_str().unwrap()) {
                return job;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "{job}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
