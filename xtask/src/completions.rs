//! Shell completions and manual pages; the work is done by an example of the crate the programs are in.

use anyhow::Result;

use crate::command::{cargo, root, run};

/// `cargo xtask completions`: writes `target/completions` and `target/man`.
pub(crate) fn completions() -> Result<()> {
    let example = ["run", "--quiet", "-p", "stateset-agents", "--example", "completions", "--"];
    run(cargo().args(example).arg(root().join("target")))
}
