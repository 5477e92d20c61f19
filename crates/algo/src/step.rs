//! The arrays of one whole optimiser step, as a trainer hands them to [`crate::Algorithm::prepare`].
//!
//! A *row* is one token row (a segment of a trace) and is given by its loss tokens alone: prompt,
//! tool results and padding do not exist here, so no mask can be wrong. Rows belong to trajectories
//! and trajectories to groups. Rewards and the truncation flag belong to the trajectory, so rows of
//! one trajectory cannot contradict each other.

use std::collections::BTreeMap;

use crate::AlgoError;

/// One optimiser step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepData<'a> {
    /// All trajectories of the step, in any order. Each counts in `grpo` and `dr_grpo` denominators,
    /// even one without tokens or reward.
    pub trajectories: Vec<TrajectoryData>,
    /// All token rows of the step, in any order.
    pub rows: Vec<RowData<'a>>,
    /// Weight of each reward component; as long as every [`TrajectoryData::components`].
    pub component_weights: Vec<f64>,
    /// Reward from which on a trajectory counts as solved; only the diagnostics read it.
    pub success_reward: f64,
    /// The generation batch that this step is a part of, for TRL's way of averaging.
    pub window: Option<GenerationWindow>,
    /// Coefficients that moved since the run began.
    pub controls: Controls,
}

/// Coefficients that adapt during a run; `None` where the algorithm's own value holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Controls {
    /// Weight of the KL penalty.
    pub kl_coef: Option<f64>,
    /// Weight of the entropy bonus.
    pub entropy_coef: Option<f64>,
    /// Entropy of the last optimiser step, nats, where the bonus depends on it.
    pub entropy: Option<f64>,
}

impl Default for StepData<'_> {
    fn default() -> Self {
        StepData {
            trajectories: Vec::new(),
            rows: Vec::new(),
            component_weights: Vec::new(),
            success_reward: 1.0,
            window: None,
            controls: Controls::default(),
        }
    }
}

/// One episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrajectoryData {
    /// Number of the group it is compared in: trajectories with equal numbers are samples of one
    /// scenario. Any numbers will do.
    pub group: usize,
    /// Total reward; `None` (or a value that is not finite) where it could not be scored.
    pub reward: Option<f64>,
    /// Parts of the reward, for methods that normalise each of them; `None` where a part could not
    /// be scored. Empty where nothing reads them.
    pub components: Vec<Option<f64>>,
    /// Some reply was cut off at a token limit.
    pub truncated: bool,
    /// The agent's turns, in order; empty where nothing reads them.
    pub turns: Vec<TurnData>,
    /// What a person or judge said of it, in preference data.
    pub preference: Option<Preference>,
}

/// One turn of the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TurnData {
    /// Reward of this turn alone, where the environment gave one. It is beside
    /// [`TrajectoryData::reward`], not a part of it.
    pub reward: Option<f64>,
    /// Name of the environment's state before the turn; equal states have equal names.
    pub state: Option<u64>,
    /// A tool's result was read before the turn.
    pub after_tool: bool,
}

/// Label of a completion in preference data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Preference {
    /// The better one of its pair (its group).
    Chosen {
        /// By how much it should win at least, for reward models; 0 where nothing is known.
        margin: f64,
    },
    /// The worse one of its pair.
    Rejected,
    /// Good by itself.
    Desirable,
    /// Bad by itself.
    Undesirable,
    /// A completion of another prompt, from which KTO estimates its KL point; never learned from.
    Mismatched,
}

impl TrajectoryData {
    /// The reward, if it is a number.
    pub fn scored(&self) -> Option<f64> {
        self.reward.filter(|reward| reward.is_finite())
    }
}

/// The loss tokens of one row.
///
/// # Shapes
/// All arrays have one entry for each loss token, in order; natural logarithms at the sampling
/// temperature.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowData<'a> {
    /// Index into [`StepData::trajectories`].
    pub trajectory: usize,
    /// Log-prob under the policy that sampled. NaN where the sampler gave none: such a token has no
    /// part in mismatch statistics.
    pub behaviour: &'a [f32],
    /// Log-prob under the weights at the start of the update phase. `None` says that the current
    /// weights are those: the ratio is 1 and still carries its gradient. Pass `behaviour` to bypass
    /// recomputation.
    pub old: Option<&'a [f32]>,
    /// Log-prob under the reference policy.
    pub reference: Option<&'a [f32]>,
    /// Value of the state before each token, by the critic at the start of the update phase.
    pub values: Option<&'a [f32]>,
    /// Value of the state after the last token, for rows that were cut off.
    pub end_value: Option<f32>,
    /// Entropy of each token's distribution at the start of the update phase, nats.
    pub entropies: Option<&'a [f32]>,
    /// Index into [`TrajectoryData::turns`] of the turn of each token; empty where nothing reads it.
    pub turns: &'a [u32],
    /// Log-prob under the weights at the start of the optimiser step, for rows that are measured and
    /// not learned from.
    pub current: Option<&'a [f32]>,
}

/// Several optimiser steps that were sampled together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationWindow {
    /// Loss tokens of all its steps, counted as the algorithm counts (without truncated
    /// trajectories where it masks them).
    pub n_loss_tokens: usize,
    /// Number of optimiser steps that share the tokens (TRL: `steps_per_generation` divided by
    /// `gradient_accumulation_steps`).
    pub n_optimizer_steps: usize,
}

impl StepData<'_> {
    /// Indices of the trajectories of each group, in order of the group's number.
    pub fn groups(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, trajectory) in self.trajectories.iter().enumerate() {
            groups.entry(trajectory.group).or_default().push(index);
        }
        groups
    }

    /// Number of loss tokens of each trajectory, over all its rows.
    ///
    /// # Panics
    /// Where a row names no trajectory; [`StepData::check`] says so.
    pub fn trajectory_lengths(&self) -> Vec<usize> {
        let mut lengths = vec![0; self.trajectories.len()];
        for row in &self.rows {
            lengths[row.trajectory] += row.behaviour.len();
        }
        lengths
    }

    /// Rows of each trajectory, in order.
    ///
    /// # Panics
    /// Where a row names no trajectory; [`StepData::check`] says so.
    pub fn trajectory_rows(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.trajectories.len()];
        for (index, row) in self.rows.iter().enumerate() {
            rows[row.trajectory].push(index);
        }
        rows
    }

    /// Checks that the arrays fit each other and that what a loss reads is finite.
    ///
    /// # Errors
    /// The first [`AlgoError`] found.
    pub fn check(&self) -> Result<(), AlgoError> {
        let n_trajectories = self.trajectories.len();
        for (row, data) in self.rows.iter().enumerate() {
            let trajectory = data.trajectory;
            if trajectory >= n_trajectories {
                return Err(AlgoError::UnknownTrajectory { row, trajectory, n_trajectories });
            }
            check_array(row, "old", data.behaviour.len(), data.old)?;
            check_array(row, "reference", data.behaviour.len(), data.reference)?;
            check_array(row, "value", data.behaviour.len(), data.values)?;
            check_array(row, "entropy", data.behaviour.len(), data.entropies)?;
            check_array(row, "current", data.behaviour.len(), data.current)?;
        }
        Ok(())
    }
}

fn check_array(
    row: usize,
    array: &'static str,
    expected: usize,
    values: Option<&[f32]>,
) -> Result<(), AlgoError> {
    let Some(values) = values else { return Ok(()) };
    if values.len() != expected {
        return Err(AlgoError::LengthMismatch { row, array, expected, got: values.len() });
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(token) => Err(AlgoError::NotFinite { row, array, token, value: values[token] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_rows<'a>(second: RowData<'a>) -> StepData<'a> {
        StepData {
            trajectories: vec![TrajectoryData { group: 7, ..Default::default() }],
            rows: vec![RowData { behaviour: &[-1.0, -2.0], ..Default::default() }, second],
            ..Default::default()
        }
    }

    #[test]
    fn rows_of_one_trajectory_add_their_lengths() {
        let step = two_rows(RowData { behaviour: &[-1.0], ..Default::default() });
        assert_eq!(step.trajectory_lengths(), [3]);
        assert_eq!(step.groups(), BTreeMap::from([(7, vec![0])]));
        assert_eq!(step.check(), Ok(()));
    }

    #[test]
    fn arrays_that_do_not_fit_are_named() {
        let base = RowData { behaviour: &[-1.0], ..Default::default() };
        let stray = two_rows(RowData { trajectory: 1, ..base });
        let lost = AlgoError::UnknownTrajectory { row: 1, trajectory: 1, n_trajectories: 1 };
        assert_eq!(stray.check(), Err(lost));
        let long = two_rows(RowData { old: Some(&[-1.0, -1.0]), ..base });
        assert_eq!(
            long.check(),
            Err(AlgoError::LengthMismatch { row: 1, array: "old", expected: 1, got: 2 })
        );
        let infinite = two_rows(RowData { reference: Some(&[f32::NEG_INFINITY]), ..base });
        let value = f32::NEG_INFINITY;
        assert_eq!(
            infinite.check(),
            Err(AlgoError::NotFinite { row: 1, array: "reference", token: 0, value })
        );
    }

    #[test]
    fn a_missing_behaviour_logprob_is_allowed() {
        assert_eq!(
            two_rows(RowData { behaviour: &[f32::NAN], ..Default::default() }).check(),
            Ok(())
        );
    }

    #[test]
    fn a_reward_that_is_no_number_is_unscorable() {
        let with = |reward| TrajectoryData { reward, ..Default::default() }.scored();
        assert_eq!(with(Some(0.5)), Some(0.5));
        assert_eq!([with(None), with(Some(f64::NAN)), with(Some(f64::INFINITY))], [None; 3]);
    }
}
