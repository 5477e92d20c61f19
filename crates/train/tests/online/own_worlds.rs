//! What a configuration can play beside sets and prompts:
//!
//! 1. a folder with tools, a database, rules and tasks, judged by what became of the database;
//! 2. scripts whose users are persons, and that end when the agent's goal is reached or the user content;
//! 3. what does not fit is named by its key or its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use stateset_core::{
    ConversationTurn, Environment, EpisodeStatus, Message, Purpose, RunSeed, Scenario, StreamKey,
};
use stateset_train::OnlineRun;

use crate::support::{refused, stub_run};

/// An inn with one free room; the tool and the rules of the guide.
fn domain(folder: &Path) -> PathBuf {
    let folder = folder.join("inn");
    fs::create_dir_all(&folder).unwrap();
    let book = json!([{
        "type": "function",
        "function": {"name": "book", "description": "Book a room.", "parameters": {
            "type": "object", "required": ["room"], "properties": {"room": {"type": "string"}}}},
        "steps": [
            {"op": "get", "table": "rooms", "key": "$room", "where": {"free": true}},
            {"op": "update", "table": "rooms", "key": "$room", "set": {"free": false}}]
    }]);
    let task = |id: &str, room: &str| {
        json!({
            "id": id, "instruction": format!("You want room {room}."),
            "user": {"opening": format!("I want room {room}.")},
            "actions": [{"name": "book", "arguments": {"room": room}}],
        })
    };
    let rooms = json!({"rooms": {"a": {"free": true}, "b": {"free": true}}});
    let tasks = json!([task("t1", "a"), task("t2", "b"), task("t3", "a"), task("t4", "b")]);
    for (name, text) in [
        ("tools.json", book.to_string()),
        ("database.json", rooms.to_string()),
        ("tasks.json", tasks.to_string()),
        ("policy.md", "Be quick.".to_owned()),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

const CALL: &str = "```json\n{\"tool\": \"book\", \"parameters\": {\"room\": \"a\"}}\n```";

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_of_a_folder_is_played_and_judged_by_its_database() {
    let temp = tempfile::tempdir().unwrap();
    let folder = domain(temp.path());
    let replies = json!([CALL]).to_string();
    let changes = [
        ("environment.domain", folder.to_str().unwrap()),
        ("reward.spec", "database"),
        ("agent.stub_responses", replies.as_str()),
        ("environment.max_turns", "2"),
        ("training.prompts_per_step", "4"),
        ("training.max_steps", "1"),
        ("evaluation.split_size", "0"),
        ("evaluation.num_episodes", "4"),
    ];
    let run = stub_run(temp.path(), &changes);
    assert_eq!((run.cast.name.as_str(), run.cast.max_turns), ("inn", 2));
    assert_eq!(run.cast.system_prompt.as_deref(), Some("Be quick."));
    assert_eq!(run.cast.training.len(), 4);
    let trained = run.train().await.unwrap();
    // Half of the guests want the room that is always booked.
    assert_eq!(trained.after.unwrap().reward.unwrap().estimate, 0.5);
}

#[test]
fn a_domain_has_turns_of_its_own() {
    let temp = tempfile::tempdir().unwrap();
    let folder = domain(temp.path());
    let run = stub_run(temp.path(), &[("environment.domain", folder.to_str().unwrap())]);
    assert_eq!(run.cast.max_turns, 20);
}

/// One turn of an episode of the run's first scenario.
async fn said(run: &OnlineRun, reply: &str) -> (Vec<String>, EpisodeStatus) {
    let (environment, scenario): (&Arc<dyn Environment>, &Arc<Scenario>) =
        (&run.cast.environment, &run.cast.training[0]);
    let stream = |turn| RunSeed(3).stream(Purpose::Environment, StreamKey::default().at_turn(turn));
    let opening = environment.reset(scenario, stream(0)).await.unwrap();
    let mut heard: Vec<String> =
        opening.messages.iter().map(|message| message.content.clone()).collect();
    let mut state = opening.state;
    let turn = ConversationTurn::new(Message::assistant(reply));
    let answer = environment.step(scenario, &mut state, &turn, stream(1)).await.unwrap();
    heard.extend(answer.messages.into_iter().map(|message| message.content));
    (heard, state.status)
}

#[tokio::test]
async fn scripts_have_personas_and_ends() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("s.json");
    let scenario = json!([{
        "id": "s", "user_responses": ["My lamp is broken.", "It is order 7.", "And now?"],
        "metadata": {"goal_keywords": ["refund"]},
    }]);
    fs::write(&file, scenario.to_string()).unwrap();
    let run = |more: &[(&str, &str)]| {
        let own = [("environment.scenarios_file", file.to_str().unwrap())];
        stub_run(temp.path(), &[&own[..], more].concat())
    };
    let (plain, status) = said(&run(&[]), "You get a refund.").await;
    assert_eq!(plain, ["My lamp is broken.", "It is order 7."]);
    assert_eq!(status, EpisodeStatus::Ongoing);
    let (_, status) = said(&run(&[("environment.end_at_goal", "true")]), "You get a refund.").await;
    assert_eq!(status, EpisodeStatus::Completed);
    let content = run(&[("environment.end_at_satisfaction", "0.6")]);
    assert_eq!(said(&content, "What is wrong with your lamp?").await.1, EpisodeStatus::Completed);
    let (_, status) = said(&run(&[]), "Goodbye!").await;
    assert_eq!(status, EpisodeStatus::Completed);
    let patient = run(&[("environment.end_at_farewell", "false")]);
    assert_eq!(said(&patient, "Goodbye!").await.1, EpisodeStatus::Ongoing);
    let (voiced, _) = said(&run(&[("environment.persona", "skeptical_critic")]), "Hm.").await;
    assert_ne!(voiced, plain);
    assert!(voiced[0].to_lowercase().contains("lamp is broken"), "{voiced:?}");
}

#[test]
fn what_does_not_fit_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("s.json");
    fs::write(&file, r#"[{"id": "s", "user_responses": ["Hi."]}]"#).unwrap();
    let file = ("environment.scenarios_file", file.to_str().unwrap());
    let told = refused(temp.path(), &[file, ("environment.persona", "busy_profesional")]);
    assert!(told.contains("environment.persona") && told.contains("busy_professional"), "{told}");
    let folder = domain(temp.path());
    let inn = ("environment.domain", folder.to_str().unwrap());
    fs::write(
        folder.join("tasks.json"),
        r#"[{"id": "t", "instruction": "x", "actions": [{"name": "bok"}]}]"#,
    )
    .unwrap();
    let told = refused(temp.path(), &[inn]);
    assert!(told.contains("tasks.json") && told.contains("bok"), "{told}");
    let told = refused(temp.path(), &[("environment.domain", "/no/such/inn")]);
    assert!(told.contains("/no/such/inn"), "{told}");
}
