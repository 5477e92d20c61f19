//! Which charts a report has, and what they are made of.

use minijinja::Value;
use serde::Serialize;

use super::chart::{Chart, Line, LinePoint};
use super::data::RunData;
use crate::format::figure;
use crate::{MetricsRow, RunError, metric};

/// Size of a chart as shown, in pixels: small enough to be read on a telephone.
pub(super) const SMALL: (u32, u32) = (460, 240);
/// Size of the first chart where there is room.
const WIDE: (u32, u32) = (960, 300);

/// A chart for the page.
#[derive(Debug, Serialize)]
pub(super) struct ChartView {
    pub(super) title: &'static str,
    pub(super) legend: Vec<LegendView>,
    /// What else should be known to read it.
    pub(super) note: &'static str,
    /// SVG for a narrow place, not to be escaped.
    pub(super) svg: Value,
    /// SVG for a wide place, for the first chart.
    wide_svg: Option<Value>,
}

/// One entry of a legend.
#[derive(Debug, Serialize)]
pub(super) struct LegendView {
    /// Class of the mark: `line-1`, `line-2` or `point`.
    pub(super) mark: &'static str,
    pub(super) text: &'static str,
}

/// A chart of one or two metrics.
struct Plan {
    title: &'static str,
    y_label: &'static str,
    note: &'static str,
    /// Name of the metric, and what the legend calls it.
    lines: &'static [(&'static str, &'static str)],
}

const PLANS: [Plan; 8] = [
    Plan {
        title: "KL divergence",
        y_label: "nats per token",
        note: "",
        lines: &[
            (metric::DRIFT_KL, "from the policy that sampled"),
            (metric::REFERENCE_KL, "from the reference policy"),
        ],
    },
    Plan {
        title: "Entropy",
        y_label: "nats per token",
        note: "",
        lines: &[(metric::ENTROPY, "of the policy")],
    },
    Plan {
        title: "Clip fraction",
        y_label: "share of tokens",
        note: "",
        lines: &[(metric::CLIP_LOW, "from below"), (metric::CLIP_HIGH, "from above")],
    },
    Plan {
        title: "Length of conversations",
        y_label: "sampled tokens, mean",
        note: "",
        lines: &[(metric::LENGTH_MEAN, "mean of the step")],
    },
    Plan {
        title: "Turns",
        y_label: "agent's turns, mean",
        note: "",
        lines: &[(metric::TURNS_MEAN, "mean of the step")],
    },
    Plan {
        title: "Gradient norm",
        y_label: "norm",
        note: "Before clipping.",
        lines: &[(metric::GRADIENT_NORM, "of the step")],
    },
    Plan {
        title: "Learning rate",
        y_label: "learning rate",
        note: "",
        lines: &[(metric::LEARNING_RATE, "of the step")],
    },
    Plan {
        title: "Speed",
        y_label: "tokens per second",
        note: "",
        lines: &[
            (metric::ROLLOUT_TOKENS_PER_SEC, "sampling"),
            (metric::TRAIN_TOKENS_PER_SEC, "training"),
        ],
    },
];

/// All charts that the run has figures for; the reward first.
///
/// # Errors
/// Where plotters fails.
pub(super) fn charts(data: &RunData) -> Result<Vec<ChartView>, RunError> {
    let mut views = Vec::new();
    views.extend(reward_chart(data)?);
    for plan in &PLANS {
        views.extend(planned_chart(plan, &data.metrics)?);
    }
    Ok(views)
}

fn reward_chart(data: &RunData) -> Result<Option<ChartView>, RunError> {
    let line = reward_line(&data.metrics);
    let evaluations = data.evaluations.iter();
    let points: Vec<_> =
        evaluations.filter_map(|found| Some((found.step, found.summary.reward?))).collect();
    if line.points.is_empty() && points.is_empty() {
        return Ok(None);
    }
    let mut legend = Vec::new();
    let mut description = "Reward over the steps.".to_owned();
    if !line.points.is_empty() {
        legend.push(LegendView { mark: "line-1", text: "training, mean of the step" });
        description += &described("training", &line);
    }
    if let [first, .., last] = &points[..] {
        let (from, to) = (figure(first.1.estimate), figure(last.1.estimate));
        description += &format!(" Held-out conversations: from {from} to {to}.");
    }
    if !points.is_empty() {
        legend.push(LegendView { mark: "point", text: "held-out, mean with 95 % interval" });
    }
    let note = match line.points.first().and_then(|point| point.band) {
        Some(_) => "The band is one standard deviation of the step's rewards to either side.",
        None => "",
    };
    let chart = Chart { y_label: "reward", lines: vec![line], points, from_zero: false };
    Ok(Some(ChartView {
        title: "Reward",
        legend,
        note,
        svg: drawn(&chart, SMALL, &description)?,
        wide_svg: Some(drawn(&chart, WIDE, &description)?),
    }))
}

fn planned_chart(plan: &Plan, metrics: &[MetricsRow]) -> Result<Option<ChartView>, RunError> {
    let marks = ["line-1", "line-2"];
    let mut legend = Vec::new();
    let mut lines = Vec::new();
    let mut description = format!("{} over the steps.", plan.title);
    for (name, text) in plan.lines {
        let line = line_of(metrics, |row| row.metrics.get(*name).copied());
        if !line.points.is_empty() {
            description += &described(text, &line);
            legend.push(LegendView { mark: marks[lines.len()], text });
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return Ok(None);
    }
    if lines.len() == 1 {
        // The title and the axis say what a single line is.
        legend.clear();
    }
    let chart = Chart { y_label: plan.y_label, lines, points: Vec::new(), from_zero: true };
    let svg = drawn(&chart, SMALL, &description)?;
    Ok(Some(ChartView { title: plan.title, legend, note: plan.note, svg, wide_svg: None }))
}

/// The drawing holds only words of this program, so it needs no escaping.
fn drawn(chart: &Chart<'_>, (width, height): (u32, u32), words: &str) -> Result<Value, RunError> {
    chart.svg(width, height, words).map(Value::from_safe_string)
}

fn line_of(metrics: &[MetricsRow], value: impl Fn(&MetricsRow) -> Option<f64>) -> Line {
    let point = |row: &MetricsRow| {
        Some(LinePoint { step: f64::from(row.step), value: value(row)?, band: None })
    };
    Line { points: metrics.iter().filter_map(point).collect() }
}

/// Mean reward of each step within one standard deviation, where that is known.
fn reward_line(metrics: &[MetricsRow]) -> Line {
    let point = |row: &MetricsRow| {
        let get = |name: &str| row.metrics.get(name).copied();
        let value = get(metric::REWARD_MEAN)?;
        let band = get(metric::REWARD_STD).map(|std| (value - std, value + std));
        Some(LinePoint { step: f64::from(row.step), value, band })
    };
    Line { points: metrics.iter().filter_map(point).collect() }
}

fn described(name: &str, line: &Line) -> String {
    let (Some(first), Some(last)) = (line.points.first(), line.points.last()) else {
        return String::new();
    };
    let values = || line.points.iter().map(|point| point.value);
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    format!(
        " {name}: from {} at step {} to {} at step {}, lowest {}, highest {}.",
        figure(first.value),
        first.step,
        figure(last.value),
        last.step,
        figure(low),
        figure(high)
    )
}
