//! `metrics.jsonl`: one line for each step, with everything that was measured.
//!
//! A line is one flat object: `schema_version`, `step`, `wall_secs` since the start of the run,
//! `step_secs`, then every metric by name. Flat, because that is what data frames and `jq` read best.
//! The four names are reserved; a metric of that name would be overwritten. A number that is not
//! finite is null.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::lines::{LineFile, Stopwatch, read_rows};
use crate::events::newer_schema;
use crate::{EVENT_SCHEMA_VERSION, Event, RunError, Sink};

const SCHEMA: &str = "schema_version";
const STEP: &str = "step";
const WALL_SECS: &str = "wall_secs";
const STEP_SECS: &str = "step_secs";

/// Writes `metrics.jsonl`.
#[derive(Debug)]
pub struct MetricsFile {
    file: LineFile,
    stopwatch: Stopwatch,
}

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsRow {
    /// The step, from 1.
    pub step: u32,
    /// Wall time since the start of the run.
    pub wall_secs: f64,
    /// Wall time of the step.
    pub step_secs: f64,
    /// Numbers by name; those that were not finite are left out.
    pub metrics: BTreeMap<String, f64>,
}

impl MetricsFile {
    /// Opens the file at `path`. A new run (`None`) begins an empty file; a run that goes on from the
    /// checkpoint of a step keeps the lines up to that step, and its wall time goes on too.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn open(path: &Path, resumed_step: Option<u32>) -> Result<MetricsFile, RunError> {
        let mut secs_before = 0.0f64;
        let file = LineFile::open(path, |line| {
            let row = serde_json::from_str(line).ok().and_then(|line| parse(&line).ok());
            let kept = row.filter(|row| resumed_step.is_some_and(|step| row.step <= step));
            secs_before = kept.as_ref().map_or(secs_before, |row| secs_before.max(row.wall_secs));
            kept.is_some()
        })?;
        Ok(MetricsFile { file, stopwatch: Stopwatch::resume(secs_before) })
    }
}

impl Sink for MetricsFile {
    fn handle(&mut self, event: &Event) {
        if let Event::StepFinished { step, metrics, secs, .. } = event {
            let line = line(*step, self.stopwatch.secs(), *secs, metrics);
            if let Err(error) = self.file.append(&line) {
                tracing::warn!("metrics of step {step} are lost: failed to {error}");
            }
        }
    }
}

/// Reads `metrics.jsonl`. A last line that is not finished yet is passed over; a file that is not there
/// has no rows.
///
/// # Errors
/// Where the file cannot be read or a line is no row of metrics.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsRow>, RunError> {
    let lines: Vec<Map<String, Value>> = read_rows(path)?;
    let row = |(index, line)| {
        parse(&line).map_err(|reason| RunError::Line {
            path: path.to_owned(),
            line: index + 1,
            reason,
        })
    };
    lines.into_iter().enumerate().map(row).collect()
}

fn line(
    step: u32,
    wall_secs: f64,
    step_secs: f64,
    metrics: &BTreeMap<String, f64>,
) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert(SCHEMA.into(), EVENT_SCHEMA_VERSION.into());
    line.insert(STEP.into(), step.into());
    line.insert(WALL_SECS.into(), wall_secs.into());
    line.insert(STEP_SECS.into(), step_secs.into());
    for (name, value) in metrics {
        line.entry(name.as_str()).or_insert_with(|| (*value).into());
    }
    line
}

fn parse(line: &Map<String, Value>) -> Result<MetricsRow, String> {
    let number = |key: &str| line.get(key).and_then(Value::as_f64);
    let missing = |key: &str| format!("it has no number `{key}`");
    let whole = |key: &str| {
        let found = line.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        found.ok_or_else(|| missing(key))
    };
    let schema = whole(SCHEMA)?;
    if schema > EVENT_SCHEMA_VERSION {
        return Err(newer_schema(schema));
    }
    let reserved = [SCHEMA, STEP, WALL_SECS, STEP_SECS];
    let metrics = line.iter().filter(|(name, _)| !reserved.contains(&name.as_str()));
    Ok(MetricsRow {
        step: whole(STEP)?,
        wall_secs: number(WALL_SECS).ok_or_else(|| missing(WALL_SECS))?,
        step_secs: number(STEP_SECS).ok_or_else(|| missing(STEP_SECS))?,
        metrics: metrics.filter_map(|(name, v)| Some((name.clone(), v.as_f64()?))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn step(step: u32, reward: f64) -> Event {
        let metrics = [("reward/mean".to_owned(), reward), ("loss".to_owned(), -0.125)];
        Event::StepFinished { step, of: 9, metrics: metrics.into(), secs: 1.5 }
    }

    #[test]
    fn the_line_of_a_step() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("metrics.jsonl");
        let mut sink = MetricsFile::open(&path, None).unwrap();
        sink.handle(&step(1, 0.5));
        sink.handle(&step(2, f64::INFINITY));
        sink.handle(&Event::Warning { text: "not a step".into() });
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r#""wall_secs":[0-9.]+"#, r#""wall_secs":[secs]"#);
        settings.bind(|| insta::assert_snapshot!(fs::read_to_string(&path).unwrap()));
        let rows = read_metrics(&path).unwrap();
        assert_eq!(rows[0].metrics["reward/mean"], 0.5);
        assert!(!rows[1].metrics.contains_key("reward/mean"));
    }

    #[test]
    fn resuming_cuts_what_came_after_the_checkpoint() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("metrics.jsonl");
        let mut sink = MetricsFile::open(&path, None).unwrap();
        (1..=5).for_each(|n| sink.handle(&step(n, 0.0)));
        drop(sink);
        let torn = fs::read_to_string(&path).unwrap() + "{\"schema_version\":1,\"step\":6";
        fs::write(&path, torn.replacen("\"wall_secs\":0", "\"wall_secs\":70", 1)).unwrap();
        let mut sink = MetricsFile::open(&path, Some(3)).unwrap();
        sink.handle(&step(4, 1.0));
        let rows = read_metrics(&path).unwrap();
        assert_eq!(rows.iter().map(|row| row.step).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(rows[3].metrics["reward/mean"], 1.0);
        assert!(rows[3].wall_secs >= 70.0, "wall time goes on: {}", rows[3].wall_secs);

        MetricsFile::open(&path, None).unwrap();
        assert_eq!(read_metrics(&path).unwrap(), []);
    }

    #[test]
    fn reserved_names_cannot_be_taken() {
        let metrics = [("step".to_owned(), 99.0)].into();
        assert_eq!(line(3, 0.0, 0.0, &metrics)["step"], 3);
    }

    #[test]
    fn a_line_that_is_no_row_is_named() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("metrics.jsonl");
        fs::write(&path, "{\"schema_version\":1,\"wall_secs\":1,\"step_secs\":1}\n").unwrap();
        assert!(read_metrics(&path).unwrap_err().to_string().contains("`step`"));
        fs::write(&path, "{\"schema_version\":2}\n").unwrap();
        assert!(read_metrics(&path).unwrap_err().to_string().contains("schema 2"));
    }
}
