//! Answers that are no success, and answers that make no sense.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stateset_connect::{ConnectError, HubSettings};

use crate::stand_in::{REPO, Reply, StandIn, fetch, names_in, weights};

/// A hub that answers the listing with `reply`.
fn hub_listing(reply: Reply) -> StandIn {
    let hub = StandIn::with_model();
    hub.on_reply(move |request, given| {
        if request.path.starts_with("/api/") {
            *given = reply.clone();
        }
    });
    hub
}

/// A hub that answers requests for the weights with `reply`.
fn hub_weights(reply: Reply) -> StandIn {
    let hub = StandIn::with_model();
    hub.on_reply(move |request, given| {
        if request.path.ends_with("model.safetensors") {
            *given = reply.clone();
        }
    });
    hub
}

#[test]
fn a_model_that_does_not_exist_is_named() {
    let hub = StandIn::with_model();
    let error = fetch(hub.settings(), "owner/typo", &mut |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "find owner/typo on 127.0.0.1: there is no such model, or it is private (status 404); check \
         the spelling, and for a private model set HF_TOKEN to a token that may read it"
    );
    // The public hub gives this for unknown and for private models alike.
    let error = hub_listing(Reply::status(401)).fetch().unwrap_err();
    assert!(matches!(error, ConnectError::UnknownModel { status: 401, .. }), "{error}");
}

#[test]
fn a_gated_model_asks_for_a_token() {
    let gated = Reply::status(403).header("X-Error-Code", "GatedRepo");
    let error = hub_listing(gated.clone()).fetch().unwrap_err();
    assert_eq!(
        error.to_string(),
        "read owner/tiny-model on 127.0.0.1: access is restricted (status 403); ask for access on \
         the model's page, then set HF_TOKEN to a token of the account that was granted it"
    );
    for reply in [Reply::status(403), gated, Reply::status(401)] {
        let status = reply.status;
        let hub = hub_weights(reply);
        let error = hub.fetch().unwrap_err();
        assert!(matches!(error, ConnectError::Gated { .. }), "{status}: {error}");
        assert_eq!(hub.blobs().len(), 0, "nothing is downloaded before all files are known");
    }
}

#[test]
fn other_refusals_are_told_apart() {
    let code = |status, code| Reply::status(status).header("X-Error-Code", code);
    let error = hub_listing(code(404, "RevisionNotFound")).fetch().unwrap_err();
    assert!(matches!(&error, ConnectError::UnknownRevision { revision, .. } if revision == "main"));
    let invalid =
        Reply::status(401).header("X-Error-Message", "Invalid credentials in Authorization header");
    let error = hub_listing(invalid).fetch().unwrap_err();
    assert!(matches!(error, ConnectError::BadToken { .. }), "{error}");
    let error = hub_weights(Reply::status(404)).fetch().unwrap_err();
    assert!(
        matches!(&error, ConnectError::MissingFile { file, .. } if file == "model.safetensors")
    );
    let busy = Reply::status(429).header("X-Error-Message", "Too many requests");
    let error = hub_listing(busy).fetch().unwrap_err();
    assert_eq!(
        error.to_string(),
        "read owner/tiny-model on 127.0.0.1: it answered with status 429 (Too many requests); try \
         again later"
    );
}

#[test]
fn a_refusal_of_another_host_says_nothing_about_the_model() {
    let hub = StandIn::with_model();
    hub.on_reply(|request, reply| {
        if request.is_elsewhere {
            *reply = Reply::status(403);
        }
    });
    let error = hub.fetch().unwrap_err();
    assert!(matches!(error, ConnectError::Refused { status: 403, .. }), "{error}");
}

#[test]
fn a_passing_failure_is_repeated_a_final_one_is_not() {
    for (status, n_requests) in [(503, 3), (404, 1), (400, 1)] {
        let hub = hub_listing(Reply::status(status));
        hub.fetch_with(HubSettings { n_retries: 2, ..hub.settings() }).unwrap_err();
        assert_eq!(hub.requests().len(), n_requests, "{status}");
    }
    let (hub, n) = (StandIn::with_model(), Arc::new(AtomicUsize::new(0)));
    hub.on_reply(move |_, reply| {
        // Every third answer fails, whatever was asked.
        if n.fetch_add(1, Ordering::Relaxed) % 3 == 0 {
            *reply = Reply::status(500);
        }
    });
    hub.fetch_with(HubSettings { n_retries: 2, ..hub.settings() }).unwrap();
}

#[test]
fn a_repository_without_safetensors_lists_what_it_has() {
    let hub = StandIn::with(&[
        ("config.json", "{}"),
        ("pytorch_model.bin", "x"),
        ("model.Q4.gguf", "x"),
        ("README.md", "x"),
    ]);
    let error = hub.fetch().unwrap_err();
    assert_eq!(
        error.to_string(),
        "load owner/tiny-model: it has no safetensors weights, only model.Q4.gguf, \
         pytorch_model.bin; convert them with `save_pretrained(.., safe_serialization=True)` and \
         give the local folder, or pick another model"
    );
    let error = StandIn::with(&[("README.md", "x")]).fetch().unwrap_err();
    assert!(error.to_string().contains("nor any in another known format"), "{error}");
}

#[test]
fn a_repository_that_lacks_a_part_names_it() {
    let index = ("model.safetensors.index.json", r#"{"weight_map": {"a": "m-1.safetensors"}}"#);
    for (files, missing) in [
        (vec![("model.safetensors", "x")], "config.json"),
        (vec![("config.json", "{}"), index], "m-1.safetensors"),
    ] {
        let error = StandIn::with(&files).fetch().unwrap_err();
        assert!(
            matches!(&error, ConnectError::MissingFile { file, .. } if file == missing),
            "{error}"
        );
    }
}

#[test]
fn names_that_could_leave_the_folder_are_refused() {
    for shard in
        ["../../../evil.safetensors", "/tmp/evil.safetensors", "a/b.safetensors", "evil.bin"]
    {
        let index = serde_json::json!({"weight_map": {"a": shard}}).to_string();
        let hub = StandIn::with(&[
            ("config.json", "{}"),
            ("model.safetensors.index.json", &index),
            (shard, "evil"),
        ]);
        let error = hub.fetch().unwrap_err();
        assert!(
            matches!(&error, ConnectError::UnsafeName { name, .. } if name == shard),
            "{error}"
        );
    }
    let tag = Reply::status(302)
        .header("X-Linked-Etag", "\"../../../../evil\"")
        .header("X-Linked-Size", 4);
    let hub = hub_weights(tag);
    let error = hub.fetch().unwrap_err();
    assert!(error.to_string().contains("has no usable tag"), "{error}");
    assert_eq!(names_in(hub.folder.path()), Vec::<String>::new());
}

#[test]
fn answers_that_make_no_sense_are_reported_as_such() {
    let body = |text: &str| Reply { body: text.as_bytes().to_vec(), ..Reply::status(200) };
    for reply in [
        body("<html>Please log in to the guest network</html>"),
        body(r#"{"sha": "../../x", "siblings": []}"#),
        body(r#"{"siblings": []}"#),
        Reply::status(302),
        Reply::status(302).header("Location", "ftp://127.0.0.1/x"),
        Reply::status(302).header("Location", format!("/api/models/{REPO}/revision/main")),
    ] {
        let shown = format!("{reply:?}");
        let error = hub_listing(reply).fetch().unwrap_err();
        assert!(matches!(error, ConnectError::BadAnswer { .. }), "{shown}: {error}");
    }
    let index = StandIn::with(&[("config.json", "{}"), ("model.safetensors.index.json", "[]")]);
    assert!(matches!(index.fetch(), Err(ConnectError::BadAnswer { .. })));
    for reply in [
        Reply::status(200).header("ETag", "\"x\"").header("Content-Length", "many"),
        Reply::status(200).header("Content-Length", weights().len()),
    ] {
        let error = hub_weights(reply).fetch().unwrap_err();
        let is_known =
            matches!(error, ConnectError::BadAnswer { .. } | ConnectError::Unreachable { .. });
        assert!(is_known, "{error}");
    }
}
