//! One measured process: bound to its processors, with as many threads as the other side, and read
//! from the last line of JSON that it prints.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::settings::Settings;
use crate::command::{root, works};

/// What both sides are told about threads and the network.
fn environment(n_threads: usize) -> [(&'static str, String); 5] {
    [
        ("OMP_NUM_THREADS", n_threads.to_string()),
        // Without it two threads of PyTorch can share a core and wait for each other.
        ("OMP_PROC_BIND", "true".to_owned()),
        ("RAYON_NUM_THREADS", n_threads.to_string()),
        ("HF_HUB_OFFLINE", "1".to_owned()),
        ("TOKENIZERS_PARALLELISM", "false".to_owned()),
    ]
}

/// Runs `program` and gives the JSON object of its last line.
pub(super) fn measured(program: &Path, words: &[String], settings: &Settings) -> Result<Value> {
    let mut command = if works(Command::new("taskset").arg("--version")) {
        let mut command = Command::new("taskset");
        command.args(["-c", &settings.cpus]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(words).current_dir(root()).envs(environment(settings.n_threads));
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let line = [&[name][..], words].concat().join(" ");
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start `{line}`"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let tail: Vec<&str> = stderr.lines().rev().take(15).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!("`{line}` failed:\n{}", tail.join("\n"));
    }
    last_json(&stdout)
        .with_context(|| format!("failed to find a line of JSON in what `{line}` printed"))
}

fn last_json(text: &str) -> Option<Value> {
    // A program may also print one object over several lines.
    let whole = || serde_json::from_str(text.trim()).ok();
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    serde_json::from_str(line).ok().filter(Value::is_object).or_else(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_object_counts() {
        let found = last_json("loading\n{\"secs\": 1}\n{\"secs\": 2}\n\n");
        assert_eq!(found.map(|value| value["secs"].clone()), Some(2.into()));
        let found = last_json("{\n  \"secs\": 3\n}\n");
        assert_eq!(found.map(|value| value["secs"].clone()), Some(3.into()));
        assert_eq!(last_json("done"), None);
    }
}
