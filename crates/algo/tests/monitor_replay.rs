//! A recorded run, replayed (`tests/golden/monitor.py`): the levels and the changes are those of a
//! reader that goes through the whole past at every step, and stay the same where monitor and changes
//! are stored and taken up again after each step. Explained variance is stable-baselines3's, and
//! patience transformers'.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use stateset_algo::{
    Action, AdjustLimits, AdjustState, Adjustment, AutoAdjust, Clip, ClipSide, DiagnosticsMonitor,
    EvaluationRule, Finding, HealthReport, Knob, Level, MonitorRules, MonitorState, Quantity,
    Signal, Trigger, explained_variance,
};

#[derive(Deserialize)]
struct Golden {
    stream: BTreeMap<String, Vec<Option<f64>>>,
    levels: BTreeMap<String, String>,
    offered: BTreeMap<String, f64>,
    adjustments: Vec<(u64, String, f64, f64, String)>,
    patience: Vec<Patience>,
    variance: Vec<Variance>,
}

#[derive(Deserialize)]
struct Patience {
    patience: u32,
    rewards: Vec<f64>,
    stops_at: Option<usize>,
}

#[derive(Deserialize)]
struct Variance {
    returns: Vec<f64>,
    values: Vec<f64>,
    explained: f64,
}

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/monitor.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Numbers of each step, the first being step 1.
fn steps(golden: &Golden) -> Vec<BTreeMap<String, f64>> {
    let n_steps = golden.stream["entropy"].len();
    let of = |step: usize| {
        let number = |(name, values): (&String, &Vec<Option<f64>>)| {
            values[step].map(|value| (name.clone(), value))
        };
        golden.stream.iter().filter_map(number).collect()
    };
    (0..n_steps).map(of).collect()
}

fn adjuster(golden: &Golden) -> AutoAdjust {
    let offered: Vec<(Quantity, f64)> = golden
        .offered
        .iter()
        .map(|(name, &value)| (Quantity::from_name(name).unwrap(), value))
        .collect();
    AutoAdjust::new(AdjustLimits::default(), &offered)
}

fn letter(report: &HealthReport, signal: Signal) -> char {
    report.get(signal).map_or('-', |finding| match finding.level {
        Level::Ok => 'o',
        Level::Warn => 'w',
        Level::Act => 'a',
    })
}

#[test]
fn levels_are_those_of_a_reader_of_the_whole_past() {
    let golden = golden();
    let mut monitor = DiagnosticsMonitor::new(MonitorRules::default());
    let mut got: BTreeMap<String, String> =
        golden.levels.keys().map(|name| (name.clone(), String::new())).collect();
    for (step, metrics) in (1..).zip(steps(&golden)) {
        let report = monitor.observe(step, &metrics, None);
        for (name, letters) in &mut got {
            letters.push(letter(report, Signal::from_name(name).unwrap()));
        }
    }
    assert_eq!(got, golden.levels);
}

#[test]
fn changes_are_replayed_exactly() {
    let golden = golden();
    let (mut monitor, mut adjuster) =
        (DiagnosticsMonitor::new(MonitorRules::default()), adjuster(&golden));
    for (step, metrics) in (1..).zip(steps(&golden)) {
        let report = monitor.observe(step, &metrics, None);
        let last = adjuster.log().last().copied();
        if let Some(new) = adjuster.next(report) {
            assert!(last.is_none_or(|last| new.step >= last.step + 20), "{new}");
            assert_eq!(adjuster.value(new.key), Some(new.to));
        }
    }
    let got: Vec<_> = adjuster.log().iter().map(recorded).collect();
    assert_eq!(got, golden.adjustments);
}

fn recorded(change: &Adjustment) -> (u64, String, f64, f64, String) {
    let (key, signal) = (change.key.name().to_owned(), change.trigger.signal.name().to_owned());
    (change.step, key, change.from, change.to, signal)
}

/// A layout of the states on disk, as a program might choose it.
#[derive(Serialize, Deserialize)]
struct Stored {
    n_steps: u64,
    recent: BTreeMap<String, Vec<f64>>,
    initial_entropy: Option<f64>,
    gradient_skips: Vec<u64>,
    is_policy_frozen: bool,
    best_evaluation: Option<f64>,
    n_evaluations_without_gain: u32,
    knobs: Vec<(String, f64, f64)>,
    log: Vec<StoredChange>,
    unanswered: Option<(String, f64, f64)>,
}

#[derive(Serialize, Deserialize)]
struct StoredChange {
    key: String,
    from: f64,
    to: f64,
    factor: Option<f64>,
    trigger: (String, f64, f64),
    step: u64,
}

fn store_trigger(trigger: Trigger) -> (String, f64, f64) {
    (trigger.signal.name().to_owned(), trigger.value, trigger.threshold)
}

fn load_trigger((name, value, threshold): (String, f64, f64)) -> Trigger {
    Trigger { signal: Signal::from_name(&name).unwrap(), value, threshold }
}

fn store(monitor: &MonitorState, adjust: &AdjustState) -> String {
    let monitor = monitor.clone();
    let knob = |knob: &Knob| (knob.quantity.name().to_owned(), knob.initial, knob.value);
    let change = |change: &Adjustment| StoredChange {
        key: change.key.name().to_owned(),
        from: change.from,
        to: change.to,
        factor: change.factor,
        trigger: store_trigger(change.trigger),
        step: change.step,
    };
    let stored = Stored {
        n_steps: monitor.n_steps,
        recent: monitor.recent,
        initial_entropy: monitor.initial_entropy,
        gradient_skips: monitor.gradient_skips,
        is_policy_frozen: monitor.is_policy_frozen,
        best_evaluation: monitor.best_evaluation,
        n_evaluations_without_gain: monitor.n_evaluations_without_gain,
        knobs: adjust.knobs.iter().map(knob).collect(),
        log: adjust.log.iter().map(change).collect(),
        unanswered: adjust.unanswered.map(store_trigger),
    };
    serde_json::to_string(&stored).unwrap()
}

fn load(text: &str) -> (MonitorState, AdjustState) {
    let stored: Stored = serde_json::from_str(text).unwrap();
    let monitor = MonitorState {
        n_steps: stored.n_steps,
        recent: stored.recent,
        initial_entropy: stored.initial_entropy,
        gradient_skips: stored.gradient_skips,
        is_policy_frozen: stored.is_policy_frozen,
        best_evaluation: stored.best_evaluation,
        n_evaluations_without_gain: stored.n_evaluations_without_gain,
    };
    let knob = |(name, initial, value): (String, f64, f64)| Knob {
        quantity: Quantity::from_name(&name).unwrap(),
        initial,
        value,
    };
    let change = |change: StoredChange| Adjustment {
        key: Quantity::from_name(&change.key).unwrap(),
        from: change.from,
        to: change.to,
        factor: change.factor,
        trigger: load_trigger(change.trigger),
        step: change.step,
    };
    let adjust = AdjustState {
        knobs: stored.knobs.into_iter().map(knob).collect(),
        log: stored.log.into_iter().map(change).collect(),
        unanswered: stored.unanswered.map(load_trigger),
    };
    (monitor, adjust)
}

#[test]
fn a_restart_after_each_step_changes_nothing() {
    let golden = golden();
    let adjust = adjuster(&golden);
    let mut text = store(&MonitorState::default(), adjust.state());
    for (step, metrics) in (1..).zip(steps(&golden)) {
        let (monitor, adjust) = load(&text);
        let mut monitor = DiagnosticsMonitor::resume(MonitorRules::default(), monitor);
        let mut adjust = AutoAdjust::resume(AdjustLimits::default(), adjust);
        adjust.next(monitor.observe(step, &metrics, None));
        text = store(monitor.state(), adjust.state());
    }
    let got: Vec<_> = load(&text).1.log.iter().map(recorded).collect();
    assert_eq!(got, golden.adjustments);
}

#[test]
fn patience_is_that_of_transformers() {
    for case in golden().patience {
        let rules = MonitorRules {
            evaluation: Some(EvaluationRule { patience: case.patience, min_delta: 0.0 }),
            ..MonitorRules::default()
        };
        let mut monitor = DiagnosticsMonitor::new(rules);
        let stops_at = case.rewards.iter().position(|&reward| {
            let report = monitor.observe(1, &BTreeMap::new(), Some(reward));
            report.actions().any(|action| action == Action::StopRun)
        });
        assert_eq!(stops_at, case.stops_at, "patience {}", case.patience);
    }
}

#[test]
fn explained_variance_is_that_of_stable_baselines() {
    for case in golden().variance {
        let got = explained_variance(&case.returns, &case.values).unwrap();
        assert!((got - case.explained).abs() < 1e-9 * case.explained.abs(), "{got}");
    }
}

/// The share of clipped tokens counts those alone that the advantage pushes further out.
#[test]
fn golden_signed_clip_share() {
    let tokens = [(0.3, 1.0), (-0.4, 1.0), (0.0, -1.0), (0.05, 1.0)];
    let clip = Clip::default();
    let sides =
        tokens.map(|(log_ratio, advantage): (f64, f64)| clip.side(log_ratio.exp(), advantage));
    assert_eq!(sides, [Some(ClipSide::High), None, None, None], "0.25; unsigned it would be 0.5");
}

/// A report of one signal at `act`.
fn report(step: u64, signal: Signal, action: Option<Action>) -> HealthReport {
    let finding = Finding {
        signal,
        level: Level::Act,
        value: 0.9,
        threshold: 0.5,
        reference: Some(2.0),
        meaning: "",
        advice: "",
        action,
    };
    HealthReport { step, findings: vec![finding] }
}

/// Values of a setting while a signal is at `act` for 200 steps.
fn course(
    offered: &[(Quantity, f64)],
    signal: Signal,
    action: Option<Action>,
) -> Vec<(Quantity, f64)> {
    let mut adjuster = AutoAdjust::new(AdjustLimits::default(), offered);
    for step in 1..=200 {
        adjuster.next(&report(step, signal, action));
    }
    assert!(adjuster.log().iter().zip(1..).all(|(change, n)| change.step == 20 * n - 19));
    adjuster.log().iter().map(|change| (change.key, change.to)).collect()
}

#[test]
fn changes_stay_within_a_tenth_and_ten_times_the_initial_value() {
    let (lr, kl) = (Quantity::LearningRate, Quantity::KlCoefficient);
    let halved = [(lr, 0.5), (lr, 0.25), (lr, 0.125), (lr, 0.1)];
    assert_eq!(course(&[(lr, 1.0)], Signal::ClipShare, None), halved);
    let raised = [(kl, 2.0), (kl, 4.0), (kl, 8.0), (kl, 10.0)];
    assert_eq!(
        course(&[(kl, 1.0), (lr, 1.0)], Signal::ReferenceKl, None),
        [raised, halved].concat()
    );
}

#[test]
fn remedies_in_their_order() {
    let (lr, epochs) = (Quantity::LearningRate, Quantity::Epochs);
    let offered = [(lr, 1.0), (epochs, 5.0)];
    let expected = [(epochs, 2.0), (epochs, 1.0), (lr, 0.5), (lr, 0.25), (lr, 0.125), (lr, 0.1)];
    assert_eq!(course(&offered, Signal::Drift, None), expected);
    let (target, bonus) = (Quantity::EntropyTarget, Quantity::EntropyCoefficient);
    let (high, temperature) = (Quantity::ClipHigh, Quantity::Temperature);
    let offered = [(target, 0.0), (bonus, 0.01), (high, 0.2), (temperature, 1.0)];
    let got = course(&offered, Signal::Entropy, None);
    assert_eq!(
        got[..5],
        [(target, 1.0), (bonus, 0.02), (bonus, 0.04), (bonus, 0.08), (bonus, 0.1)]
    );
    assert_eq!(got[5..7], [(high, 0.28), (temperature, 1.1)]);
    let sampling = Quantity::DynamicSampling;
    assert_eq!(course(&[(sampling, 0.0)], Signal::DeadGroups, None), [(sampling, 1.0)]);
    // An upper bound that is higher already is left alone, and a bonus that is off is not doubled.
    assert_eq!(course(&[(high, 0.3), (bonus, 0.0)], Signal::Entropy, None), []);
}

#[test]
fn signals_for_which_there_is_no_setting_change_nothing() {
    let offered = Quantity::ALL.map(|quantity| (quantity, 1.0));
    for signal in [
        Signal::MismatchWeight,
        Signal::MismatchKl,
        Signal::EffectiveSamples,
        Signal::ExplainedVariance,
        Signal::Evaluation,
        Signal::Truncation,
    ] {
        assert_eq!(course(&offered, signal, None), [], "{signal}");
    }
    assert_eq!(course(&offered, Signal::GradientNorm, Some(Action::SkipStep)), []);
    assert_eq!(course(&[], Signal::ClipShare, None), []);
}

#[test]
fn a_warning_or_a_number_that_is_none_changes_nothing() {
    let mut adjuster = AutoAdjust::new(AdjustLimits::default(), &[(Quantity::LearningRate, 1.0)]);
    let mut warning = report(1, Signal::ClipShare, None);
    warning.findings[0].level = Level::Warn;
    assert_eq!(adjuster.next(&warning), None);
    let mut broken = report(2, Signal::ClipShare, None);
    broken.findings[0].value = f64::NAN;
    assert_eq!(adjuster.next(&broken), None);
    assert!(adjuster.next(&report(3, Signal::ClipShare, None)).is_some());
}

#[test]
fn a_call_to_restore_waits_until_a_change_is_allowed() {
    let offered = [(Quantity::LearningRate, 1.0), (Quantity::DynamicSampling, 0.0)];
    let mut adjuster = AutoAdjust::new(AdjustLimits::default(), &offered);
    assert!(adjuster.next(&report(10, Signal::DeadGroups, None)).is_some());
    let mut burst = report(15, Signal::GradientNorm, Some(Action::RestoreCheckpoint));
    burst.findings[0].value = f64::INFINITY;
    assert_eq!(adjuster.next(&burst), None);
    assert_eq!(adjuster.next(&report(29, Signal::ClipShare, None)), None);
    let answer = adjuster.next(&report(30, Signal::ClipShare, None)).unwrap();
    assert_eq!((answer.trigger.signal, answer.to), (Signal::GradientNorm, 0.5));
    assert_eq!(adjuster.next(&HealthReport { step: 50, findings: Vec::new() }), None);
}

#[test]
fn a_signal_that_cannot_be_mended_does_not_keep_others_waiting() {
    let offered = [(Quantity::LearningRate, 1.0), (Quantity::DynamicSampling, 0.0)];
    let mut adjuster = AutoAdjust::new(AdjustLimits::default(), &offered);
    let mut both = report(1, Signal::ClipShare, None);
    both.findings.extend(report(1, Signal::DeadGroups, None).findings);
    for step in 1..=41 {
        adjuster.next(&HealthReport { step, ..both.clone() });
    }
    let keys: Vec<Quantity> = adjuster.log().iter().map(|change| change.key).collect();
    assert_eq!(keys, [Quantity::LearningRate, Quantity::DynamicSampling, Quantity::LearningRate]);
}

#[test]
fn wrong_limits_are_reported() {
    assert_eq!(AdjustLimits::default().validate(), []);
    let bad = AdjustLimits { every_steps: 0, min_factor: 0.0, max_factor: f64::NAN };
    assert_eq!(bad.validate().len(), 3);
}
