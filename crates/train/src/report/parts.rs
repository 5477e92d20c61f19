//! Charts of runs for pages other than the report.

use super::chart::{Chart, Line, LinePoint};
use super::charts::{ChartView, SMALL, charts};
use super::data::RunData;
use crate::{MetricsRow, RunError, RunFolder, metric, read_metrics};

/// The style sheet of the report. The colours of charts belong to it.
pub const REPORT_STYLE: &str = include_str!("page.css");

/// A chart as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunChart {
    /// What it shows.
    pub title: String,
    /// Class of the mark (`line-1`, `line-2` or `point`), and what it stands for; empty where the title
    /// says it.
    pub legend: Vec<(&'static str, String)>,
    /// What else should be known to read it; may be empty.
    pub note: &'static str,
    /// The drawing; text in it is escaped.
    pub svg: String,
}

/// What a run came to so far, without its conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFigures {
    /// The newest step.
    pub last: Option<MetricsRow>,
    /// All charts that the run has figures for; the reward first.
    pub charts: Vec<RunChart>,
}

impl RunFigures {
    /// Reads the figures of a run, whether it has ended or not. What cannot be read is left out.
    ///
    /// # Errors
    /// [`RunError::Report`] where a chart cannot be drawn.
    pub fn read(run: &RunFolder) -> Result<RunFigures, RunError> {
        let mut data = RunData::figures(run);
        let charts = charts(&data)?.into_iter().map(RunChart::from).collect();
        Ok(RunFigures { last: data.metrics.pop(), charts })
    }
}

impl From<ChartView> for RunChart {
    fn from(view: ChartView) -> RunChart {
        let legend = view.legend.iter().map(|entry| (entry.mark, entry.text.to_owned()));
        RunChart {
            title: view.title.to_owned(),
            legend: legend.collect(),
            note: view.note,
            svg: view.svg.to_string(),
        }
    }
}

/// What two runs are compared by: the metric, its title and its unit.
const COMPARED: [(&str, &str, &str); 8] = [
    (metric::REWARD_MEAN, "Reward", "mean of the step"),
    (metric::DRIFT_KL, "KL from the policy that sampled", "nats per token"),
    (metric::REFERENCE_KL, "KL from the reference policy", "nats per token"),
    (metric::ENTROPY, "Entropy", "nats per token"),
    (metric::LENGTH_MEAN, "Length of conversations", "sampled tokens, mean"),
    (metric::TURNS_MEAN, "Turns", "agent's turns, mean"),
    (metric::GRADIENT_NORM, "Gradient norm", "norm"),
    (metric::ROLLOUT_TOKENS_PER_SEC, "Sampling speed", "tokens per second"),
];

/// Both runs in one chart for each figure that either has; `names` stand in the legends.
///
/// # Errors
/// [`RunError`] where metrics cannot be read or a chart cannot be drawn.
pub fn compared_charts(runs: [&RunFolder; 2], names: [&str; 2]) -> Result<Vec<RunChart>, RunError> {
    let rows = [read_metrics(&runs[0].metrics())?, read_metrics(&runs[1].metrics())?];
    let mut all = Vec::new();
    for (name, title, y_label) in COMPARED {
        let lines: Vec<Line> = rows.iter().map(|rows| line(rows, name)).collect();
        if lines.iter().all(|line| line.points.is_empty()) {
            continue;
        }
        let chart = Chart { y_label, lines, points: Vec::new(), from_zero: false };
        let words = format!("{title} of {} and {} over the steps.", names[0], names[1]);
        all.push(RunChart {
            title: title.to_owned(),
            legend: vec![("line-1", names[0].to_owned()), ("line-2", names[1].to_owned())],
            note: "",
            svg: chart.svg(SMALL.0, SMALL.1, &words)?,
        });
    }
    Ok(all)
}

fn line(rows: &[MetricsRow], name: &str) -> Line {
    let point = |row: &MetricsRow| {
        let value = *row.metrics.get(name)?;
        Some(LinePoint { step: f64::from(row.step), value, band: None })
    };
    Line { points: rows.iter().filter_map(point).collect() }
}
