//! From arguments to a command and an exit code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::error::{self, Outcome};
use super::logging::LogArgs;
use super::{
    alias, chat, doctor, evaluate, generate, init, keys, report, reward, score, serve, sft, train,
    version,
};

/// A command that is also a name of the program.
const GRPO_SERVE: &str = "grpo-serve";

/// Trains, evaluates and talks with conversation agents that learn by reinforcement.
#[derive(Debug, Parser)]
#[command(name = "stateset-agents", version, about, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 the work failed, 2 the call was wrong.\n\
    Environment: STATESET_DEBUG=1 writes debug logs to stderr; STATESET_<SECTION>_<KEY> sets a \
    configuration key; HF_HOME, HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE steer the model hub.")]
struct Cli {
    #[command(flatten)]
    log: LogArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(Box<train::TrainArgs>),
    Evaluate(Box<evaluate::EvaluateArgs>),
    Chat(chat::ChatArgs),
    Reward(reward::RewardArgs),
    Score(score::ScoreArgs),
    Generate(generate::GenerateArgs),
    Sft(sft::SftArgs),
    Init(init::InitArgs),
    Doctor(doctor::DoctorArgs),
    Report(report::ReportArgs),
    Serve(Box<serve::ServeArgs>),
    Keys(keys::KeysArgs),
    GrpoServe(Box<alias::GrpoServeArgs>),
    Version(version::VersionArgs),
}

/// Runs `stateset-agents` with these arguments, the program's name first. Called by the name `grpo-serve`, it
/// is that command.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let name = args.first().and_then(|name| Path::new(name).file_stem());
    if name.is_some_and(|name| name == GRPO_SERVE) {
        args.splice(..1, ["stateset-agents", GRPO_SERVE].map(OsString::from));
    }
    start(args, |cli: Cli| (cli.log, Box::new(move || run(cli.command)) as Work))
}

/// Runs `grpo-train`.
pub fn grpo_train_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    start(args, |cli: alias::GrpoTrain| (cli.log, Box::new(move || cli.run()) as Work))
}

/// Runs `grpo-evaluate`.
pub fn grpo_evaluate_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    start(args, |cli: alias::GrpoEvaluate| {
        (cli.log.verbose(cli.verbose), Box::new(move || cli.run()) as Work)
    })
}

/// The command line of every program as a value, for completions and manual pages.
pub fn commands() -> Vec<clap::Command> {
    vec![command(), alias::GrpoTrain::command(), alias::GrpoEvaluate::command()]
}

/// The command line of `stateset-agents` as a value.
pub fn command() -> clap::Command {
    Cli::command()
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Train(args) => train::run(*args),
        Command::Evaluate(args) => evaluate::run(*args),
        Command::Chat(args) => chat::run(args),
        Command::Reward(args) => reward::run(args),
        Command::Score(args) => score::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Sft(args) => sft::run(args),
        Command::Init(args) => init::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Report(args) => report::run(args),
        Command::Serve(args) => serve::run(*args),
        Command::Keys(args) => keys::run(args),
        Command::GrpoServe(args) => alias::grpo_serve(*args),
        Command::Version(args) => version::run(args),
    }
}

/// What is left to do once the log is set up.
type Work = Box<dyn FnOnce() -> Outcome>;

/// Parses, sets up the log, works, and says how it went.
fn start<C: CommandFactory + FromArgMatches>(
    args: impl IntoIterator<Item = OsString>,
    split: impl FnOnce(C) -> (LogArgs, Work),
) -> ExitCode {
    let parsed = C::command()
        .try_get_matches_from(args)
        .and_then(|mut matches| C::from_arg_matches_mut(&mut matches));
    match parsed {
        Ok(parsed) => {
            let (log, work) = split(parsed);
            log.start();
            tracing::debug!(version = version::VERSION, "started");
            error::exit_code(work())
        }
        Err(problem) => {
            // Whoever closed both ends cannot be told anything.
            let _ = problem.print();
            ExitCode::from(u8::try_from(problem.exit_code()).unwrap_or(2))
        }
    }
}
