//! `train` and `evaluate` with users whom a model plays, here or at a server.

use std::fs;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::model_server::serve;
use super::program::{Program, folder};

/// Orders first, and is done at the second question. What the agent was told never reaches it.
fn customer(asked: &str) -> String {
    assert!(!asked.contains("PRIVATE"), "{asked}");
    assert!(asked.contains("A lamp that does not shine."), "{asked}");
    match asked.contains("Which order?") {
        true => "It is order 7. [DONE]".to_owned(),
        false => "My lamp stays dark.".to_owned(),
    }
}

const SMALL: [&str; 8] = [
    "train",
    "--stub",
    "--steps=1",
    "--env=s.json",
    "--output=run",
    "--set=agent.system_prompt=PRIVATE",
    "--set=agent.stub_responses=[\"Which order?\"]",
    "--set=training.eval_before=false",
];

fn write_scenario(at: &std::path::Path) {
    let scenario =
        json!([{"id": "s", "context": "A lamp that does not shine.", "user_responses": ["Help!"]}]);
    fs::write(at.join("s.json"), scenario.to_string()).expect("written");
}

#[test]
fn a_model_at_a_server_plays_the_users() {
    let temp = folder();
    write_scenario(temp.path());
    let (url, asked) = serve(customer);
    let url = format!("--set=environment.user_url={url}");
    let remote =
        ["--set=environment.user_model=m-1", &url, "--set=environment.user_api_key_env=USER_KEY"];
    let args = [&SMALL[..], &remote].concat();
    Program::main(temp.path()).with("USER_KEY", "s3cret").run(&args).ok();
    let n = asked.load(Ordering::SeqCst);
    assert!(n >= 2, "{n}");
    let played =
        fs::read_to_string(temp.path().join("run/evaluations/after.jsonl")).expect("it is there");
    assert!(played.contains("My lamp stays dark.") && played.contains("Which order?"), "{played}");
    let told = Program::main(temp.path()).run(&args).refused();
    assert!(told.contains("`environment.user_api_key_env`") && told.contains("USER_KEY"), "{told}");
}

#[test]
fn a_model_of_this_machine_plays_the_users() {
    let temp = folder();
    write_scenario(temp.path());
    let here =
        ["--set=environment.user_model=builtin:tiny", "--set=environment.user_max_tokens=12"];
    Program::main(temp.path()).run(&[&SMALL[..], &here].concat()).ok();
    let played =
        fs::read_to_string(temp.path().join("run/evaluations/after.jsonl")).expect("it is there");
    assert!(played.contains("\"role\":\"user\""), "{played}");
}

#[test]
fn users_that_are_part_of_their_world_stay_there() {
    let temp = folder();
    let args = [
        "train",
        "--stub",
        "--steps=1",
        "--env=bookings",
        "--set=environment.user_model=builtin:tiny",
    ];
    let told = Program::main(temp.path()).run(&args).refused();
    for part in ["`environment.user_model`", "bookings", "customer_service"] {
        assert!(told.contains(part), "{told}");
    }
}
