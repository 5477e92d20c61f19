//! The log, on stderr.

use std::io;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How much is logged.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct LogArgs {
    /// What to write to the log on stderr
    #[arg(long, global = true, value_enum, value_name = "LEVEL", ignore_case = true)]
    log_level: Option<LogLevel>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    /// Failures only
    Error,
    /// What may be wrong as well (the default)
    #[value(alias = "warning")]
    Warn,
    /// What happens
    Info,
    /// Everything that helps to find a fault; STATESET_DEBUG=1 does the same
    Debug,
    /// More still
    Trace,
}

impl LogArgs {
    /// The same with more in it where `verbose` is true and no level was asked for.
    pub(crate) fn verbose(self, verbose: bool) -> LogArgs {
        LogArgs { log_level: self.log_level.or(verbose.then_some(LogLevel::Info)) }
    }

    /// Sends the log to stderr from now on.
    pub(crate) fn start(self) {
        let wants_debug = std::env::var_os("STATESET_DEBUG").is_some_and(|value| is_on(&value));
        let level = match (self.log_level, wants_debug) {
            (Some(LogLevel::Error), _) => "error",
            (Some(LogLevel::Warn), _) | (None, false) => "warn",
            (Some(LogLevel::Info), _) => "info",
            (Some(LogLevel::Debug), _) | (None, true) => "debug",
            (Some(LogLevel::Trace), _) => "trace",
        };
        // A second call, by a program that has a log already, changes nothing.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(level))
            .with_writer(io::stderr)
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .log_internal_errors(false)
            .without_time()
            .try_init();
    }
}

fn is_on(value: &std::ffi::OsStr) -> bool {
    !["", "0", "false", "no", "off"].iter().any(|off| value.eq_ignore_ascii_case(off))
}
