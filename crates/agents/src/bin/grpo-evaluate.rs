//! `grpo-evaluate`: `stateset-agents evaluate` under its documented short name.

use std::process::ExitCode;

fn main() -> ExitCode {
    stateset_agents::cli::grpo_evaluate_main(std::env::args_os())
}
