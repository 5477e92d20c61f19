//! The folders that run folders lie in.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stateset_train::{EventRecord, RunFolder, RunStartRecord, RunSummary, read_events};

use crate::api_error::ApiError;

/// Most runs that are listed, the newest first.
const MAX_LISTED: usize = 500;

/// The folders that run folders lie in. Of two runs with one name the one in the earlier folder is shown.
#[derive(Clone, Debug)]
pub struct RunsFolder {
    roots: Vec<PathBuf>,
}

/// What is known of a run without reading all of it.
pub(super) struct RunOutline {
    /// Name of its folder.
    pub(super) name: String,
    /// How it began, the last time it did.
    pub(super) start: Option<RunStartRecord>,
    /// Figures of the whole run, once it has ended.
    pub(super) summary: Option<RunSummary>,
}

impl RunsFolder {
    /// Runs in these folders, which need not exist.
    pub fn new(roots: impl IntoIterator<Item = PathBuf>) -> RunsFolder {
        RunsFolder { roots: roots.into_iter().collect() }
    }

    /// Where they are, for people.
    pub fn place(&self) -> String {
        let roots: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
        roots.join(" and ")
    }

    /// The run called `name`.
    ///
    /// # Errors
    /// [`ApiError`] 404 for a name that no folder here has; names with separators are never looked up.
    pub(super) fn find(&self, name: &str) -> Result<RunFolder, ApiError> {
        let is_plain = !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\\', '\0'])
            && name.len() <= 255;
        let mut folders = self.roots.iter().map(|root| root.join(name));
        let found = folders.find(|folder| is_plain && is_run(folder));
        found.map(RunFolder::new).ok_or_else(|| ApiError::not_found("run", name))
    }

    /// All runs, the newest first.
    pub(super) fn list(&self) -> Vec<RunOutline> {
        let entries = self.roots.iter().filter_map(|root| fs::read_dir(root).ok()).flatten();
        let folders = entries.flatten().map(|entry| entry.path()).filter(|path| is_run(path));
        let begun = |path: &Path| fs::metadata(path.join("config.toml"))?.modified();
        let mut folders: Vec<(SystemTime, PathBuf)> =
            folders.map(|path| (begun(&path).unwrap_or(SystemTime::UNIX_EPOCH), path)).collect();
        folders.sort_by(|a, b| b.cmp(a));
        folders.truncate(MAX_LISTED);
        folders.into_iter().filter_map(|(_, path)| outline(&path)).collect()
    }
}

fn is_run(folder: &Path) -> bool {
    folder.join("config.toml").is_file()
}

fn outline(path: &Path) -> Option<RunOutline> {
    let name = path.file_name()?.to_str()?.to_owned();
    let run = RunFolder::new(path);
    let events = read_events(&run.events()).unwrap_or_default();
    let start = events.into_iter().rev().find_map(|line| match line.event {
        EventRecord::RunStarted(start) => Some(start),
        _ => None,
    });
    let summary = RunSummary::read(&run).ok().flatten();
    Some(RunOutline { name, start, summary })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_of_runs_are_found() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("runs/one");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), "").unwrap();
        fs::write(root.path().join("config.toml"), "").unwrap();
        let runs = RunsFolder::new([root.path().join("runs")]);
        assert!(runs.find("one").is_ok());
        for name in ["", ".", "..", "../runs/one", "one/", "/", "two", "a\0b"] {
            let error = runs.find(name).unwrap_err();
            assert_eq!(error.status.as_u16(), 404, "{name:?}");
        }
        let names: Vec<String> = runs.list().into_iter().map(|run| run.name).collect();
        assert_eq!(names, ["one"]);
        assert!(RunsFolder::new([root.path().join("none")]).list().is_empty());
    }
}
