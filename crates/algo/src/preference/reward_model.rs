//! A reward model behind the seam that trainers know: its score of an answer is the value of the state
//! after the answer's last token.
//!
//! Pairs are learned by [`BradleyTerry`]; the margin is that of [`Preference::Chosen`]. An answer that is
//! judged alone is a pair with a score of 0 on the other side, so that its loss is that of logistic
//! regression. The choice a reader may question: where an answer stands in several rows, the last one
//! alone is scored, because only there has everything been read.

use std::collections::BTreeMap;

use super::method::pairs_of;
use crate::{
    Aggregation, AlgoError, Algorithm, BradleyTerry, Credit, LossOutput, Plan, Preference,
    RewardOutput, RowCredit, RowGradients, RowScores, ScoredPair, StepData, Unit, Wants,
};

/// Learns scores from preferences.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RewardModel {
    /// The loss.
    pub loss: BradleyTerry,
}

impl Algorithm for RewardModel {
    fn name(&self) -> &'static str {
        "reward_model"
    }

    fn wants(&self) -> Wants {
        Wants { values: true, end_value: true, values_only: true, ..Wants::default() }
    }

    /// No token has an advantage: the data says what is better.
    fn credit(&self, batch: &StepData<'_>) -> Result<Credit, AlgoError> {
        batch.check()?;
        Ok(Credit::of_trajectories(batch, &vec![0.0; batch.trajectories.len()]))
    }

    fn prepare<'a>(
        &self,
        step: &StepData<'a>,
        credit: Vec<RowCredit>,
    ) -> Result<Plan<'a>, AlgoError> {
        let mut plan = Plan::new(step, credit, Aggregation::default(), false)?;
        let of_pair = |t: &crate::TrajectoryData| {
            matches!(t.preference, Some(Preference::Chosen { .. } | Preference::Rejected))
        };
        let alone = |t: &crate::TrajectoryData| {
            matches!(t.preference, Some(Preference::Desirable | Preference::Undesirable))
        };
        let has_pairs = step.trajectories.first().is_some_and(of_pair);
        let fits = |t: &crate::TrajectoryData| if has_pairs { of_pair(t) } else { alone(t) };
        if let Some(trajectory) = step.trajectories.iter().position(|t| !fits(t)) {
            return Err(AlgoError::Unlabelled {
                trajectory,
                name: self.name(),
                allowed: "all chosen or rejected, or all desirable or undesirable",
            });
        }
        // Scores are not known yet; margins and settings are.
        let margins: Vec<ScoredPair> = (step.trajectories.iter())
            .filter_map(|t| match t.preference {
                Some(Preference::Chosen { margin }) => {
                    Some(ScoredPair { margin, ..ScoredPair::new(0.0, 0.0) })
                }
                _ => None,
            })
            .collect();
        self.loss.check(&margins)?;
        if has_pairs {
            pairs_of(step)?;
        }
        plan.unit = if has_pairs { Unit::Pair } else { Unit::Trajectory };
        Ok(plan)
    }

    fn loss(&self, plan: &Plan<'_>, rows: &[RowScores<'_>]) -> LossOutput {
        let mut out =
            LossOutput { gradients: rows.iter().map(zeros).collect(), ..LossOutput::default() };
        let is_counted = |t: &&crate::TrajectoryData| t.preference != Some(Preference::Rejected);
        let n_units = plan.trajectories.iter().filter(is_counted).count();
        let scored = scored(plan, rows);
        let pairs: Vec<ScoredPair> = scored.iter().map(|one| one.pair).collect();
        let share = self.loss.share(&pairs, n_units);
        for (one, gradients) in scored.iter().zip(&share.gradients) {
            for (row, gradient) in one.rows.iter().zip(gradients) {
                let last = row.and_then(|row| out.gradients[row].values.last_mut());
                last.into_iter().for_each(|value| *value = *gradient);
            }
        }
        record(&scored, &share, &mut out);
        out
    }
}

/// A pair, or an answer judged alone, with the rows that hold its scores.
struct Scored {
    pair: ScoredPair,
    /// Of the chosen and of the rejected side; `None` for the side that is no answer.
    rows: [Option<usize>; 2],
}

fn zeros(row: &RowScores<'_>) -> RowGradients {
    let n = row.values.map_or(0, <[f32]>::len);
    RowGradients { values: vec![0.0; n], ..RowGradients::default() }
}

fn scored(plan: &Plan<'_>, rows: &[RowScores<'_>]) -> Vec<Scored> {
    let mut pairs: BTreeMap<usize, Scored> = BTreeMap::new();
    let mut all = Vec::new();
    for members in plan.by_trajectory(rows) {
        let Some(&last) = members.iter().max_by_key(|row| rows[**row].row) else { continue };
        let trajectory = &plan.trajectories[plan.rows()[rows[last].row].data.trajectory];
        let score = rows[last].values.and_then(<[f32]>::last).copied().unwrap_or(f32::NAN);
        let empty = || Scored { pair: ScoredPair::new(0.0, 0.0), rows: [None, None] };
        match trajectory.preference {
            Some(Preference::Chosen { margin }) => {
                let pair = pairs.entry(trajectory.group).or_insert_with(empty);
                (pair.pair.chosen, pair.pair.margin, pair.rows[0]) = (score, margin, Some(last));
            }
            Some(Preference::Rejected) => {
                let pair = pairs.entry(trajectory.group).or_insert_with(empty);
                (pair.pair.rejected, pair.rows[1]) = (score, Some(last));
            }
            Some(Preference::Desirable) => {
                all.push(Scored { pair: ScoredPair::new(score, 0.0), rows: [Some(last), None] })
            }
            Some(Preference::Undesirable) => {
                all.push(Scored { pair: ScoredPair::new(0.0, score), rows: [None, Some(last)] })
            }
            _ => {}
        }
    }
    all.extend(pairs.into_values());
    all
}

fn record(scored: &[Scored], share: &RewardOutput, out: &mut LossOutput) {
    out.loss = share.loss;
    out.diagnostics.policy_loss = share.loss;
    let stats = &mut out.diagnostics.preferences;
    for one in scored {
        match one.rows {
            [Some(_), Some(_)] => {
                stats.push_rewards(f64::from(one.pair.chosen), f64::from(one.pair.rejected));
            }
            [Some(_), None] => stats.chosen_reward.push(f64::from(one.pair.chosen)),
            _ => stats.rejected_reward.push(f64::from(one.pair.rejected)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RowData, TrajectoryData};

    fn step(labels: &[(usize, Preference)]) -> StepData<'static> {
        let trajectory = |(group, label): &(usize, Preference)| TrajectoryData {
            group: *group,
            preference: Some(*label),
            ..TrajectoryData::default()
        };
        let row = |trajectory| RowData { trajectory, ..RowData::default() };
        StepData {
            trajectories: labels.iter().map(trajectory).collect(),
            rows: (0..labels.len()).map(row).collect(),
            ..StepData::default()
        }
    }

    fn loss(model: &RewardModel, step: &StepData<'_>, values: &[[f32; 1]]) -> LossOutput {
        let credit = model.credit(step).unwrap();
        let plan = model.prepare(step, credit.rows).unwrap();
        let scores = |(row, values): (usize, &'_ [f32; 1])| (row, *values);
        let all: Vec<(usize, [f32; 1])> = values.iter().enumerate().map(scores).collect();
        let views: Vec<RowScores<'_>> = all
            .iter()
            .map(|(row, values)| RowScores {
                row: *row,
                values: Some(values),
                ..RowScores::default()
            })
            .collect();
        model.loss(&plan, &views)
    }

    #[test]
    fn pairs_are_bradley_terrys() {
        let model = RewardModel { loss: BradleyTerry { center_coef: 0.01 } };
        let chosen = Preference::Chosen { margin: 0.25 };
        let step =
            step(&[(1, Preference::Rejected), (0, Preference::Rejected), (0, chosen), (1, chosen)]);
        let out = loss(&model, &step, &[[2.0], [0.5], [1.5], [-1.0]]);
        let pair =
            |chosen, rejected| ScoredPair { margin: 0.25, ..ScoredPair::new(chosen, rejected) };
        let wanted = model.loss.loss(&[pair(1.5, 0.5), pair(-1.0, 2.0)], 2).unwrap();
        assert!((out.loss - wanted.loss).abs() < 1e-12);
        assert_eq!(out.gradients[2].values, [wanted.gradients[0][0]]);
        assert_eq!(out.gradients[0].values, [wanted.gradients[1][1]]);
        assert!(out.gradients.iter().all(|gradients| gradients.logprobs.is_empty()));
        assert_eq!(out.diagnostics.preferences.accuracy.get(), Some(0.5));
    }

    #[test]
    fn answers_judged_alone_are_logistic_regression() {
        let model = RewardModel::default();
        let step = step(&[(0, Preference::Desirable), (1, Preference::Undesirable)]);
        let out = loss(&model, &step, &[[0.5], [0.25]]);
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let wanted = -0.5 * (sigmoid(0.5).ln() + (1.0 - sigmoid(0.25)).ln());
        assert!((out.loss - wanted).abs() < 1e-7);
        let slopes = [-0.5 * (1.0 - sigmoid(0.5)), 0.5 * sigmoid(0.25)];
        for (gradients, slope) in out.gradients.iter().zip(slopes) {
            assert!((f64::from(gradients.values[0]) - slope).abs() < 1e-7);
        }
    }

    #[test]
    fn labels_of_two_kinds_are_refused() {
        let model = RewardModel::default();
        let mixed = step(&[(0, Preference::Desirable), (0, Preference::Rejected)]);
        let credit = model.credit(&mixed).unwrap();
        let error = model.prepare(&mixed, credit.rows).unwrap_err();
        assert!(matches!(error, AlgoError::Unlabelled { trajectory: 1, .. }));
        let step = step(&[(0, Preference::Chosen { margin: 0.0 })]);
        let credit = model.credit(&step).unwrap();
        let error = model.prepare(&step, credit.rows).unwrap_err();
        assert_eq!(error, AlgoError::Unpaired { group: 0, n_chosen: 1, n_rejected: 0 });
    }
}
