//! The choice among advantage estimators: each one's arithmetic is in a file of its own.
//!
//! Here the arrays of a batch are laid out as each of them reads them, and what comes out is dealt to
//! the rows again. A KL penalty that belongs into the reward (`reward_kl_coef`) is taken off here:
//! token by token where tokens have rewards, as a sum where trajectories are compared.

use super::{
    Baseline, BiLevelGae, DecoupledGae, Gae, GiGpo, GroupAdvantage, LeaveOneOut, ReinforcePlusPlus,
    TokenCredit, TurnCredit, TurnGae, TwoPartRewards, Visit, Whitening, add_turn_rewards,
    penalised_reward, token_rewards,
};
use crate::{AlgoError, Credit, Problem, RowCredit, StepData};

/// How rewards become advantages.
#[derive(Clone, Debug, PartialEq)]
pub enum AdvantageEstimator {
    /// Against the other samples of the scenario.
    Group(GroupAdvantage),
    /// Against the mean of the others of the group: RLOO.
    LeaveOneOut(LeaveOneOut),
    /// Against the group's median, the batch, or nothing.
    Baseline(Baseline),
    /// Returns of tokens, whitened over the batch: REINFORCE++.
    ReinforcePlusPlus {
        /// Discount and whitening.
        settings: ReinforcePlusPlus,
        /// Take the group's mean off first (the `-baseline` variant).
        group_baseline: bool,
    },
    /// Turns in two parts, before and after the first tool result: MT-GRPO.
    TwoPart(TurnCredit),
    /// Turns against the same turn of the other samples.
    Turns(TurnCredit),
    /// Steps against steps from the same state: GiGPO.
    GiGpo(GiGpo),
    /// Against a critic's values.
    Critic {
        /// Which estimator.
        estimator: CriticEstimator,
        /// How the advantages of the batch are whitened afterwards.
        whitening: Option<Whitening>,
    },
}

/// Estimators that weigh rewards against a critic's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CriticEstimator {
    /// Tokens are actions.
    Token(Gae),
    /// Tokens are actions; the critic's lambda is another than the policy's: VAPO.
    Decoupled(DecoupledGae),
    /// Turns are actions.
    Turn(TurnGae),
    /// Turns, then the tokens of each.
    BiLevel(BiLevelGae),
}

impl Default for AdvantageEstimator {
    fn default() -> Self {
        GroupAdvantage::default().into()
    }
}

impl From<GroupAdvantage> for AdvantageEstimator {
    fn from(group: GroupAdvantage) -> Self {
        AdvantageEstimator::Group(group)
    }
}

impl AdvantageEstimator {
    /// Credit for a whole rollout batch. `reward_kl_coef` is the weight of a KL penalty inside the
    /// reward, 0 for none. With `mask_truncated` the tokens of truncated trajectories are no loss
    /// tokens: their rewards are compared, but they are not penalised, whitened or valued (TRL).
    ///
    /// # Errors
    /// [`AlgoError`] where the arrays do not fit each other or the estimator.
    pub fn credit(
        &self,
        batch: &StepData<'_>,
        reward_kl_coef: f64,
        mask_truncated: bool,
    ) -> Result<Credit, AlgoError> {
        let layout = Layout::new(batch, reward_kl_coef, mask_truncated);
        let groups: Vec<Vec<usize>> = batch.groups().into_values().collect();
        let rewards = || layout.rewards();
        let by_trajectory = |advantages: &[f64]| Ok(Credit::of_trajectories(batch, advantages));
        match self {
            AdvantageEstimator::Group(group) => {
                let mut batch = batch.clone();
                for (trajectory, reward) in batch.trajectories.iter_mut().zip(rewards()?) {
                    trajectory.reward = reward;
                }
                by_trajectory(&group.advantages(&batch)?)
            }
            AdvantageEstimator::LeaveOneOut(settings) => {
                by_trajectory(&settings.advantages(&rewards()?, &groups)?)
            }
            AdvantageEstimator::Baseline(baseline) => {
                by_trajectory(&baseline.advantages(&rewards()?, &groups))
            }
            AdvantageEstimator::ReinforcePlusPlus { settings, group_baseline: true } => {
                let lengths = batch.trajectory_lengths();
                let mut tokens =
                    settings.baseline_advantages(&rewards()?, &groups, &layout.lengths())?;
                tokens.iter_mut().zip(lengths).for_each(|(row, n)| row.resize(n, 0.0));
                Ok(layout.deal(tokens, Vec::new()))
            }
            AdvantageEstimator::ReinforcePlusPlus { settings, group_baseline: false } => {
                layout.whitened_returns(settings)
            }
            AdvantageEstimator::TwoPart(settings) => {
                layout.of_turns(settings.two_part(&layout.two_part_rewards(&rewards()?), &groups))
            }
            AdvantageEstimator::Turns(settings) => {
                let turns = settings.by_turn(&rewards()?, &layout.turn_rewards(), &groups)?;
                layout.of_turns(turns)
            }
            AdvantageEstimator::GiGpo(settings) => {
                layout.of_turns(settings.advantages(&rewards()?, &layout.visits(), &groups)?)
            }
            AdvantageEstimator::Critic { estimator, whitening } => {
                layout.weighed_against_values(*estimator, *whitening)
            }
        }
    }

    /// True where credit is weighed against a critic's values.
    pub fn wants_values(&self) -> bool {
        matches!(self, AdvantageEstimator::Critic { .. })
    }

    /// True where samples of one scenario are compared, so that a group needs two.
    pub fn compares_samples(&self) -> bool {
        match self {
            AdvantageEstimator::Critic { .. } => false,
            AdvantageEstimator::ReinforcePlusPlus { group_baseline, .. } => *group_baseline,
            AdvantageEstimator::Baseline(baseline) => matches!(baseline, Baseline::GroupMedian),
            _ => true,
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            AdvantageEstimator::Group(group) => group.validate(),
            AdvantageEstimator::LeaveOneOut(settings) => settings.validate(),
            AdvantageEstimator::Baseline(_) => Vec::new(),
            AdvantageEstimator::ReinforcePlusPlus { settings, .. } => settings.validate(),
            AdvantageEstimator::TwoPart(settings) | AdvantageEstimator::Turns(settings) => {
                settings.validate()
            }
            AdvantageEstimator::GiGpo(settings) => settings.validate(),
            AdvantageEstimator::Critic { estimator, .. } => match estimator {
                CriticEstimator::Token(gae) => gae.validate(),
                CriticEstimator::Decoupled(gae) => gae.validate(),
                CriticEstimator::Turn(gae) => gae.validate(),
                CriticEstimator::BiLevel(gae) => gae.validate(),
            },
        }
    }
}

/// A batch, with the rows of each trajectory one behind the other.
struct Layout<'a, 'd> {
    batch: &'a StepData<'d>,
    rows: Vec<Vec<usize>>,
    reward_kl_coef: f64,
    mask_truncated: bool,
}

impl<'a, 'd> Layout<'a, 'd> {
    fn new(batch: &'a StepData<'d>, reward_kl_coef: f64, mask_truncated: bool) -> Layout<'a, 'd> {
        Layout { batch, rows: batch.trajectory_rows(), reward_kl_coef, mask_truncated }
    }

    /// True where none of a trajectory's tokens is a loss token.
    fn is_masked(&self, trajectory: usize) -> bool {
        self.mask_truncated && self.batch.trajectories[trajectory].truncated
    }

    /// Loss tokens of each trajectory.
    fn lengths(&self) -> Vec<usize> {
        let of = |(i, n)| if self.is_masked(i) { 0 } else { n };
        self.batch.trajectory_lengths().into_iter().enumerate().map(of).collect()
    }

    /// The reward of a trajectory that has some, and tokens to learn from.
    fn scored(&self, trajectory: usize) -> Option<f64> {
        self.batch.trajectories[trajectory].scored().filter(|_| !self.is_masked(trajectory))
    }

    /// The numbers of one array for all loss tokens of a trajectory.
    fn joined(
        &self,
        trajectory: usize,
        of_row: impl Fn(usize) -> Result<&'d [f32], AlgoError>,
    ) -> Result<Vec<f32>, AlgoError> {
        let mut all = Vec::new();
        for &row in &self.rows[trajectory] {
            all.extend_from_slice(of_row(row)?);
        }
        Ok(all)
    }

    /// Log-probs of old and reference policy; the latter only where a penalty reads them. A token
    /// whose log-prob is not known is no evidence of a distance.
    fn old_and_reference(&self, trajectory: usize) -> Result<(Vec<f32>, Vec<f32>), AlgoError> {
        let data = &self.batch.rows;
        let mut old =
            self.joined(trajectory, |row| Ok(data[row].old.unwrap_or(data[row].behaviour)))?;
        if self.reward_kl_coef == 0.0 || self.is_masked(trajectory) {
            return Ok((vec![0.0; old.len()], vec![0.0; old.len()]));
        }
        let missing = |row| AlgoError::MissingReference { row };
        let reference =
            self.joined(trajectory, |row| data[row].reference.ok_or_else(|| missing(row)))?;
        for (old, reference) in old.iter_mut().zip(&reference) {
            *old = if old.is_finite() { *old } else { *reference };
        }
        Ok((old, reference))
    }

    /// Reward of each trajectory, with its KL penalty.
    fn rewards(&self) -> Result<Vec<Option<f64>>, AlgoError> {
        let of = |i: usize| -> Result<Option<f64>, AlgoError> {
            let reward = self.batch.trajectories[i].scored();
            let Some(reward) = reward.filter(|_| self.reward_kl_coef != 0.0) else {
                return Ok(reward);
            };
            let (old, reference) = self.old_and_reference(i)?;
            penalised_reward(&old, &reference, self.reward_kl_coef, reward).map(Some)
        };
        (0..self.batch.trajectories.len()).map(of).collect()
    }

    /// Reward of each token of a trajectory: KL penalty, turn rewards, and the episode's at the end.
    fn token_rewards(&self, trajectory: usize, reward: f64) -> Result<Vec<f64>, AlgoError> {
        let (old, reference) = self.old_and_reference(trajectory)?;
        let mut rewards = token_rewards(&old, &reference, self.reward_kl_coef, reward)?;
        let of_turns: Vec<Option<f64>> =
            self.batch.trajectories[trajectory].turns.iter().map(|turn| turn.reward).collect();
        if of_turns.iter().any(Option::is_some) {
            add_turn_rewards(&mut rewards, &self.turns(trajectory)?, &of_turns)?;
        }
        Ok(rewards)
    }

    /// Turn of each token of a trajectory.
    fn turns(&self, trajectory: usize) -> Result<Vec<u32>, AlgoError> {
        let mut turns = Vec::new();
        for &row in &self.rows[trajectory] {
            let data = &self.batch.rows[row];
            if data.turns.len() != data.behaviour.len() {
                return Err(AlgoError::MissingTurns { row });
            }
            turns.extend_from_slice(data.turns);
        }
        Ok(turns)
    }

    fn turn_rewards(&self) -> Vec<Vec<Option<f64>>> {
        let of = |t: &crate::TrajectoryData| t.turns.iter().map(|turn| turn.reward).collect();
        self.batch.trajectories.iter().map(of).collect()
    }

    fn visits(&self) -> Vec<Vec<Visit>> {
        let visit = |turn: &crate::TurnData| Visit { reward: turn.reward, state: turn.state };
        self.batch.trajectories.iter().map(|t| t.turns.iter().map(visit).collect()).collect()
    }

    /// The outcome is the trajectory's reward, the turn part what turns up to the first tool result
    /// were given.
    fn two_part_rewards(&self, outcomes: &[Option<f64>]) -> Vec<TwoPartRewards> {
        let of = |(t, &outcome): (&crate::TrajectoryData, &Option<f64>)| {
            let first_turn_after_tool = t.turns.iter().position(|turn| turn.after_tool);
            let before = first_turn_after_tool.unwrap_or(t.turns.len());
            let sum = |turns: &[crate::TurnData]| -> f64 {
                turns.iter().filter_map(|turn| turn.reward).sum()
            };
            TwoPartRewards {
                outcome,
                turn: Some(sum(&t.turns[..before])),
                total: outcome.map(|outcome| outcome + sum(&t.turns)),
                first_turn_after_tool,
                n_turns: t.turns.len(),
            }
        };
        self.batch.trajectories.iter().zip(outcomes).map(of).collect()
    }

    /// Credit of turns, as that of their tokens.
    fn of_turns(&self, advantages: Vec<Vec<f64>>) -> Result<Credit, AlgoError> {
        let mut tokens = Vec::with_capacity(advantages.len());
        for (trajectory, of_turns) in advantages.iter().enumerate() {
            let turns = self.turns(trajectory)?;
            let of_token = |turn: &u32| of_turns.get(*turn as usize).copied();
            let known: Option<Vec<f64>> = turns.iter().map(of_token).collect();
            // Credit of 0 for a turn that nobody described would be learning nothing, silently.
            let row = self.rows[trajectory].first().copied().unwrap_or_default();
            tokens.push(known.ok_or(AlgoError::MissingTurns { row })?);
        }
        Ok(self.deal(tokens, Vec::new()))
    }

    fn whitened_returns(&self, settings: &ReinforcePlusPlus) -> Result<Credit, AlgoError> {
        let n = self.batch.trajectories.len();
        let scored: Vec<Option<f64>> = (0..n).map(|i| self.scored(i)).collect();
        let known: Vec<usize> = (0..n).filter(|i| scored[*i].is_some()).collect();
        let rewards: Result<Vec<Vec<f64>>, AlgoError> =
            known.iter().map(|&i| self.token_rewards(i, scored[i].unwrap_or_default())).collect();
        let mut tokens: Vec<Vec<f64>> =
            self.batch.trajectory_lengths().into_iter().map(|n| vec![0.0; n]).collect();
        for (i, advantages) in known.into_iter().zip(settings.advantages(&rewards?)) {
            tokens[i] = advantages;
        }
        Ok(self.deal(tokens, Vec::new()))
    }

    fn weighed_against_values(
        &self,
        estimator: CriticEstimator,
        whitening: Option<Whitening>,
    ) -> Result<Credit, AlgoError> {
        let data = &self.batch.rows;
        let (mut advantages, mut returns, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for (i, trajectory) in self.batch.trajectories.iter().enumerate() {
            let missing = |row| AlgoError::MissingValues { row };
            let values = self.joined(i, |row| data[row].values.ok_or_else(|| missing(row)))?;
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let Some(reward) = self.scored(i) else {
                advantages.push(vec![0.0; values.len()]);
                returns.push(vec![f64::NAN; values.len()]);
                continue;
            };
            let rewards = self.token_rewards(i, reward)?;
            let end = self.rows[i].last().and_then(|row| data[*row].end_value);
            let bootstrap = end.filter(|_| trajectory.truncated).map_or(0.0, f64::from);
            let credit = match estimator {
                CriticEstimator::Token(gae) => gae.credit(&rewards, &values, bootstrap)?,
                CriticEstimator::Decoupled(gae) => gae.credit(&rewards, &values, bootstrap)?,
                CriticEstimator::Turn(gae) => {
                    gae.credit(&rewards, &values, &self.turns(i)?, bootstrap)?
                }
                CriticEstimator::BiLevel(gae) => {
                    gae.credit(&rewards, &values, &self.turns(i)?, bootstrap)?
                }
            };
            let TokenCredit { advantages: of_tokens, returns: targets } = credit;
            known.push(i);
            advantages.push(of_tokens);
            returns.push(targets);
        }
        if let Some(whitening) = whitening {
            let mut scored: Vec<Vec<f64>> =
                known.iter().map(|&i| std::mem::take(&mut advantages[i])).collect();
            whitening.apply(&mut scored);
            known.iter().zip(scored).for_each(|(&i, row)| advantages[i] = row);
        }
        Ok(self.deal(advantages, returns))
    }

    /// Numbers of trajectories to their rows.
    fn deal(&self, advantages: Vec<Vec<f64>>, returns: Vec<Vec<f64>>) -> Credit {
        let mut rows = vec![RowCredit::default(); self.batch.rows.len()];
        for (trajectory, members) in self.rows.iter().enumerate() {
            let mut first = 0;
            for &row in members {
                let range = first..first + self.batch.rows[row].behaviour.len();
                first = range.end;
                rows[row].advantages = advantages[trajectory][range.clone()].to_vec();
                if let Some(returns) = returns.get(trajectory) {
                    rows[row].returns = returns[range].to_vec();
                }
            }
        }
        Credit::of_rows(self.batch, rows)
    }
}
