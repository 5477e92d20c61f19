//! What must not change a step of any online method, and what hard inputs may not do to it.
//!
//! Padding needs no test: rows hold loss tokens alone, so there is nothing that could be padded.
//!
//! 1. Division into micro-batches that keep the method's unit whole changes neither loss nor gradient
//!    nor report (but for `bnpo`, which is defined by them).
//! 2. The order of trajectories and groups, and the numbers of groups, change nothing.
//! 3. Rows without tokens, and the scores of truncated trajectories that are masked, change nothing.
//! 4. On policy the ratio is 1, nothing is clipped, values and gradients are those of REINFORCE with
//!    the method's own weights (GEPO's weight is not 1 on policy, and is left out).
//! 5. The old policy is no path for gradients: left out or written out, it gives the same.
//! 6. The old policy is used: where the ratio has left the range on the advantage's side, clipped
//!    methods give no gradient, and CISPO, SAPO, VESPO and REINFORCE a bounded one.
//! 7. Groups without spread have no policy gradient at all where samples are compared, and keep their
//!    KL term.
//! 8. Steps without anything are finite, and so are log-probs 50 nats apart.

mod online_support;

use online_support::methods::{credited, estimators, methods, random_methods};
use online_support::{Batch, Outcome, Row, assert_close, assert_same, batches};
use proptest::prelude::*;
use stateset_algo::{
    AdvantageEstimator, Algorithm, Baseline, KlEstimator, KlPenalty, PolicyGradient, RatioLevel,
    RowCredit, Surrogate, TrajectoryData,
};
use stateset_core::{Purpose, RunSeed, Stream, StreamKey};

fn stream(seed: u64) -> Stream {
    RunSeed(seed).stream(Purpose::Data, StreamKey::default())
}

#[track_caller]
fn assert_same_report(got: &Outcome, wanted: &Outcome, name: &str) {
    let (got, wanted) = (got.diagnostics.finish(), wanted.diagnostics.finish());
    assert_eq!(got.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{name}");
    for (key, value) in got {
        assert_close(value, wanted[key], 1e-8, 1e-8, &format!("{name}, {key}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn partition_changes_nothing(
        (name, method) in random_methods(false), batch in batches(), seed: u64,
    ) {
        let mut stream = stream(seed);
        let mut parts = vec![Vec::new(); 3];
        for unit in batch.units(batch.plan(&method).unit) {
            parts[stream.index(3)].extend(unit);
        }
        let (got, wanted) = (batch.run_split(&method, &parts), batch.run(&method));
        assert_same(&got, &wanted, name);
        assert_same_report(&got, &wanted, name);
    }

    #[test]
    fn order_changes_nothing(
        (name, method) in random_methods(true), batch in batches(), seed: u64,
    ) {
        let mut order: Vec<usize> = (0..batch.trajectories.len()).collect();
        stream(seed).shuffle(&mut order);
        // The rows of a trajectory stay in order: that is the order of time.
        let mut rows: Vec<usize> = (0..batch.rows.len()).collect();
        let place = |t: usize| order.iter().position(|&o| o == t).unwrap();
        rows.sort_by_key(|&r| place(batch.rows[r].trajectory));
        let moved = Batch {
            trajectories: (order.iter())
                .map(|&t| TrajectoryData {
                    group: 99 - 7 * batch.trajectories[t].group,
                    ..batch.trajectories[t].clone()
                })
                .collect(),
            rows: (rows.iter())
                .map(|&r| Row { trajectory: place(batch.rows[r].trajectory), ..batch.rows[r].clone() })
                .collect(),
            ..batch.clone()
        };
        let (moved, wanted) = (moved.run(&method), batch.run(&method));
        assert_same_report(&moved, &wanted, name);
        let mut gradients = moved.gradients.clone();
        for (place, &row) in rows.iter().enumerate() {
            gradients[row] = moved.gradients[place].clone();
        }
        assert_same(&Outcome { gradients, ..moved }, &wanted, name);
    }

    #[test]
    fn empty_and_masked_rows_change_nothing(
        (name, method) in random_methods(false), batch in batches(), garbage in -80.0f32..0.0,
    ) {
        let method = PolicyGradient { mask_truncated: true, ..method };
        let wanted = batch.run(&method);
        let mut other = batch.clone();
        for row in &mut other.rows {
            if other.trajectories[row.trajectory].truncated {
                row.current.fill(garbage);
                row.entropies.fill(garbage);
                row.values.fill(garbage);
            }
        }
        // In front, so that the last row of the trajectory and its end value stay what they are.
        other.rows.insert(0, Row::default());
        let mut got = other.run(&method);
        prop_assert!(got.gradients.remove(0).logprobs.is_empty());
        assert_same(&got, &wanted, name);
        for (row, gradients) in batch.rows.iter().zip(&got.gradients) {
            if batch.trajectories[row.trajectory].truncated {
                let all = [&gradients.logprobs, &gradients.entropies, &gradients.values];
                prop_assert!(all.into_iter().flatten().all(|&d| d == 0.0), "{}", name);
            }
        }
    }

    #[test]
    fn the_old_policy_is_no_path_for_gradients((name, method) in random_methods(true), batch in batches()) {
        // Credit would read the old log-probs for a penalty in the reward.
        let method = PolicyGradient { reward_kl_coef: 0.0, ..method };
        let mut batch = batch;
        batch.rows.iter_mut().for_each(|row| row.old = None);
        // GEPO falls back on them where the sampler gave none.
        let mut known = batch.clone();
        for row in known.rows.iter_mut().chain(&mut batch.rows) {
            let pairs = row.behaviour.iter_mut().zip(&row.current);
            pairs.for_each(|(lb, lc)| *lb = if lb.is_nan() { *lc } else { *lb });
        }
        assert_same(&known.with_old().run(&method), &batch.run(&method), name);
    }
}

/// Without the parts whose value or gradient is not the surrogate's.
fn plain(method: PolicyGradient) -> PolicyGradient {
    PolicyGradient { positive_coef: 0.0, mask_truncated: false, ..method }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn on_policy_it_is_reinforce(batch in batches()) {
        let mut batch = batch;
        for row in &mut batch.rows {
            (row.old, row.behaviour) = (None, row.current.clone());
        }
        for (name, method) in methods().into_iter().filter(|(name, _)| !name.starts_with("gepo")) {
            let method = plain(method);
            let step = batch.step();
            let credit = method.credit(&step).unwrap().rows;
            let plan = method.prepare(&step, credit.clone()).unwrap();
            let scores: Vec<_> = (0..batch.rows.len()).map(|row| batch.scores(row)).collect();
            let weights = plan.token_weights(&scores);
            let got = batch.run(&method);
            let loss = first_loss(&method, &batch, &credit, &weights);
            assert_close(got.diagnostics.policy_loss, loss, 1e-9, 1e-10, name);
            for i in 0..batch.trajectories.len() {
                let tokens = batch.tokens_of(i);
                for &(row, t) in &tokens {
                    let slope = |&(r, t): &(usize, usize)| -weights[r] * credit[r].advantages[t];
                    let sum = || tokens.iter().map(slope).sum::<f64>();
                    let wanted = match (&method.surrogate, method.surrogate.level()) {
                        (Surrogate::GspoToken(_), _) => slope(&(row, t)),
                        (Surrogate::Clip { .. }, RatioLevel::Product) => sum(),
                        (Surrogate::Gmpo(_), _) | (_, RatioLevel::Sequence) => sum() / tokens.len() as f64,
                        _ => slope(&(row, t)),
                    };
                    let gradient = f64::from(got.gradients[row].logprobs[t]);
                    assert_close(gradient, wanted, 1e-6, 1e-9, name);
                }
            }
            let report = got.diagnostics.finish();
            for (key, wanted) in
                [("ratio/mean", 1.0), ("ratio/std", 0.0), ("clip/region", 0.0), ("drift/k3", 0.0)]
            {
                prop_assert_eq!(report.get(key).copied().unwrap_or(wanted), wanted, "{}", name);
            }
        }
    }
}

/// The policy loss at a ratio of 1.
fn first_loss(
    method: &PolicyGradient,
    batch: &Batch,
    credit: &[RowCredit],
    weights: &[f64],
) -> f64 {
    let mut loss = 0.0;
    for (r, row) in batch.rows.iter().enumerate() {
        for (t, advantage) in credit[r].advantages.iter().enumerate() {
            let factor = match &method.surrogate {
                Surrogate::Cispo(_) | Surrogate::Vespo(_) | Surrogate::Reinforce(_) => {
                    f64::from(row.current[t])
                }
                Surrogate::Sapo(sapo) if *advantage > 0.0 => 2.0 / sapo.tau_positive,
                Surrogate::Sapo(sapo) => 2.0 / sapo.tau_negative,
                _ => 1.0,
            };
            loss -= weights[r] * advantage * factor;
        }
    }
    loss
}

/// Two trajectories of two tokens in one group, `by` nats away from the old policy on the side to
/// which their advantages push them.
fn drifted(by: f32) -> Batch {
    let row = |trajectory, drift: f32| Row {
        trajectory,
        current: vec![-3.0 + drift; 2],
        old: Some(vec![-3.0; 2]),
        behaviour: vec![-3.0; 2],
        reference: vec![-3.0; 2],
        entropies: vec![1.0; 2],
        first_entropies: vec![1.0; 2],
        values: vec![0.0; 2],
        old_values: vec![0.0; 2],
        turns: vec![0; 2],
        ..Row::default()
    };
    let trajectory = |reward| TrajectoryData {
        reward: Some(reward),
        turns: vec![Default::default()],
        ..TrajectoryData::default()
    };
    Batch {
        trajectories: vec![trajectory(1.0), trajectory(-1.0)],
        rows: vec![row(0, by), row(1, -by)],
        ..Batch::default()
    }
}

#[test]
fn clipping_stops_later_inner_steps() {
    // VAPO gives the first token of so short an answer nothing: the second tokens are looked at.
    for (name, method) in methods() {
        let method = plain(method);
        let slopes = |batch: &Batch| -> Vec<f32> {
            batch.run(&method).gradients.iter().flat_map(|row| row.logprobs.clone()).collect()
        };
        let first = slopes(&drifted(0.0));
        let later = slopes(&drifted(3.0));
        if name.starts_with("gepo") {
            continue;
        }
        assert!(first[1] < 0.0 && first[3] > 0.0, "{name}: {first:?}");
        match &method.surrogate {
            Surrogate::Reinforce(reinforce) if reinforce.max_weight.is_none() => {
                assert_eq!(later, first, "{name} has no ratio");
            }
            Surrogate::Clip { clip, .. } if clip.high == f64::MAX => {
                assert!(later[1] < first[1] && later[3] < first[3], "{name} has no range");
            }
            Surrogate::Clip { .. } | Surrogate::GspoToken(_) | Surrogate::Gmpo(_) => {
                assert_eq!(later, [0.0; 4], "{name}");
            }
            Surrogate::Cispo(_) | Surrogate::Reinforce(_) => {
                let factor = if name == "cispo" { 5.0 } else { 2.0 };
                assert!((later[1] - factor * first[1]).abs() < 1e-6, "{name}");
                assert!((later[3] - (-3f32).exp() * first[3]).abs() < 1e-6, "{name}");
            }
            _ => {
                assert!(later[1] <= 0.0 && later[1] > first[1], "{name}: {later:?}, {first:?}");
                assert!(later[3] >= 0.0 && later[3] < first[3], "{name}: {later:?}, {first:?}");
            }
        }
        let back = slopes(&drifted(-1.0));
        assert!(back[1] < 0.0, "{name} does not come back: {back:?}");
        // A bound on both sides holds back there as well.
        let is_two_sided = matches!(&method.surrogate,
            Surrogate::Clip { clip, .. } if clip.delta.is_some());
        assert_eq!(back[3] > 0.0, !is_two_sided, "{name}: {back:?}");
    }
}

/// Estimators that compare samples or turns, so that equal rewards say nothing.
fn comparing() -> Vec<(&'static str, AdvantageEstimator)> {
    let compares = |advantage: &AdvantageEstimator| match advantage {
        AdvantageEstimator::Group(_)
        | AdvantageEstimator::LeaveOneOut(_)
        | AdvantageEstimator::TwoPart(_)
        | AdvantageEstimator::Turns(_)
        | AdvantageEstimator::GiGpo(_) => true,
        AdvantageEstimator::Baseline(baseline) => *baseline != Baseline::None,
        AdvantageEstimator::ReinforcePlusPlus { group_baseline, .. } => *group_baseline,
        AdvantageEstimator::Critic { .. } => false,
    };
    estimators().into_iter().filter(|(_, advantage)| compares(advantage)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn dead_groups_keep_only_their_kl(batch in batches(), scored: bool) {
        let mut batch = batch;
        for (i, trajectory) in batch.trajectories.iter_mut().enumerate() {
            // Equal but for rounding.
            let equal = scored.then_some(if i % 2 == 0 { 0.3 } else { 0.1 + 0.2 });
            trajectory.reward = equal;
            trajectory.components = vec![equal; 2];
            trajectory.turns.iter_mut().for_each(|turn| turn.reward = None);
        }
        for (estimator, advantage) in comparing() {
            for (name, method) in methods() {
                let method = PolicyGradient {
                    reward_kl_coef: 0.0,
                    ..plain(credited(&method, advantage.clone()))
                };
                let got = batch.run(&method);
                prop_assert_eq!(got.loss, 0.0, "{} with {}", name, estimator);
                let slopes = got.gradients.iter().flat_map(|row| &row.logprobs);
                prop_assert!(slopes.into_iter().all(|&d| d == 0.0), "{} with {}", name, estimator);
                let kl = KlPenalty { coef: 0.04, estimator: KlEstimator::K3 };
                let pulled = batch.run(&PolicyGradient { kl, ..method });
                let mut tokens = batch.rows.iter().flat_map(|r| r.current.iter().zip(&r.reference));
                let mut slopes = pulled.gradients.iter().flat_map(|row| &row.logprobs);
                if tokens.any(|(lc, lref)| lc != lref) {
                    prop_assert!(pulled.loss > 0.0 && slopes.any(|&d| d != 0.0), "{}", name);
                }
            }
        }
    }

    #[test]
    fn other_groups_still_teach(batch in batches()) {
        let mut batch = batch;
        for trajectory in batch.trajectories.iter_mut().filter(|t| t.group == 0) {
            trajectory.reward = Some(0.3);
        }
        let shares_whitening = ["reinforce_pp", "reinforce", "ppo", "vapo", "a2c", "trpo"];
        for (name, method) in methods() {
            if shares_whitening.iter().any(|other| name.starts_with(other)) {
                continue;
            }
            let method = PolicyGradient { reward_kl_coef: 0.0, ..plain(method) };
            let got = batch.run(&method);
            for (row, gradients) in batch.rows.iter().zip(&got.gradients) {
                if batch.trajectories[row.trajectory].group == 0 {
                    prop_assert!(gradients.logprobs.iter().all(|&d| d == 0.0), "{}", name);
                }
            }
        }
    }

    #[test]
    fn fifty_nats_are_finite(batch in batches(), up: bool) {
        let mut batch = batch;
        for (i, row) in batch.rows.iter_mut().enumerate() {
            let offset = if up == (i % 2 == 0) { 50.0 } else { -50.0 };
            let moved = |by: f32| row.current.iter().map(|lp| lp + by).collect::<Vec<f32>>();
            (row.old, row.reference) = (Some(moved(-offset)), moved(offset));
            row.behaviour = moved(offset);
        }
        for (name, method) in methods() {
            let kl = KlPenalty { coef: 0.04, estimator: KlEstimator::K3ImportanceCorrected };
            let got = batch.run(&PolicyGradient { kl, entropy_coef: 0.01, ..method });
            prop_assert!(got.loss.is_finite(), "{}", name);
            for gradients in &got.gradients {
                let all = [&gradients.logprobs, &gradients.entropies, &gradients.values];
                prop_assert!(all.into_iter().flatten().all(|d| d.is_finite()), "{}", name);
            }
            for (key, value) in got.diagnostics.finish() {
                prop_assert!(value.is_finite(), "{}: {} is {}", name, key, value);
            }
        }
    }
}

#[test]
fn a_step_without_anything_is_finite() {
    let trajectories = vec![TrajectoryData { reward: Some(1.0), ..TrajectoryData::default() }; 2];
    let empty = Batch { trajectories, rows: vec![Row::default()], ..Batch::default() };
    for (name, method) in methods() {
        for batch in [&Batch::default(), &empty] {
            let got = batch.run(&PolicyGradient { entropy_coef: 0.01, ..method.clone() });
            assert_eq!(got.loss, 0.0, "{name}");
            assert!(got.diagnostics.finish().values().all(|value| value.is_finite()), "{name}");
        }
    }
}
