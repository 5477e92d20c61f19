//! `report`: builds the report of a run anew from its folder.

use std::path::PathBuf;

use clap::Args;
use stateset_train::{RunFolder, write_report};

use super::error::{CliError, Outcome};
use super::output::Output;

/// Rebuild report.html from a run folder
#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// The run folder
    #[arg(value_name = "RUN")]
    run: PathBuf,
}

/// Builds it.
pub(crate) fn run(args: ReportArgs) -> Outcome {
    let run = RunFolder::new(&args.run);
    let shown = args.run.display();
    if !args.run.is_dir() {
        return Err(CliError::bad(format!("build the report: {shown} is not a folder")));
    }
    let files = [run.metrics(), run.events(), run.summary()];
    if !files.iter().any(|file| file.exists()) {
        let names = "metrics.jsonl, events.jsonl and summary.json";
        let problem = format!("build the report: {shown} is no run folder, it has none of {names}");
        return Err(CliError::bad(problem));
    }
    write_report(&run).map_err(CliError::failed)?;
    let mut output = Output::new();
    output.line(run.report().display())?;
    output.flush()
}
