//! `train` and `evaluate` with the tools of a file, behind a server that is a thread of this test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::program::{Program, folder};

/// Its address, and how often it was asked by somebody with the key.
fn serve() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(copy) = stream.try_clone() else { continue };
            let head = BufReader::new(copy).lines().map_while(Result::ok);
            let head: Vec<String> = head.take_while(|line| !line.is_empty()).collect();
            let is_known =
                head.iter().any(|line| line.eq_ignore_ascii_case("authorization: Bearer s3cret"));
            let is_there = head.first().is_some_and(|line| line.starts_with("GET /orders/17 "));
            count.fetch_add(usize::from(is_known && is_there), Ordering::SeqCst);
            let body = r#"{"state": "it left on Monday"}"#;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    (url, asked)
}

fn tools(url: &str) -> String {
    format!(
        "[[http]]\nname = \"find_order\"\ndescription = \"Finds an order.\"\nmethod = \"GET\"\n\
         url = \"{url}/orders/{{id}}\"\nheaders = {{ Authorization = \"Bearer ${{SHOP_KEY}}\" }}\n\
         parameters = {{ type = \"object\", properties = {{ id = {{ type = \"string\" }} }}, \
         required = [\"id\"] }}\n"
    )
}

const CALL: &str = "```json\n{\"tool\": \"find_order\", \"parameters\": {\"id\": \"17\"}}\n```";

#[test]
fn tools_of_a_file_are_called_in_training_and_in_evaluations() {
    let temp = folder();
    let (url, asked) = serve();
    let script = json!([{"id": "s", "user_responses": ["Where is order 17?"]}]).to_string();
    fs::write(temp.path().join("s.json"), script).expect("written");
    fs::write(temp.path().join("tools.toml"), tools(&url)).expect("written");
    let replies = format!("--set=agent.stub_responses={}", json!([CALL, "It left."]));
    let program = Program::main(temp.path()).with("SHOP_KEY", "s3cret");
    let common = [
        "--env=s.json",
        "--reward=contains:left",
        "--set=environment.tools_file=tools.toml",
        &replies,
    ];
    let train =
        ["train", "--stub", "--steps=1", "--set=training.eval_before=false", "--output=run"];
    program.run(&[&train[..], &common].concat()).ok();
    let n = asked.load(Ordering::SeqCst);
    assert!(n >= 1, "{n}");
    let played =
        fs::read_to_string(temp.path().join("run/evaluations/after.jsonl")).expect("it is there");
    assert!(played.contains("it left on Monday"), "{played}");
    let stub = ["evaluate", "--set=agent.use_stub_model=true"];
    program.run(&[&stub[..], &common].concat()).ok();
    assert!(asked.load(Ordering::SeqCst) > n);
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let temp = folder();
    let program = Program::main(temp.path());
    let told = |text: &str| {
        fs::write(temp.path().join("tools.toml"), text).expect("written");
        let args = ["train", "--stub", "--steps=1", "--output=run"];
        program.run(&[&args[..], &["--set=environment.tools_file=tools.toml"]].concat()).refused()
    };
    let missing = told(&tools("http://127.0.0.1:9"));
    for part in ["environment.tools_file", "find_order", "SHOP_KEY has no value"] {
        assert!(missing.contains(part), "{missing}");
    }
    assert!(told("[[htp]]\n").contains("htp"));
    fs::remove_file(temp.path().join("tools.toml")).expect("it is there");
    let args = [
        "evaluate",
        "--set=agent.use_stub_model=true",
        "--env=sales",
        "--set=environment.tools_file=tools.toml",
    ];
    // That a stub learns nothing is said first.
    let lost = program.run(&args);
    assert_eq!(lost.code, 2, "{}", lost.stderr);
    assert!(lost.stderr.contains("tools.toml"), "{}", lost.stderr);
}
