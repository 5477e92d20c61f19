//! The cache is the one of the Python tools, in both directions, and is enough without a network.
//!
//! Golden file: tests/golden/hub_cache.json, written by huggingface_hub 2.4.0.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use stateset_connect::{ConnectError, HubSettings};

use crate::stand_in::{COMMIT, REPO, Reply, Served, StandIn, fetch, names_in};

const GOLDEN: &str = include_str!("../../../../tests/golden/hub_cache.json");

fn golden() -> Value {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    assert_eq!((golden["commit"].as_str(), golden["repo"].as_str()), (Some(COMMIT), Some(REPO)));
    golden
}

/// The server that wrote the golden file, with a file beside that is not wanted.
fn golden_server(golden: &Value) -> StandIn {
    let files = golden["served"].as_object().unwrap().iter().map(|(name, file)| {
        let text = |key: &str| file[key].as_str().unwrap();
        let is_large = file["is_large"].as_bool().unwrap();
        let (bytes, etag) = (text("text").as_bytes().to_vec(), text("etag").to_owned());
        (name.clone(), Served { bytes, etag, is_large })
    });
    StandIn::serving(files.collect())
}

/// Text or link target of every path below `folder`.
fn tree(root: &Path, folder: &Path, found: &mut BTreeMap<String, Value>) {
    for name in names_in(folder) {
        let path = folder.join(name);
        let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if let Ok(target) = fs::read_link(&path) {
            found.insert(key, serde_json::json!({"link": target}));
        } else if path.is_dir() {
            tree(root, &path, found);
        } else {
            found.insert(key, serde_json::json!({"text": fs::read_to_string(&path).unwrap()}));
        }
    }
}

#[cfg(unix)]
fn write_python_cache(golden: &Value, root: &Path) {
    for (name, entry) in golden["cache"].as_object().unwrap() {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry["link"].as_str() {
            Some(target) => std::os::unix::fs::symlink(target, &path).unwrap(),
            None => fs::write(&path, entry["text"].as_str().unwrap()).unwrap(),
        }
    }
}

fn unused_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[cfg(unix)]
#[test]
fn what_is_written_is_what_the_python_tools_write() {
    let golden = golden();
    let hub = golden_server(&golden);
    hub.fetch().unwrap();
    let (mut ours, root) = (BTreeMap::new(), hub.folder.path());
    tree(root, root, &mut ours);
    ours.retain(|name, _| !name.starts_with(".locks/"));
    let marks = format!("models--owner--tiny-model/.no_exist/{COMMIT}/");
    let (our_marks, ours): (BTreeMap<_, _>, BTreeMap<_, _>) =
        ours.into_iter().partition(|(name, _)| name.starts_with(&marks));
    let (their_marks, theirs): (BTreeMap<_, _>, BTreeMap<_, _>) = golden["cache"]
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .partition(|(name, _)| name.starts_with(&marks));
    assert_eq!(ours, theirs);
    assert_eq!(their_marks.len(), 1);
    for (name, mark) in their_marks {
        assert_eq!(our_marks.get(&name), Some(&mark), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_model_of_the_python_tools_is_found() {
    let golden = golden();
    let hub = golden_server(&golden);
    write_python_cache(&golden, hub.folder.path());
    let folder = hub.fetch_with(HubSettings { is_offline: true, ..hub.settings() }).unwrap();
    assert_eq!(
        fs::read_to_string(folder.join("config.json")).unwrap(),
        "{\"model_type\": \"llama\"}\n"
    );
    assert_eq!(hub.requests().len(), 0);

    // They did not ask for every file that is wanted here, so the hub is asked once what there is.
    assert_eq!(hub.fetch().unwrap(), folder);
    let asked: Vec<String> = hub.requests().into_iter().map(|r| r.path).collect();
    assert_eq!(asked, [format!("/api/models/{REPO}/revision/main")]);
    hub.fetch().unwrap();
    assert_eq!(hub.requests().len(), 0);
}

#[test]
fn offline_uses_the_cache_and_asks_nobody() {
    let hub = StandIn::with_model();
    let offline = HubSettings { is_offline: true, ..hub.settings() };
    let error = hub.fetch_with(offline.clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "find owner/tiny-model in the cache {}: offline mode is on and the cache does not hold \
             the whole model; unset HF_HUB_OFFLINE, or give a local folder",
            hub.folder.path().display()
        )
    );
    assert_eq!(hub.requests().len(), 0);
    let folder = hub.fetch().unwrap();
    hub.requests();
    assert_eq!(hub.fetch_with(offline).unwrap(), folder);
    assert_eq!(hub.requests().len(), 0);
}

#[test]
fn offline_does_without_a_template_but_not_without_weights() {
    let hub = StandIn::with_model();
    let offline = HubSettings { is_offline: true, ..hub.settings() };
    let folder = hub.fetch().unwrap();
    fs::remove_file(folder.join("generation_config.json")).unwrap();
    hub.fetch_with(offline.clone()).unwrap();
    let weights = fs::canonicalize(folder.join("model.safetensors")).unwrap();
    fs::remove_file(weights).unwrap();
    let error = hub.fetch_with(offline).unwrap_err();
    assert!(matches!(error, ConnectError::NotCached { .. }), "{error}");
    hub.fetch().unwrap();
    assert!(
        folder.join("generation_config.json").exists() && folder.join("model.safetensors").exists()
    );
}

#[test]
fn without_a_network_the_error_says_what_to_do() {
    let hub = StandIn::with_model();
    let endpoint = format!("http://127.0.0.1:{}", unused_port());
    let error = hub.fetch_with(HubSettings { endpoint, ..hub.settings() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "download owner/tiny-model: 127.0.0.1 cannot be reached from this machine (nothing listens \
         there); check the network, set HF_ENDPOINT to a mirror that can be reached, or give a \
         local folder"
    );
}

#[test]
fn a_host_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = "http://hub.invalid".to_owned();
    let connect_timeout = Duration::from_secs(2);
    let settings = HubSettings { endpoint, connect_timeout, ..HubSettings::new(folder.path()) };
    let error = fetch(settings, REPO, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, ConnectError::Unreachable { host, .. } if host == "hub.invalid"));
    assert!(error.to_string().contains("its name cannot be resolved"), "{error}");
}

#[test]
fn in_an_outage_a_loadable_copy_is_used() {
    let hub = StandIn::with_model();
    let folder = hub.fetch().unwrap();
    fs::remove_file(folder.join("generation_config.json")).unwrap();
    let endpoint = format!("http://127.0.0.1:{}", unused_port());
    let unreachable = HubSettings { endpoint, ..hub.settings() };
    assert_eq!(hub.fetch_with(unreachable).unwrap(), folder);
    hub.on_reply(|_, reply| *reply = Reply::status(503));
    assert_eq!(hub.fetch().unwrap(), folder);
    hub.on_reply(|_, reply| *reply = Reply::status(404));
    assert!(matches!(hub.fetch(), Err(ConnectError::UnknownModel { .. })), "this is no outage");
}

#[cfg(unix)]
#[test]
fn a_cache_that_takes_no_marks_serves_what_it_has() {
    let golden = golden();
    let hub = golden_server(&golden);
    write_python_cache(&golden, hub.folder.path());
    let marks = hub.folder.path().join("models--owner--tiny-model/.no_exist").join(COMMIT);
    fs::remove_dir_all(&marks).unwrap();
    fs::write(&marks, "a file where a folder should be").unwrap();
    assert_eq!(names_in(&hub.fetch().unwrap()).len(), 5);
    assert_eq!(names_in(&hub.fetch().unwrap()).len(), 5);
    assert_eq!(hub.requests().len(), 2, "it has to ask each time");
}
