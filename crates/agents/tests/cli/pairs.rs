//! `train` with methods that learn from preferences.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::program::{Program, folder, names};

/// Pairs of which the polite answer is the better one.
fn write_pairs(folder: &Path, n: usize) {
    let line = |i: usize| {
        let line = json!({
            "prompt": format!("My order {i} is late."),
            "chosen": "I am sorry. I will look into it.",
            "rejected": format!("No {i}."),
        });
        format!("{line}\n")
    };
    fs::write(folder.join("pairs.jsonl"), (0..n).map(line).collect::<String>()).expect("written");
}

/// A run of seconds.
fn args<'a>(algorithm: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let usual = ["--pairs", "pairs.jsonl", "--set", "training.prompts_per_step=4"];
    [&["train", "--algorithm", algorithm][..], &usual, &["--threads", "1"], more].concat()
}

fn summary(program: &Program, args: &[&str]) -> Value {
    serde_json::from_str(&program.run(args).ok()).expect("one JSON object")
}

#[test]
fn dpo_tells_accuracy_and_margin_and_goes_on() {
    let temp = folder();
    write_pairs(temp.path(), 20);
    let program = Program::main(temp.path());
    let steps = ["--steps", "3", "--output", "run", "--save", "saved"];
    let text = program.run(&args("dpo", &steps)).ok();
    for expected in [
        "2 held-out examples",
        "accuracy",
        "margin",
        "loss",
        "3 steps, 12 examples",
        "chat --model",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let kept = names(&temp.path().join("run"));
    for name in ["config.toml", "metrics.jsonl", "summary.json", "report.html", "checkpoint"] {
        assert!(kept.iter().any(|kept| kept == name), "{name}: {kept:?}");
    }
    let config = fs::read_to_string(temp.path().join("run/config.toml")).expect("it is there");
    assert!(config.contains("pairs_file = \"pairs.jsonl\"  # flag --pairs"), "{config}");
    assert!(names(&temp.path().join("saved")).contains(&"tokenizer.json".to_owned()));
    // The configuration of the run says what it learns from.
    let again = summary(&program, &["train", "--resume", "run", "--json"]);
    assert_eq!((&again["steps"], &again["episodes"]), (&json!(3), &json!(12)));
    let other = program.run(&["train", "--resume", "run", "--seed", "9"]).refused();
    assert!(other.contains("training.seed was 42, is 9"), "{other}");
    let taken = program.run(&args("dpo", &steps)).refused();
    assert!(taken.contains("holds a run already"), "{taken}");
}

#[test]
fn a_dry_run_counts_the_examples_and_writes_nothing() {
    let temp = folder();
    write_pairs(temp.path(), 20);
    let program = Program::main(temp.path());
    let text = program.run(&args("simpo", &["--dry-run"])).ok();
    assert!(
        text.contains("5 steps of simpo with builtin:tiny on pairs, each of 4 of 18"),
        "{text}"
    );
    let dry = ["--dry-run", "--json", "--eval-pairs", "pairs.jsonl"];
    let found = &program.run(&args("ipo", &dry)).json_lines()[0];
    assert_eq!((&found["examples"], &found["held_out"]), (&json!(20), &json!(20)));
    assert!(found["memory_bytes"].as_u64() > Some(1_000_000), "{found}");
    assert_eq!(names(temp.path()), ["pairs.jsonl"]);
}

#[test]
fn kto_orpo_and_cpo_take_a_step() {
    let temp = folder();
    write_pairs(temp.path(), 20);
    let program = Program::main(temp.path());
    for algorithm in ["orpo", "cpo"] {
        let text = program.run(&args(algorithm, &["--steps", "1", "--output", algorithm])).ok();
        assert!(text.contains("1 steps, 4 examples"), "{text}");
    }
    let line = |i: usize| {
        let line = json!({ "prompt": format!("Hello {i}"), "completion": "Hi.", "label": i.is_multiple_of(2) });
        format!("{line}\n")
    };
    let lines: String = (0..20).map(line).collect();
    fs::write(temp.path().join("pairs.jsonl"), lines).expect("written");
    let text = program.run(&args("kto", &["--steps", "1", "--output", "kto"])).ok();
    assert!(text.contains("1 steps, 4 examples"), "{text}");
}

#[test]
fn a_reward_model_rewards_the_rollouts_of_another_run() {
    let temp = folder();
    write_pairs(temp.path(), 20);
    let program = Program::main(temp.path());
    let text = program.run(&args("reward_model", &["--steps", "2", "--output", "judge"])).ok();
    assert!(text.contains("train --reward neural:./judge"), "{text}");
    fs::write(temp.path().join("p.jsonl"), "{\"prompt\": \"My order is late.\"}\n")
        .expect("written");
    let online = ["train", "--prompts", "p.jsonl", "--steps", "1", "--threads", "1", "--json"];
    let small = [
        "--set",
        "training.prompts_per_step=1",
        "--set",
        "training.num_generations=4",
        "--reward",
        "neural:judge=0.7,safety=0.3",
        "--output",
        "online",
    ];
    let found = summary(&program, &[&online[..], &small].concat());
    assert!(found["reward_after"].as_f64().is_some(), "{found}");
    let metrics =
        fs::read_to_string(temp.path().join("online/metrics.jsonl")).expect("it is there");
    assert!(metrics.contains("component/neural:judge"), "{metrics}");
    let none = [&online[..], &["--reward", "neural:online", "--output", "other"]].concat();
    let told = program.run(&none).refused();
    assert!(told.contains("online holds no value_head"), "{told}");
    assert!(!temp.path().join("other").exists());
}

#[test]
fn wrong_preferences_are_refused_before_anything_is_written() {
    let temp = folder();
    let write = |name: &str, text: &str| fs::write(temp.path().join(name), text).expect("written");
    write_pairs(temp.path(), 20);
    write("empty.jsonl", "");
    write(
        "equal.jsonl",
        "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"b\"}\n",
    );
    let before = names(temp.path());
    let cases: [(&[&str], &[&str]); 9] = [
        (&["--algorithm", "dpo"], &["dpo without pairs", "training.pairs_file"]),
        (&["--algorithm", "dpo", "--pairs", "missing.jsonl"], &["missing.jsonl"]),
        (&["--algorithm", "dpo", "--pairs", "empty.jsonl"], &["empty.jsonl", "no line"]),
        (
            &["--algorithm", "dpo", "--pairs", "equal.jsonl"],
            &["equal.jsonl", "line 2", "`chosen` equals `rejected`"],
        ),
        (
            &["--algorithm", "dpo", "--pairs", "pairs.jsonl", "--eval-pairs", "equal.jsonl"],
            &["equal.jsonl", "line 2"],
        ),
        (&["--algorithm", "kto", "--pairs", "pairs.jsonl"], &["pairs.jsonl", "line 1"]),
        (
            &[
                "--algorithm",
                "dpo",
                "--pairs",
                "pairs.jsonl",
                "--set",
                "training.preference_loss=x",
            ],
            &["sigmoid", "hinge", "ipo"],
        ),
        (&["--algorithm", "dpo", "--pairs", "pairs.jsonl", "--stub"], &["a stub has no model"]),
        (
            &["--algorithm", "dpo", "--pairs", "pairs.jsonl", "--set", "training.batch_size=64"],
            &["18 examples", "a step takes 64"],
        ),
    ];
    for (args, expected) in cases {
        let told = Program::main(temp.path()).run(&[&["train"], args].concat()).refused();
        for part in expected {
            assert!(told.contains(part), "{args:?} {part}: {told}");
        }
        assert_eq!(names(temp.path()), before, "{args:?}");
    }
}
