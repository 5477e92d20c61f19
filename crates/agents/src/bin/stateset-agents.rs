//! The program: `stateset-agents COMMAND`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stateset_agents::cli::main(std::env::args_os())
}
