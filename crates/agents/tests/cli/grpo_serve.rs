//! `grpo-serve`: a name of the program, and what each of its documented flags does.

use serde_json::Value;

use super::program::{Program, folder};
use super::serving::Serving;

const TOKEN: &str = "the-token-of-the-test";

#[test]
fn every_documented_flag_does_what_it_says() {
    let temp = folder();
    let args = [
        "stub:",
        "--host",
        "localhost",
        "--port",
        "0",
        "--max-conversations",
        "1",
        "--conversation-timeout",
        "30",
        "--log-conversations",
        "--auth-token",
        TOKEN,
        "--cors-origins",
        "https://app.example",
        "--data-dir",
        "data",
    ];
    let server = Serving::start(Program::called("grpo-serve", temp.path()).command(&args));
    assert!(server.said.contains("http://127.0.0.1:"), "{}", server.said);
    let key = format!("authorization: Bearer {TOKEN}");
    let hello = "{\"message\": \"Hello\"}";
    assert_eq!(server.ask("GET", "/health", &[], "").status, 200);
    assert_eq!(server.ask("POST", "/chat/start", &[], hello).status, 401);
    assert_eq!(server.ask("GET", "/metrics", &[&key], "").status, 200);

    let started = server.ask("POST", "/chat/start", &[&key], hello);
    assert_eq!(started.status, 201, "{}", started.body);
    let body: Value = serde_json::from_str(&started.body).expect("JSON");
    let id = body["id"].as_str().expect("an id");
    let full = server.ask("POST", "/chat/start", &[&key], hello);
    assert_eq!(full.status, 503, "{}", full.body);
    assert!(full.body.contains("too_many_conversations"), "{}", full.body);
    assert!(full.head.contains("retry-after: 1"), "{}", full.head);
    let said = server.ask("POST", &format!("/chat/{id}/message"), &[&key], hello);
    assert_eq!(said.status, 200, "{}", said.body);
    let history = server.ask("GET", &format!("/chat/{id}/history"), &[&key], "");
    assert!(history.body.contains("Hello"), "{}", history.body);
    let origin = "origin: https://app.example";
    let page = server.ask("GET", "/v1/models", &[&key, origin], "");
    assert!(
        page.head.contains("access-control-allow-origin: https://app.example"),
        "{}",
        page.head
    );
    assert_eq!(server.ask("DELETE", &format!("/chat/{id}"), &[&key], "").status, 204);
    assert_eq!(server.ask("POST", "/chat/start", &[&key], hello).status, 201);

    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    let log = std::fs::read_to_string(temp.path().join("data/conversations.jsonl")).expect("a log");
    assert_eq!(log.lines().count(), 3, "{log}");
    assert!(log.contains(id) && !log.contains(TOKEN), "{log}");
}

#[test]
fn it_is_a_command_as_well_and_its_calls_are_checked() {
    let temp = folder();
    let program = Program::main(temp.path());
    let help = program.run(&["grpo-serve", "--help"]).ok();
    for flag in
        ["--max-conversations", "--conversation-timeout", "--log-conversations", "--auth-token"]
    {
        assert!(help.contains(flag), "{flag}: {help}");
    }
    for (args, expected) in [
        (&["stub:", "--model", "stub:"][..], "--model"),
        (&["--host", "nowhere"], "localhost"),
        (&["--max-conversations", "0"], "0"),
        (&["--conversation-timeout", "0"], "0"),
        (&["stub:", "--auth-token", "short"], "at least 12"),
    ] {
        let told = program.run(&[&["grpo-serve"], args].concat()).refused();
        assert!(told.contains(expected), "{args:?}: {told}");
    }
}
