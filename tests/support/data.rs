//! Real data for tests, where it is at hand.
//!
//! Tests include this file by path. Where data is absent a test returns early; the program that runs
//! the tests counts such tests through the file named by `STATESET_SKIP_LOG`.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The file or folder `path` of the test data: under `STATESET_TEST_DATA`, or beside the workspace.
/// `None`, with a line saying so, where it is absent.
pub(crate) fn test_data(path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("STATESET_TEST_DATA").map_or_else(beside, PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    #[allow(clippy::print_stdout, reason = "a test says so when it is skipped")]
    {
        println!("SKIPPED: there is no test data at {path}");
    }
    if let Some(log) = std::env::var_os("STATESET_SKIP_LOG")
        && let Ok(mut log) = std::fs::OpenOptions::new().append(true).create(true).open(log)
    {
        let _ = writeln!(log, "{path}");
    }
    None
}
