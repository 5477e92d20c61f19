//! A server that is killed: what it acknowledged is there, and a training goes on to the same weights.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::{Program, folder};

/// A server as a process of its own; killed when dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(folder: &Path) -> Serving {
        let args = ["serve", "--port", "0", "--threads", "1", "--training-threads", "1"];
        let more = ["--slots", "2", "--context", "256", "--data-dir", "data"];
        let mut child = Program::main(folder)
            .command(&[&args[..], &more[..]].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.split_once("listening on http://").map(|(_, address)| address.to_owned())
        });
        // What follows is read away, so that the server never waits for its log.
        std::thread::spawn(move || lines.for_each(drop));
        Serving { child, address: address.expect("it listens") }
    }

    fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    fn get(&self, path: &str) -> Value {
        ask(&self.address, "GET", path, None).expect("an answer").1
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let (status, body) = ask(&self.address, "POST", path, Some(body)).expect("an answer");
        assert!((200..300).contains(&status), "{body}");
        body
    }

    fn wait_for(&self, id: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let job = self.get(&format!("/training/{id}"));
            if is_it(&job) {
                return job;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "{job}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One request on a connection of its own; `None` where the server is gone.
fn ask(address: &str, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let body = body.map_or(String::new(), Value::to_string);
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

fn training() -> Value {
    json!({
        "prompts": ["Say yes.", "Say no."], "num_iterations": 6, "reward": "contains:yes",
        "training_config_overrides": {
            "num_generations": 4, "max_completion_length": 8, "save_steps": 2, "seed": 3,
            "eval_before": false, "run_post_eval": false
        }
    })
}

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

fn id_of(body: &Value) -> &str {
    body["training_id"].as_str().expect("an id")
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
