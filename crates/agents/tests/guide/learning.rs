//! That the first command learns, on a part of its steps, and does not grow while it does.

use std::process::Command;

use serde_json::Value;

/// Runs the program in `folder` and reads what `--json` prints.
fn json(folder: &std::path::Path, args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_stateset-agents"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn the_embedded_model_learns_to_serve_customers() {
    let temp = tempfile::tempdir().unwrap();
    let found =
        json(temp.path(), &["train", "--json", "--steps", "20", "--seed", "1", "--output", "run"]);
    let number = |value: &Value| value.as_f64().expect("a number");
    let (before, after) = (number(&found["reward_before"]), number(&found["reward_after"]));
    assert!(after - before > 0.2, "{found}");
    assert!(
        number(&found["reward_after_ci"][0]) > number(&found["reward_before_ci"][1]),
        "{found}"
    );
    assert!(number(&found["goal_after"]) - number(&found["goal_before"]) > 0.2, "{found}");
    let safety = |when: &str| number(&found[when]["safety"]);
    assert!(safety("components_after") >= safety("components_before") - 0.01, "{found}");

    let metrics = std::fs::read_to_string(temp.path().join("run/metrics.jsonl")).unwrap();
    let rows: Vec<Value> =
        metrics.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let peak = |row: &Value| number(&row["memory/peak_rss_bytes"]);
    assert!(peak(&rows[19]) < 1.05 * peak(&rows[1]), "{} {}", peak(&rows[1]), peak(&rows[19]));
    // The policy that is trained is the one that sampled, to the last bit.
    assert!(rows.iter().all(|row| number(&row["mismatch/gap_max"]) == 0.0));
}
