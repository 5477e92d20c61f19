//! Shell completions and manual pages of the programs, from their command lines.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap_complete::Shell;

use crate::command::root;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// `cargo xtask completions`: writes `target/completions` and `target/man`.
pub(crate) fn completions() -> Result<()> {
    let target = root().join("target");
    let (shells, pages) = (target.join("completions"), target.join("man"));
    for folder in [&shells, &pages] {
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
    }
    for command in stateset_agents::cli::commands() {
        let name = command.get_name().to_owned();
        for shell in SHELLS {
            write_completions(&shells, &command, &name, shell)?;
        }
        clap_mangen::generate_to(command, &pages)
            .with_context(|| format!("failed to write the manual pages of {name}"))?;
    }
    println!("completions are in {}, manual pages in {}", shells.display(), pages.display());
    Ok(())
}

fn write_completions(
    folder: &Path,
    command: &clap::Command,
    name: &str,
    shell: Shell,
) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command.clone(), name, &mut text);
    let path = folder.join(format!("{name}.{shell}"));
    fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
}
