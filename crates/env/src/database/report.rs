//! What an episode over a database came to, as rewards and reports read it.
//!
//! # What counts
//! A task's [`super::Basis`] says which parts decide; the verdict is 1 where all of them hold and 0
//! otherwise. Where a counted part can only be judged by reading (statements in natural language), or where
//! nothing is counted at all, there is no verdict.
//!
//! Progress is for learners that cannot do the whole yet: the share of steps done (an expected call with
//! its arguments counts 1, the right tool with other arguments a quarter, a required output 1), less one
//! step for every row that was changed and should not have been, or was left in another state than it
//! should.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stateset_core::{Score, Trajectory};

/// Where the report is in the state's metadata.
const REPORT: &str = "database_report";
const GOAL_REACHED: &str = "goal_reached";

/// A part that is counted, or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many things were asked for.
    pub required: usize,
    /// How many of them hold.
    pub met: usize,
    /// True where this part decides.
    pub counts: bool,
}

impl Part {
    /// True where all of it holds.
    pub fn holds(&self) -> bool {
        self.met == self.required
    }
}

/// What an episode came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseReport {
    /// The final database (one thing: it equals the expected one).
    pub database: Part,
    /// Required outputs.
    pub outputs: Part,
    /// Expected calls.
    pub calls: Part,
    /// Assertions about the final database.
    pub assertions: Part,
    /// Statements in natural language; none is ever met without a judge.
    pub statements: Part,
    /// Rows of the final database that are not as they should be, and are not as they were.
    pub n_wrong_rows: usize,
    /// From 0 to 1; see above.
    pub progress: f64,
    /// Calls of the agent's.
    pub n_calls: usize,
    /// Those that failed.
    pub n_failed_calls: usize,
}

impl DatabaseReport {
    /// The parts by name, in the order of the columns of tables.
    pub fn parts(&self) -> [(&'static str, Part); 5] {
        [
            ("database", self.database),
            ("outputs", self.outputs),
            ("calls", self.calls),
            ("assertions", self.assertions),
            ("statements", self.statements),
        ]
    }

    /// 1 or 0, or why there is no verdict.
    pub fn score(&self) -> Score {
        let counted: Vec<(&str, Part)> =
            self.parts().into_iter().filter(|(_, part)| part.counts).collect();
        let lacking: Vec<String> = counted
            .iter()
            .filter(|(name, part)| *name != "statements" && !part.holds())
            .map(|(name, part)| format!("{name} {} of {}", part.met, part.required))
            .collect();
        if !lacking.is_empty() {
            return Score::with_evidence(0.0, lacking.join(", "));
        }
        if self.statements.counts && self.statements.required > 0 {
            let n = self.statements.required;
            return Score::unscorable(format!("{n} statements in natural language need a judge"));
        }
        if counted.is_empty() {
            return Score::unscorable("the task says nothing that can be checked without a judge");
        }
        let names: Vec<&str> = counted.iter().map(|(name, _)| *name).collect();
        Score::with_evidence(1.0, format!("{} as expected", names.join(", ")))
    }

    /// Writes the report into an episode's metadata.
    pub(crate) fn write(&self, metadata: &mut Map<String, Value>) {
        metadata.insert(REPORT.to_owned(), serde_json::to_value(self).unwrap_or_default());
        match self.score().value() {
            Some(value) => metadata.insert(GOAL_REACHED.to_owned(), (value == 1.0).into()),
            None => metadata.remove(GOAL_REACHED),
        };
    }

    /// The report in an episode's metadata.
    pub fn from_metadata(metadata: &Map<String, Value>) -> Option<DatabaseReport> {
        serde_json::from_value(metadata.get(REPORT)?.clone()).ok()
    }

    /// The report of a finished episode; `None` for one of another world.
    pub fn read(trajectory: &Trajectory) -> Option<DatabaseReport> {
        DatabaseReport::from_metadata(&trajectory.final_state.as_ref()?.metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(met: usize, required: usize) -> Part {
        Part { required, met, counts: true }
    }

    #[test]
    fn all_that_counts_must_hold() {
        let mut report = DatabaseReport { database: part(1, 1), ..DatabaseReport::default() };
        assert_eq!(report.score().value(), Some(1.0));
        report.outputs = part(1, 2);
        assert_eq!(report.score(), Score::with_evidence(0.0, "outputs 1 of 2"));
        report.outputs.counts = false;
        assert_eq!(report.score().value(), Some(1.0));
    }

    #[test]
    fn what_needs_a_judge_has_no_verdict() {
        assert_eq!(DatabaseReport::default().score().value(), None);
        let report = DatabaseReport {
            database: part(1, 1),
            statements: part(0, 2),
            ..DatabaseReport::default()
        };
        assert_eq!(report.score().value(), None);
        let failed = DatabaseReport { database: part(0, 1), ..report };
        assert_eq!(failed.score().value(), Some(0.0), "no judge could save it");
    }

    #[test]
    fn it_goes_through_metadata() {
        let mut metadata = Map::new();
        let report =
            DatabaseReport { database: part(1, 1), progress: 0.25, ..DatabaseReport::default() };
        report.write(&mut metadata);
        assert_eq!(metadata["goal_reached"], true);
        assert_eq!(DatabaseReport::from_metadata(&metadata), Some(report));
        DatabaseReport::default().write(&mut metadata);
        assert_eq!(metadata.get("goal_reached"), None);
    }
}
