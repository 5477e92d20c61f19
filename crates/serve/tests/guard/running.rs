//! A server on a port of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use reqwest::{Client, RequestBuilder};
use stateset_connect::Secret;
use stateset_serve::security::{Role, Security, SecuritySettings};
use stateset_serve::{
    App, LoadOptions, Models, ServeConfig, ServeError, ServedModel, Server, Stopper,
};
use stateset_train::ModelSource;
use tokio::task::JoinHandle;

pub(crate) const ADMIN: &str = "key-of-the-admin";
pub(crate) const TRAINER: &str = "key-of-the-trainer";
pub(crate) const USER: &str = "key-of-the-user";

pub(crate) struct Running {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) stopper: Stopper,
    pub(crate) ended: JoinHandle<Result<(), ServeError>>,
    scheme: &'static str,
}

/// Settings of a free port that know the three keys.
pub(crate) fn with_keys() -> ServeConfig {
    let keys = [(ADMIN, Role::Admin), (TRAINER, Role::Trainer), (USER, Role::User)];
    let keys = keys.map(|(key, role)| ("--api-key", Secret::new(key), role)).to_vec();
    secured(SecuritySettings { keys, ..SecuritySettings::default() })
}

pub(crate) fn secured(settings: SecuritySettings) -> ServeConfig {
    let (security, generated) = Security::open(settings, true).unwrap();
    assert!(generated.is_none());
    ServeConfig { security: Arc::new(security), ..open() }
}

/// Settings of a free port without keys.
pub(crate) fn open() -> ServeConfig {
    let host = IpAddr::from([127, 0, 0, 1]);
    ServeConfig { host, port: 0, drain: Duration::from_secs(5), ..ServeConfig::default() }
}

pub(crate) fn start(config: ServeConfig) -> Running {
    start_with(config, Router::new())
}

pub(crate) fn start_with(config: ServeConfig, routes: Router<App>) -> Running {
    start_model(config, ServedModel::stub("stub:", vec!["hello".into()]), routes)
}

/// The embedded model behind a server.
pub(crate) fn start_tiny(config: ServeConfig) -> Running {
    let fetch = |_: &str| panic!("the embedded model is not fetched");
    let source = ModelSource::open("builtin:tiny", &fetch).unwrap();
    let options = LoadOptions { slots: 2, threads: Some(1), ..LoadOptions::default() };
    let model = ServedModel::load("builtin:tiny", source, &options).unwrap();
    start_model(config, model, Router::new())
}

fn start_model(config: ServeConfig, model: ServedModel, routes: Router<App>) -> Running {
    // A second installation, by another test, changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let app = App::new(config, Models::new(vec![model]));
    let server = Server::bind(app.clone()).unwrap().with_routes(routes);
    let (address, stopper) = (server.address().unwrap(), server.stopper());
    let ended = tokio::spawn(server.run());
    let certificate = include_bytes!("data/cert.pem");
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(certificate).unwrap()])
        .build()
        .unwrap();
    Running { app, address, client, stopper, ended, scheme }
}

impl Running {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub(crate) async fn metrics(&self, key: &str) -> String {
        let answer = self.get("/metrics").bearer_auth(key).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }
}

/// Waits until something is so, for a few seconds at most.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: not within 10 s");
}
