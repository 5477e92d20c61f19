//! Where a run is written: its folder, the lock on it, and whether it is free.

use std::path::Path;

use super::run::Resume;
use crate::config::{
    CheckpointSettings, ConfigFile, ConfigSources, Difference, Resolved, differences, report,
    resolve,
};
use crate::{RunError, RunFolder, RunLock, TrainError};

/// Folders that are tried before giving up on a name.
const MAX_NUMBER: u32 = 100_000;

/// The folder of a new run: the one named, or the first free `run-001` and so on.
///
/// # Errors
/// [`TrainError::Invalid`] where no name is free.
pub fn new_run_folder(settings: &CheckpointSettings) -> Result<RunFolder, TrainError> {
    let parent = &settings.output_dir;
    if let Some(name) = &settings.run_name {
        return Ok(RunFolder::new(parent.join(name)));
    }
    let free = |number: &u32| !parent.join(name(*number)).exists();
    match (1..MAX_NUMBER).find(free) {
        Some(number) => Ok(RunFolder::new(parent.join(name(number)))),
        None => Err(invalid(format!("{} is full of runs", parent.display()))),
    }
}

fn name(number: u32) -> String {
    format!("run-{number:03}")
}

/// The run that `path` belongs to, which is its folder or a checkpoint in it, and what of it to go on
/// from.
///
/// # Errors
/// [`TrainError::Invalid`] where there is no run.
pub(crate) fn run_to_resume(path: &Path) -> Result<(RunFolder, Option<Resume>), TrainError> {
    let run = RunFolder::new(path);
    if run.config().is_file() {
        return Ok((run, Some(Resume::Newest)));
    }
    let parent = path.parent().map(RunFolder::new);
    if let Some(run) = parent.filter(|run| run.config().is_file() && run.final_checkpoint() == path)
    {
        return Ok((run, Some(Resume::Newest)));
    }
    let above = path.parent().and_then(Path::parent).map(RunFolder::new);
    if let Some(run) = above.filter(|run| run.config().is_file() && path.is_dir()) {
        return Ok((run, Some(Resume::From(path.to_owned()))));
    }
    let text = format!(
        "{} is neither a run folder (with a config.toml) nor a checkpoint in one",
        path.display()
    );
    Err(TrainError::Invalid { what: "go on with a run", message: text })
}

/// That a run that goes on is told the same as when it began.
///
/// # Errors
/// [`TrainError::Invalid`] with everything that differs.
pub(crate) fn check_same_config(run: &RunFolder, resolved: &Resolved) -> Result<(), TrainError> {
    let invalid = |message: String| TrainError::Invalid { what: "go on with the run", message };
    let file = ConfigFile::read(&run.config());
    let file = file.map_err(|problem| invalid(problem.to_string()))?;
    let sources = ConfigSources { file: Some(file), ..ConfigSources::default() };
    let began = resolve(&sources).map_err(|all| invalid(report(&all)))?;
    let changed = differences(&began.values, &resolved.values);
    if changed.is_empty() {
        return Ok(());
    }
    let line = |d: &Difference| format!("{} was {}, is {}", d.path, d.left, d.right);
    let lines: Vec<String> = changed.iter().map(line).collect();
    Err(invalid(format!(
        "{} began with other settings; leave them as they were, or begin a new run\n  {}",
        run.root().display(),
        lines.join("\n  ")
    )))
}

/// Takes a folder for a new run. A folder that holds a run already is replaced where `overwrites` says
/// so.
///
/// # Errors
/// [`TrainError`] where another run works there, where it holds a run already, or where the file system
/// refuses.
pub(crate) fn take(run: &RunFolder, overwrites: bool) -> Result<RunLock, TrainError> {
    let root = run.root();
    if root.exists() && !root.is_dir() {
        return Err(invalid(format!("{} is not a folder", root.display())));
    }
    if holds_other_files(root) {
        return Err(invalid(format!(
            "{} holds files that are not a run's; name another folder by --output",
            root.display()
        )));
    }
    let lock = RunLock::acquire(run).map_err(|error| match error {
        RunError::Io { .. } => invalid(format!("it cannot be written to: {error}")),
        other => other.into(),
    })?;
    if run.config().exists() {
        if !overwrites {
            return Err(invalid(format!(
                "{} holds a run already; go on with it by --resume, name another folder by --output, \
                 or set training.overwrite_output_dir",
                root.display()
            )));
        }
        clear(run)?;
    }
    run.create()?;
    Ok(lock)
}

/// Removes what runs write, and nothing else.
fn clear(run: &RunFolder) -> Result<(), TrainError> {
    let folders = [
        run.rollouts(),
        run.checkpoints(),
        run.evaluations(),
        run.tensorboard(),
        run.final_checkpoint(),
    ];
    for folder in folders.iter().filter(|folder| folder.exists()) {
        std::fs::remove_dir_all(folder).map_err(|e| TrainError::io("remove", folder, e))?;
    }
    let files = [
        run.config(),
        run.metrics(),
        run.events(),
        run.latest(),
        run.preferences(),
        run.summary(),
        run.report(),
    ];
    for file in files.iter().filter(|file| file.exists()) {
        std::fs::remove_file(file).map_err(|e| TrainError::io("remove", file, e))?;
    }
    Ok(())
}

/// Files in a folder in which no run has ever begun.
fn holds_other_files(root: &Path) -> bool {
    let names = |entries: std::fs::ReadDir| {
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let names: Vec<String> = std::fs::read_dir(root).map_or(Vec::new(), names);
    let is_run = names.iter().any(|name| name == "config.toml" || name == "run.lock");
    !is_run && !names.is_empty()
}

fn invalid(message: String) -> TrainError {
    TrainError::Invalid { what: "use the run folder", message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(parent: &Path, name: Option<&str>) -> CheckpointSettings {
        CheckpointSettings {
            output_dir: parent.to_owned(),
            run_name: name.map(str::to_owned),
            overwrites: false,
            resume_from: None,
            every_n_steps: None,
            n_kept: None,
        }
    }

    #[test]
    fn names_are_made_up_in_order() {
        let temp = tempfile::tempdir().unwrap();
        let first = new_run_folder(&settings(temp.path(), None)).unwrap();
        assert!(first.root().ends_with("run-001"));
        drop(take(&first, false).unwrap());
        assert!(new_run_folder(&settings(temp.path(), None)).unwrap().root().ends_with("run-002"));
        assert!(new_run_folder(&settings(temp.path(), Some("x"))).unwrap().root().ends_with("x"));
    }

    #[test]
    fn only_a_run_is_replaced_and_only_when_asked() {
        let temp = tempfile::tempdir().unwrap();
        let run = RunFolder::new(temp.path().join("a"));
        let lock = take(&run, false).unwrap();
        assert!(take(&run, true).unwrap_err().to_string().contains("process"));
        drop(lock);
        std::fs::write(run.config(), "seed = 1").unwrap();
        std::fs::write(run.root().join("notes.txt"), "mine").unwrap();
        let error = take(&run, false).unwrap_err().to_string();
        assert!(error.contains("--resume"), "{error}");
        assert!(run.config().exists());
        drop(take(&run, true).unwrap());
        assert!(!run.config().exists() && run.root().join("notes.txt").exists());

        let other = RunFolder::new(temp.path().join("b"));
        std::fs::create_dir(other.root()).unwrap();
        std::fs::write(other.root().join("thesis.txt"), "").unwrap();
        let error = take(&other, true).unwrap_err().to_string();
        assert!(error.contains("not a run's"), "{error}");
        assert_eq!(std::fs::read_dir(other.root()).unwrap().count(), 1);
    }
}
