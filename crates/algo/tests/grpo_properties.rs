//! What must not change a step, and what hard inputs may not do to it.
//!
//! 1. Rows without tokens, and any finite scores of masked rows, change nothing.
//! 2. Division into micro-batches changes neither loss, gradient nor report.
//! 3. The order of rows, trajectories and groups, and the numbers of groups, change nothing.
//! 4. Cutting a trajectory's row in two changes nothing.
//! 5. A constant added to all rewards of a group changes nothing.
//! 6. On policy the loss is minus the mean advantage of its aggregation, the gradient is that of
//!    REINFORCE, nothing is clipped and the drift is 0.
//! 7. Groups without spread have no policy gradient at all, and keep their KL term.
//! 8. Trajectories without tokens and steps without anything are finite.
//! 9. Log-probs 50 nats apart are finite.

mod common;

use common::{
    Batch, Outcome, Row, assert_close, assert_same, assert_same_report, batches, settings, stream,
};
use proptest::prelude::*;
use stateset_algo::{
    Aggregation, GroupAdvantage, KlPenalty, PolicyGradient, RewardScaling, StepData, TrajectoryData,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn masked_rows_and_empty_rows_change_nothing(
        batch in batches(),
        grpo in settings(false),
        garbage in -80.0f32..0.0,
    ) {
        let grpo = PolicyGradient { mask_truncated: true, ..grpo };
        let wanted = batch.run(&grpo);
        let mut other = batch.clone();
        for row in &mut other.rows {
            if other.trajectories[row.trajectory].truncated {
                row.current.fill(garbage);
                row.entropies.fill(garbage);
            }
        }
        let empty = Row { reference: Some(vec![]), ..Row::default() };
        other.rows.push(empty);
        let mut got = other.run(&grpo);
        prop_assert_eq!(got.gradients.pop().unwrap().logprobs.len(), 0);
        assert_same(&got, &wanted);
        assert_same_report(&got.diagnostics, &wanted.diagnostics);
        for (row, gradients) in wanted.gradients.iter().enumerate() {
            if batch.trajectories[batch.rows[row].trajectory].truncated {
                prop_assert!(gradients.logprobs.iter().all(|&d| d == 0.0));
                prop_assert!(gradients.entropies.iter().all(|&d| d == 0.0));
            }
        }
    }

    #[test]
    fn partition_changes_nothing(batch in batches(), grpo in settings(false), seed: u64) {
        let mut micro_batches = vec![Vec::new(); 3];
        let mut stream = stream(seed);
        for row in 0..batch.rows.len() {
            micro_batches[stream.index(3)].push(row);
        }
        let (got, wanted) = (batch.run_split(&grpo, &micro_batches), batch.run(&grpo));
        assert_same(&got, &wanted);
        assert_same_report(&got.diagnostics, &wanted.diagnostics);
    }

    #[test]
    fn order_changes_nothing(batch in batches(), grpo in settings(true), seed: u64) {
        let mut stream = stream(seed);
        let mut row_order = batch.all_rows();
        stream.shuffle(&mut row_order);
        let mut trajectory_order: Vec<usize> = (0..batch.trajectories.len()).collect();
        stream.shuffle(&mut trajectory_order);
        let place = |trajectory| trajectory_order.iter().position(|&t| t == trajectory).unwrap();
        let moved = Batch {
            trajectories: (trajectory_order.iter())
                .map(|&t| TrajectoryData {
                    group: usize::MAX - 7 * batch.trajectories[t].group,
                    ..batch.trajectories[t].clone()
                })
                .collect(),
            rows: (row_order.iter())
                .map(|&r| Row {
                    trajectory: place(batch.rows[r].trajectory),
                    ..batch.rows[r].clone()
                })
                .collect(),
        };
        let (moved, wanted) = (moved.run(&grpo), batch.run(&grpo));
        let mut gradients = moved.gradients.clone();
        for (place, &row) in row_order.iter().enumerate() {
            gradients[row] = moved.gradients[place].clone();
        }
        assert_same_report(&moved.diagnostics, &wanted.diagnostics);
        assert_same(&Outcome { gradients, ..moved }, &wanted);
    }

    #[test]
    fn cutting_a_row_in_two_changes_nothing(batch in batches(), grpo in settings(false)) {
        let mut cut = Batch { trajectories: batch.trajectories.clone(), rows: Vec::new() };
        for row in &batch.rows {
            let at = row.current.len() / 2;
            cut.rows.push(part(row, 0..at));
            cut.rows.push(part(row, at..row.current.len()));
        }
        let (got, wanted) = (cut.run(&grpo), batch.run(&grpo));
        let joined = got.gradients.chunks(2).map(|halves| {
            let mut whole = halves[0].clone();
            whole.logprobs.extend(&halves[1].logprobs);
            whole.entropies.extend(&halves[1].entropies);
            whole
        });
        assert_same(&Outcome { gradients: joined.collect(), ..got.clone() }, &wanted);
    }

    #[test]
    fn a_group_shift_changes_nothing(batch in batches(), grpo in settings(true), shift in -9i8..9) {
        let mut shifted = batch.clone();
        for trajectory in &mut shifted.trajectories {
            let shift = f64::from(shift) * (1.0 + trajectory.group as f64);
            trajectory.reward = trajectory.reward.map(|reward| reward + shift);
        }
        assert_same(&shifted.run(&grpo), &batch.run(&grpo));
    }

    #[test]
    fn on_policy_it_is_reinforce(batch in batches(), grpo in settings(false)) {
        let grpo = PolicyGradient { kl: KlPenalty::default(), entropy_coef: 0.0, ..grpo };
        let mut batch = batch;
        for row in &mut batch.rows {
            row.old = Some(row.current.clone());
        }
        let got = batch.run(&grpo);
        let step = batch.step();
        let advantages = GroupAdvantage::default().advantages(&step).unwrap();
        let mut loss = 0.0;
        for (row, weight) in batch.rows.iter().zip(reinforce_weights(&batch, &grpo)) {
            loss -= weight * advantages[row.trajectory] * row.current.len() as f64;
        }
        assert_close(got.loss, loss, 1e-9, 1e-12);
        let weights = reinforce_weights(&batch, &grpo);
        for ((row, gradients), weight) in batch.rows.iter().zip(&got.gradients).zip(weights) {
            for &gradient in &gradients.logprobs {
                let wanted = -weight * advantages[row.trajectory];
                assert_close(f64::from(gradient), wanted, 1e-6, 1e-12);
            }
        }
        let report = got.diagnostics.finish();
        for name in ["clip/region", "drift/k3", "drift/k1", "ratio/std"] {
            prop_assert_eq!(report.get(name).copied().unwrap_or(0.0), 0.0);
        }

        // Left out, the old policy is the current one.
        for row in &mut batch.rows {
            row.old = None;
        }
        assert_same(&batch.run(&grpo), &got);
    }

    #[test]
    fn dead_groups_keep_only_their_kl(batch in batches(), grpo in settings(true), reward: bool) {
        let grpo = PolicyGradient { entropy_coef: 0.0, mask_truncated: false, ..grpo };
        let mut batch = batch;
        for (i, trajectory) in batch.trajectories.iter_mut().enumerate() {
            // Equal but for rounding.
            trajectory.reward = reward.then_some(if i % 2 == 0 { 0.3 } else { 0.1 + 0.2 });
        }
        let with_kl = batch.run(&grpo);
        let without = batch.run(&PolicyGradient { kl: KlPenalty::default(), ..grpo.clone() });
        prop_assert_eq!(without.loss, 0.0);
        let all_zero = |outcome: &Outcome| {
            outcome.gradients.iter().flat_map(|row| &row.logprobs).all(|&d| d == 0.0)
        };
        prop_assert!(all_zero(&without));
        prop_assert_eq!(without.diagnostics.finish()["reward/dead_share"], 1.0);
        let pulls = batch.rows.iter().any(|row| {
            let reference = row.reference.as_ref().unwrap();
            row.current.iter().zip(reference).any(|(lc, lref)| lc != lref)
        });
        if grpo.kl.is_on() && pulls {
            prop_assert!(with_kl.loss > 0.0 && !all_zero(&with_kl));
        }
    }

    #[test]
    fn fifty_nats_are_finite(batch in batches(), grpo in settings(true), far: bool) {
        let mut batch = batch;
        for row in &mut batch.rows {
            let offset = if far { -50.0 } else { 50.0 };
            let moved = |values: &Vec<f32>| values.iter().map(|lp| lp + offset).collect();
            row.old = Some(moved(&row.current));
            row.reference = Some(moved(&row.current));
            row.behaviour = row.current.iter().map(|lp| lp - offset).collect();
        }
        let got = batch.run(&grpo);
        prop_assert!(got.loss.is_finite());
        for gradients in &got.gradients {
            prop_assert!(gradients.logprobs.iter().all(|d| d.is_finite()));
        }
        for (name, value) in got.diagnostics.finish() {
            prop_assert!(value.is_finite(), "{} is {}", name, value);
        }
    }
}

fn part(row: &Row, range: std::ops::Range<usize>) -> Row {
    let cut = |values: &[f32]| values[range.clone()].to_vec();
    Row {
        trajectory: row.trajectory,
        current: cut(&row.current),
        old: row.old.as_deref().map(cut),
        behaviour: cut(&row.behaviour),
        reference: row.reference.as_deref().map(cut),
        entropies: cut(&row.entropies),
    }
}

/// Weight of a token of each row, written out for on-policy REINFORCE.
fn reinforce_weights(batch: &Batch, grpo: &PolicyGradient) -> Vec<f64> {
    let is_kept = |t: usize| !(grpo.mask_truncated && batch.trajectories[t].truncated);
    let length = |t: usize| -> usize {
        batch.rows.iter().filter(|row| row.trajectory == t).map(|row| row.current.len()).sum()
    };
    let n_tokens: usize = (0..batch.trajectories.len()).filter(|&t| is_kept(t)).map(length).sum();
    let n_trajectories = batch.trajectories.len() as f64;
    let weight = |row: &Row| {
        let t = row.trajectory;
        let denominator = match grpo.aggregation {
            Aggregation::Grpo => n_trajectories * length(t) as f64,
            Aggregation::DrGrpo { max_completion_tokens } => {
                n_trajectories * max_completion_tokens as f64
            }
            _ => n_tokens as f64,
        };
        if is_kept(t) && !row.current.is_empty() { 1.0 / denominator } else { 0.0 }
    };
    batch.rows.iter().map(weight).collect()
}

#[test]
fn a_step_without_anything_is_finite() {
    let nothing = Batch::default();
    let all_empty = Batch {
        trajectories: vec![TrajectoryData { reward: Some(1.0), ..Default::default() }; 2],
        rows: vec![Row { reference: Some(vec![]), ..Row::default() }],
    };
    for aggregation in [
        Aggregation::Grpo,
        Aggregation::Bnpo,
        Aggregation::DrGrpo { max_completion_tokens: 1 },
        Aggregation::default(),
    ] {
        let grpo = PolicyGradient { aggregation, entropy_coef: 0.01, ..PolicyGradient::default() };
        for batch in [&nothing, &all_empty] {
            let got = batch.run(&grpo);
            assert_eq!(got.loss, 0.0);
            assert!(got.diagnostics.finish().values().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn one_token_learns_in_the_right_direction() {
    let row = |trajectory| Row {
        trajectory,
        current: vec![-1.0],
        behaviour: vec![-1.0],
        entropies: vec![0.5],
        ..Row::default()
    };
    let trajectory = |reward| TrajectoryData { reward: Some(reward), ..Default::default() };
    let batch =
        Batch { trajectories: vec![trajectory(1.0), trajectory(0.0)], rows: vec![row(0), row(1)] };
    let got = batch.run(&PolicyGradient::default());
    assert!(got.gradients[0].logprobs[0] < 0.0 && got.gradients[1].logprobs[0] > 0.0);
    assert_close(got.loss, 0.0, 0.0, 1e-12);
}

#[test]
fn a_nan_score_shows_in_the_loss() {
    let batch = Batch {
        trajectories: vec![
            TrajectoryData { reward: Some(1.0), ..Default::default() },
            TrajectoryData { reward: Some(0.0), ..Default::default() },
        ],
        rows: vec![Row {
            current: vec![f32::NAN],
            old: Some(vec![-1.0]),
            behaviour: vec![-1.0],
            entropies: vec![0.5],
            ..Row::default()
        }],
    };
    assert!(batch.run(&PolicyGradient::default()).loss.is_nan());
}

/// Scaling all rewards scales unscaled advantages, and leaves scaled ones nearly alone.
#[test]
fn reward_scale() {
    let step = |factor: f64| StepData {
        trajectories: [1.0, 0.0, 0.0, 2.0]
            .map(|reward| TrajectoryData { reward: Some(factor * reward), ..Default::default() })
            .to_vec(),
        ..StepData::default()
    };
    let of = |scaling, factor| {
        let advantage = GroupAdvantage { scaling, ..Default::default() };
        advantage.advantages(&step(factor)).unwrap()
    };
    for (small, large) in of(RewardScaling::None, 1.0).iter().zip(of(RewardScaling::None, 8.0)) {
        assert_eq!(8.0 * small, large);
    }
    for (small, large) in of(RewardScaling::Group, 1.0).iter().zip(of(RewardScaling::Group, 8.0)) {
        assert_close(*small, large, 2e-4, 0.0);
    }
}
