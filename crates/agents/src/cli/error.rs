//! How a command ends: done, failed, or called wrongly.

use std::fmt;
use std::io;
use std::process::ExitCode;

use stateset_train::TrainError;

use super::output::say;

/// What a command gives back.
pub(crate) type Outcome<T = ()> = Result<T, CliError>;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The call or its input is wrong: exit code 2.
    BadInput(String),
    /// The work failed: exit code 1.
    Failed(String),
    /// What is wrong has been printed already: exit code 1.
    Unhealthy,
    /// Whoever read the output has seen enough: exit code 0.
    OutputClosed,
}

impl CliError {
    /// The call is wrong; `problem` finishes "failed to ...".
    pub(crate) fn bad(problem: impl fmt::Display) -> CliError {
        CliError::BadInput(format!("failed to {problem}"))
    }

    /// The work failed; `problem` finishes "failed to ...".
    pub(crate) fn failed(problem: impl fmt::Display) -> CliError {
        CliError::Failed(format!("failed to {problem}"))
    }

    /// An error while a model was loaded: what is wrong with files or names is bad input.
    pub(crate) fn loading(error: TrainError) -> CliError {
        match error {
            TrainError::Engine(_) | TrainError::Invalid { .. } | TrainError::Io { .. } => {
                CliError::bad(error)
            }
            other => CliError::failed(other),
        }
    }

    /// An error while stdout was written.
    pub(crate) fn output(error: io::Error) -> CliError {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::OutputClosed,
            _ => CliError::failed(format!("write to the standard output: {error}")),
        }
    }
}

/// Prints what went wrong, if anything, and chooses the exit code.
pub(crate) fn exit_code(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) | Err(CliError::OutputClosed) => ExitCode::SUCCESS,
        Err(CliError::Unhealthy) => ExitCode::from(1),
        Err(CliError::Failed(message)) => {
            say(format_args!("error: {message}"));
            ExitCode::from(1)
        }
        Err(CliError::BadInput(message)) => {
            say(format_args!("error: {message}"));
            ExitCode::from(2)
        }
    }
}
