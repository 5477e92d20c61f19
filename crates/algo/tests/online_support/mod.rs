//! A step with everything that an online method can read, all methods, and random ones of both.

#![allow(dead_code, reason = "every test file uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a step that cannot be prepared ends the test")]

pub(crate) mod credit;
pub(crate) mod loss;
pub(crate) mod methods;

use std::collections::BTreeMap;

use proptest::prelude::*;
use stateset_algo::{
    Algorithm, Controls, Diagnostics, Plan, PolicyGradient, RowData, RowGradients, RowScores,
    StepData, TrajectoryData, TurnData, Unit,
};

/// Log-probs are multiples of this, so that they and small steps from them are exact in f32.
pub(crate) const GRID: f32 = 1.0 / 1024.0;

#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    pub(crate) trajectory: usize,
    pub(crate) current: Vec<f32>,
    pub(crate) old: Option<Vec<f32>>,
    pub(crate) behaviour: Vec<f32>,
    pub(crate) reference: Vec<f32>,
    pub(crate) entropies: Vec<f32>,
    pub(crate) first_entropies: Vec<f32>,
    pub(crate) values: Vec<f32>,
    pub(crate) old_values: Vec<f32>,
    pub(crate) end_value: f32,
    pub(crate) turns: Vec<u32>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub(crate) trajectories: Vec<TrajectoryData>,
    pub(crate) rows: Vec<Row>,
    pub(crate) controls: Controls,
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
            component_weights: vec![1.0, 0.5],
            controls: self.controls,
            ..StepData::default()
        }
    }

    pub(crate) fn plan(&self, method: &PolicyGradient) -> Plan<'_> {
        let step = self.step();
        method.prepare(&step, method.credit(&step).unwrap().rows).unwrap()
    }

    pub(crate) fn scores(&self, row: usize) -> RowScores<'_> {
        let Row { current, entropies, values, .. } = &self.rows[row];
        let values = Some(values.as_slice());
        RowScores { row, logprobs: current, entropies, values, ..RowScores::default() }
    }

    /// Runs the whole step as one micro-batch.
    pub(crate) fn run(&self, method: &PolicyGradient) -> Outcome {
        self.run_split(method, &[(0..self.rows.len()).collect()])
    }

    /// Runs the step in these micro-batches of rows.
    pub(crate) fn run_split(&self, method: &PolicyGradient, parts: &[Vec<usize>]) -> Outcome {
        let step = self.step();
        let credit = method.credit(&step).unwrap();
        let plan = method.prepare(&step, credit.rows).unwrap();
        let mut outcome = Outcome {
            loss: 0.0,
            gradients: vec![RowGradients::default(); self.rows.len()],
            diagnostics: Diagnostics { rewards: credit.rewards, ..plan.diagnostics.clone() },
        };
        for rows in parts {
            let scores: Vec<RowScores<'_>> = rows.iter().map(|&row| self.scores(row)).collect();
            let out = method.loss(&plan, &scores);
            outcome.loss += out.loss;
            outcome.diagnostics.add(&out.diagnostics);
            for (&row, gradients) in rows.iter().zip(out.gradients) {
                outcome.gradients[row] = gradients;
            }
        }
        outcome
    }

    /// What of the step stays together: lists of rows.
    pub(crate) fn units(&self, unit: Unit) -> Vec<Vec<usize>> {
        let mut units: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, row) in self.rows.iter().enumerate() {
            let key = match unit {
                Unit::Row => index,
                Unit::Trajectory => row.trajectory,
                Unit::Pair | Unit::Group => self.trajectories[row.trajectory].group,
                Unit::Step => 0,
            };
            units.entry(key).or_default().push(index);
        }
        units.into_values().collect()
    }

    /// (row, token) of every loss token of a trajectory, in order.
    pub(crate) fn tokens_of(&self, trajectory: usize) -> Vec<(usize, usize)> {
        let own = (0..self.rows.len()).filter(|&r| self.rows[r].trajectory == trajectory);
        own.flat_map(|r| (0..self.rows[r].current.len()).map(move |t| (r, t))).collect()
    }

    /// The same step with the old policy written out.
    pub(crate) fn with_old(&self) -> Batch {
        let mut batch = self.clone();
        for row in &mut batch.rows {
            row.old.get_or_insert_with(|| row.current.clone());
        }
        batch
    }
}

impl Row {
    fn data(&self) -> RowData<'_> {
        RowData {
            current: None,
            trajectory: self.trajectory,
            behaviour: &self.behaviour,
            old: self.old.as_deref(),
            reference: Some(&self.reference),
            values: Some(&self.old_values),
            end_value: Some(self.end_value),
            entropies: Some(&self.first_entropies),
            turns: &self.turns,
        }
    }
}

/// `rtol` relative to `wanted`, plus `atol`.
#[track_caller]
pub(crate) fn assert_close(got: f64, wanted: f64, rtol: f64, atol: f64, what: &str) {
    let off = (got - wanted).abs();
    assert!(off <= atol + rtol * wanted.abs(), "{what}: {got} is not {wanted}, off by {off}");
}

#[track_caller]
pub(crate) fn assert_all_close(got: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    for (&got, &wanted) in got.iter().zip(wanted) {
        assert_close(f64::from(got), f64::from(wanted), 1e-6, 1e-9, what);
    }
}

/// Same loss and gradients, up to the rounding of gradients to f32.
#[track_caller]
pub(crate) fn assert_same(got: &Outcome, wanted: &Outcome, what: &str) {
    assert_close(got.loss, wanted.loss, 1e-9, 1e-10, what);
    assert_eq!(got.gradients.len(), wanted.gradients.len(), "{what}");
    for (got, wanted) in got.gradients.iter().zip(&wanted.gradients) {
        assert_all_close(&got.logprobs, &wanted.logprobs, what);
        assert_all_close(&got.entropies, &wanted.entropies, what);
        assert_all_close(&got.values, &wanted.values, what);
    }
}

/// Current log-prob and, in grid steps from it, old, reference and behaviour (none: unknown); whether
/// a new turn begins; entropies, values.
type Token = (i16, [i16; 2], Option<i16>, bool, [u16; 4]);

/// What the environment says of a turn: reward in quarters, state, tool result before it.
type Turn = (Option<u8>, Option<u8>, bool);

/// Reward in quarters, its two parts, truncated, value after the end, turns, rows.
type Episode = (Option<u8>, [Option<u8>; 2], bool, u16, Vec<Turn>, Vec<Vec<Token>>);

fn token() -> impl Strategy<Value = Token> {
    let offset = || -1024i16..=1024;
    (
        -6144i16..0,
        [offset(), offset()],
        prop::option::weighted(0.9, offset()),
        any::<bool>(),
        prop::array::uniform4(0u16..3000),
    )
}

fn episode() -> impl Strategy<Value = Episode> {
    let turn =
        (prop::option::weighted(0.7, 0u8..4), prop::option::weighted(0.8, 0u8..3), any::<bool>());
    (
        prop::option::weighted(0.85, 0u8..=4),
        prop::array::uniform2(prop::option::weighted(0.85, 0u8..=4)),
        prop::bool::weighted(0.25),
        0u16..2000,
        // As many turns as there can be tokens: no token is without its turn.
        prop::collection::vec(turn, 9..10),
        prop::collection::vec(prop::collection::vec(token(), 0..5), 1..3),
    )
}

/// One to three groups of two to four trajectories of one or two rows of up to four tokens.
pub(crate) fn batches() -> impl Strategy<Value = Batch> {
    let groups = prop::collection::vec(prop::collection::vec(episode(), 2..5), 1..4);
    (groups, prop::bool::weighted(0.3)).prop_map(|(groups, is_first)| build(&groups, is_first))
}

fn build(groups: &[Vec<Episode>], is_first: bool) -> Batch {
    let mut batch = Batch::default();
    let quarters = |q: u8| f64::from(q) / 4.0;
    for (group, episodes) in groups.iter().enumerate() {
        for (reward, parts, truncated, end, turns, rows) in episodes {
            let trajectory = batch.trajectories.len();
            let turn = |(reward, state, after_tool): &Turn| TurnData {
                reward: reward.map(quarters),
                state: state.map(u64::from),
                after_tool: *after_tool,
            };
            batch.trajectories.push(TrajectoryData {
                group,
                reward: reward.map(quarters),
                components: parts.map(|part| part.map(quarters)).to_vec(),
                truncated: *truncated,
                turns: turns.iter().map(turn).collect(),
                ..TrajectoryData::default()
            });
            let mut turn = 0;
            let row =
                |tokens: &Vec<Token>| build_row(trajectory, tokens, *end, is_first, &mut turn);
            batch.rows.extend(rows.iter().map(row));
            batch.trajectories[trajectory].turns.truncate(turn as usize + 1);
        }
    }
    batch
}

fn build_row(trajectory: usize, tokens: &[Token], end: u16, is_first: bool, turn: &mut u32) -> Row {
    let all = |value: &dyn Fn(&Token) -> f32| tokens.iter().map(value).collect::<Vec<f32>>();
    let on_grid = |steps: i16| f32::from(steps) * GRID;
    let milli = |x: u16| f32::from(x) / 1000.0;
    let turns = tokens.iter().map(|token| {
        *turn += u32::from(token.3);
        *turn
    });
    Row {
        trajectory,
        turns: turns.collect(),
        current: all(&|t| on_grid(t.0)),
        old: (!is_first).then(|| all(&|t| on_grid(t.0) + on_grid(t.1[0]))),
        reference: all(&|t| on_grid(t.0) + on_grid(t.1[1])),
        behaviour: all(&|t| t.2.map_or(f32::NAN, |steps| on_grid(t.0) + on_grid(steps))),
        entropies: all(&|t| milli(t.4[0])),
        first_entropies: all(&|t| milli(t.4[1])),
        values: all(&|t| milli(t.4[2]) - 1.0),
        old_values: all(&|t| milli(t.4[3]) - 1.0),
        end_value: milli(end) - 1.0,
    }
}
