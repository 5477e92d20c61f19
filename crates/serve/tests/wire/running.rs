//! A server on a free port, and calls of it.

use reqwest::{Client, StatusCode};
use serde_json::Value;
use stateset_serve::{App, LoadOptions, Models, ServeConfig, ServedModel, Server, Stopper};
use stateset_train::ModelSource;

/// A server that runs until it is dropped.
pub(crate) struct Running {
    /// Such as `http://127.0.0.1:40123`.
    pub(crate) address: String,
    client: Client,
    stopper: Stopper,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

/// A server with the embedded model, `tiny`, and one that says canned sentences, `stub`.
pub(crate) async fn start() -> Running {
    let source = ModelSource::open("builtin:tiny", &|name| unreachable!("{name} is not fetched"));
    let options = LoadOptions { threads: Some(1), slots: 8, ..LoadOptions::default() };
    let tiny = ServedModel::load("tiny", source.unwrap(), &options).unwrap();
    let stub = ServedModel::stub("stub", vec!["One two three.".into(), "Four five six.".into()]);
    let config = ServeConfig { port: 0, ..ServeConfig::default() };
    let server = Server::bind(App::new(config, Models::new(vec![tiny, stub]))).unwrap();
    let address = format!("http://{}", server.address().unwrap());
    let stopper = server.stopper();
    tokio::spawn(server.run());
    // A second test of this process finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Running { address, client: Client::builder().no_proxy().build().unwrap(), stopper }
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
