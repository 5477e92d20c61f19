//! What was asked for.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::row::Row;
use super::rows::rows;
use crate::command::root;

pub(crate) const LEARN_USAGE: &str = "\
cargo xtask learn [NAME..] [--fast] [--report] [--again] [--seeds LIST] [--set KEY=VALUE]

  NAME       methods to train; all of them where none is named
  --fast     the few rows of the build server, one seed each; writes no page
  --report   writes docs/methods/RESULTS.md from what is there, and trains nothing
  --again    trains also what has been trained already
  --seeds    seeds of every row, such as 1,2,3 (the default)
  --set      KEY=VALUE: another setting for these rows; what comes out is shown and not kept

Finished rows lie in target/learn/results and are not trained again, so a table that was interrupted
goes on where it was.
";

/// What a call of `learn` is to do.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) rows: Vec<Row>,
    pub(super) seeds: Vec<u64>,
    /// Rows named by the caller or the build server's: the page is left as it is.
    pub(super) is_part: bool,
    pub(super) only_reports: bool,
    pub(super) again: bool,
    /// Rows were changed by the caller: nothing is kept.
    pub(super) is_trial: bool,
}

impl Settings {
    /// Reads the words behind `learn`.
    pub(super) fn read(words: &[String]) -> Result<Settings> {
        let mut settings = Settings {
            rows: Vec::new(),
            seeds: vec![1, 2, 3],
            is_part: false,
            only_reports: false,
            again: false,
            is_trial: false,
        };
        let (mut names, mut is_fast, mut changes) = (Vec::new(), false, Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--fast" => is_fast = true,
                "--report" => settings.only_reports = true,
                "--again" => settings.again = true,
                "--seeds" => {
                    let list = words.next().context("--seeds needs a list such as 1,2,3")?;
                    settings.seeds = list.split(',').map(seed).collect::<Result<_>>()?;
                }
                "--set" => {
                    let change = words.next().and_then(|word| word.split_once('='));
                    changes.push(change.context("--set needs KEY=VALUE")?);
                }
                flag if flag.starts_with('-') => {
                    bail!("there is no option {flag}\n\n{LEARN_USAGE}")
                }
                name => names.push(name),
            }
        }
        let all = rows();
        for name in &names {
            if !all.iter().any(|row| row.name == *name) {
                let known: Vec<&str> = all.iter().map(|row| row.name).collect();
                bail!("there is no row {name:?}; there are {}", known.join(", "));
            }
        }
        let is_wanted = |row: &Row| match is_fast {
            true => row.is_fast,
            false => names.is_empty() || names.contains(&row.name),
        };
        if is_fast {
            settings.seeds.truncate(1);
            settings.again = true;
        }
        settings.is_part = is_fast || !names.is_empty();
        settings.is_trial = !changes.is_empty();
        settings.again |= settings.is_trial;
        let change = |row: Row| changes.iter().fold(row, |row, (key, value)| row.set(key, value));
        settings.rows = all.into_iter().filter(is_wanted).map(change).collect();
        Ok(settings)
    }
}

fn seed(text: &str) -> Result<u64> {
    text.trim().parse().with_context(|| format!("failed to read {text:?} as a seed"))
}

/// Where results and run folders lie.
pub(super) fn folder() -> PathBuf {
    root().join("target/learn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings> {
        Settings::read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn all_rows_with_three_seeds_by_default() {
        let all = read("").expect("it can be read");
        assert!(all.rows.len() > 15 && !all.is_part);
        assert_eq!(all.seeds, [1, 2, 3]);
        let fast = read("--fast").expect("it can be read");
        assert!((3..=5).contains(&fast.rows.len()) && fast.is_part && fast.again);
        assert_eq!(fast.seeds, [1]);
        let some = read("gspo ppo --seeds 4,5").expect("it can be read");
        assert_eq!(some.rows.iter().map(|row| row.name).collect::<Vec<_>>(), ["gspo", "ppo"]);
        assert_eq!(some.seeds, [4, 5]);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = |text| read(text).map(|_| ()).expect_err("it is refused").to_string();
        assert!(error("gsop").contains("grpo, "));
        assert!(error("--quick").contains("--quick"));
        assert!(error("--seeds 1,b").contains("\"b\""));
    }
}
