//! Runs that are killed or asked to stop, and go on.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use stateset_core::{Purpose, RunSeed, StreamKey};

use super::program::{Program, folder};

/// A run of seconds on the embedded model.
const SHORT: [&str; 15] = [
    "train",
    "--json",
    "--steps",
    "6",
    "--set",
    "training.prompts_per_step=2",
    "--set",
    "training.num_generations=4",
    "--set",
    "training.save_steps=2",
    "--set",
    "evaluation.num_episodes=4",
    "--output",
    "run",
    "--seed=5",
];

fn summary(program: &Program, more: &[&str]) -> Value {
    let ended = program.run(&[&SHORT[..], more].concat());
    serde_json::from_str(&ended.ok()).expect("one JSON object")
}

fn spawned(program: &Program, more: &[&str]) -> Child {
    let mut command = program.command(&[&SHORT[..], more].concat());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

/// What `--resume` needs once there is something to go on with.
fn resume(folder: &Path) -> &'static [&'static str] {
    if folder.join("run/config.toml").exists() { &["--resume"] } else { &["--force"] }
}

#[test]
fn a_run_killed_five_times_comes_to_the_same_weights() {
    let whole = folder();
    let start = Instant::now();
    let expected = summary(&Program::main(whole.path()), &[]);
    let lasts = start.elapsed();
    let temp = folder();
    let program = Program::main(temp.path());
    let mut stream = RunSeed(9).stream(Purpose::Data, StreamKey::default());
    for _ in 0..5 {
        let mut child = spawned(&program, resume(temp.path()));
        std::thread::sleep(lasts.mul_f64(stream.uniform(0.05, 0.6)));
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    let found = summary(&program, resume(temp.path()));
    for key in ["model_sha256", "reward_before", "reward_after", "episodes", "sampled_tokens"] {
        assert_eq!(found[key], expected[key], "{key}");
    }
}

#[test]
fn ctrl_c_ends_the_step_saves_and_says_how_to_go_on() {
    let whole = folder();
    let expected = summary(&Program::main(whole.path()), &[]);
    let temp = folder();
    let program = Program::main(temp.path());
    let mut child = spawned(&program, &[]);
    wait_for_a_step(&temp.path().join("run/metrics.jsonl"), &mut child);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(temp.path().join("run/summary.json").is_file());
    let found = summary(&program, &["--resume"]);
    assert_eq!(found["model_sha256"], expected["model_sha256"]);
}

/// As the runs above, on preferences: killed and interrupted, it comes to the same weights.
#[test]
fn a_run_on_pairs_goes_on_where_it_was_killed() {
    let line = |i: usize| {
        let (good, bad) = ("I am sorry. I will look into it.", "No.");
        format!(
            "{{\"prompt\": \"Order {i}\", \"chosen\": \"{good}\", \"rejected\": \"{bad} {i}\"}}\n"
        )
    };
    let lines: String = (0..40).map(line).collect();
    let begin = "train --json --algorithm dpo --pairs p.jsonl --steps 8 --output run --threads 1 \
                 --set training.save_steps=2 --set training.prompts_per_step=4";
    let begin: Vec<&str> = begin.split_whitespace().collect();
    let result = |program: &Program, args: &[&str]| -> Value {
        serde_json::from_str(&program.run(args).ok()).expect("one JSON object")
    };
    let whole = folder();
    std::fs::write(whole.path().join("p.jsonl"), &lines).expect("written");
    let expected = result(&Program::main(whole.path()), &begin);
    let temp = folder();
    std::fs::write(temp.path().join("p.jsonl"), &lines).expect("written");
    let program = Program::main(temp.path());
    let again = ["train", "--json", "--resume", "run"];
    for (args, signal) in [(&begin[..], "-INT"), (&again[..], "-KILL")] {
        let mut command = program.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        wait_for_a_step(&temp.path().join("run/metrics.jsonl"), &mut child);
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill runs").success());
        let code = child.wait().expect("it ends").code();
        assert_eq!(code, (signal == "-INT").then_some(0));
    }
    let found = result(&program, &again);
    for key in ["steps", "episodes", "model_sha256", "reward_before", "reward_after"] {
        assert_eq!(found[key], expected[key], "{key}");
    }
}

fn wait_for_a_step(metrics: &Path, child: &mut Child) {
    let start = Instant::now();
    while std::fs::read_to_string(metrics).map_or(0, |text| text.lines().count()) == 0 {
        assert!(start.elapsed() < Duration::from_secs(120), "no step within two minutes");
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended before a step");
        std::thread::sleep(Duration::from_millis(5));
    }
}
