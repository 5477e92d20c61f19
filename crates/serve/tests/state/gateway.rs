//! Trainings whose samples programs play: from elsewhere, or started by the server.

use std::path::PathBuf;

use reqwest::Client;
use serde_json::{Value, json};
use stateset_connect::Secret;
use stateset_core::Trajectory;
use stateset_serve::security::{Role, Security, SecuritySettings};
use stateset_train::{RunFolder, read_conversations};

use super::running::Running;

/// A training of two steps over the built-in customers, with these fields besides.
fn wish(more: Value) -> Value {
    let mut body = json!({
        "num_iterations": 2,
        "training_config_overrides": {
            "prompts_per_step": 2, "num_generations": 3, "max_completion_length": 8, "seed": 7,
            "eval_before": false, "save_steps": 1, "evaluation.num_episodes": 2,
        },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A program that is not ours: all it has is the address of the server and what it was given.
#[derive(Clone)]
struct Program {
    client: Client,
    server: String,
    path: String,
    key: String,
    /// It calls the model at the plain routes, and names its sample in a header.
    names_sample: bool,
}

impl Program {
    fn of(server: &Running, sample: &Value) -> Program {
        Program {
            client: Client::builder().no_proxy().build().unwrap(),
            server: server.base.clone(),
            path: sample["path"].as_str().unwrap().to_owned(),
            key: sample["key"].as_str().unwrap().to_owned(),
            names_sample: false,
        }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = if self.names_sample && path.starts_with("/v1/") {
            let name = self.path.strip_prefix("/gateway/").unwrap();
            let request = self.client.post(format!("{}{path}", self.server));
            request.header("X-Stateset-Sample", name)
        } else {
            self.client.post(format!("{}{}{path}", self.server, self.path))
        };
        let request = request.bearer_auth(&self.key).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    /// Serves the customer of the run to the end.
    async fn converse(self) {
        let mut messages = Vec::new();
        let mut turn = self.post("/user", json!({})).await.1;
        while turn["done"] == false {
            messages.extend(turn["messages"].as_array().unwrap().clone());
            let asked = json!({"model": "any", "messages": messages});
            let (status, answer) = self.post("/v1/chat/completions", asked).await;
            assert_eq!(status, 200, "{answer}");
            let content = &answer["choices"][0]["message"]["content"];
            messages.push(json!({"role": "assistant", "content": content}));
            turn = self.post("/user", json!({})).await.1;
        }
        assert_eq!(self.post("/end", json!({})).await.0, 202);
    }
}

/// Takes samples of a training.
async fn take(server: &Running, id: &str, n: usize) -> Value {
    let asked = json!({"n": n, "wait_secs": 60});
    server.post(&format!("/gateway/{id}/samples"), asked).await.ok(200)
}

/// Plays whatever a training offers until it is over, every second sample by the header.
async fn play_all(server: &Running, id: &str) {
    let mut programs = Vec::new();
    loop {
        let taken = take(server, id, 4).await;
        for sample in taken["data"].as_array().unwrap() {
            let names_sample = programs.len() % 2 == 1;
            let program = Program { names_sample, ..Program::of(server, sample) };
            programs.push(tokio::spawn(program.converse()));
        }
        if ["completed", "failed", "cancelled"].contains(&taken["status"].as_str().unwrap()) {
            break;
        }
    }
    for program in programs {
        program.await.unwrap();
    }
}

fn conversations(server: &Running, id: &str) -> Vec<Trajectory> {
    let run: PathBuf = server.services.jobs().settings().runs.join(id);
    let mut played = read_conversations(&RunFolder::new(run), RunFolder::AFTER).unwrap().unwrap();
    played.iter_mut().for_each(|trajectory| trajectory.wall_secs = 0.0);
    played
}

async fn ask(server: &Running, body: Value) -> String {
    server.post("/training", body).await.ok(202)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn programs_elsewhere_train_the_weights_that_the_process_trains() {
    let server = Running::tiny().await;
    let plain = ask(&server, wish(json!({}))).await;
    let expected = server.wait_for(&plain, &["completed", "failed"]).await;

    let id = ask(&server, wish(json!({"gateway": {}}))).await;
    let first = take(&server, &id, 1).await;
    assert_eq!(first["status"], "running");
    assert_eq!(first["is_played_here"], true);
    let sample = &first["data"][0];
    assert_eq!(sample["purpose"], "training");
    assert!(sample["scenario"]["id"].is_string(), "{sample}");
    Program::of(&server, sample).converse().await;
    let second = take(&server, &id, 1).await;
    let given_up = Program::of(&server, &second["data"][0]);
    given_up.post("/user", json!({})).await;
    // It waits for programs, so it is not to be waited for.
    server.delete(&format!("/training/{id}")).await.ok(202);
    server.wait_for(&id, &["cancelled"]).await;
    assert_eq!(given_up.post("/user", json!({})).await.0, 404);
    let nothing = take(&server, &id, 1).await;
    assert_eq!((&nothing["data"], &nothing["status"]), (&json!([]), &json!("cancelled")));

    server.post(&format!("/training/{id}/resume"), json!({})).await.ok(202);
    play_all(&server, &id).await;
    let done = server.wait_for(&id, &["completed", "failed"]).await;
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["request"]["gateway"]["command"], Value::Null);
    assert_eq!(done["result"]["model_sha256"], expected["result"]["model_sha256"]);
    let (ours, theirs) = (conversations(&server, &plain), conversations(&server, &id));
    assert_eq!(ours.len(), 2);
    for (a, b) in ours.iter().zip(&theirs) {
        assert_eq!(a.trace, b.trace, "tokens of {}", a.scenario_id);
        assert_eq!((&a.turns, &a.reward), (&b.turns, &b.reward));
    }
}

/// One step of one scenario, played twice.
fn small(more: Value) -> Value {
    let mut body = json!({
        "environment_scenarios": [{"id": "yes", "user_responses": ["Say yes.", "Again."]}],
        "num_iterations": 1,
        "training_config_overrides": {
            "prompts_per_step": 1, "num_generations": 2, "max_completion_length": 4,
            "eval_before": false, "run_post_eval": false,
        },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn programs_judge_fail_and_are_refused() {
    let server = Running::tiny().await;
    let id = ask(&server, small(json!({"gateway": {}}))).await;
    let mut taken = Vec::new();
    while taken.len() < 2 {
        taken.extend(take(&server, &id, 1).await["data"].as_array().unwrap().clone());
    }
    let all = server.get(&format!("/gateway/{id}/samples")).await.ok(200);
    let all = all["data"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|sample| sample["is_taken"] == true && sample["key"].is_null()));

    let good = Program::of(&server, &taken[0]);
    let wrong = Program { key: "sk-harness-0".to_owned(), ..good.clone() };
    let call = json!({"messages": [{"role": "user", "content": "Say yes."}]});
    for (path, body) in [("/user", json!({})), ("/end", json!({})), ("/v1/messages", json!({}))] {
        assert_eq!(wrong.post(path, body).await.0, 404, "{path}");
    }
    assert_eq!(good.post("/end", json!({"fault": "x"})).await.0, 422);
    assert_eq!(good.post("/v1/chat/completions", call.clone()).await.0, 200);
    let spoken = json!({"model": "any", "max_tokens": 4, "messages": call["messages"]});
    assert_eq!(good.post("/v1/messages", spoken).await.0, 200);
    let judged = json!({"reward": 0.25, "components": {"tone": 1}});
    assert_eq!(good.post("/reward", judged).await.0, 201);
    assert_eq!(good.post("/end", json!({})).await.0, 202);
    let (status, refused) = good.post("/v1/chat/completions", call.clone()).await;
    assert!([404, 409].contains(&status), "{refused}");

    let bad = Program::of(&server, &taken[1]);
    assert_eq!(bad.post("/v1/chat/completions", call).await.0, 200);
    assert_eq!(bad.post("/end", json!({"error": "it lost its way"})).await.0, 202);
    let done = server.wait_for(&id, &["completed", "failed"]).await;
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["metrics"]["rollout/failed_share"], 0.5);
    assert_eq!(done["metrics"]["rollout/restarts"], 0.5);
    assert_eq!(done["metrics"]["component/tone"], 1.0);
}

#[tokio::test]
async fn samples_that_nobody_plays_fail_after_their_time() {
    let server = Running::tiny().await;
    let mut body = small(json!({"gateway": {"timeout_secs": 1}}));
    body["num_iterations"] = 5.into();
    let id = ask(&server, body).await;
    let done = server.wait_for(&id, &["completed", "failed"]).await;
    assert_eq!(done["status"], "failed", "{done}");
    let error = done["error"].as_str().unwrap();
    assert!(error.contains("nobody took the sample within 1 s"), "{error}");
}

/// A program that asks once and judges itself.
const AGENT: &str = r#"
import json, os, urllib.request
def post(url, body):
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
messages = [{"role": "user", "content": "Say yes."}]
post(os.environ["OPENAI_BASE_URL"] + "/chat/completions", {"model": "any", "messages": messages})
post(os.environ["STATESET_GATEWAY_URL"] + "/reward", {"reward": 0.75})
"#;

fn agent_file(server: &Running) -> String {
    let file = server.folder.path().join("agent.py");
    std::fs::write(&file, AGENT).unwrap();
    file.display().to_string()
}

#[tokio::test]
async fn a_command_is_started_for_each_sample() {
    let server = Running::tiny().await;
    let command = format!("python3 {}", agent_file(&server));
    let gateway = json!({"command": command, "timeout_secs": 60, "parallel": 2});
    let id = ask(&server, small(json!({"gateway": gateway}))).await;
    let done = server.wait_for(&id, &["completed", "failed"]).await;
    assert_eq!((&done["status"], &done["average_reward"]), (&json!("completed"), &json!(0.75)));
}

#[tokio::test]
async fn the_example_plays_with_a_program_of_its_own_machine() {
    let server = Running::tiny().await;
    let id = ask(&server, small(json!({"gateway": {}}))).await;
    let page = include_str!("../../../../docs/harness.md");
    let line = page.lines().find(|line| line.contains("elsewhere.py http")).unwrap();
    let line = line
        .replace("python ", "python3 ")
        .replace("http://127.0.0.1:8000", &server.base)
        .replace("TRAINING", &id)
        .replace("examples/harness/support_agent.py", &agent_file(&server));
    let mut example = tokio::process::Command::new("sh");
    example.arg("-c").arg(line).env("NO_PROXY", "127.0.0.1");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    assert!(example.current_dir(root).status().await.unwrap().success());
    let done = server.wait_for(&id, &["completed", "failed"]).await;
    assert_eq!((&done["status"], &done["average_reward"]), (&json!("completed"), &json!(0.75)));
}

#[tokio::test]
async fn wrong_fields_are_refused() {
    let server = Running::tiny().await;
    for (gateway, code, field) in [
        (json!({"program": "x"}), "unknown_field", "gateway.program"),
        (json!({"timeout_secs": 0}), "invalid_value", "gateway.timeout_secs"),
        (json!({"parallel": 2}), "invalid_value", "gateway.parallel"),
    ] {
        let refused = server.post("/training", small(json!({"gateway": gateway}))).await;
        assert_eq!(refused.refused(), (422, code, Some(field)));
    }
    let nobody = server.get("/gateway/job_none/samples").await;
    assert_eq!(nobody.refused().1, "not_found");
    for (body, field) in [(json!({"n": 0}), "n"), (json!({"wait_secs": 61}), "wait_secs")] {
        let refused = server.post("/gateway/job_none/samples", body).await;
        assert_eq!(refused.refused(), (422, "invalid_value", Some(field)));
    }
}

fn key(role: Role) -> String {
    format!("key-of-the-{role}")
}

/// A key for each role.
fn with_keys() -> Security {
    let roles = [Role::User, Role::Trainer, Role::Admin];
    let keys = roles.map(|role| ("--api-key", Secret::new(key(role)), role)).to_vec();
    Security::open(SecuritySettings { keys, ..SecuritySettings::default() }, true).unwrap().0
}

#[tokio::test]
async fn commands_are_for_admins_and_samples_for_trainers() {
    let server = Running::guarded(with_keys()).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let post = async |role: Role, path: &str, body: Value| -> (u16, Value) {
        let request = client.post(format!("{}{path}", server.base)).bearer_auth(key(role));
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    let with_command = small(json!({"gateway": {"command": "python3 agent.py"}}));
    let (status, refused) = post(Role::Trainer, "/training", with_command.clone()).await;
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("role_missing")));
    let (status, job) = post(Role::Admin, "/training", with_command).await;
    assert_eq!(status, 202, "{job}");
    let resume = format!("/training/{}/resume", job["id"].as_str().unwrap());
    assert_eq!(post(Role::Trainer, &resume, json!({})).await.0, 403);
    // Only what was cancelled or failed goes on, but an admin may ask.
    assert_eq!(post(Role::Admin, &resume, json!({})).await.0, 409);
    let button = format!("{}/dashboard/jobs/{}/resume", server.base, job["id"].as_str().unwrap());
    for (role, expected) in [(Role::Trainer, 403), (Role::Admin, 409)] {
        let pressed = client.post(&button).bearer_auth(key(role)).send().await.unwrap();
        assert_eq!(pressed.status(), expected, "{role}");
    }

    let (status, job) = post(Role::Trainer, "/training", small(json!({"gateway": {}}))).await;
    assert_eq!(status, 202, "{job}");
    let samples = format!("/gateway/{}/samples", job["id"].as_str().unwrap());
    assert_eq!(post(Role::User, &samples, json!({})).await.0, 403);
    let (status, offered) = post(Role::Trainer, &samples, json!({})).await;
    assert_eq!((status, &offered["status"]), (200, &json!("queued")));
    // No key of the server's opens a sample, not even an admin's.
    let of_sample = "/gateway/run/scenario/sample/reward";
    assert_eq!(post(Role::Admin, of_sample, json!({"reward": 1})).await.0, 404);
}

#[tokio::test]
async fn a_sample_that_a_header_names_is_opened_by_its_key_alone() {
    let server = Running::tiny_guarded(with_keys()).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let train = async |path: &str, body: Value| -> Value {
        let request = client.post(format!("{}{path}", server.base)).bearer_auth(key(Role::Trainer));
        request.json(&body).send().await.unwrap().json().await.unwrap()
    };
    let id = train("/training", small(json!({"gateway": {}}))).await["id"].clone();
    let id = id.as_str().unwrap();
    let asked = json!({"wait_secs": 60});
    let taken = train(&format!("/gateway/{id}/samples"), asked).await["data"][0].clone();
    let name = taken["path"].as_str().unwrap().strip_prefix("/gateway/").unwrap();
    let of_sample = taken["key"].as_str().unwrap();
    let call = async |name: Option<&str>, key: Option<&str>| {
        let mut request = client.post(format!("{}/v1/chat/completions", server.base));
        if let Some(name) = name {
            request = request.header("x-stateset-sample", name);
        }
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let messages = json!([{"role": "user", "content": "Say yes."}]);
        let body = json!({"model": "tiny", "max_tokens": 2, "messages": messages});
        let answer = request.json(&body).send().await.unwrap();
        let is_counted = answer.headers().contains_key("x-ratelimit-limit");
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap(), is_counted)
    };
    let (user, admin) = (key(Role::User), key(Role::Admin));
    for (named, key, expected) in [
        (Some(name), None, (401, "missing_key")),
        (Some(name), Some(&*admin), (404, "not_found")),
        (Some("run/scenario/sample"), Some(of_sample), (404, "not_found")),
        (Some("sample"), Some(of_sample), (400, "invalid_header")),
        (Some("sample"), Some(&*admin), (400, "invalid_header")),
        (Some("sample"), None, (401, "missing_key")),
        (None, Some(of_sample), (401, "invalid_api_key")),
        (None, None, (401, "api_key_missing")),
    ] {
        let (status, body, _) = call(named, key).await;
        let code = body["error"]["code"].as_str().unwrap();
        assert_eq!((status, code), expected, "{named:?} {key:?}");
    }
    let (status, by_sample, is_counted) = call(Some(name), Some(of_sample)).await;
    assert_eq!((status, &by_sample["model"], is_counted), (200, &json!("policy"), false));
    let (status, plain, is_counted) = call(None, Some(&*user)).await;
    assert_eq!((status, &plain["model"], is_counted), (200, &json!("tiny"), true));
}
