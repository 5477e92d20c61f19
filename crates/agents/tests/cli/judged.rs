//! `train` on the word of a judge.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::program::{Program, folder, names};

/// One step of one group.
const SMALL: [&str; 11] = [
    "train",
    "--threads=1",
    "--steps=1",
    "--prompts=p.jsonl",
    "--set=training.prompts_per_step=1",
    "--set=training.num_generations=4",
    "--set=agent.max_new_tokens=8",
    "--set=reward.judge_context_length=256",
    "--set=reward.judge_prompt=short",
    "--set=training.eval_before=false",
    "--set=training.run_post_eval=false",
];

fn write_prompts(folder: &Path) {
    let line = "{\"prompt\": \"My order is late.\"}\n";
    fs::write(folder.join("p.jsonl"), line).expect("written");
}

fn metrics(run: &Path) -> Value {
    let text = fs::read_to_string(run.join("metrics.jsonl")).expect("it is there");
    serde_json::from_str(text.lines().next().expect("a step")).expect("JSON")
}

#[test]
fn rlaif_trains_on_the_word_of_a_judge_and_writes_pairs() {
    let temp = folder();
    write_prompts(temp.path());
    let program = Program::main(temp.path());
    let more = [
        "--algorithm=rlaif",
        "--judge=builtin:tiny",
        "--output=run",
        "--set=reward.write_preferences=true",
    ];
    program.run(&[&SMALL[..], &more].concat()).ok();
    let found = metrics(&temp.path().join("run")).to_string();
    for name in ["judge/asked", "judge/order_disagreement", "component/task", "component/pairwise"]
    {
        assert!(found.contains(name), "{name}: {found}");
    }
    let pairs = fs::read_to_string(temp.path().join("run/preferences.jsonl")).expect("it is there");
    assert_eq!(pairs.lines().count(), 1, "{pairs}");
    // What was written can be learned from.
    let dpo = ["--algorithm=dpo", "--pairs=run/preferences.jsonl", "--steps=1", "--output=dpo"];
    let held = ["--set=evaluation.split_size=0", "--set=training.prompts_per_step=1"];
    let text = program.run(&[&["train", "--threads=1"][..], &dpo, &held].concat()).ok();
    assert!(text.contains("1 steps, 1 examples"), "{text}");
}

#[test]
fn other_ways_to_ask_serve_any_method() {
    let temp = folder();
    write_prompts(temp.path());
    let program = Program::main(temp.path());
    let small: Vec<&str> = SMALL.into_iter().filter(|arg| !arg.contains("judge_prompt")).collect();
    for (kind, algorithm) in [("score", "reinforce_pp"), ("ruler", "grpo")] {
        let kind_is = format!("--set=reward.judge_kind={kind}");
        let algorithm = format!("--algorithm={algorithm}");
        let output = format!("--output={kind}");
        let more = ["--judge=builtin:tiny", &kind_is, &algorithm, &output];
        let ended = program.run(&[&small[..], &more].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let found = metrics(&temp.path().join(kind)).to_string();
        assert!(found.contains("judge/asked"), "{found}");
    }
}

#[test]
fn wrong_judges_are_refused_before_anything_is_written() {
    let temp = folder();
    write_prompts(temp.path());
    fs::write(temp.path().join("empty.txt"), " \n").expect("written");
    let before = names(temp.path());
    let cases: [(&[&str], &[&str]); 6] = [
        (&["--algorithm=rlaif"], &["rlaif without a judge", "--judge"]),
        (&["--judge=no-such-judge"], &["no-such-judge"]),
        (&["--judge=builtin:large"], &["builtin:tiny"]),
        (&["--judge=builtin:tiny", "--set=reward.judge_rubric_file=missing.txt"], &["missing.txt"]),
        (&["--judge=builtin:tiny", "--set=reward.judge_rubric_file=empty.txt"], &["is empty"]),
        (&["--judge=builtin:tiny", "--set=reward.judge_kind=pairwize"], &["pairwise"]),
    ];
    for (args, expected) in cases {
        let told = Program::main(temp.path()).run(&[&SMALL[..], args].concat()).refused();
        for part in expected {
            assert!(told.contains(part), "{args:?} {part}: {told}");
        }
        assert_eq!(names(temp.path()), before, "{args:?}");
    }
    let alone =
        ["--judge=builtin:tiny", "--algorithm=reinforce", "--set=training.num_generations=1"];
    let small: Vec<&str> = SMALL.into_iter().filter(|arg| !arg.contains("generations")).collect();
    let told = Program::main(temp.path()).run(&[&small[..], &alone].concat()).refused();
    assert!(told.contains("2 or more with a judge that compares"), "{told}");
}
