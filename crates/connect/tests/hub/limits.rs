//! Limits of a download: those the caller sets, and the disk's.

use stateset_connect::{ConnectError, HubSettings};

use crate::stand_in::StandIn;

#[test]
fn the_limit_of_bytes_is_checked_before_any_is_downloaded() {
    let hub = StandIn::with_model();
    let total = 100_000 + 2 + 2 + 18;
    let limited = |limit| HubSettings { max_download_bytes: Some(limit), ..hub.settings() };
    let error = hub.fetch_with(limited(total - 1)).unwrap_err();
    let text = format!(
        "download owner/tiny-model: {total} bytes are more than the limit of {}",
        total - 1
    );
    assert_eq!(error.to_string(), text);
    assert_eq!(hub.blobs().len(), 0);
    hub.fetch_with(limited(total)).unwrap();
    hub.fetch_with(limited(0)).unwrap();
}

#[test]
fn the_limit_of_files_counts_shards() {
    let files = [
        ("config.json", "{}"),
        (
            "model.safetensors.index.json",
            r#"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}"#,
        ),
        ("m-1.safetensors", "1"),
        ("m-2.safetensors", "2"),
    ];
    let hub = StandIn::with(&files);
    let error = hub.fetch_with(HubSettings { max_files: 3, ..hub.settings() }).unwrap_err();
    assert!(matches!(error, ConnectError::TooManyFiles { found: 4, limit: 3, .. }), "{error}");
    hub.fetch_with(HubSettings { max_files: 4, ..hub.settings() }).unwrap();
}

#[test]
fn a_file_larger_than_the_disk_is_not_begun() {
    let hub = StandIn::with_model();
    hub.on_reply(|_, reply| {
        if let Some(size) = reply.headers.get_mut("X-Linked-Size") {
            *size = (1u64 << 60).to_string();
        }
    });
    let error = hub.fetch().unwrap_err();
    let needed = (1u64 << 60) + 2 + 2 + 18;
    let is_full =
        matches!(&error, ConnectError::DiskFull { needed_bytes, .. } if *needed_bytes == needed);
    assert!(is_full, "{error}");
    assert!(
        error.to_string().contains("the disk is full") && error.to_string().contains("HF_HOME")
    );
    assert_eq!(hub.blobs().len(), 0);
}

/// `/dev/full` takes no byte and says that the disk is full.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_meanwhile_is_reported() {
    let hub = StandIn::with_model();
    let blobs = hub.folder.path().join("models--owner--tiny-model/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let sha256 = crate::stand_in::sha256(crate::stand_in::weights().as_bytes());
    std::os::unix::fs::symlink("/dev/full", blobs.join(format!("{sha256}.incomplete"))).unwrap();
    let error = hub.fetch().unwrap_err();
    assert!(matches!(error, ConnectError::DiskFull { needed_bytes: 100_000, .. }), "{error}");
}

#[test]
fn an_index_has_a_limit_of_its_own() {
    let hub = StandIn::with(&[("config.json", "{}"), ("model.safetensors.index.json", "{}")]);
    hub.on_reply(|request, reply| {
        if request.method == "HEAD" {
            reply.headers.insert("Content-Length".to_owned(), "67108865".to_owned());
        }
    });
    let error = hub.fetch().unwrap_err();
    assert!(matches!(error, ConnectError::TooLarge { limit_bytes: 67_108_864, .. }), "{error}");
}
