//! What watches over a run:
//!
//! 1. without `auto_adjust` it only tells: the model is the same to the bit;
//! 2. a finding is told once, in a warning, in the log and on the page, and its level is a metric;
//! 3. with `auto_adjust` a setting changes, is logged, and is trained with from the next step on;
//! 4. a run that was stopped and goes on is the same run, adjustments included;
//! 5. the metrics that a run wrote down give the same adjustments again.

use std::collections::BTreeMap;
use std::path::Path;

use stateset_algo::{
    AdjustLimits, AutoAdjust, ClipKind, DiagnosticsMonitor, MonitorRules, Quantity, RunTraits,
};
use stateset_train::{
    Callback, EventRecord, Flow, OnlineRun, RunFolder, StopSignal, TrainedRun, metric, read_events,
    read_metrics,
};

use crate::support::run;

/// A range so narrow that half of the tokens leave it on the second pass, steps that are long enough to
/// see the change, and a patience of the rule (5 steps) that ends within the run.
const CLIPPED: [(&str, &str); 5] = [
    ("training.max_steps", "7"),
    ("training.clip_ratio", "1e-7"),
    ("training.num_iterations", "3"),
    ("training.lr_scheduler_type", "constant"),
    ("training.warmup_ratio", "0"),
];

struct StopAfter(u32, StopSignal);

impl Callback for StopAfter {
    fn on_step_end(&mut self, step: u32, _: &BTreeMap<String, f64>) -> Flow {
        if step == self.0 {
            self.1.stop();
        }
        Flow::Continue
    }
}

fn clipped(output: &Path, more: &[(&str, &str)], adjusts: bool) -> Option<OnlineRun> {
    let changes: Vec<(&str, &str)> = CLIPPED.iter().chain(more).copied().collect();
    let mut run = run(output, &changes)?;
    run.resolved.config.algorithm.auto_adjust = adjusts;
    Some(run)
}

async fn trained(run: OnlineRun) -> TrainedRun {
    run.train().await.expect("it ends well")
}

fn folder(output: &Path) -> RunFolder {
    RunFolder::new(output.join("run"))
}

fn records(output: &Path) -> Vec<EventRecord> {
    let lines = read_events(&folder(output).events()).unwrap();
    lines.into_iter().map(|line| line.event).collect()
}

/// Everything that was found and changed, in order, with the values of changes.
fn found(output: &Path) -> Vec<String> {
    let text = |event: EventRecord| match event {
        EventRecord::HealthFound(found) => Some(format!("{} {}", found.signal, found.level)),
        EventRecord::SettingAdjusted(change) => {
            Some(format!("step {}: {} {} {}", change.step, change.key, change.from, change.to))
        }
        _ => None,
    };
    records(output).into_iter().filter_map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_told_once_and_changes_nothing_unless_it_may() {
    let temp = tempfile::tempdir().unwrap();
    let (told, adjusted) = (temp.path().join("told"), temp.path().join("adjusted"));
    let Some(run) = clipped(&told, &[], false) else { return };
    let plain = trained(run).await;
    let rows = read_metrics(&folder(&told).metrics()).unwrap();
    let clip: Vec<f64> = rows.iter().map(|row| row.metrics["clip/region"]).collect();
    assert!(clip.iter().all(|share| *share > 0.3), "{clip:?}");
    let of_clip: Vec<String> =
        found(&told).into_iter().filter(|text| text.starts_with("clip_share")).collect();
    assert_eq!(of_clip, ["clip_share warn", "clip_share act"]);
    let levels: Vec<f64> = rows.iter().map(|row| row.metrics[metric::HEALTH_LEVEL]).collect();
    assert!(levels[4..].iter().all(|level| *level == 2.0), "{levels:?}");
    let warns = |event: &EventRecord| match event {
        EventRecord::Warning { text } => text.contains("clip_share is"),
        _ => false,
    };
    assert_eq!(records(&told).iter().filter(|event| warns(event)).count(), 2);
    let page = std::fs::read_to_string(folder(&told).report()).unwrap();
    assert!(page.contains("id=\"health\"") && page.contains("What to do: halve the learning rate"));
    assert!(!page.contains("clip_share is"), "no second time among the warnings");
    assert!(!found(&told).iter().any(|text| text.starts_with("step ")));

    let run = clipped(&adjusted, &[], true).unwrap();
    let other = trained(run).await;
    let change = found(&adjusted).into_iter().find(|text| text.starts_with("step "));
    let change = change.expect("a change");
    assert!(
        change.contains("epochs 3 1") || change.contains("learning_rate 0.001 0.0005"),
        "{change}"
    );
    let at: usize = change["step ".len()..].split(':').next().unwrap().parse().unwrap();
    let rows = read_metrics(&folder(&adjusted).metrics()).unwrap();
    let of = |name: &str| -> Vec<f64> { rows.iter().map(|row| row.metrics[name]).collect() };
    let (name, before, after) = match change.contains("epochs") {
        true => ("update/passes", 3.0, 1.0),
        false => (metric::LEARNING_RATE, 1e-3, 5e-4),
    };
    let values = of(name);
    assert!(values[..at].iter().all(|value| *value == before), "{values:?}");
    assert!(values[at..].iter().all(|value| *value == after), "{values:?}");
    assert!(at < values.len() && other.summary.model_sha256 != plain.summary.model_sha256);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_with_adjustments_goes_on_to_the_same_end() {
    let temp = tempfile::tempdir().unwrap();
    let whole_place = temp.path().join("whole");
    let Some(run) = clipped(&whole_place, &[], true) else { return };
    let whole = trained(run).await;
    assert!(found(&whole_place).iter().any(|text| text.starts_with("step ")));
    // Before anything changed, and in the step in which it may just have.
    for at in [2, 5] {
        let place = temp.path().join(format!("stopped-{at}"));
        let mut run = clipped(&place, &[], true).unwrap();
        run.callbacks.push(Box::new(StopAfter(at, run.stop.clone())));
        assert!(!trained(run).await.is_complete);
        let path = folder(&place).root().to_owned();
        let resume = ("training.resume_from_checkpoint", path.to_str().unwrap());
        let resumed = trained(clipped(&place, &[resume], true).unwrap()).await;
        assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256, "stopped at {at}");
        assert_eq!(found(&place), found(&whole_place), "stopped at {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_numbers_written_down_give_the_same_adjustments() {
    let temp = tempfile::tempdir().unwrap();
    let Some(run) = clipped(temp.path(), &[], true) else { return };
    trained(run).await;
    let traits = RunTraits {
        clip: ClipKind::Tokens,
        has_critic: false,
        updates_per_batch: 3,
        has_groups: true,
    };
    let mut monitor = DiagnosticsMonitor::new(MonitorRules::for_run(&traits));
    let offer = [
        (Quantity::LearningRate, 1e-3),
        (Quantity::Epochs, 3.0),
        (Quantity::EntropyTarget, 0.0),
        (Quantity::ClipHigh, 1e-7),
    ];
    let mut adjust = AutoAdjust::new(AdjustLimits::default(), &offer);
    let mut again = Vec::new();
    for row in read_metrics(&folder(temp.path()).metrics()).unwrap() {
        let report = monitor.observe(u64::from(row.step), &row.metrics, None).clone();
        again.extend(adjust.next(&report).map(|change| change.to_string()));
    }
    let logged: Vec<String> = (records(temp.path()).into_iter())
        .filter_map(|event| match event {
            EventRecord::SettingAdjusted(change) => Some(change.text),
            _ => None,
        })
        .collect();
    assert!(!logged.is_empty());
    assert_eq!(again, logged);
}
