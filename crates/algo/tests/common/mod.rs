//! A step that owns its arrays, a way to run an algorithm over it in micro-batches, and random steps.

#![allow(dead_code, reason = "every test file uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a step that cannot be prepared ends the test")]

use proptest::prelude::*;
use stateset_algo::{
    Aggregation, Algorithm, Clip, Diagnostics, KlEstimator, KlPenalty, PolicyGradient, RowData,
    RowGradients, RowScores, StepData, Surrogate, TrajectoryData,
};
use stateset_core::{Purpose, RunSeed, Stream, StreamKey};

/// Log-probs are multiples of this, so that sums and small steps of them are exact in f32 and no
/// log-ratio comes near a kink of the loss (ln 0.8, ln 1.2, ln 1.28, ln 1.5).
pub(crate) const GRID: f32 = 1.0 / 1024.0;

#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) trajectory: usize,
    pub(crate) current: Vec<f32>,
    pub(crate) old: Option<Vec<f32>>,
    pub(crate) behaviour: Vec<f32>,
    pub(crate) reference: Option<Vec<f32>>,
    pub(crate) entropies: Vec<f32>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) trajectories: Vec<TrajectoryData>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) loss: f64,
    /// By row of the step.
    pub(crate) gradients: Vec<RowGradients>,
    pub(crate) diagnostics: Diagnostics,
}

impl Batch {
    pub(crate) fn step(&self) -> StepData<'_> {
        StepData {
            trajectories: self.trajectories.clone(),
            rows: self.rows.iter().map(Row::data).collect(),
            ..StepData::default()
        }
    }

    pub(crate) fn scores(&self, row: usize) -> RowScores<'_> {
        let Row { current, entropies, .. } = &self.rows[row];
        RowScores { row, logprobs: current, entropies, ..RowScores::default() }
    }

    pub(crate) fn all_rows(&self) -> Vec<usize> {
        (0..self.rows.len()).collect()
    }

    /// Runs the whole step as one micro-batch.
    pub(crate) fn run(&self, algorithm: &dyn Algorithm) -> Outcome {
        self.run_split(algorithm, &[self.all_rows()])
    }

    /// Runs the step in these micro-batches of rows.
    pub(crate) fn run_split(
        &self,
        algorithm: &dyn Algorithm,
        micro_batches: &[Vec<usize>],
    ) -> Outcome {
        run_step(algorithm, &self.step(), self, micro_batches)
    }
}

impl Row {
    pub(crate) fn data(&self) -> RowData<'_> {
        RowData {
            trajectory: self.trajectory,
            behaviour: &self.behaviour,
            old: self.old.as_deref(),
            reference: self.reference.as_deref(),
            ..RowData::default()
        }
    }
}

/// Runs `step`, whose rows are scored by `batch`.
pub(crate) fn run_step(
    algorithm: &dyn Algorithm,
    step: &StepData<'_>,
    batch: &Batch,
    micro_batches: &[Vec<usize>],
) -> Outcome {
    let credit = algorithm.credit(step).unwrap();
    let plan = algorithm.prepare(step, credit.rows).unwrap();
    let mut outcome = Outcome {
        loss: 0.0,
        gradients: vec![RowGradients::default(); step.rows.len()],
        diagnostics: Diagnostics { rewards: credit.rewards, ..plan.diagnostics.clone() },
    };
    for rows in micro_batches {
        let scores: Vec<RowScores<'_>> = rows.iter().map(|&row| batch.scores(row)).collect();
        let out = algorithm.loss(&plan, &scores);
        outcome.loss += out.loss;
        outcome.diagnostics.add(&out.diagnostics);
        for (&row, gradients) in rows.iter().zip(out.gradients) {
            outcome.gradients[row] = gradients;
        }
    }
    outcome
}

pub(crate) fn stream(seed: u64) -> Stream {
    RunSeed(seed).stream(Purpose::Data, StreamKey::default())
}

/// `rtol` relative to `wanted`, plus `atol`.
#[track_caller]
pub(crate) fn assert_close(got: f64, wanted: f64, rtol: f64, atol: f64) {
    let tolerance = atol + rtol * wanted.abs();
    assert!((got - wanted).abs() <= tolerance, "{got} is not {wanted}, off by {}", got - wanted);
}

/// Same loss and gradients, up to the rounding of gradients to f32.
#[track_caller]
pub(crate) fn assert_same(got: &Outcome, wanted: &Outcome) {
    assert_close(got.loss, wanted.loss, 1e-9, 1e-12);
    assert_eq!(got.gradients.len(), wanted.gradients.len());
    for (got, wanted) in got.gradients.iter().zip(&wanted.gradients) {
        assert_all_close(&got.logprobs, &wanted.logprobs);
        assert_all_close(&got.entropies, &wanted.entropies);
    }
}

/// Same named numbers.
#[track_caller]
pub(crate) fn assert_same_report(got: &Diagnostics, wanted: &Diagnostics) {
    let (got, wanted) = (got.finish(), wanted.finish());
    assert_eq!(got.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (name, value) in got {
        let wanted = wanted[name];
        let off = (value - wanted).abs();
        assert!(off <= 1e-9 * wanted.abs() + 1e-9, "{name}: {value} is not {wanted}");
    }
}

#[track_caller]
fn assert_all_close(got: &[f32], wanted: &[f32]) {
    assert_eq!(got.len(), wanted.len());
    for (&got, &wanted) in got.iter().zip(wanted) {
        assert_close(f64::from(got), f64::from(wanted), 1e-6, 1e-12);
    }
}

/// Current log-prob, and the offsets of the others from it, in grid steps; entropy in thousandths.
type Token = (i16, i16, i16, i16, u16);

/// Reward in quarters, truncated, rows.
type Episode = (Option<u8>, bool, Vec<Vec<Token>>);

fn token() -> impl Strategy<Value = Token> {
    (-8192i16..0, -2048i16..=2048, -2048i16..=2048, -2048i16..=2048, 0u16..4000)
}

fn episode() -> impl Strategy<Value = Episode> {
    (
        prop::option::weighted(0.85, 0u8..=4),
        prop::bool::weighted(0.2),
        prop::collection::vec(prop::collection::vec(token(), 0..5), 1..3),
    )
}

/// One to three groups of two to four trajectories of one or two rows of up to four tokens.
pub(crate) fn batches() -> impl Strategy<Value = Batch> {
    let groups = prop::collection::vec(prop::collection::vec(episode(), 2..5), 1..4);
    (groups, any::<bool>()).prop_map(|(groups, on_policy)| build(&groups, on_policy))
}

fn build(groups: &[Vec<Episode>], on_policy: bool) -> Batch {
    let mut batch = Batch::default();
    for (group, episodes) in groups.iter().enumerate() {
        for (reward, truncated, rows) in episodes {
            let trajectory = batch.trajectories.len();
            batch.trajectories.push(TrajectoryData {
                group,
                reward: reward.map(|quarters| f64::from(quarters) / 4.0),
                truncated: *truncated,
                ..Default::default()
            });
            batch.rows.extend(rows.iter().map(|tokens| build_row(trajectory, tokens, on_policy)));
        }
    }
    batch
}

fn build_row(trajectory: usize, tokens: &[Token], on_policy: bool) -> Row {
    let all = |value: &dyn Fn(&Token) -> f32| tokens.iter().map(value).collect::<Vec<f32>>();
    let on_grid = |steps: i16| f32::from(steps) * GRID;
    Row {
        trajectory,
        current: all(&|t| on_grid(t.0)),
        old: (!on_policy).then(|| all(&|t| on_grid(t.0) + on_grid(t.1))),
        reference: Some(all(&|t| on_grid(t.0) + on_grid(t.2))),
        behaviour: all(&|t| on_grid(t.0) + on_grid(t.3)),
        entropies: all(&|t| f32::from(t.4) / 1000.0),
    }
}

/// Settings in all combinations; `bnpo` only where asked for, because it depends on micro-batches.
pub(crate) fn settings(with_bnpo: bool) -> impl Strategy<Value = PolicyGradient> {
    let mut aggregations = vec![
        Aggregation::Grpo,
        Aggregation::DrGrpo { max_completion_tokens: 7 },
        Aggregation::Dapo { trl_window: false },
    ];
    if with_bnpo {
        aggregations.push(Aggregation::Bnpo);
    }
    let clips = vec![
        Clip::default(),
        Clip { high: 0.28, ..Clip::default() },
        Clip { delta: Some(1.5), ..Clip::default() },
    ];
    let kls = vec![
        KlPenalty::default(),
        KlPenalty { coef: 0.04, estimator: KlEstimator::K2 },
        KlPenalty { coef: 0.04, estimator: KlEstimator::K3 },
        KlPenalty { coef: 0.04, estimator: KlEstimator::K3ImportanceCorrected },
    ];
    let entropy_coefs = vec![0.0, 0.01];
    (
        prop::sample::select(aggregations),
        prop::sample::select(clips),
        prop::sample::select(kls),
        prop::sample::select(entropy_coefs),
        any::<bool>(),
    )
        .prop_map(|(aggregation, clip, kl, entropy_coef, mask_truncated)| PolicyGradient {
            aggregation,
            surrogate: Surrogate::clip(clip),
            kl,
            entropy_coef,
            mask_truncated,
            ..PolicyGradient::default()
        })
}
