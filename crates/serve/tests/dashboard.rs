//! The pages for people, over a run that was really trained.

#![allow(clippy::unwrap_used, reason = "what fails in a test is to be seen")]

use std::path::{Path, PathBuf};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use stateset_serve::dashboard::{PreferenceFile, RunsFolder};
use stateset_serve::{App, Models, ServeConfig, ServedModel, Server, Stopper};
use stateset_train::read_pairs;

#[path = "support/tiny_run.rs"]
mod tiny_run;

use tiny_run::tiny_run;

/// Two steps of the embedded model, with evaluations before and after.
async fn train(folder: &Path, name: &str) {
    let settings = [
        ("training.max_steps", "2"),
        ("training.num_generations", "2"),
        ("evaluation.num_episodes", "2"),
    ];
    tiny_run(folder, name, &settings).train().await.unwrap();
}

struct Running {
    address: String,
    client: Client,
    stopper: Stopper,
    preferences: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
    }
}

fn start(runs: &Path) -> Running {
    // A second test of this process finds it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let preferences = runs.join("data/preferences.jsonl");
    let config = ServeConfig {
        port: 0,
        runs: RunsFolder::new([runs.to_owned()]),
        preferences: PreferenceFile::new(&preferences),
        ..ServeConfig::default()
    };
    let models = ["one", "two"].map(|name| ServedModel::stub(name, vec![format!("I am {name}.")]));
    let server = Server::bind(App::new(config, Models::new(models.into()))).unwrap();
    let address = format!("http://{}", server.address().unwrap());
    let stopper = server.stopper();
    tokio::spawn(server.run());
    Running { address, client: Client::builder().no_proxy().build().unwrap(), stopper, preferences }
}

impl Running {
    async fn page(&self, path: &str) -> (StatusCode, String) {
        let response = self.client.get(format!("{}{path}", self.address)).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn prefer(&self, pair: &Value) -> (StatusCode, Value) {
        let url = format!("{}/dashboard/preferences", self.address);
        let response = self.client.post(url).json(pair).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_shown_from_its_curves_to_its_tokens() {
    let runs = tempfile::tempdir().unwrap();
    train(runs.path(), "first").await;
    train(runs.path(), "second").await;
    let server = start(runs.path());
    let cases: [(&str, &[&str]); 7] = [
        ("/dashboard", &["first", "second", "finished", "grpo"]),
        ("/dashboard/runs/first", &["<svg", "Reward", "conversations/before", "The run has ended"]),
        ("/dashboard/runs/first/live", &["<svg", "data-ended"]),
        ("/dashboard/runs/first/conversations/after", &["customer_service-"]),
        ("/dashboard/runs/first/conversations/after/0", &["shade-", "helpfulness", "before: "]),
        ("/dashboard/compare?a=first&b=second", &["<svg", "Reward of first and second"]),
        ("/dashboard/chat", &["<option value=\"two\">", "chat.js"]),
    ];
    for (path, words) in cases {
        let (status, page) = server.page(path).await;
        assert_eq!(status, 200, "{path}");
        for word in words {
            assert!(page.contains(word), "{path} does not say {word:?}:\n{page}");
        }
    }
    let sheet = server.client.get(format!("{}/dashboard", server.address)).send().await.unwrap();
    let policy = sheet.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("style-src 'self'") && policy.contains("script-src 'self'"),
        "{policy}"
    );
    for path in [
        "/dashboard/runs/third",
        "/dashboard/runs/..%2Ffirst",
        "/dashboard/runs/first/conversations/never",
        "/dashboard/runs/first/conversations/after/99",
        "/dashboard/compare?a=first&b=third",
    ] {
        assert_eq!(server.page(path).await.0, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_of_people_can_be_learned_from() {
    let runs = tempfile::tempdir().unwrap();
    let server = start(runs.path());
    let good = json!({
        "prompt": [{"role": "user", "content": "Hi\"<b>"}],
        "chosen": "I am one.", "rejected": "I am two.", "chosen_model": "one",
    });
    assert_eq!(server.prefer(&good).await.0, 201);
    let with = |key: &str, value: Value| {
        let mut pair = good.clone();
        pair[key] = value;
        pair
    };
    for (pair, field) in [
        (with("rejected", json!("I am one.")), "rejected"),
        (with("chosen", json!("  ")), "chosen"),
        (with("prompt", json!([])), "prompt"),
        (with("prompt", json!([{"role": "judge", "content": "x"}])), "prompt[0].role"),
        (with("favoured", json!(1)), "favoured"),
    ] {
        let (status, body) = server.prefer(&pair).await;
        assert!(status.is_client_error(), "{pair}");
        assert_eq!(body["error"]["details"]["field"], field, "{body}");
    }
    let text = std::fs::read_to_string(&server.preferences).unwrap();
    let pairs = read_pairs(&text).unwrap();
    assert_eq!(pairs.len(), 1);
    let (_, page) = server.page("/dashboard/data").await;
    assert!(page.contains("1 pairs were marked"), "{page}");
}
