//! A server on a free port, with runs to show and jobs to watch.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use stateset_serve::dashboard::{PreferenceFile, RunsFolder};
use stateset_serve::jobs::JobSettings;
use stateset_serve::store::{Clock, Place, Store};
use stateset_serve::{
    App, Library, LoadOptions, Loaded, Models, OpenModel, ServeConfig, ServedModel, Server,
    Services, Stopper,
};
use stateset_train::{ModelSource, TrainError};

use super::tiny_run::tiny_run;

/// Two steps of the embedded model, with evaluations before and after, and a checkpoint after each step.
pub(crate) async fn train(folder: &Path, name: &str, seed: &str) {
    let settings = [
        ("training.max_steps", "2"),
        ("training.num_generations", "3"),
        ("training.save_steps", "1"),
        ("training.seed", seed),
        ("evaluation.num_episodes", "2"),
    ];
    tiny_run(folder, name, &settings).train().await.unwrap();
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) client: Client,
    pub(crate) services: Services,
    pub(crate) preferences: PathBuf,
    stopper: Stopper,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

/// A server that shows the runs in `runs`, with two models of canned sentences and the embedded one, which
/// jobs may train.
pub(crate) async fn start(runs: &Path) -> Running {
    // A second test of this process finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let data = runs.join("data");
    let preferences = data.join("preferences.jsonl");
    let config = ServeConfig {
        port: 0,
        runs: RunsFolder::new([runs.to_owned(), data.join("runs")]),
        preferences: PreferenceFile::new(&preferences),
        ..ServeConfig::default()
    };
    let stubs = ["one", "two"].map(|name| ServedModel::stub(name, vec![format!("I am {name}.")]));
    let options =
        LoadOptions { threads: Some(1), slots: 4, context: 256, ..LoadOptions::default() };
    let tiny = ServedModel::load("tiny", opener()("builtin:tiny").unwrap(), &options).unwrap();
    let library = Library::new("tiny", opener());
    library.remember("tiny", Loaded { source: "builtin:tiny".to_owned(), options });
    let app = App::new(config, Models::new(stubs.into_iter().chain([tiny]).collect()));
    let place = Place { folder: data.clone(), database_url: None };
    let store = Store::open(&place, Clock::system()).await.unwrap();
    let settings = JobSettings {
        threads: Some(1),
        poll: Duration::from_millis(50),
        ..JobSettings::new(data.join("runs"))
    };
    let services = Services::start(store, library, settings);
    app.keep(services.clone());
    let server = Server::bind(app).unwrap();
    let address = format!("http://{}", server.address().unwrap());
    let stopper = server.stopper();
    tokio::spawn(server.run());
    let client = Client::builder().no_proxy().build().unwrap();
    Running { address, client, services, preferences, stopper }
}

fn opener() -> OpenModel {
    Arc::new(|name| {
        ModelSource::open(name, &|id| {
            let (what, message) = ("fetch the model", format!("{id} is not here"));
            Err(TrainError::Invalid { what, message })
        })
    })
}

impl Running {
    /// The page at `path`.
    pub(crate) async fn page(&self, path: &str) -> (StatusCode, String) {
        let response = self.client.get(format!("{}{path}", self.address)).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    /// Sends JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.address);
        let response = self.client.post(url).json(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}
