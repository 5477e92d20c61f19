//! `init`: writes a configuration to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use clap::Args;
use stateset_train::config::{Format, starter_config};

use super::error::{CliError, Outcome};
use super::output::Output;

/// Write a starter configuration
#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// The file to write; its ending chooses TOML, YAML or JSON
    #[arg(long, value_name = "FILE", default_value = "stateset.toml")]
    path: PathBuf,
    /// Replace the file where it exists
    #[arg(long, alias = "overwrite")]
    force: bool,
}

/// Writes the file.
pub(crate) fn run(args: InitArgs) -> Outcome {
    let path = args.path.display();
    let format = Format::of_path(&args.path).ok_or_else(|| {
        let allowed = "allowed are .toml, .yaml, .yml and .json";
        CliError::bad(format!("write {path}: its name has another ending, {allowed}"))
    })?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!args.force);
    let written = options
        .open(&args.path)
        .and_then(|mut file| file.write_all(starter_config(format).as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            CliError::bad(format!("write {path}: it exists; --force replaces it"))
        }
        ErrorKind::NotFound => CliError::bad(format!("write {path}: its folder does not exist")),
        _ => CliError::failed(format!("write {path}: {error}")),
    })?;
    let mut output = Output::new();
    output.line(format_args!("Wrote starter config to {path}"))?;
    output.line(format_args!("Train with it: stateset-agents train --config {path}"))?;
    output.flush()
}
