//! Saving and finding checkpoints so that a whole one is there at every instant.
//!
//! A checkpoint is written into a temporary folder, described by its manifest, synced, and renamed; then
//! `LATEST` moves, which is what makes it count. A run killed before that goes on from the older one and
//! comes to the same place again. `checkpoints/best/` holds second names (hard links) of the files of the
//! best checkpoint, so that it costs no space while the step's own folder is there and outlives it. It is
//! replaced before the step's folder appears: whoever goes on from that folder finds the best one that
//! its trainer state speaks of.
//!
//! # Length
//! Half of it are tests, which play through each instant at which a process may be killed.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::manifest::{MANIFEST_NAME, Manifest, file_names};
use crate::{RunError, RunFolder};

const TEMPORARY: &str = ".tmp-";
const REPLACED: &str = ".old-";
const STEP: &str = "step-";

/// The checkpoints of a run. Whoever has one holds the [`crate::RunLock`].
#[derive(Debug)]
pub struct CheckpointStore {
    run: RunFolder,
    n_keep: Option<usize>,
    disk: Disk,
}

/// A whole checkpoint: every file is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its folder.
    pub path: PathBuf,
    /// Steps trained.
    pub step: u32,
}

/// A checkpoint that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedCheckpoint {
    /// Name of its folder, or `LATEST`.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What a run can go on from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewestCheckpoint {
    /// The newest whole checkpoint; `None` where there is none.
    pub checkpoint: Option<Checkpoint>,
    /// What was found damaged on the way to it; the caller should warn of each.
    pub damaged: Vec<DamagedCheckpoint>,
}

impl CheckpointStore {
    /// Opens the store of `run` and clears away what a killed process left. `n_keep` is the number of
    /// checkpoints to keep beside the best one; 0 acts as 1, `None` keeps all.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn open(run: &RunFolder, n_keep: Option<usize>) -> Result<CheckpointStore, RunError> {
        let mut store = CheckpointStore { run: run.clone(), n_keep, disk: Disk::default() };
        let folder = run.checkpoints();
        store.disk.create_folder(&folder).map_err(RunError::io("create", &folder))?;
        store.clear_away().map_err(RunError::io("clear up", &folder))?;
        Ok(store)
    }

    /// Saves the checkpoint of `step`: `write` fills the folder that it is given, in which the name
    /// [`MANIFEST_NAME`] is the store's. One of the same step is replaced; those of later steps belong to a future that the run has turned away from, and are
    /// removed with those that are too old.
    ///
    /// # Errors
    /// [`RunError::Checkpoint`] where `write` fails, [`RunError::Io`] where the file system refuses. The
    /// older checkpoints and `LATEST` are then as before.
    pub fn save<E: Into<Box<dyn Error + Send + Sync>>>(
        &mut self,
        step: u32,
        is_best: bool,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Checkpoint, RunError> {
        let temporary = self.temporary(&step.to_string());
        self.fill(&temporary, step, write)?;
        let name = format!("{STEP}{step}");
        let path = self.run.checkpoints().join(&name);
        let publish = self.publish(&temporary, &path, is_best);
        publish.map_err(RunError::io("publish the checkpoint", &path))?;
        let latest = self.run.latest();
        self.point_latest(&name).map_err(RunError::io("write", &latest))?;
        if let Err(error) = self.rotate(step) {
            // The new checkpoint is safe; what could not be removed is tried again at the next save.
            tracing::warn!("old checkpoints take up space: failed to remove them: {error}");
        }
        Ok(Checkpoint { path, step })
    }

    /// Gives the files of `checkpoint` second names in `checkpoint/` of the run folder, as the final
    /// model, in the place of an earlier one. They cost no space where the file system has hard links.
    ///
    /// # Errors
    /// Where the file system refuses; an earlier final model is then as before.
    pub fn save_final(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        let path = self.run.final_checkpoint();
        let temporary = self.temporary("final");
        let linked = self.link_folder(&checkpoint.path, &temporary);
        linked
            .and_then(|()| self.replace(&temporary, &path))
            .map_err(RunError::io("publish", &path))
    }

    /// Step of the oldest checkpoint that is kept; `None` where there is none.
    ///
    /// # Errors
    /// Where the folder cannot be listed.
    pub fn oldest_step(&self) -> Result<Option<u32>, RunError> {
        let folder = self.run.checkpoints();
        Ok(self.steps().map_err(RunError::io("list", &folder))?.pop())
    }

    /// The newest checkpoint that is whole: the one `LATEST` names, or the next older one. Where
    /// `LATEST` is missing or broken, or nothing up to it is whole, the newest of all.
    ///
    /// # Errors
    /// Only where the folder cannot be listed; damage is part of the result.
    pub fn open_newest(&self) -> Result<NewestCheckpoint, RunError> {
        let mut newest = NewestCheckpoint::default();
        let latest = match self.latest() {
            Ok(latest) => latest,
            Err(reason) => {
                newest.damaged.push(DamagedCheckpoint { name: "LATEST".to_owned(), reason });
                None
            }
        };
        let folder = self.run.checkpoints();
        let mut steps = self.steps().map_err(RunError::io("list", &folder))?;
        if let Some(latest) = latest {
            if !steps.contains(&latest) {
                steps.push(latest);
            }
            // Those up to LATEST first, newest first; then the others.
            steps.sort_by_key(|&step| (step > latest, u32::MAX - step));
        }
        for step in steps {
            match verify_step(&self.step_folder(step), step) {
                Ok(checkpoint) => {
                    newest.checkpoint = Some(checkpoint);
                    break;
                }
                Err(reason) => {
                    newest
                        .damaged
                        .push(DamagedCheckpoint { name: format!("{STEP}{step}"), reason });
                }
            }
        }
        Ok(newest)
    }

    fn fill<E: Into<Box<dyn Error + Send + Sync>>>(
        &mut self,
        temporary: &Path,
        step: u32,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), RunError> {
        let io = |error| RunError::io("write", temporary)(error);
        if temporary.exists() {
            self.disk.remove_folder(temporary).map_err(io)?;
        }
        self.disk.create_folder(temporary).map_err(io)?;
        let filled = match write(temporary) {
            Ok(()) => self.seal(temporary, step).map_err(io),
            Err(error) => Err(RunError::Checkpoint { step, source: error.into() }),
        };
        if filled.is_err() {
            // Gives the space back at once, which matters most where the disk is full.
            self.disk.remove_folder(temporary).ok();
        }
        filled
    }

    /// Syncs every file, and writes the manifest last.
    fn seal(&mut self, folder: &Path, step: u32) -> io::Result<()> {
        let manifest = Manifest::of_folder(folder, step)?;
        for file in &manifest.files {
            self.disk.sync_file(&folder.join(&file.name))?;
        }
        let path = folder.join(MANIFEST_NAME);
        self.disk.write(&path, &serde_json::to_vec_pretty(&manifest)?)?;
        self.disk.sync_file(&path)?;
        for folder in folders_of(folder, manifest.files.iter().map(|file| file.name.as_str())) {
            self.disk.sync_folder(&folder)?;
        }
        Ok(())
    }

    fn publish(&mut self, temporary: &Path, path: &Path, is_best: bool) -> io::Result<()> {
        if is_best {
            let best = self.temporary("best");
            self.link_folder(temporary, &best)?;
            let target = self.run.best_checkpoint();
            self.replace(&best, &target)?;
        }
        self.replace(temporary, path)
    }

    /// Gives all files of `from` a second name in the new folder `to`.
    fn link_folder(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if to.exists() {
            self.disk.remove_folder(to)?;
        }
        let mut names = file_names(from)?;
        names.push(MANIFEST_NAME.to_owned());
        let folders = folders_of(to, names.iter().map(String::as_str));
        for folder in &folders {
            self.disk.create_folder(folder)?;
        }
        for name in &names {
            self.disk.link(&from.join(name), &to.join(name))?;
        }
        folders.iter().try_for_each(|folder| self.disk.sync_folder(folder))
    }

    /// Puts the folder `new` in the place of `target`. At every instant one of the two is there, under
    /// its own name or one that [`CheckpointStore::clear_away`] knows.
    fn replace(&mut self, new: &Path, target: &Path) -> io::Result<()> {
        let parent = target.parent().unwrap_or(Path::new("."));
        let old = renamed(target, |name| format!("{REPLACED}{name}"));
        let is_there = target.exists();
        if is_there {
            if old.exists() {
                self.disk.remove_folder(&old)?;
            }
            self.disk.rename(target, &old)?;
        }
        if let Err(error) = self.disk.rename(new, target) {
            if is_there {
                self.disk.rename(&old, target).ok();
            }
            return Err(error);
        }
        self.disk.sync_folder(parent)?;
        if is_there {
            // What stays behind is cleared away at the next start and does no harm until then.
            self.disk.remove_folder(&old).ok();
        }
        Ok(())
    }

    fn point_latest(&mut self, name: &str) -> io::Result<()> {
        let latest = self.run.latest();
        let temporary = renamed(&latest, |name| format!("{TEMPORARY}{name}"));
        self.disk.write(&temporary, format!("{name}\n").as_bytes())?;
        self.disk.sync_file(&temporary)?;
        self.disk.rename(&temporary, &latest)?;
        self.disk.sync_folder(self.run.root())
    }

    /// Removes what is too old, and what is newer than `step`.
    fn rotate(&mut self, step: u32) -> io::Result<()> {
        let Some(n_keep) = self.n_keep else { return Ok(()) };
        let steps = self.steps()?;
        let (newer, mut too_many): (Vec<u32>, Vec<u32>) =
            steps.into_iter().partition(|&found| found > step);
        too_many.drain(..n_keep.max(1).min(too_many.len()));
        for step in newer.into_iter().chain(too_many) {
            let folder = self.step_folder(step);
            // Renamed first, so that a kill half-way leaves nothing that looks like a checkpoint.
            let gone = self.temporary(&format!("gone-{step}"));
            self.disk.rename(&folder, &gone)?;
            self.disk.remove_folder(&gone)?;
        }
        Ok(())
    }

    /// Finishes or undoes what a killed process had begun.
    fn clear_away(&mut self) -> io::Result<()> {
        let folder = self.run.checkpoints();
        for name in names_in(&folder)? {
            if let Some(target) = name.strip_prefix(REPLACED) {
                self.restore(&folder.join(&name), &folder.join(target))?;
            } else if name.starts_with(TEMPORARY) {
                self.disk.remove_folder(&folder.join(&name))?;
            }
        }
        let target = self.run.final_checkpoint();
        self.restore(&renamed(&target, |name| format!("{REPLACED}{name}")), &target)?;
        let latest = renamed(&self.run.latest(), |name| format!("{TEMPORARY}{name}"));
        if latest.exists() { self.disk.remove_file(&latest) } else { Ok(()) }
    }

    /// Puts the replaced folder back where its successor never arrived.
    fn restore(&mut self, old: &Path, target: &Path) -> io::Result<()> {
        match (old.exists(), target.exists()) {
            (true, false) => self.disk.rename(old, target),
            (true, true) => self.disk.remove_folder(old),
            (false, _) => Ok(()),
        }
    }

    /// The step that `LATEST` names; `None` where it is absent.
    fn latest(&self) -> Result<Option<u32>, String> {
        match fs::read_to_string(self.run.latest()) {
            Ok(text) => match step_of(text.trim_end()) {
                Some(step) => Ok(Some(step)),
                None => {
                    let start: String = text.chars().take(80).collect();
                    Err(format!("it names no checkpoint: {start:?}"))
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Steps of the folders that are there, newest first.
    fn steps(&self) -> io::Result<Vec<u32>> {
        let names = names_in(&self.run.checkpoints())?;
        let mut steps: Vec<u32> = names.iter().filter_map(|name| step_of(name)).collect();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    fn step_folder(&self, step: u32) -> PathBuf {
        self.run.checkpoints().join(format!("{STEP}{step}"))
    }

    fn temporary(&self, what: &str) -> PathBuf {
        self.run.checkpoints().join(format!("{TEMPORARY}{what}-{}", std::process::id()))
    }
}

/// Opens the checkpoint in `folder` after comparing every file with the manifest.
///
/// # Errors
/// [`RunError::Damaged`] with what is wrong.
pub fn open_checkpoint(folder: &Path) -> Result<Checkpoint, RunError> {
    match Manifest::verify(folder) {
        Ok(manifest) => Ok(Checkpoint { path: folder.to_owned(), step: manifest.step }),
        Err(reason) => Err(RunError::Damaged { path: folder.to_owned(), reason }),
    }
}

fn verify_step(folder: &Path, step: u32) -> Result<Checkpoint, String> {
    if !folder.exists() {
        return Err("the folder is missing".to_owned());
    }
    let manifest = Manifest::verify(folder)?;
    if manifest.step != step {
        return Err(format!("its manifest is that of step {}", manifest.step));
    }
    Ok(Checkpoint { path: folder.to_owned(), step })
}

/// `step-120` is step 120; other spellings of the number are not ours.
fn step_of(name: &str) -> Option<u32> {
    let step = name.strip_prefix(STEP)?.parse().ok()?;
    (name == format!("{STEP}{step}")).then_some(step)
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let name =
        |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    fs::read_dir(folder)?.map(name).collect()
}

/// `folder` and every folder under it that holds one of `names`, deepest first.
fn folders_of<'a>(folder: &Path, names: impl Iterator<Item = &'a str>) -> Vec<PathBuf> {
    let inside = names.flat_map(|name| Path::new(name).ancestors().skip(1));
    let mut folders: Vec<PathBuf> = inside.map(|path| folder.join(path)).collect();
    folders.push(folder.join(""));
    folders.sort();
    folders.dedup();
    folders.reverse();
    folders
}

fn renamed(path: &Path, name: impl FnOnce(&str) -> String) -> PathBuf {
    path.with_file_name(name(&path.file_name().unwrap_or_default().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills a checkpoint whose content tells its step.
    fn weights(step: u32) -> impl FnOnce(&Path) -> io::Result<()> {
        move |folder| {
            fs::create_dir(folder.join("adapter"))?;
            fs::write(folder.join("weights.bin"), format!("weights of step {step}"))?;
            fs::write(folder.join("adapter/a.bin"), format!("adapter of step {step}"))
        }
    }

    fn content(checkpoint: &Path) -> String {
        fs::read_to_string(checkpoint.join("weights.bin")).unwrap()
    }

    fn store_in(temp: &tempfile::TempDir, n_keep: usize) -> (RunFolder, CheckpointStore) {
        let run = RunFolder::new(temp.path());
        let store = CheckpointStore::open(&run, Some(n_keep)).unwrap();
        (run, store)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names = names_in(folder).unwrap();
        names.sort();
        names
    }

    fn newest_step(store: &CheckpointStore) -> Option<u32> {
        let newest = store.open_newest().unwrap();
        assert_eq!(newest.damaged, []);
        newest.checkpoint.map(|checkpoint| {
            let step = checkpoint.step;
            assert_eq!(content(&checkpoint.path), format!("weights of step {step}"));
            step
        })
    }

    #[test]
    fn keeps_the_newest_and_the_best() {
        let temp = tempfile::tempdir().unwrap();
        let (run, mut store) = store_in(&temp, 2);
        assert_eq!(newest_step(&store), None);
        for step in [10, 20, 30, 40] {
            let saved = store.save(step, step == 20, weights(step)).unwrap();
            assert_eq!(saved.path, run.checkpoints().join(format!("step-{step}")));
        }
        assert_eq!(names(&run.checkpoints()), ["best", "step-30", "step-40"]);
        assert_eq!(fs::read_to_string(run.latest()).unwrap(), "step-40\n");
        assert_eq!(newest_step(&store), Some(40));
        assert_eq!(content(&run.best_checkpoint()), "weights of step 20");
        let best = open_checkpoint(&run.best_checkpoint()).unwrap();
        assert_eq!(best.step, 20);
        store.save(50, true, weights(50)).unwrap();
        assert_eq!(content(&run.best_checkpoint()), "weights of step 50");
    }

    #[test]
    fn a_run_that_went_back_removes_the_future_it_left() {
        let temp = tempfile::tempdir().unwrap();
        let (run, mut store) = store_in(&temp, 2);
        for step in [10, 20, 30] {
            store.save(step, false, weights(step)).unwrap();
        }
        store.save(25, false, weights(25)).unwrap();
        assert_eq!(names(&run.checkpoints()), ["step-20", "step-25"]);
        assert_eq!(newest_step(&store), Some(25));
    }

    #[test]
    fn a_full_disk_leaves_the_old_checkpoint() {
        let temp = tempfile::tempdir().unwrap();
        let (run, mut store) = store_in(&temp, 1);
        store.save(10, true, weights(10)).unwrap();
        let error = store
            .save(20, true, |folder| {
                fs::write(folder.join("weights.bin"), "weights of")?;
                Err(io::Error::from(ErrorKind::StorageFull))
            })
            .unwrap_err();
        assert!(matches!(error, RunError::Checkpoint { step: 20, .. }), "{error}");
        assert_eq!(names(&run.checkpoints()), ["best", "step-10"]);
        assert_eq!(fs::read_to_string(run.latest()).unwrap(), "step-10\n");
        assert_eq!(newest_step(&store), Some(10));
        assert_eq!(content(&run.best_checkpoint()), "weights of step 10");
    }

    #[test]
    fn damaged_checkpoints_are_named_and_passed_over() {
        let temp = tempfile::tempdir().unwrap();
        let (run, mut store) = store_in(&temp, 5);
        for step in [10, 20, 30, 40] {
            store.save(step, false, weights(step)).unwrap();
        }
        let folder = |step: u32| run.checkpoints().join(format!("step-{step}"));
        fs::write(folder(40).join("weights.bin"), "weights of step 4!").unwrap();
        fs::remove_file(folder(30).join(MANIFEST_NAME)).unwrap();
        let newest = store.open_newest().unwrap();
        assert_eq!(newest.checkpoint.unwrap().step, 20);
        let named: Vec<&str> = newest.damaged.iter().map(|found| found.name.as_str()).collect();
        assert_eq!(named, ["step-40", "step-30"]);
        assert!(newest.damaged[0].reason.contains("weights.bin"), "{:?}", newest.damaged[0]);
        assert!(newest.damaged[1].reason.contains(MANIFEST_NAME), "{:?}", newest.damaged[1]);
        assert!(open_checkpoint(&folder(40)).is_err());
    }

    #[test]
    fn latest_decides_and_can_be_done_without() {
        let temp = tempfile::tempdir().unwrap();
        let (run, mut store) = store_in(&temp, 5);
        for step in [10, 20, 30] {
            store.save(step, false, weights(step)).unwrap();
        }
        fs::write(run.latest(), "step-20\n").unwrap();
        assert_eq!(newest_step(&store), Some(20));
        fs::remove_file(run.latest()).unwrap();
        assert_eq!(newest_step(&store), Some(30));
        for (broken, name) in [("st\u{0}", "LATEST"), ("../..", "LATEST"), ("step-25", "step-25")] {
            fs::write(run.latest(), broken).unwrap();
            let newest = store.open_newest().unwrap();
            assert_eq!(newest.damaged[0].name, name);
            let expected = if name == "LATEST" { 30 } else { 20 };
            assert_eq!(newest.checkpoint.unwrap().step, expected, "{broken}");
        }
        // Nothing up to LATEST is whole: better a later one than none.
        fs::write(run.latest(), "step-10\n").unwrap();
        fs::remove_file(run.checkpoints().join("step-10/weights.bin")).unwrap();
        assert_eq!(store.open_newest().unwrap().checkpoint.unwrap().step, 30);
    }

    #[test]
    fn the_final_model_is_replaced_as_a_whole() {
        let temp = tempfile::tempdir().unwrap();
        let (run, mut store) = store_in(&temp, 1);
        let first = store.save(10, false, weights(10)).unwrap();
        store.save_final(&first).unwrap();
        let missing = Checkpoint { path: run.checkpoints().join("not-there"), step: 15 };
        assert!(store.save_final(&missing).is_err());
        assert_eq!(content(&run.final_checkpoint()), "weights of step 10");
        let second = store.save(20, false, weights(20)).unwrap();
        assert!(!first.path.exists() && run.final_checkpoint().exists());
        assert_eq!(store.oldest_step().unwrap(), Some(20));
        store.save_final(&second).unwrap();
        assert_eq!(open_checkpoint(&run.final_checkpoint()).unwrap().step, 20);
    }

    #[test]
    fn a_folder_that_cannot_be_replaced_stays() {
        let temp = tempfile::tempdir().unwrap();
        let (run, mut store) = store_in(&temp, 1);
        let saved = store.save(10, false, weights(10)).unwrap();
        let missing = run.checkpoints().join("not-there");
        assert!(store.replace(&missing, &saved.path).is_err());
        assert_eq!(newest_step(&store), Some(10));
    }

    /// Ends a save after each of its operations, as `kill -9` would, and looks what the next process
    /// finds.
    fn kill_at_every_operation(step: u32, is_best: bool) {
        for n_operations in 0.. {
            let temp = tempfile::tempdir().unwrap();
            let (run, mut store) = store_in(&temp, 1);
            store.save(10, true, weights(10)).unwrap();
            store.save(20, false, weights(20)).unwrap();
            store.disk.operations_left = Some(n_operations);
            let saved = store.save(step, is_best, weights(step));
            let is_untouched = store.disk.operations_left.is_some_and(|left| left > 0);
            drop(store);

            let mut store = CheckpointStore::open(&run, Some(1)).unwrap();
            let found = newest_step(&store).expect("a whole checkpoint");
            assert!(found == 20 || found == step, "found {found} after {n_operations}");
            if saved.is_ok() {
                assert_eq!(found, step, "after {n_operations} operations");
            }
            let best = open_checkpoint(&run.best_checkpoint()).unwrap().step;
            assert!(best == 10 || is_best && best == step, "best {best} after {n_operations}");
            if is_best && found == step && step != 20 {
                assert_eq!(best, step, "after {n_operations} operations");
            }
            let left = names(&run.checkpoints());
            assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");

            store.save(step, is_best, weights(step)).unwrap();
            assert_eq!(newest_step(&store), Some(step));
            if is_untouched {
                assert!(n_operations > 10, "the save took only {n_operations} operations");
                return;
            }
        }
    }

    #[test]
    fn a_kill_at_any_point_leaves_a_whole_checkpoint() {
        kill_at_every_operation(30, false);
    }

    #[test]
    fn a_kill_at_any_point_leaves_a_whole_best_checkpoint() {
        kill_at_every_operation(30, true);
    }

    #[test]
    fn a_kill_while_a_step_is_saved_again() {
        kill_at_every_operation(20, true);
    }

    #[test]
    fn a_kill_while_the_final_model_is_replaced() {
        for n_operations in 0.. {
            let temp = tempfile::tempdir().unwrap();
            let (run, mut store) = store_in(&temp, 1);
            let first = store.save(10, false, weights(10)).unwrap();
            store.save_final(&first).unwrap();
            let second = store.save(20, false, weights(20)).unwrap();
            store.disk.operations_left = Some(n_operations);
            let saved = store.save_final(&second);
            let is_untouched = store.disk.operations_left.is_some_and(|left| left > 0);
            drop(store);
            CheckpointStore::open(&run, Some(1)).unwrap();
            let found = open_checkpoint(&run.final_checkpoint()).unwrap().step;
            assert!(if saved.is_ok() { found == 20 } else { found == 10 || found == 20 });
            assert!(!run.root().join(".old-checkpoint").exists());
            if is_untouched {
                return;
            }
        }
    }
}
