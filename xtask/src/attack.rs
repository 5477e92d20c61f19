//! Attacks on rewards of wording; the work is done by an example of the crate they are in.

use anyhow::Result;

use crate::command::{cargo, run};

/// Attacks every reward; `--write` writes `docs/rewards-attacks.md` anew.
pub(crate) fn attack(arguments: &[String]) -> Result<()> {
    let example = ["run", "--release", "-p", "stateset-env", "--example", "attack", "--"];
    run(cargo().args(example).args(arguments))
}
