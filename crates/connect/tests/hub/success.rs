//! What is downloaded, from where, and what the second call costs.

use std::fs;

use stateset_connect::{HubSettings, Token};

use crate::stand_in::{COMMIT, REPO, StandIn, fetch, names_in, weights};

#[test]
fn a_model_is_downloaded_once_and_nothing_beside_it() {
    let hub = StandIn::with_model();
    let folder = hub.fetch().unwrap();
    assert_eq!(folder.file_name().unwrap(), COMMIT);
    let names = [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    assert_eq!(names_in(&folder), names);
    assert_eq!(fs::read_to_string(folder.join("model.safetensors")).unwrap(), weights());
    assert_eq!(fs::read_to_string(folder.join("tokenizer_config.json")).unwrap(), "");
    let asked: Vec<String> = hub.requests().into_iter().map(|r| r.path).collect();
    for unwanted in ["README", ".png", ".bin", "onnx", "vocab", "gitattributes"] {
        assert!(!asked.iter().any(|path| path.contains(unwanted)), "{unwanted}");
    }

    assert_eq!(hub.fetch().unwrap(), folder);
    assert_eq!(hub.requests().len(), 0, "the second call is served from the cache");
}

#[test]
fn progress_names_the_file_and_ends_at_the_total() {
    let hub = StandIn::with(&[
        ("config.json", "{}"),
        ("model.safetensors.index.json", r#"{"weight_map": {"a": "m-1.safetensors"}}"#),
        ("m-1.safetensors", &weights()),
    ]);
    let mut seen = Vec::new();
    fetch(hub.settings(), REPO, &mut |p| {
        seen.push((p.file.to_owned(), p.done_bytes, p.total_bytes));
    })
    .unwrap();
    let total = 2 + 40 + 100_000;
    assert_eq!(seen.first().unwrap(), &("model.safetensors.index.json".to_owned(), 0, 40));
    assert_eq!(seen.last().unwrap(), &("m-1.safetensors".to_owned(), total, total));
    assert!(seen.is_sorted_by_key(|(_, done, total)| (*done, *total)), "{seen:?}");
    assert!(seen.contains(&("m-1.safetensors".to_owned(), 42, total)), "before its first byte");

    let mut is_called = false;
    fetch(hub.settings(), REPO, &mut |_| is_called = true).unwrap();
    assert!(!is_called, "nothing was downloaded");
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let hub = StandIn::with_model();
    let token = Some(Token::new("hf_secret").unwrap());
    hub.fetch_with(HubSettings { token, ..hub.settings() }).unwrap();
    let requests = hub.requests();
    let bearer = Some(&"Bearer hf_secret".to_owned());
    assert!(requests.iter().any(|r| r.is_elsewhere));
    for request in &requests {
        let expected = if request.is_elsewhere { None } else { bearer };
        assert_eq!(request.headers.get("authorization"), expected, "{request:?}");
        assert!(request.headers["user-agent"].starts_with("stateset-agents/"));
    }
}

#[test]
fn without_a_token_none_is_sent() {
    let hub = StandIn::with_model();
    hub.fetch().unwrap();
    assert!(hub.requests().iter().all(|r| !r.headers.contains_key("authorization")));
}

#[test]
fn an_adapter_is_a_model_of_two_files() {
    let hub = StandIn::with(&[
        ("README.md", "x"),
        ("adapter_config.json", "{}"),
        ("adapter_model.safetensors", "weights"),
        ("training_args.bin", "x"),
    ]);
    let folder = hub.fetch().unwrap();
    assert_eq!(names_in(&folder), ["adapter_config.json", "adapter_model.safetensors"]);
    hub.requests();
    hub.fetch().unwrap();
    assert_eq!(hub.requests().len(), 0);
}

#[test]
fn a_revision_is_asked_for_as_one_part_of_the_path() {
    let hub = StandIn::with_model();
    fetch(hub.settings(), &format!("{REPO}@refs/pr/5"), &mut |_| {}).unwrap();
    let listing = format!("/api/models/{REPO}/revision/refs%2Fpr%2F5");
    assert_eq!(hub.requests()[0].path, listing);
    let refs = hub.folder.path().join("models--owner--tiny-model/refs");
    assert_eq!(fs::read_to_string(refs.join("refs/pr/5")).unwrap(), COMMIT);
    hub.fetch().unwrap();
    let asked: Vec<String> = hub.requests().into_iter().map(|r| r.path).collect();
    assert_eq!(asked, [format!("/api/models/{REPO}/revision/main")], "its files are shared");
}

#[test]
fn a_commit_needs_no_ref() {
    let hub = StandIn::with_model();
    let id = format!("{REPO}@{COMMIT}");
    let folder = fetch(hub.settings(), &id, &mut |_| {}).unwrap();
    assert_eq!(names_in(&hub.folder.path().join("models--owner--tiny-model/refs")).len(), 0);
    hub.requests();
    assert_eq!(fetch(hub.settings(), &id, &mut |_| {}).unwrap(), folder);
    assert_eq!(hub.requests().len(), 0);
}

#[test]
fn renamed_models_and_mirrors_with_a_path_are_followed() {
    let hub = StandIn::with_model();
    hub.on_reply(|request, reply| {
        if let Some(rest) = request.path.strip_prefix("/mirror/api/models/old/name") {
            reply.status = 307;
            let there = format!("/api/models/{REPO}{rest}");
            reply.headers.insert("Location".to_owned(), there);
        } else if let Some(rest) = request.path.strip_prefix("/mirror/old/name") {
            reply.status = 307;
            reply.headers.insert("Location".to_owned(), format!("/{REPO}{rest}"));
        }
    });
    let endpoint = format!("{}/mirror/", hub.settings().endpoint);
    let settings = HubSettings { endpoint, ..hub.settings() };
    let folder = fetch(settings, "old/name", &mut |_| {}).unwrap();
    assert_eq!(fs::read_to_string(folder.join("model.safetensors")).unwrap(), weights());
    assert!(folder.starts_with(hub.folder.path().join("models--old--name")));
}

#[test]
fn two_calls_at_once_download_each_file_once() {
    let hub = StandIn::with_model();
    let folders = std::thread::scope(|scope| {
        [(); 4].map(|()| scope.spawn(|| hub.fetch().unwrap())).map(|call| call.join().unwrap())
    });
    assert!(folders.iter().all(|folder| folder == &folders[0]));
    let requests = hub.requests();
    let of_weights = requests.iter().filter(|r| r.is_elsewhere && r.method == "GET");
    assert_eq!(of_weights.count(), 1);
}
