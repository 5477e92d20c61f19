//! Files of one JSON object a line that a resumed run continues where its checkpoint left off.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::RunError;
use crate::files::{AppendFile, write_atomically};

/// A growing file of JSON lines, each handed to the operating system as soon as it is written.
#[derive(Debug)]
pub(crate) struct LineFile {
    file: AppendFile,
}

impl LineFile {
    /// Opens `path` with those of its whole lines for which `keep` is true; the rest is cut off,
    /// including a last line that a crash left unfinished.
    pub(crate) fn open(
        path: &Path,
        mut keep: impl FnMut(&str) -> bool,
    ) -> Result<LineFile, RunError> {
        let text = read_or_empty(path)?;
        let kept: String = whole_lines(&text).filter(|line| keep(line.trim_end())).collect();
        if kept.len() < text.len() {
            write_atomically(path, kept.as_bytes())?;
        }
        Ok(LineFile { file: AppendFile::open(path, kept.len() as u64)? })
    }

    /// Adds `row` as one line.
    pub(crate) fn append(&mut self, row: &impl Serialize) -> Result<(), RunError> {
        // Rows are structs and maps with text keys, which JSON can always hold.
        let mut line = serde_json::to_vec(row).expect("a row is plain JSON");
        line.push(b'\n');
        self.file.append(&line)
    }
}

/// Reads the rows of a file of JSON lines. An unfinished last line is what a crash or a run under way
/// leaves behind and is passed over; anything else that is no `Row` is an error. A file that is not
/// there has no rows.
pub(crate) fn read_rows<Row: DeserializeOwned>(path: &Path) -> Result<Vec<Row>, RunError> {
    let text = read_or_empty(path)?;
    let row = |(index, line): (usize, &str)| {
        serde_json::from_str(line.trim_end()).map_err(|error| RunError::Line {
            path: path.to_owned(),
            line: index + 1,
            reason: error.to_string(),
        })
    };
    whole_lines(&text).enumerate().filter(|(_, line)| !line.trim().is_empty()).map(row).collect()
}

/// Wall time of a run over its sessions.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    secs_before: f64,
    started: Instant,
}

impl Stopwatch {
    /// Goes on from `secs_before`.
    pub(crate) fn resume(secs_before: f64) -> Stopwatch {
        Stopwatch { secs_before, started: Instant::now() }
    }

    /// Seconds so far, rounded to milliseconds.
    pub(crate) fn secs(&self) -> f64 {
        let secs = self.secs_before + self.started.elapsed().as_secs_f64();
        (secs * 1e3).round() / 1e3
    }
}

fn read_or_empty(path: &Path) -> Result<String, RunError> {
    match fs::read(path) {
        // A damaged byte must not hide the lines before and after it.
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(RunError::io("read", path)(error)),
    }
}

fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').filter(|line| line.ends_with('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_whole_lines_that_are_wanted() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("rows.jsonl");
        fs::write(&path, "1\n2\n3\n4").unwrap();
        let mut file = LineFile::open(&path, |line| line != "2").unwrap();
        file.append(&5).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n3\n5\n");
        assert_eq!(read_rows::<u32>(&path).unwrap(), [1, 3, 5]);
    }

    #[test]
    fn reads_past_an_unfinished_line_only() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("rows.jsonl");
        assert!(read_rows::<u32>(&path).unwrap().is_empty());
        fs::write(&path, "1\n\n2\n{\"st").unwrap();
        assert_eq!(read_rows::<u32>(&path).unwrap(), [1, 2]);
        fs::write(&path, "1\n\nx\n2\n").unwrap();
        let error = read_rows::<u32>(&path).unwrap_err().to_string();
        assert!(error.contains("rows.jsonl line 3"), "{error}");
    }
}
