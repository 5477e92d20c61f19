//! A server whose disk is full: nothing is acknowledged that cannot be kept, nothing that was is lost, and
//! everything goes on once there is room.
//!
//! The system itself refuses the writes: the process may have no file of more than 0 bytes for a while. So
//! database, journals, checkpoints and logs of a run fail where a full disk would make them fail.

use serde_json::{Value, json};

use super::job_server::{Serving, id_of, training};
use super::program::folder;

fn messages(server: &Serving, path: &str) -> Vec<String> {
    let kept = server.get(path);
    let all = kept["messages"].as_array().expect("messages");
    all.iter().map(|message| message["content"].as_str().expect("a text").to_owned()).collect()
}

fn code(refused: &(u16, Value)) -> (u16, &str) {
    (refused.0, refused.1["error"]["code"].as_str().unwrap_or_default())
}

#[test]
#[allow(clippy::print_stderr, reason = "what is skipped is said")]
fn a_full_disk_loses_nothing_and_everything_goes_on_when_there_is_room() {
    let temp = folder();
    let server = Serving::start(temp.path());
    let whole = server.post("/api/train", &training());
    let whole = server.wait_for(id_of(&whole), |job| job["status"] == "completed");
    let begun = server.post("/conversations", &json!({"max_tokens": 1}));
    let path = format!("/conversations/{}", begun["id"].as_str().expect("an id"));
    let say = |text: &str| {
        server.ask("POST", &format!("{path}/messages"), Some(&json!({"message": text})))
    };
    assert_eq!(say("before").0, 200);
    let acknowledged = messages(&server, &path);
    let asked = server.post("/api/train", &training());
    let id = id_of(&asked).to_owned();
    server.wait_for(&id, |job| job["progress"]["step"].as_i64() >= Some(1));

    if !server.limit_files("0") {
        eprintln!("SKIPPED: prlimit is not there, so writes cannot be made to fail");
        return;
    }
    for _ in 0..3 {
        assert_eq!(code(&say("meanwhile")), (507, "storage_full"));
    }
    let new = server.ask("POST", "/api/chat", Some(&json!({"message": "Hi", "max_tokens": 1})));
    assert_eq!(code(&new), (507, "storage_full"));
    let new = server.ask("POST", "/api/train", Some(&training()));
    assert_eq!(code(&new), (507, "storage_full"));
    let (status, health) = server.ask("GET", "/health", None);
    assert_eq!((status, &health["status"]), (503, &json!("unhealthy")), "{health}");
    assert_eq!(messages(&server, &path), acknowledged);
    // The run is over where its lock is empty.
    let lock = temp.path().join("data/runs").join(&id).join("run.lock");
    let is_held = || std::fs::metadata(&lock).expect("a lock").len() > 0;
    while is_held() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }

    assert!(server.limit_files("unlimited"));
    let waits = server.wait_for(&id, |job| job["status"] != "running");
    let reason = waits["error"].as_str().unwrap_or_default();
    assert_eq!(waits["status"], "queued", "{waits}");
    assert!(reason.starts_with("paused until the disk has room"), "{waits}");
    for text in ["after", "and again", "and again"] {
        assert_eq!(say(text).0, 200);
    }
    let now = messages(&server, &path);
    assert_eq!((&now[..acknowledged.len()], now.len()), (&acknowledged[..], 8));
    let done = server.wait_for(&id, |job| job["status"] != "running" && job["status"] != "queued");
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["error"], Value::Null);
    assert_eq!(done["result"]["model_sha256"], whole["result"]["model_sha256"]);
    assert_eq!(server.ask("GET", "/ready", None).0, 200);
}
