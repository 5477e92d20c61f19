//! Both databases: what one server writes, the next one reads; two of them share jobs.
//!
//! PostgreSQL is tested where `STATESET_TEST_POSTGRES` holds the address of an empty database that may
//! be written to. Where it does not, these tests say so and pass.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stateset_core::Message;
use stateset_serve::jobs::{JobSettings, serve_deployed};
use stateset_serve::store::{
    Clock, ConversationRow, JobRow, JobState, NewMessages, Once, PageAsked, Place, Progress, Store,
    StoreError,
};
use tempfile::TempDir;

use super::running::{Running, quick};
use super::training::short;

/// The address of a PostgreSQL to test with, in a schema of its own: tests run beside each other.
async fn postgres() -> Option<String> {
    let url = std::env::var("STATESET_TEST_POSTGRES").ok().filter(|url| !url.is_empty());
    let Some(url) = url else {
        eprintln!("SKIPPED: STATESET_TEST_POSTGRES names no PostgreSQL database to test with");
        return None;
    };
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&url).await.unwrap();
    let schema = format!("test_{}", uuid::Uuid::now_v7().simple());
    let make = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::query(make).execute(&pool).await.unwrap();
    pool.close().await;
    let more = if url.contains('?') { '&' } else { '?' };
    Some(format!("{url}{more}options[search_path]={schema}"))
}

/// A store of every kind at hand.
pub(crate) async fn stores(clock: &Clock) -> Vec<(Store, TempDir)> {
    let mut stores = Vec::new();
    for database_url in std::iter::once(None).chain(postgres().await.map(Some)) {
        let temp = tempfile::tempdir().unwrap();
        let place = Place { folder: temp.path().to_owned(), database_url };
        stores.push((Store::open(&place, clock.clone()).await.unwrap(), temp));
    }
    stores
}

pub(crate) fn conversation(store: &Store) -> ConversationRow {
    ConversationRow {
        id: store.new_id("conv"),
        agent_id: None,
        model: None,
        sampling: json!({}),
        user_id: Some("Zoë".to_owned()),
        owner: "key anna".to_owned(),
        metadata: json!({"a": [1, null, "\u{0}"]}),
        n_messages: 2,
        created_at: store.now(),
        updated_at: store.now(),
    }
}

pub(crate) fn job(store: &Store) -> JobRow {
    JobRow {
        id: store.new_id("job"),
        state: JobState::Queued,
        asked: json!({"prompts": ["a"]}),
        settings: vec![("training.seed".to_owned(), "1".to_owned())],
        model: "builtin:tiny".to_owned(),
        run_dir: "/nowhere/at/all".to_owned(),
        step: 0,
        n_steps: 3,
        n_episodes: 0,
        metrics: json!({}),
        result: json!({}),
        error: None,
        is_cancel_asked: false,
        attempts: 0,
        owner: String::new(),
        created_at: store.now(),
        started_at: None,
        finished_at: None,
        updated_at: store.now(),
    }
}

#[tokio::test]
async fn conversations_are_read_as_they_were_written() {
    for (store, _temp) in stores(&Clock::system()).await {
        let row = conversation(&store);
        let messages = vec![Message::user("a\u{0}\u{1F600}"), Message::assistant("")];
        let key = store.new_id("key");
        let once = Once { scope: "s".to_owned(), key, asked_sha256: "x".to_owned() };
        let new = NewMessages { messages: messages.clone(), once: Some((once.clone(), json!(1))) };
        assert!(store.add_conversation(&row, &new).await.unwrap());
        assert_eq!(store.conversation(&row.id).await.unwrap(), Some(row.clone()));
        let kept = store.messages(&row.id).await.unwrap();
        assert_eq!(
            kept.iter().map(|kept| &kept.message).collect::<Vec<_>>(),
            messages.iter().collect::<Vec<_>>()
        );
        // The key was used, so another conversation with it is not written.
        let second = conversation(&store);
        assert!(!store.add_conversation(&second, &new).await.unwrap());
        assert_eq!(store.conversation(&second.id).await.unwrap(), None);
        assert_eq!(store.answered(&once).await.unwrap(), Some(json!(1)));
        let other = Once { asked_sha256: "y".to_owned(), ..once };
        let refused = store.answered(&other).await.unwrap_err();
        assert!(matches!(refused, StoreError::OtherRequest(_)), "{refused}");
        let newest = PageAsked { limit: 1, after: None };
        for (owner, n) in [(None, 1), (Some("key anna"), 1), (Some("key bob"), 0), (Some(""), 0)] {
            let found = store.conversations(&newest, owner).await.unwrap();
            assert_eq!(found.items.iter().filter(|found| **found == row).count(), n, "{owner:?}");
        }
        assert!(store.remove_conversation(&row.id).await.unwrap());
        assert_eq!(store.messages(&row.id).await.unwrap(), []);
        let page = PageAsked { limit: 1, after: None };
        store.conversations(&page, None).await.unwrap();
    }
}

#[tokio::test]
async fn messages_of_two_writers_are_neither_lost_nor_mixed() {
    for (store, _temp) in stores(&Clock::system()).await {
        let row = conversation(&store);
        let empty = NewMessages { messages: Vec::new(), once: None };
        store.add_conversation(&row, &empty).await.unwrap();
        let writer = |name: &'static str| {
            let (store, id) = (store.clone(), row.id.clone());
            tokio::spawn(async move {
                let mut n_written = 0;
                while n_written < 10 {
                    let Some(claim) = store.claim_conversation(&id, 10_000).await.unwrap() else {
                        tokio::task::yield_now().await;
                        continue;
                    };
                    let pair = vec![Message::user(name), Message::assistant(name)];
                    let new = NewMessages { messages: pair, once: None };
                    store.add_messages(&claim, &new).await.unwrap();
                    n_written += 1;
                }
            })
        };
        let (first, second) = tokio::join!(writer("a"), writer("b"));
        first.unwrap();
        second.unwrap();
        let kept = store.messages(&row.id).await.unwrap();
        assert_eq!(kept.len(), 40);
        for (place, pair) in kept.chunks(2).enumerate() {
            assert_eq!(pair[0].place, 2 * place as i64);
            assert_eq!(pair[0].message.content, pair[1].message.content);
        }
    }
}

#[tokio::test]
async fn a_job_has_one_owner_at_a_time() {
    for (store, _temp) in stores(&Clock::system()).await {
        let row = job(&store);
        store.add_jobs(&[(row.clone(), None)]).await.unwrap();
        let lease = |name: &'static str| {
            let (store, id) = (store.clone(), row.id.clone());
            tokio::spawn(async move { store.lease_job(&id, name, 300).await.unwrap() })
        };
        let got = futures::future::join_all(["a", "b", "c", "d"].map(lease)).await;
        let owners: Vec<JobRow> = got.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(owners.len(), 1);
        let owner = owners[0].owner.clone();
        assert_eq!(store.renew_lease(&row.id, "x", 300).await.unwrap(), None);
        assert_eq!(store.renew_lease(&row.id, &owner, 300).await.unwrap(), Some(false));
        let progress = Progress { step: 1, n_steps: 3, n_episodes: 8, metrics: json!({"r": 0.5}) };
        assert!(store.write_progress(&row.id, &owner, &progress).await.unwrap());
        assert!(!store.write_progress(&row.id, "x", &progress).await.unwrap());
        for step in [1, 2] {
            store.add_event(&row.id, step, "step", &json!({})).await.unwrap();
        }
        store.forget_events_after(&row.id, 1).await.unwrap();
        assert_eq!(store.events(&row.id, 0, 10).await.unwrap().len(), 1);
        assert!(store.cancel_job(&row.id).await.unwrap().unwrap().is_cancel_asked);
        assert_eq!(store.renew_lease(&row.id, &owner, 50).await.unwrap(), Some(true));
        // The owner dies; its lease ends, and another one takes over.
        tokio::time::sleep(Duration::from_millis(120)).await;
        let next = store.lease_job(&row.id, "next", 60_000).await.unwrap().unwrap();
        assert_eq!((next.step, next.attempts), (1, 1));
        let nothing = json!({});
        let ended = store.end_work(&row.id, &owner, JobState::Failed, &nothing, None, 0);
        assert!(!ended.await.unwrap());
        let done = json!({"steps": 3});
        let ended = store.end_work(&row.id, "next", JobState::Cancelled, &done, None, 0);
        assert!(ended.await.unwrap());
        assert!(store.requeue_job(&row.id).await.unwrap());
    }
}

#[tokio::test]
async fn the_next_server_goes_on_with_what_the_last_one_left() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let first = Running::tiny_in(folder.clone(), None, quick(folder.path())).await;
    let said = first.post("/api/chat", json!({"message": "Hi", "max_tokens": 2})).await.ok(200);
    let asked = first.post("/api/train", short(6)).await.ok(202);
    let id = asked["id"].as_str().unwrap().to_owned();
    first.wait_for(&id, &["running"]).await;
    first.services.stop().await;
    let refused = first.get("/training").await;
    assert_eq!(refused.refused().1, "database_unavailable");
    assert!(refused.retry_after.is_some());
    let second = Running::tiny_in(folder.clone(), None, quick(folder.path())).await;
    let path = format!("/conversations/{}", said["conversation_id"].as_str().unwrap());
    assert_eq!(second.get(&path).await.ok(200)["message_count"], 2);
    let done = second.wait_for(&id, &["completed", "failed"]).await;
    assert_eq!((&done["status"], &done["iterations_completed"]), (&json!("completed"), &json!(6)));

    let path = format!("/training/{id}/deploy");
    second.post(&path, json!({"name": "mine"})).await.ok(200);
    second.services.stop().await;
    let third = Running::tiny_in(folder.clone(), None, quick(folder.path())).await;
    serve_deployed(third.app.clone()).await;
    let said = json!({"message": "Hi", "model": "mine", "max_tokens": 2});
    assert_eq!(third.post("/api/chat", said).await.ok(200)["model"], "mine");

    let whole = third.post("/api/train", short(6)).await.ok(202);
    let whole = third.wait_for(whole["id"].as_str().unwrap(), &["completed", "failed"]).await;
    assert_eq!(whole["result"]["model_sha256"], done["result"]["model_sha256"]);
}

#[tokio::test]
async fn two_servers_share_conversations_and_jobs() {
    let Some(url) = postgres().await else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let settings = |n: usize| JobSettings { max_running: n, ..quick(folder.path()) };
    let first = Running::tiny_in(folder.clone(), Some(url.clone()), settings(1)).await;
    let second = Running::tiny_in(folder.clone(), Some(url), settings(1)).await;
    let said = first.post("/api/chat", json!({"message": "Hi", "max_tokens": 2})).await.ok(200);
    let more = json!({"message": "And?", "max_tokens": 2, "conversation_id": said["id"]});
    assert_eq!(second.post("/api/chat", more).await.ok(200)["message_count"], 4);

    let mut ids = Vec::new();
    for _ in 0..3 {
        let asked = first.post("/api/train", short(2)).await.ok(202);
        ids.push(asked["id"].as_str().unwrap().to_owned());
    }
    for id in &ids {
        let done = second.wait_for(id, &["completed", "failed"]).await;
        assert_eq!(done["status"], "completed", "{done}");
        let events = second.get(&format!("/training/{id}/events")).await.ok(200);
        let started =
            events["data"].as_array().unwrap().iter().filter(|event| event["type"] == "started");
        assert_eq!(started.count(), 1, "a job was begun twice");
    }
    first.services.stop().await;
    second.services.stop().await;
}

#[tokio::test]
async fn a_job_of_a_server_that_died_is_taken_over_after_its_lease() {
    let Some(url) = postgres().await else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let only_answers = JobSettings { max_running: 0, ..quick(folder.path()) };
    let first = Running::tiny_in(folder.clone(), Some(url.clone()), only_answers).await;
    let asked = first.post("/api/train", short(1)).await.ok(202);
    let id = asked["id"].as_str().unwrap();
    let store = first.services.store();
    let dead = store.lease_job(id, "dead", 1_000).await.unwrap().unwrap();
    std::fs::create_dir_all(&dead.run_dir).unwrap();
    let second = Running::tiny_in(folder.clone(), Some(url), quick(folder.path())).await;
    let done = second.wait_for(id, &["completed", "failed"]).await;
    assert_eq!(done["status"], "completed", "{done}");
    let ended = store.job(id).await.unwrap().unwrap();
    assert_ne!(ended.owner, "dead");
    second.services.stop().await;
}

/// Stands before a database and can be cut off.
struct Door {
    address: std::net::SocketAddr,
    open: tokio::task::JoinHandle<()>,
}

impl Door {
    /// Listens at this port; 0 takes a free one.
    async fn open(port: u16, to: String) -> Door {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = tokio::spawn(async move {
            let mut through = tokio::task::JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let mut database = tokio::net::TcpStream::connect(&to).await.unwrap();
                through.spawn(async move {
                    tokio::io::copy_bidirectional(&mut client, &mut database).await.ok();
                });
            }
        });
        Door { address, open }
    }

    /// Cuts off everything that goes through.
    async fn shut(self) {
        self.open.abort();
        self.open.await.ok();
    }
}

#[tokio::test]
async fn a_database_that_goes_away_comes_back_by_itself() {
    let Some(url) = postgres().await else { return };
    let (head, rest) = url.split_once("://").unwrap();
    let (place, name) = rest.split_once('/').unwrap();
    let (user, address) = place.rsplit_once('@').unwrap();
    let door = Door::open(0, address.to_owned()).await;
    let port = door.address.port();
    let through = format!("{head}://{user}@127.0.0.1:{port}/{name}");
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let server = Running::tiny_in(folder.clone(), Some(through), quick(folder.path())).await;
    let begun = server.post("/conversations", json!({})).await.ok(201);
    let path = format!("/conversations/{}", begun["id"].as_str().unwrap());
    let asked = server.post("/api/train", short(3)).await.ok(202);
    let id = asked["id"].as_str().unwrap();
    server.wait_for(id, &["running"]).await;

    door.shut().await;
    let refused = server.get(&path).await;
    assert_eq!(refused.refused().1, "database_unavailable");
    assert_eq!((refused.status, refused.retry_after.as_deref()), (503, Some("2")));
    let said = server.post(&format!("{path}/messages"), json!({"message": "Hi"})).await;
    assert_eq!(said.refused().1, "database_unavailable");

    let _door = Door::open(port, address.to_owned()).await;
    assert_eq!(server.get(&path).await.ok(200)["message_count"], 0);
    let said = json!({"message": "Hi", "max_tokens": 2});
    server.post(&format!("{path}/messages"), said).await.ok(200);
    let done = server.wait_for(id, &["completed", "failed"]).await;
    assert_eq!((&done["status"], &done["iterations_completed"]), (&json!("completed"), &json!(3)));
    server.services.stop().await;
}
