//! `train` up to where it would begin.

use super::program::{Program, folder, names, stories};

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let program = Program::main(temp.path());
    for dry in [&["--dry-run"][..], &["--dry-run=true"], &["--dry-run", "yes"]] {
        let args = [&["train", "--model", &model, "--steps", "3"][..], dry].concat();
        let text = program.run(&args).ok();
        for expected in ["max_steps = 3  # flag --steps", "3 steps with", "in all", "dry run"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
    assert_eq!(names(temp.path()), [""; 0]);
}

#[test]
fn flags_beat_variables_and_variables_beat_files() {
    let Some(model) = stories() else { return };
    let temp = folder();
    let config = "[training]\nseed = 1\nnum_generations = 4\nlearning_rate = 1e-3\n";
    std::fs::write(temp.path().join("c.toml"), config).unwrap();
    let program = Program::main(temp.path())
        .with("STATESET_TRAINING_NUM_GENERATIONS", "8")
        .with("STATESET_TRAINING_SEED", "2");
    let args = [
        "train",
        "--config",
        "c.toml",
        "--model",
        &model,
        "--seed",
        "3",
        "--output",
        "runs/first",
        "--set",
        "training.beta=0.02",
        "--reward",
        "helpful",
        "--env",
        "sales",
        "--dry-run",
        "--json",
    ];
    let found = &program.run(&args).json_lines()[0];
    let config = &found["config"];
    assert_eq!(config["training.seed"], 3);
    assert_eq!(config["training.num_generations"], 8);
    assert_eq!(config["training.learning_rate"], 1e-3);
    assert_eq!(config["training.beta"], 0.02);
    assert_eq!(config["environment.scenario_set"], "sales");
    assert_eq!(config["training.run_name"], "first");
    assert_eq!(found["run_dir"], "runs/first");
    assert!(found["memory_bytes"].as_u64() > Some(1_000_000));
}

#[test]
fn all_problems_come_at_once() {
    let temp = folder();
    let config =
        "trainig: {seed: 1}\ntraining:\n  num_generations: 1\n  learning_rat: 1\n  seed: soon\n";
    std::fs::write(temp.path().join("c.yaml"), config).unwrap();
    let args = ["train", "--config", "c.yaml", "--model", "no-model", "--set", "training.beta=-1"];
    let told = Program::main(temp.path()).run(&args).refused();
    for expected in [
        "did you mean training?",
        "learning_rate",
        "soon",
        "--set",
        "no folder \"no-model\"",
        "c.yaml:1",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert_eq!(names(temp.path()), ["c.yaml"]);
}

#[test]
fn unknown_sets_rewards_and_bad_scenarios_are_refused() {
    let Some(model) = stories() else { return };
    let temp = folder();
    std::fs::write(temp.path().join("s.jsonl"), "{\"user_response\": [\"Hi\"]}\n{}\n").unwrap();
    let program = Program::main(temp.path());
    for (args, expected) in [
        (&["--env", "custmer_service"][..], "customer_service"),
        (&["--env", "s.jsonl"], "user_responses"),
        (&["--env", "missing.jsonl"], "missing.jsonl"),
        (&["--prompts", "missing.jsonl"], "missing.jsonl"),
        (&["--reward", "helpfullness"], "helpfulness"),
        (&["--algorithm", "grbo"], "grpo"),
        (&["--profile", "bold"], "balanced"),
        (&["--steps", "0"], "1 to 1000000000"),
    ] {
        let args = [&["train", "--dry-run", "--model", &model][..], args].concat();
        let told = program.run(&args).refused();
        assert!(told.contains(expected), "{args:?}: {told}");
    }
}

#[test]
fn the_short_name_takes_its_documented_flags() {
    let Some(model) = stories() else { return };
    let temp = folder();
    std::fs::write(temp.path().join("c.toml"), "[training]\nseed = 5\n").unwrap();
    let args = [
        "c.toml",
        "--model-name",
        &model,
        "--num-episodes",
        "2000",
        "--profile",
        "aggressive",
        "--auto-adjust",
        "--wandb-project",
        "mine",
        "--save-every",
        "7",
        "--output-dir",
        "out",
        "--dry-run",
        "--json",
    ];
    let ended = Program::grpo_train(temp.path()).run(&args);
    assert!(ended.stderr.contains("training.wandb_project"), "{}", ended.stderr);
    let found = &ended.json_lines()[0];
    // Whole steps only, so it may be a few more.
    assert!((2000..2200).contains(&found["episodes"].as_u64().unwrap()), "{found}");
    let config = &found["config"];
    assert_eq!(config["training.seed"], 5);
    assert_eq!(config["training.save_steps"], 7);
    assert_eq!(config["training.output_dir"], "out");
    assert_eq!(config["profile"], "aggressive");
    assert_eq!(names(temp.path()), ["c.toml"]);
}
