//! What was asked for, and what there is to run it with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::works::{WORKS, Work};
use crate::command::root;

pub(crate) const BENCH_USAGE: &str = "\
cargo xtask bench [WORK..] [--rounds N] [--threads N] [--cpus LIST] [--python FILE] [--ours-only]

  WORK         train, decode, small-decode, grpo; all of them where none is named
  --rounds     times that each side runs, in turns (5)
  --threads    threads of each side (2)
  --cpus       processors that both are bound to, as taskset lists them (0 to threads - 1)
  --python     Python with benchmarks/requirements.txt (.venv/bin/python)
  --ours-only  measure without the peers
";

/// Settings of a benchmark run.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) works: Vec<&'static Work>,
    pub(super) n_rounds: usize,
    pub(super) n_threads: usize,
    pub(super) cpus: String,
    /// Python of the peers; `None` where ours is measured alone.
    pub(super) python: Option<PathBuf>,
}

impl Settings {
    /// Reads the words behind `bench`.
    pub(super) fn read(words: &[String]) -> Result<Settings> {
        let mut settings = Settings {
            works: Vec::new(),
            n_rounds: 5,
            n_threads: 2,
            cpus: String::new(),
            python: Some(root().join(".venv/bin/python")),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--rounds" => settings.n_rounds = number(word, value()?)?,
                "--threads" => settings.n_threads = number(word, value()?)?,
                "--cpus" => value()?.clone_into(&mut settings.cpus),
                "--python" => settings.python = Some(PathBuf::from(value()?)),
                "--ours-only" => settings.python = None,
                name => settings.works.push(work(name)?),
            }
        }
        if settings.works.is_empty() {
            settings.works = WORKS.iter().collect();
        }
        if settings.cpus.is_empty() {
            settings.cpus = format!("0-{}", settings.n_threads - 1);
        }
        if let Some(python) = settings.python.as_ref().filter(|python| !python.exists()) {
            bail!(
                "there is no Python at {}; benchmarks/README.md says how to install the peers, and \
                 --ours-only does without them",
                python.display()
            );
        }
        Ok(settings)
    }
}

/// Where results and models of benchmarks lie.
pub(super) fn folder() -> PathBuf {
    root().join("target/bench")
}

/// The small model of the real-model benchmarks; `None` where it is not at hand.
pub(super) fn small_model() -> Option<PathBuf> {
    let beside = || root().join("../shared/data");
    let data = std::env::var_os("STATESET_TEST_DATA").map_or_else(beside, PathBuf::from);
    let model = data.join("tinystories-656k");
    model.join("model.safetensors").exists().then_some(model)
}

/// The random model that `benchmarks/peers/make_models.py` draws.
pub(super) fn big_model() -> PathBuf {
    folder().join("models/llama-512")
}

/// A program of `benchmarks/peers`.
pub(super) fn peer(name: &str) -> PathBuf {
    root().join("benchmarks/peers").join(name)
}

fn work(name: &str) -> Result<&'static Work> {
    let names = || WORKS.iter().map(|work| work.name).collect::<Vec<_>>().join(", ");
    let found = WORKS.iter().find(|work| work.name == name);
    found.with_context(|| {
        format!("there is no work {name:?}; there are {}\n\n{BENCH_USAGE}", names())
    })
}

fn number(flag: &str, text: &str) -> Result<usize> {
    match text.parse() {
        Ok(0) | Err(_) => bail!("{flag} has {text:?}; it takes a whole number from 1 up"),
        Ok(number) => Ok(number),
    }
}

/// The path as an argument of a program.
pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings> {
        Settings::read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn all_works_on_the_first_processors_by_default() {
        let settings = read("--ours-only --threads 3").expect("it can be read");
        assert_eq!(settings.works.len(), WORKS.len());
        assert_eq!((settings.n_rounds, settings.cpus.as_str()), (5, "0-2"));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = |text| read(text).map(|_| ()).expect_err("it is refused").to_string();
        assert!(error("traim").contains("there are train, decode"));
        assert!(error("--rounds 0").contains("from 1 up"));
        assert!(error("--cpus").contains("needs a value"));
        assert!(error("--python /no/such/python").contains("--ours-only"));
    }
}
