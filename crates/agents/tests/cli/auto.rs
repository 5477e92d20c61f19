//! `train --auto`: what is played first, what is chosen, and what the run is told.

use super::program::{Program, folder, stories};

/// Short, and never rewarded.
const HOPELESS: [&str; 14] = [
    "--set",
    "environment.prompts=[\"Once\", \"One day\"]",
    "--reward",
    "contains:zebra crossing",
    "--set",
    "training.num_generations=4",
    "--set",
    "training.prompts_per_step=1",
    "--set",
    "training.max_completion_length=8",
    "--set",
    "training.eval_steps=1",
    "--steps",
    "1",
];

#[test]
fn it_says_what_it_chose_and_why_and_trains_with_it() {
    let temp = folder();
    let model = stories();
    let model: Vec<&str> = match &model {
        Some(model) => vec!["--model", model],
        None => vec!["--stub"],
    };
    let args = [&["train", "--auto", "--output", "run"][..], &HOPELESS, &model].concat();
    let ended = Program::main(temp.path()).run(&args);
    let told = &ended.stderr;
    assert_eq!(ended.code, 0, "{told}");
    for expected in [
        "auto: playing up to 5 scenarios 4 times before training",
        "auto: the conservative profile, because the mean reward is 0.00, a very_hard task",
        "auto: 100 % of the samples have only equals in their group",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let config = std::fs::read_to_string(temp.path().join("run/config.toml")).unwrap();
    // What the caller said stands, and the profile's own comes beside it.
    for expected in [
        "profile = \"conservative\"",
        "early_stopping = true",
        "patience = 50",
        "num_generations = 4",
        "max_grad_norm = 0.5",
        "max_completion_length = 8",
    ] {
        assert!(config.lines().any(|line| line.starts_with(expected)), "{expected}: {config}");
    }
}

#[test]
fn a_dry_run_plays_nothing_and_a_run_that_goes_on_has_chosen() {
    let temp = folder();
    let program = Program::main(temp.path());
    let args = [&["train", "--auto", "--stub", "--dry-run"][..], &HOPELESS].concat();
    let ended = program.run(&args);
    assert!(ended.stderr.contains("no profile is chosen"), "{}", ended.stderr);
    assert!(super::program::names(temp.path()).is_empty());
    let told = program.run(&["train", "--auto", "--resume", "run"]).refused();
    assert!(told.contains("--auto") && told.contains("--resume"), "{told}");
}
