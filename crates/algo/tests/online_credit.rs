//! Credit of every advantage estimator is what its definition says, and reaches the right tokens.
//!
//! 1. Advantages and value targets are those of sums written out (`online_support/credit.rs`), rtol and
//!    atol 1e-9: rows cut in two, several turns, turns without tokens, unscorable and truncated
//!    trajectories, KL in the reward, unknown log-probs of the sampler.
//! 2. An unscorable trajectory has advantages of 0 and no targets.
//! 3. What a reader would take for a mistake is refused: turns that are not described, values that
//!    are missing.

mod online_support;

use online_support::methods::{credited, estimators};
use online_support::{Batch, assert_close, batches, credit::naive_credit};
use proptest::prelude::*;
use stateset_algo::{
    AdvantageEstimator, AlgoError, Algorithm, PolicyGradient, RowCredit, TurnCredit, reinforce_pp,
};

/// The library's credit by trajectory and token.
fn joined(batch: &Batch, rows: &[RowCredit], of: fn(&RowCredit) -> &[f64]) -> Vec<Vec<f64>> {
    let tokens = |i| batch.tokens_of(i).into_iter();
    (0..batch.trajectories.len())
        .map(|i| tokens(i).filter_map(|(row, t)| of(&rows[row]).get(t).copied()).collect())
        .collect()
}

fn assert_all(got: &[Vec<f64>], wanted: &[Vec<f64>], what: &str) {
    for (got, wanted) in got.iter().zip(wanted) {
        assert_eq!(got.len(), wanted.len(), "{what}");
        for (&got, &wanted) in got.iter().zip(wanted) {
            if wanted.is_nan() {
                assert!(got.is_nan(), "{what}: {got} where nothing is taught");
            } else {
                assert_close(got, wanted, 1e-9, 1e-9, what);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn equal_to_sums_written_out(
        batch in batches(),
        reward_kl_coef in prop::sample::select(vec![0.0, 0.05]),
        mask_truncated: bool,
    ) {
        for (name, advantage) in estimators() {
            let method =
                PolicyGradient { reward_kl_coef, mask_truncated, ..PolicyGradient::default() };
            let method = credited(&method, advantage);
            let rows = method.credit(&batch.step()).unwrap().rows;
            let wanted = naive_credit(&batch, &method);
            assert_all(&joined(&batch, &rows, |r| &r.advantages), &wanted.advantages, name);
            let returns = joined(&batch, &rows, |r| &r.returns);
            if wanted.returns.is_empty() {
                prop_assert!(returns.iter().all(Vec::is_empty), "{}", name);
            } else {
                assert_all(&returns, &wanted.returns, name);
            }
        }
    }

    #[test]
    fn the_unscorable_teach_nothing(batch in batches()) {
        let by_turns = |a: &AdvantageEstimator| matches!(
            a,
            AdvantageEstimator::TwoPart(_) | AdvantageEstimator::Turns(_) | AdvantageEstimator::GiGpo(_)
        );
        let by_parts = "parts";
        for (name, advantage) in estimators() {
            // Their turns and parts are scored by themselves.
            if by_turns(&advantage) || name == by_parts {
                continue;
            }
            let method = credited(&PolicyGradient::default(), advantage);
            let rows = method.credit(&batch.step()).unwrap().rows;
            for (data, credit) in batch.rows.iter().zip(&rows) {
                if batch.trajectories[data.trajectory].reward.is_none() {
                    prop_assert!(credit.advantages.iter().all(|a| *a == 0.0), "{}", name);
                    prop_assert!(credit.returns.iter().all(|r| r.is_nan()), "{}", name);
                }
            }
        }
    }
}

/// One trajectory of two tokens in a group of two.
fn pair() -> Batch {
    let row = |trajectory| online_support::Row {
        trajectory,
        current: vec![-1.0, -1.0],
        behaviour: vec![f32::NAN, -1.0],
        reference: vec![-2.0, -1.5],
        entropies: vec![0.0; 2],
        first_entropies: vec![0.0; 2],
        values: vec![0.0; 2],
        old_values: vec![0.0; 2],
        turns: vec![0, 1],
        ..Default::default()
    };
    let trajectory =
        |reward| stateset_algo::TrajectoryData { reward: Some(reward), ..Default::default() };
    Batch {
        trajectories: vec![trajectory(1.0), trajectory(0.0)],
        rows: vec![row(0), row(1)],
        ..Batch::default()
    }
}

#[test]
fn turns_that_nobody_described_are_refused() {
    let advantage = AdvantageEstimator::Turns(TurnCredit::default());
    let method = PolicyGradient { advantage, ..PolicyGradient::default() };
    let got = method.credit(&pair().step());
    assert_eq!(got, Err(AlgoError::MissingTurns { row: 0 }));
}

#[test]
fn values_that_are_missing_are_refused() {
    let batch = pair();
    let mut step = batch.step();
    step.rows[1].values = None;
    assert_eq!(stateset_algo::ppo().credit(&step), Err(AlgoError::MissingValues { row: 1 }));
}

#[test]
fn an_unknown_logprob_is_no_evidence_of_a_distance() {
    let batch = pair();
    let rows = reinforce_pp().credit(&batch.step()).unwrap().rows;
    // Returns 1 - 0.005 and -0.005: the first tokens add nothing.
    let high = rows[0].advantages[0];
    assert!(rows.iter().flat_map(|row| &row.advantages).all(|a| (a.abs() - high).abs() < 1e-6));
}
