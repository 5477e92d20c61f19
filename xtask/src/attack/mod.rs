//! Attacks on rewards of wording: `cargo xtask attack [--write] [NAME ..]`.
//!
//! Two attackers look for replies that pay. A policy learns from one reward alone ([`learned`]); climbers
//! edit texts (an example of the crate the rewards are in, which writes the page of both).

mod learned;
#[path = "../../../crates/env/tests/attack/mod.rs"]
mod targets;

use anyhow::{Result, bail};

use crate::command::{cargo, run};

/// Attacks the rewards named, else every reward. `--write` writes `docs/rewards-attacks.md` anew; policies
/// that learned with the same settings before are not trained again.
pub(crate) fn attack(arguments: &[String]) -> Result<()> {
    let (flags, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with("--"));
    if let Some(unknown) = flags.iter().find(|flag| **flag != "--write") {
        bail!("there is no option {unknown}; there is --write");
    }
    let file = learned::attack(&names)?;
    if !names.is_empty() {
        return Ok(());
    }
    let example = ["run", "--release", "-p", "stateset-env", "--example", "attack", "--"];
    run(cargo().args(example).arg("--learned").arg(file).args(flags))
}
