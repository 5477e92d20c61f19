//! What the pages say, without a browser.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stateset_train::read_pairs;

use super::running::{start, train};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_shown_from_its_curves_to_its_tokens() {
    let runs = tempfile::tempdir().unwrap();
    train(runs.path(), "first", "1").await;
    train(runs.path(), "second", "2").await;
    let server = start(runs.path()).await;
    let cases: [(&str, &[&str]); 12] = [
        ("/dashboard", &["first", "second", "finished", "grpo"]),
        ("/dashboard/runs/first", &["<svg", "Reward", "conversations/before", "The run has ended"]),
        ("/dashboard/runs/first/live", &["<svg", "data-ended"]),
        ("/dashboard/runs/first/conversations/after", &["customer_service-"]),
        ("/dashboard/runs/first/conversations/after/0", &["shade-", "helpfulness", "before: "]),
        ("/dashboard/runs/first/steps/2", &["customer_service-", "steps/2/1", "aria-current"]),
        (
            "/dashboard/runs/first/steps/2/0",
            &["Sample 3", "shade-", "helpfulness", "heat=advantage"],
        ),
        ("/dashboard/runs/first/steps/2/0?heat=advantage", &["up-", "advantage +"]),
        ("/dashboard/compare?a=first&b=second", &["<svg", "Reward of first and second", "grpo"]),
        ("/dashboard/data", &["customer_service", "0 pairs were marked"]),
        ("/dashboard/data/customer_service", &["customer_service-train-000", "Reward that fits"]),
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
        "/dashboard/runs/first/steps/1",
        "/dashboard/runs/first/steps/2/9",
        "/dashboard/compare?a=first&b=third",
        "/dashboard/data/nonsense",
    ] {
        assert_eq!(server.page(path).await.0, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_of_people_can_be_learned_from() {
    let runs = tempfile::tempdir().unwrap();
    let server = start(runs.path()).await;
    let good = json!({
        "prompt": [{"role": "user", "content": "Hi\"<b>"}],
        "chosen": "I am one.", "rejected": "I am two.", "chosen_model": "one",
    });
    assert_eq!(server.post("/dashboard/preferences", &good).await.0, 201);
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
        let (status, body) = server.post("/dashboard/preferences", &pair).await;
        assert!(status.is_client_error(), "{pair}");
        assert_eq!(body["error"]["details"]["field"], field, "{body}");
    }
    let text = std::fs::read_to_string(&server.preferences).unwrap();
    let pairs = read_pairs(&text).unwrap();
    assert_eq!(pairs.len(), 1);
    let (_, page) = server.page("/dashboard/data").await;
    assert!(page.contains("1 pairs were marked"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_shown_ended_gone_on_with_and_talked_to() {
    let runs = tempfile::tempdir().unwrap();
    let server = start(runs.path()).await;
    assert!(server.page("/dashboard/jobs").await.1.contains("No training was asked for"));
    let asked = json!({
        "prompts": ["Say yes."], "num_iterations": 1, "reward": "contains:yes",
        "training_config_overrides": {
            "num_generations": 2, "max_completion_length": 4, "eval_before": false, "run_post_eval": false
        }
    });
    let (status, job) = server.post("/api/train", &asked).await;
    assert_eq!(status, 202, "{job}");
    let id = job["id"].as_str().unwrap();
    let started = Instant::now();
    let page = loop {
        let (_, page) = server.page("/dashboard/jobs/live").await;
        if page.contains("completed") {
            break page;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "{page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(page.contains("step 1 of 1") && page.contains(&format!("id=\"chat-{id}\"")), "{page}");
    assert!(!page.contains("Cancel") && !page.contains("Resume"), "{page}");
    let press = async |action: &str, origin: &str| {
        let url = format!("{}/dashboard/jobs/{id}/{action}", server.address);
        let sent = server.client.post(url).header("origin", origin).send().await.unwrap();
        (sent.status().as_u16(), sent.url().path().to_owned(), sent.text().await.unwrap())
    };
    // What a page cannot do any more, it says on the page.
    for (action, words) in [("cancel", "completed already"), ("resume", "go on; it is completed")] {
        let (status, _, page) = press(action, &server.address).await;
        assert_eq!(status, 409);
        assert!(page.contains("role=\"alert\"") && page.contains(words), "{page}");
    }
    assert_eq!(press("cancel", "https://evil.example").await.0, 403);
    let (status, path, page) = press("chat", &server.address).await;
    assert_eq!((status, path.as_str()), (200, "/dashboard/chat"));
    assert!(page.contains(&format!("<option value=\"{id}\" selected>")), "{page}");
    server.services.stop().await;
}
