//! Programs as agents: what they train is what the same conversations in the process train.

#![allow(clippy::unwrap_used, reason = "what fails in a test is to be seen")]

use std::path::Path;
use std::time::Duration;

use stateset_core::Trajectory;
use stateset_serve::gateway::{GatewayServer, Harness, take_over};
use stateset_train::{OnlineRun, RunFolder, read_conversations};

#[path = "support/tiny_run.rs"]
mod tiny_run;

use tiny_run::tiny_run;

/// A program without any package: Python's own library is enough to call a model.
const AGENT: &str = r#"
import json, os, sys, urllib.request
base, key = os.environ["STATESET_GATEWAY_URL"], os.environ["STATESET_GATEWAY_KEY"]
server, sample = os.environ["STATESET_SERVER_URL"], os.environ["STATESET_SAMPLE"]
def post(path, body, at=base, named={}):
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json", **named}
    request = urllib.request.Request(at + path, json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request))
def ask(messages, *where):
    answer = post("/v1/chat/completions", {"model": "gpt-5", "messages": messages}, *where)
    return answer["choices"][0]["message"]["content"]
def ask_by_header(messages):
    return ask(messages, server, {"X-Stateset-Sample": sample})
"#;

const CONVERSES: &str = r#"
messages, turn = [], post("/user", {})
while not turn["done"]:
    messages += turn["messages"]
    messages.append({"role": "assistant", "content": ask(messages)})
    turn = post("/user", {})
"#;

fn run_in(folder: &Path) -> OnlineRun {
    let settings = [
        ("training.max_steps", "1"),
        ("training.num_generations", "3"),
        ("training.eval_before", "false"),
        ("training.rollout_concurrency", "3"),
        ("evaluation.num_episodes", "3"),
        ("evaluation.concurrency", "3"),
    ];
    tiny_run(folder, "run", &settings)
}

/// Trains with the program `script` in the place of the agent.
async fn train_with(mut run: OnlineRun, place: &Path, script: &str) -> RunFolder {
    let file = place.join("agent.py");
    std::fs::write(&file, format!("{AGENT}{script}")).unwrap();
    let harness = Harness {
        time_limit: Duration::from_secs(120),
        ..Harness::new(format!("python3 {}", file.display()), "run")
    };
    let server = GatewayServer::start().await.unwrap();
    take_over(&mut run.cast, |_, inner| server.environment(harness.clone(), inner));
    let folder = run.folder.clone();
    run.train_checked().await.unwrap();
    folder
}

fn conversations(folder: &RunFolder) -> Vec<Trajectory> {
    let mut played = read_conversations(folder, RunFolder::AFTER).unwrap().unwrap();
    for trajectory in &mut played {
        trajectory.wall_secs = 0.0;
    }
    played
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_trains_the_weights_that_the_process_trains() {
    let place = tempfile::tempdir().unwrap();
    let plain = run_in(place.path());
    let plain_folder = plain.folder.clone();
    plain.train_checked().await.unwrap();
    let ours = conversations(&plain_folder);
    assert_eq!(ours.len(), 3);
    // Its calls are found by the path, and by the header.
    for script in [CONVERSES, &CONVERSES.replace("ask(", "ask_by_header(")] {
        let place = tempfile::tempdir().unwrap();
        let folder = train_with(run_in(place.path()), place.path(), script).await;
        for (a, b) in ours.iter().zip(&conversations(&folder)) {
            assert_eq!(a.trace, b.trace, "tokens of {}", a.scenario_id);
            assert_eq!(a.turns, b.turns);
            assert_eq!(a.reward, b.reward);
        }
        let weights = |folder: &RunFolder| {
            std::fs::read(folder.final_checkpoint().join("model.safetensors")).unwrap()
        };
        assert!(weights(&plain_folder) == weights(&folder), "the trained weights differ");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_judges_itself_and_may_tell_another_history() {
    let script = r#"
first = ask([{"role": "user", "content": "My parcel is late."}])
ask([{"role": "user", "content": "Forget that."}])
print(json.dumps({"reward": 0.25, "components": {"length": len(first)}}))
"#;
    let place = tempfile::tempdir().unwrap();
    let folder = train_with(run_in(place.path()), place.path(), script).await;
    for played in conversations(&folder) {
        assert_eq!(played.error, None);
        assert_eq!(played.reward(), Some(0.25));
        let segments = played.trace.segments();
        assert_eq!(segments.len(), 2, "another history begins another row of tokens");
        assert!(segments.iter().all(|segment| segment.sampled_spans().count() == 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_fail_are_failed_samples_and_no_failed_runs() {
    for (script, told) in [
        ("sys.exit(4)", "never called the model"),
        ("ask([{'role': 'user', 'content': 'Hi'}]); sys.exit('lost it')", "lost it"),
        ("post('/reward', {'reward': float('nan')})", "never called the model"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let folder = train_with(run_in(place.path()), place.path(), script).await;
        for played in conversations(&folder) {
            let error = played.error.unwrap_or_else(|| panic!("{script}: no error"));
            assert!(error.to_string().contains(told), "{script}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_codes() {
    let script = r#"
import urllib.error
def code(path, body, headers=None, at=base):
    headers = {"Content-Type": "application/json", **(headers or {"Authorization": "Bearer " + key})}
    request = urllib.request.Request(at + path, json.dumps(body).encode(), headers)
    try:
        urllib.request.urlopen(request)
        return 200
    except urllib.error.HTTPError as error:
        return [error.code, json.load(error)["error"]["code"]]
found = [
    code("/reward", {"reward": 1}, {"Authorization": "Bearer wrong"}),
    code("/reward", {"reward": 1}, {"X-Other": "none"}),
    code("/reward", {"reward": "high"}),
    code("/reward", {"rewrd": 1}),
    code("/v1/completions", {"prompt": "once"}),
    code("/v1/chat/completions", {"messages": []}),
    code("/v1/nothing", {}),
]
def named(name, key=key):
    headers = {"X-Stateset-Sample": name, **({"Authorization": "Bearer " + key} if key else {})}
    return code("/v1/chat/completions", {"messages": []}, headers, server)
elsewhere = sample.rsplit("/", 1)[0] + "/0"
found += [named(sample), named(sample, "wrong"), named(sample, None), named(elsewhere), named("sample")]
found.append(code("/v1/chat/completions", {"messages": []}, None, server))
code("/user", {})
found.append(code("/user", {}))
ask([{"role": "user", "content": "Hi"}])
found.append(code("/reward", {"reward": 0.5}))
found.append(code("/reward", {"reward": 0.6}))
open(os.environ["FOUND"] if "FOUND" in os.environ else sys.argv[0] + ".found", "w").write(json.dumps(found))
"#;
    let place = tempfile::tempdir().unwrap();
    train_with(run_in(place.path()), place.path(), script).await;
    let found = std::fs::read_to_string(place.path().join("agent.py.found")).unwrap();
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let expected = serde_json::json!([
        [404, "not_found"],
        [401, "missing_key"],
        [422, "invalid_value"],
        [422, "unknown_field"],
        [400, "invalid_value"],
        [400, "invalid_value"],
        [404, "not_found"],
        [400, "invalid_value"],
        [404, "not_found"],
        [401, "missing_key"],
        [404, "not_found"],
        [400, "invalid_header"],
        [404, "not_found"],
        [409, "not_the_users_turn"],
        200,
        [409, "reward_given"],
    ]);
    assert_eq!(found, expected);
}
