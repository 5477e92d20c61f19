//! The held-out conversations of an evaluation, as they were played.
//!
//! One file for each evaluation, one trajectory a line. The file is written as a whole when the
//! evaluation is over, so a reader finds all of it or nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use stateset_core::{Trajectory, TrajectoryRecord};

use crate::files::write_atomically;
use crate::{RunError, RunFolder};

/// Writes the conversations of the evaluation `name`, such as [`RunFolder::BEFORE`], in their order.
///
/// # Errors
/// Where the file system refuses.
pub fn write_conversations(
    run: &RunFolder,
    name: &str,
    trajectories: &[Trajectory],
) -> Result<(), RunError> {
    let folder = run.evaluations();
    fs::create_dir_all(&folder).map_err(RunError::io("create", &folder))?;
    let mut lines = Vec::new();
    for trajectory in trajectories {
        let json = serde_json::to_vec(&TrajectoryRecord::from(trajectory));
        lines.extend(json.map_err(|error| RunError::Trajectory {
            id: trajectory.id.to_string(),
            reason: error.to_string(),
        })?);
        lines.push(b'\n');
    }
    write_atomically(&run.conversations(name), &lines)
}

/// Reads the conversations of the evaluation `name`; `None` where it was not played.
///
/// # Errors
/// Where the file cannot be read or a line is no trajectory that this version knows.
pub fn read_conversations(
    run: &RunFolder,
    name: &str,
) -> Result<Option<Vec<Trajectory>>, RunError> {
    let path = run.conversations(name);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RunError::io("read", &path)(error)),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| parse(&path, index + 1, line)).collect::<Result<_, _>>().map(Some)
}

fn parse(path: &Path, line: usize, text: &str) -> Result<Trajectory, RunError> {
    let refuse = |reason: String| RunError::Line { path: path.to_owned(), line, reason };
    let record: TrajectoryRecord =
        serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    Trajectory::try_from(record).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survive_the_disk() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        assert_eq!(read_conversations(&run, "before").unwrap(), None);
        let named = |id: &str| Trajectory { scenario_id: id.into(), ..Trajectory::default() };
        let played = [named("a\nb"), named("c")];
        write_conversations(&run, "before", &played).unwrap();
        assert_eq!(read_conversations(&run, "before").unwrap().unwrap(), played);
    }

    #[test]
    fn a_broken_line_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path());
        write_conversations(&run, "after", &[Trajectory::default()]).unwrap();
        let path = run.conversations("after");
        let text = fs::read_to_string(&path).unwrap() + "{\"schema_version\":1}\n";
        fs::write(&path, text).unwrap();
        let error = read_conversations(&run, "after").unwrap_err().to_string();
        assert!(error.contains("after.jsonl line 2"), "{error}");
    }
}
