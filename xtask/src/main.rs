//! Development tasks: `cargo xtask TASK`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod attack;
mod bench;
mod check;
mod command;
mod completions;
mod learn;
mod tidy;
mod tiny;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask TASK

  test [FILTER]   run every test of the workspace
  tidy            check the rules of ARCHITECTURE.md
  ci              fmt, clippy, tidy, licences, spelling and test, as the build server runs them
  bench [WORK..]  measure the engine beside its peers; --help says how
  learn [NAME..]  train every method and check that it learns; --help says how
  attack [--write] attack every reward of wording; --write writes docs/rewards-attacks.md anew
  golden          list the golden files and how each is made
  completions     write shell completions and manual pages into target/
  tiny [--check]  make the embedded model anew, or compare its first steps with the recorded ones
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", &[][..]),
    };
    match task {
        "test" => check::test(rest),
        "tidy" => tidy::tidy(),
        "bench" if rest.iter().any(|word| word == "--help" || word == "-h") => {
            print!("{}", bench::BENCH_USAGE);
            Ok(())
        }
        "bench" => bench::bench(rest),
        "learn" if rest.iter().any(|word| word == "--help" || word == "-h") => {
            print!("{}", learn::LEARN_USAGE);
            Ok(())
        }
        "learn" => learn::learn(rest),
        "attack" => attack::attack(rest),
        "ci" => check::ci(),
        "golden" => check::golden(),
        "completions" => completions::completions(),
        "tiny" => tiny::tiny(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => bail!("there is no task {other:?}\n\n{USAGE}"),
    }
}
