//! What a monitor says, pinned rule by rule.
//!
//! 1. Each rule speaks above (or below) its limit and not at it.
//! 2. Durations are steps in a row; a missing number neither counts nor breaks them.
//! 3. Rules that a method makes meaningless are silent, above all the clip share of GSPO.
//! 4. A number that is not finite is never fine.
//! 5. The actions for a trainer: end the passes, skip, restore, discard, freeze, stop.
//!
//! Levels are written as letters: o ok, w warn, a act, - not measured.

#![allow(clippy::unwrap_used, reason = "a signal that is missing ends the test")]

use std::collections::BTreeMap;

use stateset_algo::{
    Action, ClipKind, DeadGroupsRule, DiagnosticsMonitor, EvaluationRule, Level, MonitorRules,
    RunTraits, Signal,
};

#[test]
fn an_evaluation_joins_the_report_of_its_step() {
    let rules = MonitorRules {
        evaluation: Some(EvaluationRule { patience: 2, min_delta: 0.0 }),
        ..MonitorRules::default()
    };
    let mut monitor = DiagnosticsMonitor::new(rules);
    let metrics = BTreeMap::from([("entropy".to_owned(), 1.0)]);
    for (step, reward, level) in [(1, 0.5, Level::Ok), (2, 0.5, Level::Ok), (3, 0.4, Level::Act)] {
        monitor.observe(step, &metrics, None);
        assert_eq!(monitor.observe_evaluation(step, reward).unwrap().level, level, "{step}");
        assert_eq!(monitor.health().findings.len(), 2);
        assert_eq!((monitor.health().step, monitor.health().level()), (step, level));
        assert_eq!(monitor.state().n_steps, step, "an evaluation is no step");
    }
    let mut off = DiagnosticsMonitor::new(MonitorRules { evaluation: None, ..rules });
    assert_eq!(off.observe_evaluation(1, 0.5), None);
}

#[test]
fn the_limit_of_gradients_is_where_steps_are_left_out() {
    let mut monitor = DiagnosticsMonitor::new(MonitorRules::default());
    assert_eq!(monitor.gradient_limit(), f64::INFINITY);
    for step in 1..=5 {
        let metrics = BTreeMap::from([("gradient/norm".to_owned(), step as f64)]);
        monitor.observe(step, &metrics, None);
    }
    // Ten times the median of 1 to 5.
    assert_eq!(monitor.gradient_limit(), 30.0);
    assert!(!monitor.skips_gradient(30.0) && monitor.skips_gradient(30.1));
    let off = MonitorRules { gradient: None, ..MonitorRules::default() };
    let off = DiagnosticsMonitor::resume(off, monitor.state().clone());
    assert_eq!(off.gradient_limit(), f64::INFINITY);
}

fn letter(level: Option<Level>) -> char {
    match level {
        None => '-',
        Some(Level::Ok) => 'o',
        Some(Level::Warn) => 'w',
        Some(Level::Act) => 'a',
    }
}

/// Levels of one signal over steps with these numbers; NaN stands for a step without one.
fn levels(rules: MonitorRules, signal: Signal, values: &[f64]) -> String {
    let mut monitor = DiagnosticsMonitor::new(rules);
    let mut letters = String::new();
    for (step, &value) in (1..).zip(values) {
        let metrics = if value.is_nan() {
            BTreeMap::new()
        } else {
            BTreeMap::from([(signal.metric().unwrap().to_owned(), value)])
        };
        let report = monitor.observe(step, &metrics, None);
        letters.push(letter(report.get(signal).map(|finding| finding.level)));
    }
    letters
}

fn assert_levels(signal: Signal, rows: &[(&[f64], &str)]) {
    for (values, expected) in rows {
        let got = levels(MonitorRules::default(), signal, values);
        assert_eq!(got, *expected, "{signal} {values:?}");
    }
}

/// `n` times `value`, then `then`.
fn run_of(n: usize, value: f64, then: &[f64]) -> Vec<f64> {
    let mut values = vec![value; n];
    values.extend_from_slice(then);
    values
}

const NONE: f64 = f64::NAN;

#[test]
fn limits_of_single_steps() {
    assert_levels(Signal::Drift, &[(&[0.02, 0.0201, 0.03, 0.0301, 0.0], "owwao")]);
    let weights = [0.5, 0.499, 1.0, 2.0, 2.001];
    assert_levels(Signal::MismatchWeight, &[(&weights, "oaooa")]);
    assert_levels(Signal::EffectiveSamples, &[(&[0.3, 0.299, 0.1, 0.099], "owwa")]);
    assert_levels(Signal::Truncation, &[(&[0.2, 0.201, 1.0], "oww")]);
    // The first entropy sets the scale.
    assert_levels(Signal::Entropy, &[(&[2.0, 0.6, 0.599, 0.2, 0.199, 3.0, 0.6], "oowwaoo")]);
    assert_levels(Signal::Entropy, &[(&[0.0, 0.0], "oo")]);
}

#[test]
fn clip_share_must_stay_high_for_five_steps() {
    let rows: &[(&[f64], &str)] = &[
        (&[0.2, 0.201, 0.3], "oww"),
        (&[0.31, 0.31, 0.31, 0.31, 0.31, 0.31], "wwwwaa"),
        (&[0.31, 0.31, 0.31, 0.31, 0.3, 0.31], "wwwwww"),
        (&[0.31, 0.31, NONE, 0.31, 0.31, 0.31], "ww-wwa"),
    ];
    assert_levels(Signal::ClipShare, rows);
}

#[test]
fn no_clipping_for_fifty_steps_is_a_warning() {
    let idle = levels(MonitorRules::default(), Signal::ClipShare, &run_of(51, 0.0, &[0.01, 0.0]));
    assert_eq!(idle, format!("{}wwoo", "o".repeat(49)));
}

#[test]
fn clip_share_is_silent_for_gspo_and_idle_clipping_for_single_updates() {
    let traits = |clip, updates_per_batch| RunTraits {
        clip,
        has_critic: false,
        updates_per_batch,
        has_groups: true,
    };
    let gspo = MonitorRules::for_run(&traits(ClipKind::Sequences, 4));
    assert_eq!(levels(gspo, Signal::ClipShare, &[0.9; 8]), "--------");
    let single = MonitorRules::for_run(&traits(ClipKind::Tokens, 1));
    assert_eq!(levels(single, Signal::ClipShare, &[0.0; 60]), "o".repeat(60));
    assert_eq!(levels(single, Signal::ClipShare, &[0.9; 5]), "wwwwa");
    assert_eq!(levels(single, Signal::ExplainedVariance, &[-9.0; 60]), "-".repeat(60));
}

#[test]
fn reference_kl_must_stay_high_for_ten_steps() {
    let rows: &[(&[f64], &str)] = &[
        (&[0.1, 0.101, 0.5], "oww"),
        (&run_of(11, 0.51, &[0.5, 0.51]), "wwwwwwwwwaaww"),
        (&run_of(9, 0.51, &[0.5, 0.51]), "wwwwwwwwwww"),
        (&run_of(9, 0.51, &[NONE, 0.51]), "wwwwwwwww-a"),
    ];
    assert_levels(Signal::ReferenceKl, rows);
}

#[test]
fn a_mismatch_warns_only_while_it_grows() {
    let rising: Vec<f64> = (0..12).map(|i| 0.0005 + 0.0001 * f64::from(i)).collect();
    let falling: Vec<f64> = rising.iter().rev().copied().collect();
    let rows: &[(&[f64], &str)] = &[
        (&[0.005; 12], "oooooooooooo"),
        (&rising, "ooooooooowww"),
        (&falling, "oooooooooooo"),
        (&[0.01, 0.0101], "oa"),
    ];
    assert_levels(Signal::MismatchKl, rows);
}

#[test]
fn dead_groups_must_last_for_twenty_steps() {
    let rows: &[(&[f64], &str)] = &[
        (&[0.5, 0.501, 0.8], "oww"),
        (&run_of(21, 0.81, &[0.8]), "wwwwwwwwwwwwwwwwwwwaaw"),
        (&run_of(19, 0.81, &[0.8, 0.81]), "wwwwwwwwwwwwwwwwwwwww"),
    ];
    assert_levels(Signal::DeadGroups, rows);
}

/// Action of the 20th step with dead groups whose rewards go this way.
fn action_for(reward: impl Fn(u32) -> f64) -> Option<Action> {
    let mut monitor = DiagnosticsMonitor::new(MonitorRules::default());
    for step in 1..=20 {
        let metrics = BTreeMap::from([
            ("reward/dead_share".to_owned(), 0.9),
            ("reward/mean".to_owned(), reward(step)),
        ]);
        monitor.observe(u64::from(step), &metrics, None);
    }
    let finding = monitor.health().get(Signal::DeadGroups).unwrap();
    assert_eq!(finding.level, Level::Act);
    finding.action
}

#[test]
fn dead_groups_end_the_run_only_where_the_reward_is_flat() {
    assert_eq!(action_for(|_| 0.4), Some(Action::StopRun));
    assert_eq!(action_for(|step| 0.4 - 0.01 * f64::from(step)), Some(Action::StopRun));
    // The halves of a span of 20 differ by ten times the slope; the limit is 0.01.
    assert_eq!(action_for(|step| 0.0009 * f64::from(step)), Some(Action::StopRun));
    assert_eq!(action_for(|step| 0.0011 * f64::from(step)), None);
    assert_eq!(DeadGroupsRule::default().min_gain, 0.01);
}

#[test]
fn gradients_are_held_against_their_running_median() {
    let rows: &[(&[f64], &str)] = &[
        // Nothing is judged before there are five norms, and zeros are none.
        (&[1.0, 1.0, 1.0, 1.0, 99.0, 99.0], "oooooa"),
        (&run_of(9, 0.0, &[1.0, 1.0]), "ooooooooooo"),
        (&[1.0, 2.0, 3.0, 4.0, 5.0, 30.0, 35.1], "ooooooa"),
        (&[1.0, 2.0, 3.0, 4.0, 5.0, 30.1], "oooooa"),
    ];
    assert_levels(Signal::GradientNorm, rows);
    // A lasting change of size becomes the usual one.
    let grown = levels(MonitorRules::default(), Signal::GradientNorm, &run_of(5, 1.0, &[20.0; 7]));
    assert_eq!(grown, "oooooaaaaaoo");
}

/// Actions for gradients of 1, but 100 at these steps.
fn gradient_actions(bursts: &[u64]) -> Vec<(u64, Action)> {
    let mut monitor = DiagnosticsMonitor::new(MonitorRules::default());
    let mut actions = Vec::new();
    for step in 1..=60 {
        let norm = if bursts.contains(&step) { 100.0 } else { 1.0 };
        assert_eq!(monitor.skips_gradient(norm), bursts.contains(&step));
        let metrics = BTreeMap::from([("gradient/norm".to_owned(), norm)]);
        actions.extend(monitor.observe(step, &metrics, None).actions().map(|a| (step, a)));
    }
    actions
}

#[test]
fn three_bursts_in_twenty_steps_restore() {
    let (skip, restore) = (Action::SkipStep, Action::RestoreCheckpoint);
    assert_eq!(gradient_actions(&[10, 20, 29]), [(10, skip), (20, skip), (29, restore)]);
    assert_eq!(gradient_actions(&[10, 20, 30]), [(10, skip), (20, skip), (30, skip)]);
    // After a restore, counting begins anew.
    assert_eq!(
        gradient_actions(&[10, 11, 12, 13, 14, 15]),
        [(10, skip), (11, skip), (12, restore), (13, skip), (14, skip), (15, restore)]
    );
}

#[test]
fn a_bad_critic_freezes_the_policy_until_it_has_recovered() {
    let after = |values: &[f64]| run_of(50, -1.0, values);
    let ok = "o".repeat(50);
    let got = levels(
        MonitorRules::default(),
        Signal::ExplainedVariance,
        &after(&[0.0, -0.01, 0.05, 0.1, 0.11, 0.05, -0.01]),
    );
    assert_eq!(got, format!("{ok}oaaaooa"));
}

#[test]
fn evaluations_without_a_gain_stop_the_run() {
    let rules = MonitorRules {
        evaluation: Some(EvaluationRule { patience: 2, min_delta: 0.1 }),
        ..MonitorRules::default()
    };
    let mut monitor = DiagnosticsMonitor::new(rules);
    let mut seen = Vec::new();
    for (step, reward) in (1..).zip([0.5, 0.6, 0.55, 0.65, 0.5, 0.9]) {
        let none = monitor.observe(step, &BTreeMap::new(), None);
        assert_eq!(none.findings, []);
        let finding = monitor.observe(step, &BTreeMap::new(), Some(reward)).findings[0].clone();
        seen.push((finding.value, finding.reference, finding.action));
    }
    let stop = Some(Action::StopRun);
    assert_eq!(
        seen,
        [
            (0.0, Some(0.5), None),
            (1.0, Some(0.5), None), // exactly min_delta is no gain
            (2.0, Some(0.5), stop),
            (0.0, Some(0.65), None),
            (1.0, Some(0.65), None),
            (0.0, Some(0.9), None),
        ]
    );
}

#[test]
fn what_is_asked_before_acting_agrees_with_the_findings() {
    let monitor = DiagnosticsMonitor::new(MonitorRules::default());
    assert!(!monitor.ends_epochs(0.03) && monitor.ends_epochs(0.0301));
    assert!(!monitor.discards_batch(0.1) && monitor.discards_batch(0.099));
    assert!(!monitor.skips_gradient(1e9), "nothing to compare with");
    assert!(monitor.skips_gradient(f64::NAN));
    let off = MonitorRules {
        drift: None,
        effective_samples: None,
        gradient: None,
        ..MonitorRules::default()
    };
    let monitor = DiagnosticsMonitor::new(off);
    assert!(!monitor.ends_epochs(9.0) && !monitor.discards_batch(0.0));
    assert!(!monitor.skips_gradient(f64::INFINITY));
}

#[test]
fn a_number_that_is_none_is_never_fine_and_never_remembered() {
    for signal in Signal::ALL {
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut monitor = DiagnosticsMonitor::new(MonitorRules::default());
            let (metrics, evaluation) = match signal.metric() {
                Some(name) => (BTreeMap::from([(name.to_owned(), broken)]), None),
                None => (BTreeMap::new(), Some(broken)),
            };
            let report = monitor.observe(1, &metrics, evaluation);
            assert_eq!(report.level(), Level::Act, "{signal} {broken}");
            assert!(monitor.state().recent.values().all(Vec::is_empty));
            assert_eq!(monitor.state().initial_entropy, None);
            assert_eq!(monitor.state().best_evaluation, None);
        }
    }
}

#[test]
fn troubles_are_told_with_number_limit_meaning_and_advice() {
    let mut monitor = DiagnosticsMonitor::new(MonitorRules::default());
    let metrics = |entropy: f64| {
        BTreeMap::from([("entropy".to_owned(), entropy), ("mismatch/ess".to_owned(), 0.9)])
    };
    monitor.observe(1, &metrics(2.0), None);
    assert_eq!(monitor.health().to_string(), "step 1: ok");
    monitor.observe(2, &metrics(0.5), None);
    assert_eq!(
        monitor.health().to_string(),
        "step 2: warn\n  warn: entropy 0.5000, limit 0.6000: the policy explores far less than at \
         the start; watch whether the reward still rises"
    );
    assert_eq!(monitor.health().findings.len(), 2, "what is fine is listed too");
    assert_eq!(monitor.health().troubles().count(), 1);
}
