//! `serve`: keys, addresses that are taken, and stopping.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Stdio};

use super::program::{Program, folder};

/// A running server and what it said until it listened.
struct Serving {
    child: Child,
    said: String,
    stderr: BufReader<ChildStderr>,
}

fn serve(program: &Program, args: &[&str]) -> Serving {
    let mut command =
        program.command(&[&["serve", "--model", "stub:", "--port", "0"], args].concat());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    while !said.contains("listening on") {
        assert_ne!(stderr.read_line(&mut said).expect("UTF-8"), 0, "{said}");
    }
    Serving { child, said, stderr }
}

impl Serving {
    /// Asks it to terminate; how it ended and what it said meanwhile.
    fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        let mut said = String::new();
        while self.stderr.read_line(&mut said).expect("UTF-8") > 0 {}
        (self.child.wait().expect("it ends").code(), said)
    }
}

#[test]
fn wrong_settings_are_refused_with_code_2_and_secrets_are_not_repeated() {
    let temp = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let stub = ["serve", "--model", "stub:"];
    for (args, expected) in [
        (&["--port", &port][..], "--port"),
        (&["--api-key", "tooshort"], "at least 12"),
        (&["--tls-cert", "cert.pem"], "--tls-key"),
        (&["--tls-cert", "no.pem", "--tls-key", "no.pem"], "no.pem"),
        (&["--cors-origin", "app.example"], "https://app.example"),
        (&["--jwt-secret-file", "missing"], "missing"),
        (&["--max-requests", "0"], "0"),
        (&["--otlp-endpoint", "localhost:4318"], "https://api.example"),
    ] {
        let told = Program::main(temp.path()).run(&[&stub, args].concat()).refused();
        assert!(told.contains(expected), "{args:?}: {told}");
        assert!(!told.contains("tooshort"), "{told}");
    }
    let program = Program::main(temp.path()).with("GRPO_API_KEYS", "some-secret-key:root");
    let told = program.run(&stub).refused();
    assert!(told.contains("GRPO_API_KEYS") && !told.contains("some-secret-key"), "{told}");
    let program = Program::main(temp.path()).with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let told = program.run(&[&stub[..], &["--otlp-endpoint", "http://a"]].concat()).refused();
    assert!(told.contains("http/protobuf"), "{told}");
}

#[test]
fn a_server_for_others_makes_a_key_once_and_shows_it_once() {
    let temp = folder();
    let program = Program::main(temp.path());
    // A collector that is not there changes nothing.
    let watched = ["--otlp-endpoint", "http://localhost:4318"];
    let args = [&["--host", "0.0.0.0", "--keys-file", "keys.json"][..], &watched[..]].concat();
    let server = serve(&program, &args);
    let key = server.said.split_whitespace().find(|word| word.starts_with("sk-stateset-"));
    let key = key.expect("a key").to_owned();
    assert!(server.said.contains("in the clear"), "{}", server.said);
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stopping"), "{said}");
    let kept = std::fs::read_to_string(temp.path().join("keys.json")).expect("a keys file");
    assert!(!kept.contains(&key) && kept.contains("sha256"));
    let again = serve(&program, &args);
    assert!(!again.said.contains("sk-stateset-"), "{}", again.said);
    again.stop();
}
