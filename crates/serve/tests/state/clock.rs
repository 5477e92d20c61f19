//! Dates that jump by hours: nothing that lasts ends or is prolonged, and no job runs twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::json;
use stateset_core::Message;
use stateset_serve::jobs::JobSettings;
use stateset_serve::store::{Clock, NewMessages, Place, Store};
use tempfile::TempDir;

use super::database::{conversation, job, stores};
use super::running::{Running, quick};
use super::training::short;

const HOUR: i64 = 3_600_000;

/// A clock whose hands a test moves.
#[derive(Clone, Default)]
struct Hands {
    date: Arc<AtomicI64>,
    steady: Arc<AtomicI64>,
}

impl Hands {
    fn clock(&self) -> Clock {
        let (date, steady) = (self.date.clone(), self.steady.clone());
        Clock::new(
            move || 1_700_000_000_000 + date.load(Ordering::Relaxed),
            move || 1_000_000 + steady.load(Ordering::Relaxed),
        )
    }

    fn jump(&self, millis: i64) {
        self.date.fetch_add(millis, Ordering::Relaxed);
    }

    fn pass(&self, millis: i64) {
        self.jump(millis);
        self.steady.fetch_add(millis, Ordering::Relaxed);
    }
}

async fn file_store(clock: Clock) -> (Store, Arc<TempDir>) {
    let temp = Arc::new(tempfile::tempdir().unwrap());
    let place = Place { folder: temp.path().to_owned(), database_url: None };
    (Store::open(&place, clock).await.unwrap(), temp)
}

#[tokio::test]
async fn a_claim_lasts_as_long_as_it_should() {
    let hands = Hands::default();
    let (store, _temp) = file_store(hands.clock()).await;
    let row = conversation(&store);
    let empty = NewMessages { messages: Vec::new(), once: None };
    store.add_conversation(&row, &empty).await.unwrap();
    for jump in [3 * HOUR, -6 * HOUR] {
        let first = store.claim_conversation(&row.id, 1000).await.unwrap().unwrap();
        hands.jump(jump);
        assert_eq!(store.claim_conversation(&row.id, 1000).await.unwrap(), None, "{jump}");
        // Its holder can still write, and what it wrote stays in its order.
        let said = NewMessages { messages: vec![Message::user(jump.to_string())], once: None };
        store.add_messages(&first, &said).await.unwrap();
    }
    let kept = store.messages(&row.id).await.unwrap();
    assert_eq!(kept.iter().map(|kept| kept.place).collect::<Vec<_>>(), [0, 1]);
    // Whoever dies with a claim holds nobody up.
    store.claim_conversation(&row.id, 1000).await.unwrap().unwrap();
    hands.pass(1500);
    assert!(store.claim_conversation(&row.id, 1000).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lease_lasts_as_long_as_it_should() {
    let hands = Hands::default();
    let (store, _temp) = file_store(hands.clock()).await;
    let row = job(&store);
    store.add_jobs(&[(row.clone(), None)]).await.unwrap();
    store.lease_job(&row.id, "first", 1000).await.unwrap().unwrap();
    for jump in [3 * HOUR, -6 * HOUR] {
        hands.jump(jump);
        assert!(store.free_jobs().await.unwrap().is_empty(), "{jump}");
        assert_eq!(store.lease_job(&row.id, "second", 1000).await.unwrap(), None);
        assert_eq!(store.renew_lease(&row.id, "first", 1000).await.unwrap(), Some(false));
    }
    hands.pass(1500);
    assert!(store.lease_job(&row.id, "second", 1000).await.unwrap().is_some());
    assert_eq!(store.renew_lease(&row.id, "first", 1000).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_leased_before_the_clock_of_a_database_went_back_is_free() {
    for (store, _temp) in stores(&Clock::system()).await {
        let (row, talk) = (job(&store), conversation(&store));
        store.add_jobs(&[(row.clone(), None)]).await.unwrap();
        let empty = NewMessages { messages: Vec::new(), once: None };
        store.add_conversation(&talk, &empty).await.unwrap();
        // As it stands there once the clock was set back by three hours.
        store.lease_job(&row.id, "dead", 3 * HOUR).await.unwrap().unwrap();
        store.claim_conversation(&talk.id, 3 * HOUR).await.unwrap().unwrap();
        assert_eq!(store.free_jobs().await.unwrap().len(), 1);
        assert!(store.lease_job(&row.id, "next", 1000).await.unwrap().is_some());
        assert!(store.claim_conversation(&talk.id, 1000).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_training_under_a_date_that_jumps_runs_once() {
    let date = Arc::new(AtomicI64::new(0));
    let (system, hand) = (Clock::system(), date.clone());
    let steady = system.clone();
    let clock = Clock::new(
        move || system.millis() + hand.load(Ordering::Relaxed),
        move || steady.steady_millis(),
    );
    let (store, folder) = file_store(clock).await;
    let settings = JobSettings { max_running: 2, ..quick(folder.path()) };
    let server = Running::tiny_over(folder, store, settings).await;
    let asked = server.post("/api/train", short(6)).await.ok(202);
    let id = asked["id"].as_str().unwrap();
    server.wait_for(id, &["running"]).await;
    for jump in [5 * HOUR, -10 * HOUR] {
        date.fetch_add(jump, Ordering::Relaxed);
        let said = json!({"message": "Hi", "max_tokens": 2});
        server.post("/api/chat", said).await.ok(200);
        // Time for the other worker to look for something to do, twice.
        tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    }
    let done = server.wait_for(id, &["completed", "failed", "queued"]).await;
    assert_eq!((&done["status"], &done["iterations_completed"]), (&json!("completed"), &json!(6)));
    let events = server.get(&format!("/training/{id}/events")).await.ok(200);
    let started = events["data"].as_array().unwrap().iter().filter(|e| e["type"] == "started");
    assert_eq!(started.count(), 1, "it was begun twice");
    let listed = server.get("/conversations").await.ok(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    server.services.stop().await;
}
