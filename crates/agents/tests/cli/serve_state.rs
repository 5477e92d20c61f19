//! A server that is killed: what it acknowledged is there, and a training goes on to the same weights.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::job_server::{Serving, ask, id_of, training};
use super::program::{Program, folder};

#[test]
fn a_training_killed_twice_comes_to_the_same_weights() {
    let temp = folder();
    let mut server = Serving::start(temp.path());
    let whole = server.post("/training", &training_of_the_other_route());
    let whole = server.wait_for(id_of(&whole), |job| job["status"] == "completed");
    let asked = server.post("/api/train", &training());
    let id = id_of(&asked).to_owned();
    for step in [1, 3] {
        server.wait_for(&id, |job| job["progress"]["step"].as_i64() >= Some(step));
        server.kill();
        server = Serving::start(temp.path());
    }
    let done = server.wait_for(&id, |job| job["status"] != "running" && job["status"] != "queued");
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["result"]["model_sha256"], whole["result"]["model_sha256"]);
    let events = server.get(&format!("/training/{id}/events"));
    let events = events["data"].as_array().expect("events");
    let of_kind = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!((of_kind("step"), of_kind("started")), (6, 3));
}

/// The same training in the words of the other document.
fn training_of_the_other_route() -> Value {
    let mut body = training();
    let reward = body.as_object_mut().expect("an object").remove("reward");
    let overrides = &mut body["training_config_overrides"];
    overrides["reward.spec"] = reward.expect("it has one");
    overrides["prompts_per_step"] = 2.into();
    body
}

#[test]
fn no_acknowledged_message_is_lost_when_the_server_is_killed() {
    let temp = folder();
    let mut server = Serving::start(temp.path());
    let begun = server.post("/conversations", &json!({"max_tokens": 1}));
    let id = begun["id"].as_str().expect("an id").to_owned();
    let path = format!("/conversations/{id}/messages");
    let is_over = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (address, path, is_over) = (server.address.clone(), path.clone(), is_over.clone());
        move || {
            let mut n_acknowledged = 0;
            while !is_over.load(Ordering::Relaxed) {
                let body = json!({"message": format!("message {n_acknowledged}")});
                match ask(&address, "POST", &path, Some(&body)) {
                    Some((200, _)) => n_acknowledged += 1,
                    _ => break,
                }
            }
            n_acknowledged
        }
    });
    std::thread::sleep(Duration::from_millis(1500));
    server.kill();
    is_over.store(true, Ordering::Relaxed);
    let n_acknowledged: usize = writer.join().expect("it ends");
    assert!(n_acknowledged > 0);
    let server = Serving::start(temp.path());
    let kept = server.get(&format!("/conversations/{id}"));
    let messages = kept["messages"].as_array().expect("messages");
    // The last one may have been written without its acknowledgement having arrived.
    let n_turns = messages.len() / 2;
    assert!(
        n_turns == n_acknowledged || n_turns == n_acknowledged + 1,
        "{n_turns} {n_acknowledged}"
    );
    for (place, turn) in messages.chunks(2).enumerate() {
        assert_eq!(turn.len(), 2, "a message without its answer was kept");
        assert_eq!(turn[0]["content"], format!("message {place}"));
    }
    // Nobody answers it any more, so the conversation is free at once.
    server.post(&path, &json!({"message": "still there?"}));
}

#[test]
fn two_servers_cannot_use_one_data_folder() {
    let temp = folder();
    let _server = Serving::start(temp.path());
    let refused = Program::main(temp.path())
        .run(&["serve", "--port", "0", "--model", "stub:", "--data-dir", "data"])
        .refused();
    assert!(refused.contains("--database-url"), "{refused}");
}
