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

/// What a server with keys answers to a request with this one.
fn status(server: &Serving, key: &str) -> u16 {
    server.ask("GET", "/v1/models", &[&format!("x-api-key: {key}")], "").status
}

/// Waits until a key opens, or does no more. A good key between wrong ones keeps the address from being locked out.
fn wait_for(server: &Serving, good: &str, key: &str, wanted: u16) {
    let start = std::time::Instant::now();
    while status(server, key) != wanted {
        assert_eq!(status(server, good), 200);
        assert!(start.elapsed().as_secs() < 60, "it is not {wanted}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

#[test]
fn keys_are_added_listed_and_revoked_while_a_server_runs() {
    let temp = folder();
    let program = Program::main(temp.path());
    let keys = |args: &[&str]| program.run(&[&["keys"], args, &["--data-dir", "data"]].concat());
    let first = keys(&["add", "--role", "admin", "--name", "boss"]);
    assert!(first.stderr.contains("boss has the role admin"), "{}", first.stderr);
    let first = first.ok().trim().to_owned();
    assert!(first.starts_with("sk-stateset-"), "{first}");
    let server = serve(&program, &["--data-dir", "data", "--rate-limit", "0"]);
    assert_eq!((status(&server, "another-key-here"), status(&server, &first)), (401, 200));

    let second = keys(&["add", "--role", "user", "--json"]).json_lines().remove(0);
    let (name, key) = (second["name"].as_str().unwrap(), second["key"].as_str().unwrap());
    assert!(name.starts_with("user-"), "{second}");
    wait_for(&server, &first, key, 200);
    let listed = keys(&["list"]).ok();
    assert!(listed.contains("boss") && listed.contains(name) && !listed.contains(key), "{listed}");
    keys(&["revoke", name]).ok();
    wait_for(&server, &first, key, 401);
    assert_eq!(status(&server, &first), 200);
    server.stop();

    let kept = std::fs::read_to_string(temp.path().join("data/keys.json")).expect("a keys file");
    assert!(kept.contains("boss") && !kept.contains(&first) && !kept.contains(name), "{kept}");
    let refusals: [(&[&str], &str); 4] = [
        (&["add", "--role", "admin", "--name", "boss"], "already"),
        (&["add", "--role", "root"], "user, trainer, admin"),
        (&["revoke", "nobody"], "those there are: boss"),
        (&["add", "--role", "user", "--name", ""], "1 to 100"),
    ];
    for (args, expected) in refusals {
        let told = keys(args).refused();
        assert!(told.contains(expected), "{args:?}: {told}");
    }
}
