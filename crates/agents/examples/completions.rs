//! Writes shell completions and manual pages of the programs into a folder:
//! `cargo run --example completions -- FOLDER`. `cargo xtask completions` calls it.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap_complete::Shell;

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("target"), PathBuf::from);
    write(&folder)
}

/// Writes `completions` and `man` into `folder`.
fn write(folder: &Path) -> io::Result<()> {
    let (shells, pages) = (folder.join("completions"), folder.join("man"));
    fs::create_dir_all(&shells)?;
    fs::create_dir_all(&pages)?;
    for command in stateset_agents::cli::commands() {
        let name = command.get_name().to_owned();
        for shell in SHELLS {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command.clone(), &name, &mut text);
            fs::write(shells.join(format!("{name}.{shell}")), text)?;
        }
        clap_mangen::generate_to(command, &pages)?;
    }
    println!("completions are in {}, manual pages in {}", shells.display(), pages.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_program_has_completions_and_a_page() {
        let folder = tempfile::tempdir().unwrap();
        super::write(folder.path()).unwrap();
        for name in ["stateset-agents", "grpo-train", "grpo-evaluate"] {
            for file in [format!("completions/{name}.bash"), format!("man/{name}.1")] {
                assert!(folder.path().join(&file).is_file(), "{file}");
            }
        }
    }
}
