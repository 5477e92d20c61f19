//! What is started for each sample, and its limits.

use std::time::Duration;

/// A program that plays samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harness {
    /// The command, for `sh`. `{scenario}` becomes the scenario's id, as one word.
    pub command: String,
    /// Name of the run in its addresses.
    pub run: String,
    /// Time a program may take from its start to its end; then it is killed with its children.
    pub time_limit: Duration,
    /// Address space of the program and of each child, in MiB; no limit where absent.
    pub memory_mib: Option<u64>,
}

impl Harness {
    /// This command with the usual limits: ten minutes, no limit of memory.
    pub fn new(command: impl Into<String>, run: impl Into<String>) -> Harness {
        Harness {
            command: command.into(),
            run: run.into(),
            time_limit: Duration::from_secs(600),
            memory_mib: None,
        }
    }

    /// What `sh` is given.
    pub(super) fn script(&self) -> String {
        let limit =
            self.memory_mib.map(|mib| format!("ulimit -v {} && ", mib.saturating_mul(1024)));
        // A variable in quotes stays one word, whatever it holds.
        let command = self.command.replace("{scenario}", "\"$STATESET_SCENARIO_ID\"");
        format!("{}{command}", limit.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_stay_one_word_and_memory_is_limited_first() {
        let mut harness = Harness::new("python agent.py {scenario}", "run");
        assert_eq!(harness.script(), "python agent.py \"$STATESET_SCENARIO_ID\"");
        harness.memory_mib = Some(512);
        assert_eq!(
            harness.script(),
            "ulimit -v 524288 && python agent.py \"$STATESET_SCENARIO_ID\""
        );
    }
}
