//! Data on stdout, words for people on stderr; neither ever panics because its reader has gone.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::error::{CliError, Outcome};

/// The standard output, buffered. What is not flushed is lost where the program fails.
pub(crate) struct Output {
    inner: BufWriter<Stdout>,
}

impl Output {
    /// The standard output.
    pub(crate) fn new() -> Output {
        Output { inner: BufWriter::new(io::stdout()) }
    }

    /// Writes a text as it is.
    pub(crate) fn text(&mut self, text: &str) -> Outcome {
        self.inner.write_all(text.as_bytes()).map_err(CliError::output)
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Outcome {
        writeln!(self.inner, "{line}").map_err(CliError::output)
    }

    /// Writes a value as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Outcome {
        let text = serde_json::to_string(value)
            .map_err(|error| CliError::failed(format!("write JSON: {error}")))?;
        self.line(text)
    }

    /// Sends everything on its way.
    pub(crate) fn flush(&mut self) -> Outcome {
        self.inner.flush().map_err(CliError::output)
    }
}

/// A line on stderr, for people.
pub(crate) fn say(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// True where a person reads both streams and can answer.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// A bar over `n` things where stderr is a terminal; nothing elsewhere.
pub(crate) fn progress_bar(n: usize, template: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(n as u64);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Rows as a table of two columns, aligned.
pub(crate) fn table(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let row = |(name, value): &(String, String)| format!("{name:<width$}  {value}\n");
    rows.iter().map(row).collect()
}
