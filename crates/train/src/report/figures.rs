//! The headline table, before against after, and the figures of the run.
//!
//! The change has an interval of its own, from the differences of the same scenarios played twice: much
//! of the spread between conversations is that of the scenarios and falls out. Without such pairs the
//! table shows the plain difference and no verdict.

use std::collections::BTreeSet;

use serde::Serialize;
use stateset_algo::{Bootstrap, Interval};
use stateset_core::{Purpose, RunSeed, StreamKey, Trajectory};

use super::choice::Pair;
use super::data::RunData;
use crate::events::goal_reached;
use crate::format::{bytes, count, duration, percent, score};
use crate::{EvaluationSummary, RunFolder, metric};

/// Seed of the intervals of changes.
const SEED: RunSeed = RunSeed(95);

/// The headline table.
#[derive(Debug, Serialize)]
pub(super) struct TableView {
    before: String,
    after: String,
    rows: Vec<RowView>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct RowView {
    name: String,
    is_part: bool,
    before: CellView,
    after: CellView,
    change: CellView,
    /// Class and words: `gain`, `loss`, `unclear`, or empty where nothing is claimed.
    verdict: &'static str,
}

/// An estimate and its interval; both empty where nothing is known.
#[derive(Debug, Default, PartialEq, Serialize)]
struct CellView {
    value: String,
    interval: String,
}

/// A figure of the run with its name.
#[derive(Debug, Serialize)]
pub(super) struct TileView {
    name: &'static str,
    value: String,
    note: String,
}

/// How a figure is written.
#[derive(Clone, Copy)]
enum Unit {
    Plain,
    Share,
}

/// The two evaluations that are compared.
struct Comparison<'a> {
    before: Option<&'a EvaluationSummary>,
    after: Option<&'a EvaluationSummary>,
    /// The conversations of both; empty where they are not at hand.
    pairs: &'a [Pair<'a>],
}

/// The table; `None` where no evaluation was played.
pub(super) fn table(data: &RunData, pairs: &[Pair<'_>]) -> Option<TableView> {
    let before = data.evaluation(RunFolder::BEFORE);
    let after = data.evaluation(RunFolder::AFTER);
    let is_over = before.is_some() && after.is_some();
    let latest = || data.evaluations.iter().rev().find(|found| found.name != RunFolder::BEFORE);
    let after = after.or_else(latest);
    if before.is_none() && after.is_none() {
        return None;
    }
    let comparison = Comparison {
        before: before.map(|found| &found.summary),
        after: after.map(|found| &found.summary),
        pairs: if is_over { pairs } else { &[] },
    };
    Some(TableView {
        before: "Before training".to_owned(),
        after: match after {
            Some(found) if found.name != RunFolder::AFTER => format!("At step {}", found.step),
            _ => "After training".to_owned(),
        },
        rows: comparison.rows(),
    })
}

/// The figures of the run, as far as they are known.
pub(super) fn tiles(data: &RunData) -> Vec<TileView> {
    let summary = data.summary.as_ref();
    let of = data.start.as_ref().map(|start| format!("of {}", count(start.n_steps.into())));
    let mut tiles =
        vec![tile("Steps", count(data.last_step().into()), of.as_deref().unwrap_or_default())];
    if let Some(summary) = summary {
        tiles.push(tile("Training episodes", count(summary.n_episodes), ""));
        tiles.push(tile("Sampled tokens", count(summary.n_sampled_tokens), ""));
        tiles.push(tile("Trained tokens", count(summary.n_trained_tokens), ""));
    }
    let speeds = [
        (
            "Sampling",
            summary.and_then(|s| s.rollout_tokens_per_sec),
            metric::ROLLOUT_TOKENS_PER_SEC,
        ),
        ("Training", summary.and_then(|s| s.train_tokens_per_sec), metric::TRAIN_TOKENS_PER_SEC),
    ];
    for (name, measured, metric) in speeds {
        if let Some(speed) = measured.or_else(|| mean_metric(data, metric)) {
            tiles.push(tile(name, count(speed.max(0.0).round() as u64), "tokens / s"));
        }
    }
    if let Some(peak) = summary.and_then(|summary| summary.peak_rss_bytes) {
        tiles.push(tile("Peak memory", bytes(peak), ""));
    }
    let so_far = || data.metrics.iter().map(|row| row.wall_secs).reduce(f64::max);
    if let Some(secs) = summary.map(|summary| summary.wall_secs).or_else(so_far) {
        tiles.push(tile("Wall time", duration(secs), ""));
    }
    tiles
}

impl Comparison<'_> {
    fn rows(&self) -> Vec<RowView> {
        let mut rows =
            vec![self.row("Reward", Unit::Plain, |found| found.reward, Trajectory::reward)];
        let sides = [self.before, self.after].into_iter().flatten();
        let names: BTreeSet<&String> = sides.flat_map(|side| side.components.keys()).collect();
        for name in names {
            let part = |found: &EvaluationSummary| found.components.get(name).copied();
            let row = self.row(name, Unit::Plain, part, |played| component(played, name));
            rows.push(RowView { is_part: true, ..row });
        }
        let sides = [self.before, self.after];
        if sides.iter().flatten().any(|side| side.goal.is_some()) {
            rows.push(self.row(
                "Users who reached their goal",
                Unit::Share,
                |f| f.goal,
                goal_reached,
            ));
        }
        rows.push(self.plain("Agent's turns", |found| format!("{:.1}", found.mean_turns)));
        rows.push(self.plain("Sampled tokens", |found| format!("{:.0}", found.mean_tokens)));
        rows.push(self.plain("Conversations", episodes));
        rows
    }

    /// A figure with intervals, and its change.
    fn row(
        &self,
        name: &str,
        unit: Unit,
        interval: impl Fn(&EvaluationSummary) -> Option<Interval>,
        value: impl Fn(&Trajectory) -> Option<f64>,
    ) -> RowView {
        let before = self.before.and_then(&interval);
        let after = self.after.and_then(&interval);
        let paired = paired_change(self.pairs, value);
        let difference = before.zip(after).map(|(b, a)| a.estimate - b.estimate);
        RowView {
            name: name.to_owned(),
            is_part: false,
            before: before.map(|found| cell(found, unit)).unwrap_or_default(),
            after: after.map(|found| cell(found, unit)).unwrap_or_default(),
            change: match (paired, difference) {
                (Some(change), _) => change_cell(change.estimate, Some(change), unit),
                (None, Some(difference)) => change_cell(difference, None, unit),
                (None, None) => CellView::default(),
            },
            verdict: match paired {
                Some(change) if change.low > 0.0 => "gain",
                Some(change) if change.high < 0.0 => "loss",
                Some(_) => "unclear",
                None => "",
            },
        }
    }

    /// A figure that is only told.
    fn plain(&self, name: &str, text: impl Fn(&EvaluationSummary) -> String) -> RowView {
        let cell = |side: Option<&EvaluationSummary>| CellView {
            value: side.map(&text).unwrap_or_default(),
            interval: String::new(),
        };
        RowView {
            name: name.to_owned(),
            is_part: false,
            before: cell(self.before),
            after: cell(self.after),
            change: CellView::default(),
            verdict: "",
        }
    }
}

/// Interval of the mean difference over the scenarios that both sides have a value for; `None` for fewer
/// than two.
fn paired_change(
    pairs: &[Pair<'_>],
    value: impl Fn(&Trajectory) -> Option<f64>,
) -> Option<Interval> {
    let gains: Vec<f64> = pairs.iter().filter_map(|pair| pair.gain(&value)).collect();
    if gains.len() < 2 {
        return None;
    }
    let mut stream = SEED.stream(Purpose::Bootstrap, StreamKey::default());
    Bootstrap::default().mean(&gains, &mut stream).ok()
}

fn component(trajectory: &Trajectory, name: &str) -> Option<f64> {
    if trajectory.error.is_some() {
        return None;
    }
    trajectory.reward.as_ref()?.component(name)?.score.value()
}

fn cell(Interval { low, estimate, high }: Interval, unit: Unit) -> CellView {
    let written = |value: f64| match unit {
        Unit::Plain => score(value),
        Unit::Share => percent(value),
    };
    let interval = format!("{} to {}", written(low), written(high));
    CellView { value: written(estimate), interval }
}

fn change_cell(change: f64, interval: Option<Interval>, unit: Unit) -> CellView {
    let signed = |value: f64| match unit {
        Unit::Plain if value > 0.0 => format!("+{}", score(value)),
        Unit::Plain => score(value),
        Unit::Share => format!("{:+.0}", value * 100.0),
    };
    let points = if matches!(unit, Unit::Share) { " points" } else { "" };
    CellView {
        value: format!("{}{points}", signed(change)),
        interval: interval
            .map(|found| format!("{} to {}", signed(found.low), signed(found.high)))
            .unwrap_or_default(),
    }
}

fn episodes(summary: &EvaluationSummary) -> String {
    let mut text = count(summary.n_episodes as u64);
    if summary.n_failed > 0 {
        text += &format!(", {} failed", summary.n_failed);
    }
    if summary.n_unscorable > 0 {
        text += &format!(", {} unscorable", summary.n_unscorable);
    }
    text
}

fn mean_metric(data: &RunData, name: &str) -> Option<f64> {
    let values: Vec<f64> =
        data.metrics.iter().filter_map(|row| row.metrics.get(name).copied()).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn tile(name: &'static str, value: String, note: &str) -> TileView {
    TileView { name, value, note: note.to_owned() }
}

#[cfg(test)]
mod tests {
    use stateset_core::{RewardResult, Score};

    use super::super::choice::pair_up;
    use super::super::data::Evaluation;
    use super::*;

    fn evaluation(name: &str, step: u32, reward: f64) -> Evaluation {
        let interval = Interval { low: reward - 0.1, estimate: reward, high: reward + 0.1 };
        let summary = EvaluationSummary { reward: Some(interval), ..EvaluationSummary::default() };
        Evaluation { name: name.into(), step, summary }
    }

    fn played(rewards: &[f64]) -> Vec<Trajectory> {
        let trajectory = |(index, reward): (usize, &f64)| Trajectory {
            scenario_id: index.to_string(),
            reward: Some(RewardResult::single(Score::of(*reward))),
            ..Trajectory::default()
        };
        rewards.iter().enumerate().map(trajectory).collect()
    }

    fn reward_row(data: &RunData) -> RowView {
        let pairs = pair_up(&data.before, &data.after);
        table(data, &pairs).unwrap().rows.remove(0)
    }

    /// The scenarios differ by far more than the training changed, and the change is still clear.
    #[test]
    fn the_change_is_that_of_the_pairs() {
        let mut data = RunData {
            evaluations: vec![evaluation("before", 0, 0.5), evaluation("after", 9, 0.6)],
            before: played(&[0.1, 0.9, 0.4, 0.6]),
            after: played(&[0.2, 1.0, 0.5, 0.75]),
            ..RunData::default()
        };
        let row = reward_row(&data);
        assert_eq!(row.verdict, "gain");
        assert_eq!(row.change.value, "+0.113");
        assert_eq!(row.before.interval, "0.400 to 0.600");
        data.after = played(&[0.2, 0.8, 0.3, 0.7]);
        assert_eq!(reward_row(&data).verdict, "unclear");
        data.after = played(&[0.0, 0.8, 0.3, 0.5]);
        assert_eq!(reward_row(&data).verdict, "loss");
    }

    #[test]
    fn an_unfinished_run_is_compared_without_verdict() {
        let data = RunData {
            evaluations: vec![evaluation("before", 0, 0.5), evaluation("held_out", 40, 0.75)],
            before: played(&[0.4, 0.6]),
            ..RunData::default()
        };
        let table = table(&data, &pair_up(&data.before, &data.after)).unwrap();
        assert_eq!(table.after, "At step 40");
        assert_eq!((table.rows[0].change.value.as_str(), table.rows[0].verdict), ("+0.250", ""));
    }

    #[test]
    fn nothing_evaluated_is_no_table() {
        assert!(table(&RunData::default(), &[]).is_none());
        assert_eq!(tiles(&RunData::default()).len(), 1);
    }

    #[test]
    fn shares_change_in_points() {
        let change = Interval { low: -0.02, estimate: 0.1, high: 0.22 };
        let cell = change_cell(0.1, Some(change), Unit::Share);
        assert_eq!((cell.value.as_str(), cell.interval.as_str()), ("+10 points", "-2 to +22"));
    }
}
