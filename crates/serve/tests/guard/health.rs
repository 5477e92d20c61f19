//! Health tells the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use stateset_serve::ServeConfig;

use stateset_serve::models::Voice;

use super::running::{Running, open, start, start_tiny};

async fn ask(server: &Running, path: &str) -> (u16, Value) {
    // Answers are remembered for half a second.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let answer = server.get(path).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_lost_data_folder_makes_the_server_unready_but_alive() {
    let folder = tempfile::tempdir().unwrap();
    let config = ServeConfig { data_dir: Some(folder.path().to_owned()), ..open() };
    let server = start(config);
    let (status, body) = ask(&server, "/health").await;
    assert_eq!((status, body["status"].as_str()), (200, Some("healthy")), "{body}");
    folder.close().unwrap();
    let (status, body) = ask(&server, "/healthz").await;
    assert_eq!((status, body["status"].as_str()), (503, Some("unhealthy")), "{body}");
    let disk = &body["components"][0];
    assert_eq!((disk["name"].as_str(), disk["healthy"].as_bool()), (Some("disk"), Some(false)));
    assert_eq!(ask(&server, "/ready").await.0, 503);
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_database_that_goes_away_and_comes_back_is_followed() {
    let server = start(open());
    let is_there = Arc::new(AtomicBool::new(false));
    let there = Arc::clone(&is_there);
    let probe = move || -> futures::future::BoxFuture<'static, Result<(), String>> {
        let there = there.load(Ordering::Relaxed);
        Box::pin(async move { if there { Ok(()) } else { Err("no connection".to_owned()) } })
    };
    server.app.observed().health().add("database", Arc::new(probe));
    let (status, body) = ask(&server, "/ready").await;
    assert_eq!((status, body["ready"].as_bool()), (503, Some(false)));
    assert_eq!(body["components"][0]["problem"], "no connection");
    is_there.store(true, Ordering::Relaxed);
    assert_eq!(ask(&server, "/ready").await.0, 200);
}

#[tokio::test]
async fn an_engine_that_does_not_move_is_noticed_and_so_is_that_it_moves_again() {
    let engine_deadline = Duration::from_millis(400);
    let server = start_tiny(ServeConfig { engine_deadline, ..open() });
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
    let models = server.app.models().all();
    let Voice::Local(policy) = &models[0].voice else { panic!("it has an engine") };
    let (release, held) = std::sync::mpsc::channel::<()>();
    let engine = policy.engine().clone();
    let stuck = tokio::spawn(async move { engine.run(move |_| held.recv()).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    // It may be at work still.
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
    let (status, body) = ask(&server, "/health").await;
    assert_eq!(status, 503, "{body}");
    let problem = body["components"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("has not moved"), "{problem}");
    assert_eq!(server.get("/live").send().await.unwrap().status(), 503);
    release.send(()).unwrap();
    stuck.await.unwrap().unwrap().unwrap();
    assert_eq!(ask(&server, "/health").await.0, 200);
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
}
