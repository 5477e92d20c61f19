//! A server as a process of its own, whose trainings are watched.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::Program;
use super::serving::exchange;

/// A server as a process of its own; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start(folder: &Path) -> Serving {
        let args = ["serve", "--port", "0", "--threads", "1", "--training-threads", "1"];
        let more = ["--slots", "2", "--context", "256", "--data-dir", "data"];
        // A write beyond the allowed size of a file fails then, instead of ending the program.
        let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
        let mut child = Program::main(folder)
            .under_shell(script, &[&args[..], &more[..]].concat())
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

    pub(crate) fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// From now on no file may have more bytes than this, so that at 0 the system refuses every write, as
    /// it does on a full disk. False where it cannot be asked for that.
    pub(crate) fn limit_files(&self, bytes: &str) -> bool {
        let (id, limit) = (self.child.id().to_string(), format!("--fsize={bytes}:unlimited"));
        let asked = Command::new("prlimit").args(["--pid", &id, &limit]).status();
        asked.is_ok_and(|status| status.success())
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        ask(&self.address, method, path, body).expect("an answer")
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.ask("GET", path, None).1
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let (status, body) = self.ask("POST", path, Some(body));
        assert!((200..300).contains(&status), "{body}");
        body
    }

    pub(crate) fn wait_for(&self, id: &str, is_it: impl Fn(&Value) -> bool) -> Value {
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
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Option<(u16, Value)> {
    let body = body.map_or(String::new(), Value::to_string);
    let answer = exchange(address, method, path, &[], &body)?;
    Some((answer.status, serde_json::from_str(&answer.body).ok()?))
}

/// A training of a few seconds.
pub(crate) fn training() -> Value {
    json!({
        "prompts": ["Say yes.", "Say no."], "num_iterations": 6, "reward": "contains:yes",
        "training_config_overrides": {
            "num_generations": 4, "max_completion_length": 8, "save_steps": 2, "seed": 3,
            "eval_before": false, "run_post_eval": false
        }
    })
}

/// The id of a training in what was answered.
pub(crate) fn id_of(body: &Value) -> &str {
    body["training_id"].as_str().expect("an id")
}
