//! Appending to a journal, and continuing one that a crash cut short.
//!
//! `append` hands the whole record to the operating system before it returns. `kill -9` takes away a
//! process and its memory, not what the kernel has been given, so every trajectory whose `append`
//! returned is found again; of one under way at most a torn tail is left, which the next open cuts off.
//! Only a power failure can take more, which is why `sync` waits for the disk at the end of a step;
//! what it takes is sampled again from the same seed and comes out the same. Waiting after each record
//! would cost milliseconds per conversation and save nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use stateset_core::{Trajectory, TrajectoryRecord};

use super::format::{Header, MAGIC, frame};
use super::{JOURNAL_SCHEMA_VERSION, JournalContents, JournalKey, MAX_RECORD_BYTES};
use crate::RunError;
use crate::files::{AppendFile, sync_folder};

/// A journal open for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: AppendFile,
}

impl Journal {
    /// Opens the journal at `path` for the run and step of `key` and gives what it already holds. A
    /// damaged tail is cut off; [`JournalContents::stop`] says so, and the caller should warn. A file
    /// whose very beginning is damaged is moved aside to `<name>.damaged` and begun anew, which also shows
    /// in `stop`.
    ///
    /// # Errors
    /// [`RunError::Journal`] where the file is whole but belongs to another run, step, policy version
    /// or a newer program; [`RunError::Io`] where the file system refuses.
    pub fn open(path: &Path, key: &JournalKey) -> Result<(Journal, JournalContents), RunError> {
        let contents = super::read_journal(path, key)?;
        if let Some(stop) = &contents.stop {
            if stop.damage.is_foreign() {
                let reason = stop.damage.to_string();
                return Err(RunError::Journal { path: path.to_owned(), reason });
            }
            if contents.n_whole_bytes == 0 {
                move_aside(path)?;
            }
        }
        let file = AppendFile::open(path, contents.n_whole_bytes)?;
        let mut journal = Journal { path: path.to_owned(), file };
        if contents.n_whole_bytes == 0 {
            journal.file.append(&beginning(key)?)?;
        }
        Ok((journal, contents))
    }

    /// Adds a finished trajectory. When this returns, the death of the process cannot lose it.
    ///
    /// # Errors
    /// [`RunError::Trajectory`] where it is longer than [`MAX_RECORD_BYTES`] as JSON; [`RunError::Io`]
    /// where the file system refuses. The journal is as before then and can be appended to again.
    pub fn append(&mut self, trajectory: &Trajectory) -> Result<(), RunError> {
        let refuse =
            |reason: String| RunError::Trajectory { id: trajectory.id.to_string(), reason };
        let record = TrajectoryRecord::from(trajectory);
        let json = serde_json::to_vec(&record).map_err(|error| refuse(error.to_string()))?;
        let framed = frame(&json).ok_or_else(|| {
            refuse(format!("it has {} bytes, and {MAX_RECORD_BYTES} are allowed", json.len()))
        })?;
        self.file.append(&framed)
    }

    /// Waits until the disk has everything. Called at the end of a step.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn sync(&self) -> Result<(), RunError> {
        self.file.sync()?;
        sync_folder(self.path.parent().unwrap_or(Path::new(".")))
    }
}

fn beginning(key: &JournalKey) -> Result<Vec<u8>, RunError> {
    let header = Header { schema_version: JOURNAL_SCHEMA_VERSION, key: key.clone() };
    let refuse = |reason: String| RunError::Trajectory { id: "header".to_owned(), reason };
    let json = serde_json::to_vec(&header).map_err(|error| refuse(error.to_string()))?;
    let framed = frame(&json).ok_or_else(|| refuse("the run's name is too long".to_owned()))?;
    Ok([&MAGIC[..], &framed].concat())
}

fn move_aside(path: &Path) -> Result<(), RunError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    fs::rename(path, name).map_err(RunError::io("move aside", path))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use proptest::prelude::*;
    use stateset_core::{
        ConversationTurn, Message, PolicyVersion, RewardResult, SCHEMA_VERSION, Score, TokenTrace,
        TrajectoryId,
    };

    use super::super::contents::parse;
    use super::*;
    use crate::{JournalDamage, read_journal};

    /// Set for the test binary that is run again as the process to be killed: the journal's path.
    const APPEND: &str = "STATESET_TEST_APPEND";

    fn key() -> JournalKey {
        JournalKey { run: "demo-1f2e".into(), step: 3, policy_version: PolicyVersion(2) }
    }

    fn trajectory(sample: u16) -> Trajectory {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1, 2, 3]);
        trace.append_sampled(&[u32::from(sample), 5], &[-0.1, -2.5e-7], PolicyVersion(2)).unwrap();
        Trajectory {
            id: TrajectoryId { step: 3, scenario: 1, sample },
            scenario_id: "réfund".into(),
            turns: vec![ConversationTurn::new(Message::user("Where is my order?\n\u{0}"))],
            trace,
            reward: Some(RewardResult::single(Score::of(1.0 / 3.0))),
            wall_secs: 0.1 + 0.2,
            ..Trajectory::default()
        }
    }

    /// A journal of `n` trajectories as bytes, and the offsets at which its records begin.
    fn journal_bytes(n: u16) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = beginning(&key()).unwrap();
        let mut offsets = vec![bytes.len()];
        for sample in 0..n {
            let json = serde_json::to_vec(&TrajectoryRecord::from(&trajectory(sample))).unwrap();
            bytes.extend(frame(&json).unwrap());
            offsets.push(bytes.len());
        }
        (bytes, offsets)
    }

    fn damage(contents: &JournalContents) -> &JournalDamage {
        &contents.stop.as_ref().unwrap().damage
    }

    #[test]
    fn gives_back_what_was_appended() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("000003.journal");
        let (mut journal, contents) = Journal::open(&path, &key()).unwrap();
        assert_eq!(contents, JournalContents::default());
        (0..3).for_each(|n| journal.append(&trajectory(n)).unwrap());
        journal.sync().unwrap();
        // Read while the writer is still open: nothing waits in the process.
        let contents = read_journal(&path, &key()).unwrap();
        assert_eq!(contents.trajectories, [0, 1, 2].map(trajectory));
        assert_eq!(contents.stop, None);

        let (mut journal, contents) = Journal::open(&path, &key()).unwrap();
        assert_eq!(contents.trajectories.len(), 3);
        journal.append(&trajectory(3)).unwrap();
        assert_eq!(read_journal(&path, &key()).unwrap().trajectories.len(), 4);
    }

    #[test]
    fn continues_after_a_torn_tail_and_says_so() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("000003.journal");
        let (bytes, offsets) = journal_bytes(3);
        fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
        let (mut journal, contents) = Journal::open(&path, &key()).unwrap();
        assert_eq!(contents.trajectories, [0, 1].map(trajectory));
        assert_eq!(contents.n_whole_bytes, offsets[2] as u64);
        insta::assert_snapshot!(contents.stop.unwrap(), @"the file ends in the middle of a record, at byte 1030; 463 bytes from there on are not used");
        journal.append(&trajectory(9)).unwrap();
        let contents = read_journal(&path, &key()).unwrap();
        assert_eq!(contents.trajectories, [0, 1, 9].map(trajectory));
        assert_eq!(contents.stop, None);
    }

    #[test]
    fn another_runs_journal_is_left_alone() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("000003.journal");
        let (bytes, _) = journal_bytes(1);
        fs::write(&path, &bytes).unwrap();
        for other in [
            JournalKey { run: "demo-0000".into(), ..key() },
            JournalKey { step: 4, ..key() },
            JournalKey { policy_version: PolicyVersion(3), ..key() },
        ] {
            let error = Journal::open(&path, &other).unwrap_err().to_string();
            assert!(error.contains("step 3 of run \"demo-1f2e\""), "{error}");
            assert!(damage(&read_journal(&path, &other).unwrap()).is_foreign());
        }
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_newer_header_is_refused_and_a_newer_record_stops_reading() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("000003.journal");
        let newer = br#"{"schema_version":2,"unheard_of":true}"#;
        fs::write(&path, [&MAGIC[..], &frame(newer).unwrap()].concat()).unwrap();
        let error = Journal::open(&path, &key()).unwrap_err().to_string();
        assert!(error.contains("schema 2"), "{error}");

        let mut record = TrajectoryRecord::from(&trajectory(0));
        record.schema_version = SCHEMA_VERSION + 1;
        let newer = frame(&serde_json::to_vec(&record).unwrap()).unwrap();
        let (bytes, offsets) = journal_bytes(1);
        let contents = parse(&[bytes, newer].concat(), Some(&key()));
        assert_eq!(contents.trajectories.len(), 1);
        assert_eq!(contents.stop.as_ref().unwrap().offset, offsets[1] as u64);
        assert!(matches!(damage(&contents), JournalDamage::Record { .. }));
    }

    #[test]
    fn a_damaged_beginning_is_moved_aside() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("000003.journal");
        let (mut bytes, _) = journal_bytes(1);
        bytes[20] ^= 1;
        for (damaged, expected) in [
            (bytes.clone(), JournalDamage::Checksum),
            (b"not a journal at all".to_vec(), JournalDamage::NotAJournal),
            (bytes[..5].to_vec(), JournalDamage::Torn),
            (vec![0; 512], JournalDamage::NotAJournal),
        ] {
            fs::write(&path, &damaged).unwrap();
            let (mut journal, contents) = Journal::open(&path, &key()).unwrap();
            assert_eq!(*damage(&contents), expected);
            assert_eq!(fs::read(temp.path().join("000003.journal.damaged")).unwrap(), damaged);
            journal.append(&trajectory(0)).unwrap();
            assert_eq!(read_journal(&path, &key()).unwrap().trajectories, [trajectory(0)]);
        }
    }

    #[test]
    fn a_long_record_is_refused_before_it_is_written() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("000003.journal");
        let (mut journal, _) = Journal::open(&path, &key()).unwrap();
        let mut long = trajectory(7);
        long.scenario_id = "x".repeat(MAX_RECORD_BYTES);
        let error = journal.append(&long).unwrap_err().to_string();
        assert!(error.contains("3.1.7") && error.contains("67108864"), "{error}");
        journal.append(&trajectory(1)).unwrap();
        assert_eq!(read_journal(&path, &key()).unwrap().trajectories, [trajectory(1)]);
    }

    /// Not a test by itself: the process that the next one kills.
    #[test]
    fn append_until_killed() {
        let Some(path) = std::env::var_os(APPEND) else { return };
        let (mut journal, _) = Journal::open(Path::new(&path), &key()).unwrap();
        for n in 0.. {
            journal.append(&trajectory(n % 1_000)).unwrap();
            println!("appended");
        }
    }

    #[test]
    fn a_killed_process_loses_nothing_that_was_appended() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("000003.journal");
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "journal::writer::tests::append_until_killed", "--nocapture"])
            .env(APPEND, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(other.stdout.take().unwrap()).lines().map_while(Result::ok);
        let seen = lines.by_ref().filter(|line| line.contains("appended")).take(200).count();
        other.kill().unwrap();
        other.wait().unwrap();
        let n_told = seen + lines.filter(|line| line.contains("appended")).count();

        let (mut journal, contents) = Journal::open(&path, &key()).unwrap();
        let found = contents.trajectories.len();
        // The process may have died between an append and its line.
        assert!(found == n_told || found == n_told + 1, "{found} found, {n_told} told");
        assert!((0..).zip(&contents.trajectories).all(|(n, t)| *t == trajectory(n % 1_000)));
        journal.append(&trajectory(0)).unwrap();
        assert_eq!(read_journal(&path, &key()).unwrap().trajectories.len(), found + 1);
    }

    /// Only whole, true records: those of a prefix of what was written.
    fn is_true_prefix(contents: &JournalContents) -> bool {
        let all: Vec<Trajectory> = (0..3).map(trajectory).collect();
        all.starts_with(&contents.trajectories)
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let contents = parse(&bytes, Some(&key()));
            prop_assert!(contents.trajectories.is_empty());
            prop_assert_eq!(contents.stop.is_some(), !bytes.is_empty());
        }

        #[test]
        fn any_bytes_after_a_header(bytes in prop::collection::vec(any::<u8>(), 1..400)) {
            let contents = parse(&[beginning(&key()).unwrap(), bytes].concat(), Some(&key()));
            prop_assert!(contents.trajectories.is_empty());
            prop_assert!(contents.stop.is_some());
        }

        #[test]
        fn any_truncation_keeps_the_whole_records(cut in any::<prop::sample::Index>()) {
            let (bytes, offsets) = journal_bytes(3);
            let cut = cut.index(bytes.len() + 1);
            let contents = parse(&bytes[..cut], Some(&key()));
            let n_whole = offsets.iter().skip(1).filter(|offset| **offset <= cut).count();
            prop_assert_eq!(contents.trajectories.len(), n_whole);
            prop_assert!(is_true_prefix(&contents));
            let is_border = cut == 0 || offsets.contains(&cut);
            prop_assert_eq!(contents.stop.is_none(), is_border);
        }

        #[test]
        fn any_bit_flip_is_noticed(position in any::<prop::sample::Index>(), bit in 0u8..8) {
            let (mut bytes, offsets) = journal_bytes(3);
            let position = position.index(bytes.len());
            bytes[position] ^= 1 << bit;
            let contents = parse(&bytes, Some(&key()));
            prop_assert!(is_true_prefix(&contents));
            // Records before the flipped one are whole; the flipped one is where reading stops.
            let n_before = offsets.iter().skip(1).filter(|offset| **offset <= position).count();
            prop_assert_eq!(contents.trajectories.len(), n_before);
            prop_assert!(contents.stop.is_some());
        }

        #[test]
        fn any_tail_is_cut_to_true_records(
            cut in any::<prop::sample::Index>(),
            tail in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let (bytes, _) = journal_bytes(3);
            let cut = cut.index(bytes.len() + 1);
            let contents = parse(&[&bytes[..cut], &tail].concat(), Some(&key()));
            prop_assert!(is_true_prefix(&contents));
        }
    }
}
