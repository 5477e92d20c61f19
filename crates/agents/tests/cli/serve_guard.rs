//! `serve`: keys, addresses that are taken, and stopping.

use std::net::TcpListener;

use super::program::{Program, folder};
use super::serving::Serving;

fn serve(program: &Program, args: &[&str]) -> Serving {
    Serving::start(program.command(&[&["serve", "--model", "stub:", "--port", "0"], args].concat()))
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
    ] {
        let told = Program::main(temp.path()).run(&[&stub, args].concat()).refused();
        assert!(told.contains(expected), "{args:?}: {told}");
        assert!(!told.contains("tooshort"), "{told}");
    }
    let program = Program::main(temp.path()).with("GRPO_API_KEYS", "some-secret-key:root");
    let told = program.run(&stub).refused();
    assert!(told.contains("GRPO_API_KEYS") && !told.contains("some-secret-key"), "{told}");
}

#[test]
fn a_server_for_others_makes_a_key_once_and_shows_it_once() {
    let temp = folder();
    let program = Program::main(temp.path());
    let args = ["--host", "0.0.0.0", "--keys-file", "keys.json"];
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
