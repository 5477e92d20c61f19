//! `version`: which program this is.

use clap::Args;
use serde_json::json;
use stateset_nn::Path;

use super::error::Outcome;
use super::output::Output;

/// Version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Print the version
#[derive(Args, Debug)]
pub(crate) struct VersionArgs {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints it.
pub(crate) fn run(args: VersionArgs) -> Outcome {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let kernels = Path::best().name();
    let mut output = Output::new();
    if args.json {
        let (os, arch) = (system, machine);
        output.json(&json!({ "version": VERSION, "os": os, "arch": arch, "kernels": kernels }))?;
    } else {
        output.line(format_args!("stateset-agents version: {VERSION}"))?;
        output.line(format_args!("platform: {system} {machine}, kernels {kernels}"))?;
    }
    output.flush()
}
