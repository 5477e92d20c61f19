//! What replays of a domain's tasks come to, for tests and for the example that prints it.

#![allow(dead_code, reason = "tests and the example each use a part")]

use std::fmt;

use stateset_core::Score;
use stateset_env::database::{DatabaseDomain, DatabaseReport, ReplayPlan, replay};

/// One row: a task and what its replays came to.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) score: Score,
    pub(crate) report: DatabaseReport,
    /// Calls, and how many of them changed the database.
    pub(crate) n_calls: usize,
    pub(crate) n_writes: usize,
    /// Expected calls that were refused: index, tool and reason.
    pub(crate) refused: Vec<(usize, String, String)>,
    /// Writes whose omission is not noticed: index and tool.
    pub(crate) masked: Vec<(usize, String)>,
    /// Calls that changed nothing though they worked and are no mere look-ups by name.
    pub(crate) idle: Vec<(usize, String)>,
}

pub(crate) fn survey(domain: &DatabaseDomain) -> Vec<Row> {
    domain.tasks().map(|task| row(domain, &task.id)).collect()
}

fn row(domain: &DatabaseDomain, id: &str) -> Row {
    let whole = replay(domain, id, &ReplayPlan::default()).expect("the task is there");
    let mut row = Row {
        id: id.to_owned(),
        score: whole.report.score(),
        report: whole.report,
        n_calls: whole.calls.len(),
        n_writes: whole.calls.iter().filter(|call| call.is_write).count(),
        refused: Vec::new(),
        masked: Vec::new(),
        idle: Vec::new(),
    };
    for call in whole.calls {
        if let Err(why) = &call.result {
            row.refused.push((call.index, call.name.clone(), why.clone()));
        } else if !call.is_write {
            row.idle.push((call.index, call.name.clone()));
        } else {
            let plan = ReplayPlan { without_call: Some(call.index), ..ReplayPlan::default() };
            let without = replay(domain, id, &plan).expect("the task is there");
            if without.report.score().value() != Some(0.0) {
                row.masked.push((call.index, call.name.clone()));
            }
        }
    }
    row
}

/// The table that is printed.
pub(crate) struct Table<'a>(pub(crate) &'a [Row]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0;
        let scored = |value: f64| rows.iter().filter(|r| r.score.value() == Some(value)).count();
        let n_writes: usize = rows.iter().map(|row| row.n_writes).sum();
        let n_masked: usize = rows.iter().map(|row| row.masked.len()).sum();
        writeln!(f, "tasks                                  {:6}", rows.len())?;
        writeln!(f, "  whole replay scores 1.0              {:6}", scored(1.0))?;
        writeln!(f, "  whole replay scores 0.0              {:6}", scored(0.0))?;
        let n_unscorable = rows.iter().filter(|row| row.score.value().is_none()).count();
        writeln!(f, "  whole replay cannot be scored        {n_unscorable:6}")?;
        let n_calls: usize = rows.iter().map(|row| row.n_calls).sum();
        writeln!(f, "expected calls                         {n_calls:6}")?;
        writeln!(f, "  change the database                  {n_writes:6}")?;
        writeln!(f, "    left out, scores 0.0               {:6}", n_writes - n_masked)?;
        writeln!(f, "    left out, not noticed              {n_masked:6}")?;
        let n_idle: usize = rows.iter().map(|row| row.idle.len()).sum();
        writeln!(f, "  work and change nothing              {n_idle:6}")?;
        let n_refused: usize = rows.iter().map(|row| row.refused.len()).sum();
        writeln!(f, "  are refused                          {n_refused:6}")?;
        for row in rows {
            match &row.score {
                Score::Scored { value, .. } if *value == 1.0 => {}
                Score::Scored { evidence, .. } => writeln!(f, "{}: 0.0, {evidence}", row.id)?,
                Score::Unscorable { why } => writeln!(f, "{}: not scored, {why}", row.id)?,
            }
            for (index, name, why) in &row.refused {
                writeln!(f, "{}: call {index} ({name}) is refused: {why}", row.id)?;
            }
            for (index, name) in &row.masked {
                writeln!(f, "{}: call {index} ({name}) can be left out unnoticed", row.id)?;
            }
        }
        Ok(())
    }
}
