//! Connections that break, servers that fall silent, and bytes that are not the announced ones.

use std::fs;
use std::time::{Duration, Instant};

use stateset_connect::{ConnectError, HubSettings};

use crate::stand_in::{REPO, Reply, Request, StandIn, fetch, sha256, weights};

const FILE: &str = "model.safetensors";

/// Changes the replies that carry bytes of the weights.
fn on_weights(hub: &StandIn, mut change: impl FnMut(&Request, &mut Reply) + Send + 'static) {
    hub.on_reply(move |request, reply| {
        if request.is_elsewhere && request.is_for_bytes_of(FILE) {
            change(request, reply);
        }
    });
}

fn ranges_of_weights(hub: &StandIn) -> Vec<Option<String>> {
    let requests = hub.requests();
    let of_weights = requests.iter().filter(|r| r.is_elsewhere && r.is_for_bytes_of(FILE));
    of_weights.map(|r| r.headers.get("range").cloned()).collect()
}

/// A hub whose cache holds the first `len` bytes of what an earlier run left of the weights.
fn hub_with_partial(text: &[u8]) -> StandIn {
    let hub = StandIn::with_model();
    let blobs = hub.folder.path().join("models--owner--tiny-model/blobs");
    fs::create_dir_all(&blobs).unwrap();
    let name = format!("{}.incomplete", sha256(weights().as_bytes()));
    fs::write(blobs.join(name), text).unwrap();
    hub
}

fn assert_whole(hub: &StandIn) {
    let folder = hub.fetch().unwrap();
    assert_eq!(fs::read_to_string(folder.join(FILE)).unwrap(), weights());
    assert!(!hub.blobs().iter().any(|name| name.ends_with(".incomplete")), "{:?}", hub.blobs());
}

#[test]
fn a_broken_download_is_kept_and_continued_by_the_next_call() {
    let hub = StandIn::with_model();
    on_weights(&hub, |_, reply| reply.cut = Some(40_000));
    let error = hub.fetch().unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("download `model.safetensors` of owner/tiny-model: the connection broke after 40000 of 100000 bytes (")
            && text.ends_with("); run it again to continue from there"),
        "{text}"
    );
    let partial = format!("{}.incomplete", sha256(weights().as_bytes()));
    assert!(hub.blobs().contains(&partial));
    assert_eq!(ranges_of_weights(&hub), [None]);

    hub.behave();
    let mut first = None;
    fetch(hub.settings(), REPO, &mut |p| {
        if p.file == FILE {
            first.get_or_insert(p.done_bytes);
        }
    })
    .unwrap();
    assert_eq!(first, Some(40_000), "what is there counts as done");
    assert_eq!(ranges_of_weights(&hub), [Some("bytes=40000-".to_owned())]);
    assert_whole(&hub);
}

#[test]
fn a_download_that_breaks_often_goes_on_while_bytes_arrive() {
    let hub = StandIn::with_model();
    on_weights(&hub, |_, reply| reply.cut = Some(30_000));
    hub.fetch_with(HubSettings { n_retries: 1, ..hub.settings() }).unwrap();
    assert_eq!(ranges_of_weights(&hub).len(), 4);
    assert_whole(&hub);

    let hub = StandIn::with_model();
    on_weights(&hub, |_, reply| reply.cut = Some(0));
    let error = hub.fetch_with(HubSettings { n_retries: 1, ..hub.settings() }).unwrap_err();
    assert!(matches!(error, ConnectError::Interrupted { done_bytes: 0, .. }), "{error}");
    assert_eq!(ranges_of_weights(&hub).len(), 2, "nothing arrived twice, so it gives up");
}

#[test]
fn a_silent_server_is_given_up() {
    let hub = StandIn::with_model();
    on_weights(&hub, |_, reply| {
        reply.cut = Some(10_000);
        reply.is_silent = true;
    });
    let begin = Instant::now();
    let read_timeout = Duration::from_millis(200);
    let error = hub.fetch_with(HubSettings { read_timeout, ..hub.settings() }).unwrap_err();
    assert!(matches!(error, ConnectError::Interrupted { done_bytes: 10_000, .. }), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    hub.behave();
    assert_whole(&hub);
}

#[test]
fn a_server_that_serves_no_parts_makes_the_file_start_over() {
    let hub = hub_with_partial(&weights().as_bytes()[..40_000]);
    on_weights(&hub, |_, reply| {
        *reply = Reply { body: weights().into_bytes(), ..Reply::status(200) };
    });
    assert_whole(&hub);
    assert_eq!(ranges_of_weights(&hub), [Some("bytes=40000-".to_owned())]);
}

#[test]
fn a_whole_file_that_was_only_not_moved_is_not_downloaded_again() {
    let hub = hub_with_partial(weights().as_bytes());
    assert_whole(&hub);
    assert_eq!(ranges_of_weights(&hub).len(), 0);
}

#[test]
fn a_leftover_longer_than_the_file_is_thrown_away() {
    let hub = hub_with_partial(format!("{}and more", weights()).as_bytes());
    assert_whole(&hub);
    assert_eq!(ranges_of_weights(&hub), [None]);
}

#[test]
fn a_leftover_of_other_content_is_found_by_its_hash() {
    let hub = hub_with_partial(&[b'x'; 40_000]);
    let error = hub.fetch().unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("its SHA-256 is ") && text.contains("what arrived was deleted"),
        "{text}"
    );
    assert_whole(&hub);
}

#[test]
fn bytes_that_are_not_the_announced_ones_are_deleted_and_reported() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(&str, Change); 3] = [
        ("60000 of the announced 100000 bytes came", |body| body.truncate(60_000)),
        ("more than the announced 100000 bytes came", |body| body.push(b'x')),
        ("its SHA-256 is ", |body| body[70_000] ^= 1),
    ];
    for (problem, change) in changes {
        let hub = StandIn::with_model();
        on_weights(&hub, move |_, reply| change(&mut reply.body));
        let error = hub.fetch().unwrap_err();
        assert!(matches!(&error, ConnectError::Damaged { file, .. } if file == FILE), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
        let sha256 = sha256(weights().as_bytes());
        assert!(!hub.blobs().iter().any(|name| name.starts_with(&sha256)), "{:?}", hub.blobs());
        hub.behave();
        assert_whole(&hub);
    }
}

#[test]
fn another_range_than_the_one_asked_for_is_refused() {
    let hub = hub_with_partial(&weights().as_bytes()[..40_000]);
    on_weights(&hub, |_, reply| {
        reply.headers.insert("Content-Range".to_owned(), "bytes 30000-99999/100000".to_owned());
    });
    let error = hub.fetch().unwrap_err();
    assert!(matches!(error, ConnectError::BadAnswer { .. }), "{error}");
}

#[test]
fn a_blob_of_the_wrong_length_is_replaced() {
    let hub = StandIn::with_model();
    let folder = hub.fetch().unwrap();
    let blob = fs::canonicalize(folder.join(FILE)).unwrap();
    fs::write(&blob, "cut").unwrap();
    fs::remove_file(folder.join(FILE)).unwrap();
    assert_whole(&hub);
}
