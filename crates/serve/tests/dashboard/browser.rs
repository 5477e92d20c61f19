//! The pages in a real browser: Chromium, driven by Playwright's Python package.
//!
//! Pictures of every page are left in `target/screenshots`.

use std::path::{Path, PathBuf};

use stateset_train::read_pairs;

use super::python_clients::{python, run_client, skip};
use super::running::{start, train};

/// The browser that `STATESET_CHROMIUM` names, or the system's. `None`, said aloud, where there is none.
fn chromium() -> Option<String> {
    let named = std::env::var("STATESET_CHROMIUM").ok();
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].map(str::to_owned);
    let found = named.into_iter().chain(usual).find(|path| Path::new(path).is_file());
    if found.is_none() {
        skip("there is no /usr/bin/chromium, so no page was seen in a browser");
    }
    found
}

/// `target/screenshots`.
fn screenshots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
}

#[tokio::test(flavor = "multi_thread")]
async fn people_find_their_way_in_a_real_browser() {
    let Some(chromium) = chromium() else { return };
    let Some(python) = python("playwright.sync_api") else { return };
    let runs = tempfile::tempdir().unwrap();
    train(runs.path(), "first", "1").await;
    train(runs.path(), "second", "2").await;
    let server = start(runs.path()).await;
    let pictures = screenshots();
    // Those of pages that are no longer there would be taken for new ones.
    let _ = std::fs::remove_dir_all(&pictures);
    let args = vec![server.address.clone(), pictures.display().to_string(), chromium];
    run_client(python, "browser.py", args).await;
    let text = std::fs::read_to_string(&server.preferences).unwrap();
    let pairs = read_pairs(&text).unwrap();
    assert_eq!(pairs.len(), 1);
    assert!(text.contains("I am two.") && text.contains("\"chosen_model\":\"two\""), "{text}");
    server.services.stop().await;
}
