//! What the programs say of themselves.

use super::program::{Program, folder};

const COMMANDS: [&str; 11] = [
    "train", "evaluate", "chat", "reward", "score", "generate", "sft", "init", "doctor", "report",
    "version",
];

#[test]
fn every_command_explains_itself() {
    let temp = folder();
    let program = Program::main(temp.path());
    insta::assert_snapshot!("help", program.run(&["--help"]).ok());
    for command in COMMANDS {
        insta::assert_snapshot!(format!("help_{command}"), program.run(&[command, "--help"]).ok());
    }
}

#[test]
fn the_short_names_explain_themselves() {
    let temp = folder();
    insta::assert_snapshot!(
        "help_grpo_train",
        Program::grpo_train(temp.path()).run(&["--help"]).ok()
    );
    insta::assert_snapshot!(
        "help_grpo_evaluate",
        Program::grpo_evaluate(temp.path()).run(&["--help"]).ok()
    );
}

#[test]
fn the_command_line_has_no_contradictions() {
    for command in stateset_agents::cli::commands() {
        command.debug_assert();
    }
}
