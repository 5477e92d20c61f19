//! The programs of the guide's page on agents that exist already, as its commands start them.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PAGE: &str = include_str!("../../../../docs/harness.md");

/// Trains for a step of `n` prompts with the command of the page that holds `what`; `None` where Python has
/// no `openai`.
fn trained(what: &str, n: usize) -> Option<Value> {
    let has_client = Command::new("python3").args(["-c", "import openai"]).output();
    if !has_client.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("STATESET_REQUIRE_CLIENTS").is_none(), "python3 has no openai");
        #[allow(clippy::print_stdout, reason = "a test says so when it is skipped")]
        {
            println!("SKIPPED: python3 has no package openai");
        }
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let is_wanted = |line: &&str| line.starts_with("stateset-agents train") && line.contains(what);
    let line = PAGE.lines().find(is_wanted).expect("the page has the command");
    let temp = tempfile::tempdir().expect("a folder");
    let short = format!(
        "--steps 1 --json --set training.prompts_per_step={n} --set training.num_generations=2 \
         --set training.eval_before=false --set evaluation.num_episodes={n} \
         --set training.max_completion_length=24"
    );
    let line = line.replace("\"python ", "\"python3 ").replace("stateset-agents ", "");
    let line = line.replace(" --steps 12", "");
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("\"$0\" {line} {short} --output \"$1\""))
        .arg(env!("CARGO_BIN_EXE_stateset-agents"))
        .arg(temp.path().join("run"))
        .current_dir(root)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("one JSON object"))
}

#[test]
fn a_support_agent_is_trained() {
    let Some(summary) = trained("support_agent.py", 2) else { return };
    assert_eq!(summary["episodes"], 4, "{summary}");
    assert!(summary["reward_after"].as_f64().is_some(), "{summary}");
}

#[test]
fn the_learning_curve_can_be_drawn_again() {
    let Some(summary) = trained("support_agent.py\" --steps 12", 1) else { return };
    assert_eq!(summary["episodes"], 2, "{summary}");
}

#[test]
fn a_program_that_names_its_sample_is_trained() {
    let Some(summary) = trained("by_header.py", 1) else { return };
    assert_eq!(summary["episodes"], 2, "{summary}");
    let reward = summary["reward_after"].as_f64().expect("a reward");
    assert!((0.0..=1.0).contains(&reward), "{summary}");
}

#[test]
fn a_program_with_its_own_reward_is_trained() {
    let Some(summary) = trained("own_reward.py", 2) else { return };
    assert_eq!(summary["episodes"], 4, "{summary}");
    let reward = summary["reward_after"].as_f64().expect("a reward");
    assert!((0.0..=1.0).contains(&reward), "{summary}");
}
