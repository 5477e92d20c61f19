//! `grpo-train`: `stateset-agents train` under its documented short name.

use std::process::ExitCode;

fn main() -> ExitCode {
    stateset_agents::cli::grpo_train_main(std::env::args_os())
}
