//! What holds for every estimator that compares the samples of a group:
//!
//! 1. the order of trajectories changes nothing but the order of the advantages;
//! 2. nor does the order of groups or of the members within them;
//! 3. a constant added to all rewards of a group changes nothing, where a baseline is taken off;
//! 4. an unscorable sample has advantage 0 and changes no other.

#![allow(clippy::unwrap_used, reason = "an estimator that refuses good input ends the test")]

use proptest::prelude::*;
use stateset_algo::{
    Baseline, GiGpo, LeaveOneOut, ReinforcePlusPlus, TurnCredit, TwoPartRewards, Visit,
};

/// One trajectory: group, reward, and for each turn its reward and the state before it.
#[derive(Clone, Debug)]
struct Sample {
    group: usize,
    reward: Option<f64>,
    turns: Vec<(f64, u64)>,
}

type Estimator = fn(&[Sample], &[Vec<usize>]) -> Vec<Vec<f64>>;

const ESTIMATORS: [(&str, Estimator); 6] = [
    ("leave one out", |samples, groups| {
        spread(samples, LeaveOneOut::default().advantages(&rewards(samples), groups).unwrap())
    }),
    ("leave one out, normalised", |samples, groups| {
        let settings = LeaveOneOut { normalize: true, ..Default::default() };
        spread(samples, settings.advantages(&rewards(samples), groups).unwrap())
    }),
    ("median", |samples, groups| {
        spread(samples, Baseline::GroupMedian.advantages(&rewards(samples), groups))
    }),
    ("reinforce++ with baseline", |samples, groups| {
        let lengths: Vec<usize> = samples.iter().map(|sample| sample.turns.len()).collect();
        let settings = ReinforcePlusPlus::default();
        settings.baseline_advantages(&rewards(samples), groups, &lengths).unwrap()
    }),
    ("gigpo", |samples, groups| {
        let visit = |&(reward, state)| Visit { reward: Some(reward), state: Some(state) };
        let visits: Vec<Vec<Visit>> =
            samples.iter().map(|sample| sample.turns.iter().map(visit).collect()).collect();
        GiGpo::default().advantages(&rewards(samples), &visits, groups).unwrap()
    }),
    ("two-part turn credit", |samples, groups| {
        let parts: Vec<TwoPartRewards> = samples
            .iter()
            .map(|sample| TwoPartRewards {
                outcome: sample.reward,
                turn: sample.reward.filter(|r| r.is_finite()).map(|_| sample.turns[0].0),
                total: sample.reward,
                first_turn_after_tool: (sample.turns.len() > 1).then_some(1),
                n_turns: sample.turns.len(),
            })
            .collect();
        TurnCredit::default().two_part(&parts, groups)
    }),
];

fn rewards(samples: &[Sample]) -> Vec<Option<f64>> {
    samples.iter().map(|sample| sample.reward).collect()
}

/// The same advantage for all turns of a trajectory.
fn spread(samples: &[Sample], advantages: Vec<f64>) -> Vec<Vec<f64>> {
    samples.iter().zip(advantages).map(|(s, a)| vec![a; s.turns.len()]).collect()
}

fn groups(samples: &[Sample]) -> Vec<Vec<usize>> {
    let members = |group| (0..samples.len()).filter(|&i| samples[i].group == group).collect();
    (0..3).map(members).filter(|members: &Vec<usize>| !members.is_empty()).collect()
}

/// Two to three groups of two to five samples, rewards in quarters so that some are equal.
fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let turns = prop::collection::vec(((0u8..5).prop_map(|q| f64::from(q) / 4.0), 0u64..3), 1..4);
    let sample = (prop::option::weighted(0.85, 0u8..9), turns);
    let group = prop::collection::vec(sample, 2..6);
    prop::collection::vec(group, 2..4).prop_map(|groups| {
        let numbered = groups.into_iter().enumerate();
        let sample = |group, (reward, turns): (Option<u8>, _)| Sample {
            group,
            reward: reward.map(|quarters| f64::from(quarters) / 4.0),
            turns,
        };
        numbered.flat_map(|(g, all)| all.into_iter().map(move |one| sample(g, one))).collect()
    })
}

fn assert_same(name: &str, got: &[Vec<f64>], wanted: &[Vec<f64>]) {
    assert_eq!(got.len(), wanted.len(), "{name}");
    for (got, wanted) in got.iter().zip(wanted) {
        assert_eq!(got.len(), wanted.len(), "{name}");
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-9, "{name}: {got} is not {wanted}");
        }
    }
}

proptest! {
    #[test]
    fn order_changes_nothing(
        (samples, order) in samples().prop_flat_map(|samples| {
            let order: Vec<usize> = (0..samples.len()).collect();
            (Just(samples), Just(order).prop_shuffle())
        }),
    ) {
        let shuffled: Vec<Sample> = order.iter().map(|&i| samples[i].clone()).collect();
        let mut turned = groups(&shuffled);
        turned.reverse();
        turned.iter_mut().for_each(|members| members.reverse());
        for (name, estimate) in ESTIMATORS {
            let all = estimate(&samples, &groups(&samples));
            let wanted: Vec<Vec<f64>> = order.iter().map(|&i| all[i].clone()).collect();
            assert_same(name, &estimate(&shuffled, &turned), &wanted);
        }
    }

    #[test]
    fn a_constant_for_a_group_changes_nothing(samples in samples(), shift in -8i8..8) {
        let mut shifted = samples.clone();
        for sample in shifted.iter_mut().filter(|sample| sample.group == 1) {
            sample.reward = sample.reward.map(|reward| reward + f64::from(shift) / 4.0);
        }
        for (name, estimate) in ESTIMATORS {
            let wanted = estimate(&samples, &groups(&samples));
            assert_same(name, &estimate(&shifted, &groups(&samples)), &wanted);
        }
    }

    #[test]
    fn unscorable_samples_change_no_other(samples in samples()) {
        let mut more = samples.clone();
        let extra = Sample { group: 0, reward: None, turns: vec![(1.0, 99)] };
        more.push(extra.clone());
        more.push(Sample { reward: Some(f64::NAN), turns: vec![(1.0, 98)], ..extra });
        for (name, estimate) in ESTIMATORS {
            let mut got = estimate(&more, &groups(&more));
            let added = got.split_off(samples.len());
            assert_same(name, &got, &estimate(&samples, &groups(&samples)));
            prop_assert_eq!(added, vec![vec![0.0]; 2], "{}", name);
        }
    }
}
