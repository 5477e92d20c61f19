//! Replays the expected calls of every task of a domain and prints what they come to.
//!
//! `cargo run -p stateset-env --example replay_tasks -- FOLDER` for a folder of tau-bench's retail files, of
//! tau2-bench's small domain, or of a domain of our own; without a folder, the built-in shop.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

#[path = "../tests/replays/mod.rs"]
mod replays;

use std::path::Path;
use std::sync::Arc;

use replays::{Table, survey};
use stateset_env::EnvError;
use stateset_env::database::{DatabaseDomain, load_domain, load_tau_retail, load_tau2_mock};
use stateset_env::shop::shop_domain;

fn main() -> Result<(), EnvError> {
    let domain = match std::env::args().nth(1) {
        Some(folder) => Arc::new(load(Path::new(&folder))?),
        None => shop_domain(),
    };
    println!("{}\n{}", domain.name(), Table(&survey(&domain)));
    Ok(())
}

fn load(folder: &Path) -> Result<DatabaseDomain, EnvError> {
    if folder.join("wiki.md").is_file() {
        load_tau_retail(folder)
    } else if folder.join("db.json").is_file() {
        load_tau2_mock(folder)
    } else {
        load_domain(folder, &[])
    }
}
