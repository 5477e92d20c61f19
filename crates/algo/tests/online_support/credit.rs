//! Credit by its definitions: sums written out, no recursion, nothing shared with the library.

use stateset_algo::{
    AdvantageEstimator, Baseline, BiLevelGae, BiLevelVersion, CriticEstimator, Gae, GiGpo,
    GroupAdvantage, PolicyGradient, PolicyLambda, RewardCombination, RewardScaling, TurnCredit,
    Whitening,
};

use super::Batch;

/// Numbers of the tokens of each trajectory.
type ByToken = Vec<Vec<f64>>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NaiveCredit {
    /// By trajectory and token.
    pub(crate) advantages: ByToken,
    /// By trajectory and token; NaN where nothing is taught. Empty without a critic.
    pub(crate) returns: ByToken,
}

pub(crate) fn naive_credit(batch: &Batch, method: &PolicyGradient) -> NaiveCredit {
    let world = World { batch, beta: method.reward_kl_coef, mask_truncated: method.mask_truncated };
    let rewards = world.rewards();
    let n_turns: Vec<usize> = batch.trajectories.iter().map(|t| t.turns.len()).collect();
    let advantages = match &method.advantage {
        AdvantageEstimator::Critic { estimator, whitening } => {
            return world.critic(*estimator, *whitening);
        }
        AdvantageEstimator::Group(group) => world.spread(&world.group(group, &rewards)),
        AdvantageEstimator::LeaveOneOut(settings) => {
            let mut all = world.leave_one_out(&rewards);
            if settings.normalize {
                let known: Vec<f64> = all.iter().copied().flatten().collect();
                let divisor = bessel(&known) + settings.epsilon;
                all.iter_mut().flatten().for_each(|a| *a = (*a - mean(&known)) / divisor);
            }
            world.spread(&all.iter().map(|a| a.unwrap_or(0.0)).collect::<Vec<f64>>())
        }
        AdvantageEstimator::Baseline(baseline) => {
            world.spread(&world.baseline(*baseline, &rewards))
        }
        AdvantageEstimator::ReinforcePlusPlus { settings, group_baseline } => {
            let mut tokens: Vec<Option<Vec<f64>>> = (0..rewards.len())
                .map(|i| {
                    let reward = rewards[i].filter(|_| !world.is_masked(i))?;
                    Some(if *group_baseline {
                        vec![reward - mean(&world.of_group(i, &rewards)); world.tokens(i).len()]
                    } else {
                        let q = world.token_rewards(i);
                        (0..q.len()).map(|t| discounted(&q[t..], settings.gamma)).collect()
                    })
                })
                .collect();
            whiten(settings.whitening, &mut tokens);
            world.or_zeros(tokens)
        }
        AdvantageEstimator::TwoPart(settings) => {
            world.of_turns(&world.two_part(settings, &rewards))
        }
        AdvantageEstimator::Turns(settings) => {
            world.of_turns(&world.by_turn(settings, &rewards, &n_turns))
        }
        AdvantageEstimator::GiGpo(settings) => world.of_turns(&world.gigpo(settings, &rewards)),
    };
    NaiveCredit { advantages, returns: Vec::new() }
}

struct World<'a> {
    batch: &'a Batch,
    /// Weight of the KL penalty in the reward.
    beta: f64,
    mask_truncated: bool,
}

impl World<'_> {
    fn tokens(&self, trajectory: usize) -> Vec<(usize, usize)> {
        self.batch.tokens_of(trajectory)
    }

    /// None of its tokens is a loss token.
    fn is_masked(&self, trajectory: usize) -> bool {
        self.mask_truncated && self.batch.trajectories[trajectory].truncated
    }

    /// lo - lref of a token, by what was known when it was sampled.
    fn gap(&self, (row, token): (usize, usize)) -> f64 {
        let data = &self.batch.rows[row];
        let old = data.old.as_ref().map_or(data.behaviour[token], |old| old[token]);
        if old.is_nan() || self.is_masked(data.trajectory) {
            0.0
        } else {
            f64::from(old) - f64::from(data.reference[token])
        }
    }

    fn rewards(&self) -> Vec<Option<f64>> {
        let penalty = |i| self.tokens(i).into_iter().map(|at| self.gap(at)).sum::<f64>();
        (self.batch.trajectories.iter().enumerate())
            .map(|(i, t)| t.reward.map(|reward| reward - self.beta * penalty(i)))
            .collect()
    }

    /// What is known of the group of a trajectory.
    fn of_group(&self, trajectory: usize, values: &[Option<f64>]) -> Vec<f64> {
        let group = |i: usize| self.batch.trajectories[i].group;
        let same = (0..values.len()).filter(|&i| group(i) == group(trajectory));
        same.filter_map(|i| values[i]).collect()
    }

    fn spread(&self, advantages: &[f64]) -> ByToken {
        (0..advantages.len()).map(|i| vec![advantages[i]; self.tokens(i).len()]).collect()
    }

    fn or_zeros(&self, tokens: Vec<Option<Vec<f64>>>) -> ByToken {
        let zeros = |i: usize| vec![0.0; self.tokens(i).len()];
        tokens.into_iter().enumerate().map(|(i, row)| row.unwrap_or_else(|| zeros(i))).collect()
    }

    fn of_turns(&self, turns: &[Vec<f64>]) -> ByToken {
        let turn = |(row, token): (usize, usize)| self.batch.rows[row].turns[token] as usize;
        let of = |i: usize| self.tokens(i).into_iter().map(|at| turns[i][turn(at)]).collect();
        (0..turns.len()).map(of).collect()
    }

    /// (x - mean) / (deviation + eps) in the group; 0 where nothing differs or x is unknown.
    fn z(&self, i: usize, values: &[Option<f64>], epsilon: f64) -> f64 {
        let group = self.of_group(i, values);
        match values[i] {
            Some(x) if !is_dead(&group) => (x - mean(&group)) / (bessel(&group) + epsilon),
            _ => 0.0,
        }
    }

    fn group(&self, settings: &GroupAdvantage, rewards: &[Option<f64>]) -> Vec<f64> {
        if settings.combination == RewardCombination::NormalizeThenSum {
            return self.parts(settings.epsilon);
        }
        let all: Vec<f64> = rewards.iter().copied().flatten().collect();
        let of = |i: usize| {
            let group = self.of_group(i, rewards);
            let Some(reward) = rewards[i].filter(|_| !is_dead(&group)) else { return 0.0 };
            let centred = reward - mean(&group);
            match settings.scaling {
                RewardScaling::Group => centred / (bessel(&group) + settings.epsilon),
                RewardScaling::Batch => centred / (bessel(&all) + settings.epsilon),
                RewardScaling::None => centred,
                RewardScaling::MaxRl => centred / mean(&group),
            }
        };
        (0..rewards.len()).map(of).collect()
    }

    fn parts(&self, epsilon: f64) -> Vec<f64> {
        let trajectories = &self.batch.trajectories;
        let part = |c: usize| -> Vec<Option<f64>> {
            trajectories.iter().map(|t| t.components[c]).collect()
        };
        let weighted = [(1.0, part(0)), (0.5, part(1))];
        let sum = |i: usize| -> Option<f64> {
            weighted.iter().any(|(_, part)| part[i].is_some()).then(|| {
                weighted.iter().map(|(weight, part)| weight * self.z(i, part, epsilon)).sum()
            })
        };
        let sums: Vec<Option<f64>> = (0..trajectories.len()).map(sum).collect();
        let known: Vec<f64> = sums.iter().copied().flatten().collect();
        let lives =
            |i: usize, part: &[Option<f64>]| part[i].is_some() && !is_dead(&self.of_group(i, part));
        let of = |i: usize| match sums[i] {
            Some(sum) if weighted.iter().any(|(_, part)| lives(i, part)) => {
                (sum - mean(&known)) / (bessel(&known) + epsilon)
            }
            _ => 0.0,
        };
        (0..trajectories.len()).map(of).collect()
    }

    fn leave_one_out(&self, rewards: &[Option<f64>]) -> Vec<Option<f64>> {
        let of = |i: usize| {
            let group = self.of_group(i, rewards);
            let reward = rewards[i]?;
            let others = group.iter().sum::<f64>() - reward;
            let is_compared = group.len() > 1 && !is_dead(&group);
            Some(if is_compared { reward - others / (group.len() - 1) as f64 } else { 0.0 })
        };
        (0..rewards.len()).map(of).collect()
    }

    fn baseline(&self, baseline: Baseline, rewards: &[Option<f64>]) -> Vec<f64> {
        let all: Vec<f64> = rewards.iter().copied().flatten().collect();
        let of = |i: usize| {
            let Some(reward) = rewards[i] else { return 0.0 };
            match baseline {
                Baseline::None => reward,
                Baseline::Batch { .. } if is_dead(&all) => 0.0,
                Baseline::Batch { epsilon } => (reward - mean(&all)) / (bessel(&all) + epsilon),
                Baseline::GroupMedian => {
                    let mut group = self.of_group(i, rewards);
                    group.sort_by(f64::total_cmp);
                    let n = group.len();
                    reward - (group[(n - 1) / 2] + group[n / 2]) / 2.0
                }
            }
        };
        (0..rewards.len()).map(of).collect()
    }

    fn two_part(&self, settings: &TurnCredit, outcomes: &[Option<f64>]) -> Vec<Vec<f64>> {
        let trajectories = &self.batch.trajectories;
        let tool = |i: usize| trajectories[i].turns.iter().position(|turn| turn.after_tool);
        let sum = |i: usize, end: Option<usize>| -> f64 {
            let turns = &trajectories[i].turns;
            turns[..end.unwrap_or(turns.len())].iter().map(|t| t.reward.unwrap_or(0.0)).sum()
        };
        let n = trajectories.len();
        let first: Vec<Option<f64>> = (0..n).map(|i| Some(sum(i, tool(i)))).collect();
        let total: Vec<Option<f64>> = (0..n).map(|i| Some(outcomes[i]? + sum(i, None))).collect();
        let z = |i: usize, values: &[Option<f64>]| self.z(i, values, settings.epsilon);
        let of = |i: usize, turn: usize| match tool(i) {
            None => z(i, &total),
            Some(tool) if turn < tool => z(i, outcomes) + settings.coef * z(i, &first),
            Some(_) => z(i, outcomes),
        };
        (0..n).map(|i| (0..trajectories[i].turns.len()).map(|k| of(i, k)).collect()).collect()
    }

    fn turn_return(&self, i: usize, turn: usize, gamma: f64) -> Option<f64> {
        let rewards: Vec<f64> =
            self.batch.trajectories[i].turns.iter().map(|t| t.reward.unwrap_or(0.0)).collect();
        (turn < rewards.len()).then(|| discounted(&rewards[turn..], gamma))
    }

    fn by_turn(
        &self,
        settings: &TurnCredit,
        outcomes: &[Option<f64>],
        n_turns: &[usize],
    ) -> Vec<Vec<f64>> {
        let of = |i: usize, turn: usize| {
            let same: Vec<Option<f64>> =
                (0..n_turns.len()).map(|j| self.turn_return(j, turn, settings.gamma)).collect();
            self.z(i, outcomes, settings.epsilon)
                + settings.coef * self.z(i, &same, settings.epsilon)
        };
        (0..n_turns.len()).map(|i| (0..n_turns[i]).map(|k| of(i, k)).collect()).collect()
    }

    fn gigpo(&self, settings: &GiGpo, rewards: &[Option<f64>]) -> Vec<Vec<f64>> {
        let trajectories = &self.batch.trajectories;
        let score = |x: f64, among: &[f64]| {
            let divisor = if settings.scale { bessel(among) + settings.epsilon } else { 1.0 };
            if is_dead(among) { 0.0 } else { (x - mean(among)) / divisor }
        };
        let of = |i: usize, turn: usize| {
            let episode = rewards[i].map_or(0.0, |r| score(r, &self.of_group(i, rewards)));
            let Some(state) = trajectories[i].turns[turn].state else {
                return settings.episode_weight * episode;
            };
            let mut visits = Vec::new();
            for (j, other) in trajectories.iter().enumerate() {
                for (k, visit) in other.turns.iter().enumerate() {
                    if other.group == trajectories[i].group && visit.state == Some(state) {
                        visits.extend(self.turn_return(j, k, settings.gamma));
                    }
                }
            }
            let here = self.turn_return(i, turn, settings.gamma).unwrap();
            settings.episode_weight * episode + settings.step_weight * score(here, &visits)
        };
        let n_turns = |i: usize| trajectories[i].turns.len();
        (0..trajectories.len()).map(|i| (0..n_turns(i)).map(|k| of(i, k)).collect()).collect()
    }

    /// KL penalties, turn rewards at the last token they can belong to, the episode's at the end.
    fn token_rewards(&self, i: usize) -> Vec<f64> {
        let tokens = self.tokens(i);
        let mut q: Vec<f64> = tokens.iter().map(|&at| -self.beta * self.gap(at)).collect();
        let Some(last) = q.len().checked_sub(1) else { return q };
        q[last] += self.batch.trajectories[i].reward.unwrap();
        for (turn, data) in self.batch.trajectories[i].turns.iter().enumerate() {
            let is_before =
                |&(row, token): &(usize, usize)| self.batch.rows[row].turns[token] as usize <= turn;
            let place = tokens.iter().rposition(is_before).unwrap_or(0);
            q[place] += data.reward.unwrap_or(0.0);
        }
        q
    }

    fn critic(&self, estimator: CriticEstimator, whitening: Option<Whitening>) -> NaiveCredit {
        let (mut advantages, mut returns) = (Vec::new(), Vec::new());
        for (i, trajectory) in self.batch.trajectories.iter().enumerate() {
            let tokens = self.tokens(i);
            if trajectory.reward.is_none() || self.is_masked(i) {
                advantages.push(None);
                returns.push(vec![f64::NAN; tokens.len()]);
                continue;
            }
            let last_row = self.batch.rows.iter().rfind(|row| row.trajectory == i);
            let end = last_row.map_or(0.0, |row| f64::from(row.end_value));
            let episode = Episode {
                q: self.token_rewards(i),
                v: tokens.iter().map(|&(r, t)| self.batch.rows[r].old_values[t].into()).collect(),
                turns: tokens.iter().map(|&(r, t)| self.batch.rows[r].turns[t]).collect(),
                end: if trajectory.truncated { end } else { 0.0 },
            };
            let (a, r) = episode.credit(estimator);
            advantages.push(Some(a));
            returns.push(r);
        }
        if let Some(whitening) = whitening {
            whiten(whitening, &mut advantages);
        }
        NaiveCredit { advantages: self.or_zeros(advantages), returns }
    }
}

struct Episode {
    q: Vec<f64>,
    v: Vec<f64>,
    turns: Vec<u32>,
    /// Value behind the last token.
    end: f64,
}

impl Episode {
    fn credit(&self, estimator: CriticEstimator) -> (Vec<f64>, Vec<f64>) {
        let plus_values = |a: Vec<f64>| -> (Vec<f64>, Vec<f64>) {
            let returns = a.iter().zip(&self.v).map(|(a, v)| a + v).collect();
            (a, returns)
        };
        match estimator {
            CriticEstimator::Token(gae) => plus_values(sums(&gae, &self.q, &self.v, self.end, 0.0)),
            CriticEstimator::Decoupled(both) => {
                let lambda = match both.policy_lambda {
                    PolicyLambda::Fixed(lambda) => lambda,
                    PolicyLambda::LengthAdaptive { alpha } => {
                        f64::max(0.0, 1.0 - 1.0 / (alpha * self.q.len().max(1) as f64))
                    }
                };
                let with = |lambda| {
                    let gae = Gae { gamma: both.gamma, lambda };
                    plus_values(sums(&gae, &self.q, &self.v, self.end, 0.0))
                };
                (with(lambda).0, with(both.critic_lambda).1)
            }
            CriticEstimator::Turn(settings) => {
                let turns = self.spans();
                let b = self.of_turns(&settings.turn, |span| span[0], |q| q.iter().sum());
                let mut returns = vec![f64::NAN; self.q.len()];
                let mut advantages = vec![0.0; self.q.len()];
                for (span, b) in turns.iter().zip(&b) {
                    returns[span[0]] = b + self.v[span[0]];
                    span.iter().for_each(|&t| advantages[t] = *b);
                }
                (advantages, returns)
            }
            CriticEstimator::BiLevel(settings) => plus_values(self.two_levels(&settings)),
        }
    }

    fn two_levels(&self, settings: &BiLevelGae) -> Vec<f64> {
        let is_first = settings.version == BiLevelVersion::V1;
        let turns = self.spans();
        let b = if is_first {
            self.of_turns(&settings.turn, |span| span[span.len() - 1], |q| q[q.len() - 1])
        } else {
            self.of_turns(&settings.turn, |span| span[0], |q| q.iter().sum())
        };
        let mut advantages = Vec::new();
        for (k, span) in turns.iter().enumerate() {
            let mut q: Vec<f64> = span.iter().map(|&t| self.q[t]).collect();
            let v: Vec<f64> = span.iter().map(|&t| self.v[t]).collect();
            let (next_value, next_advantage) = if is_first {
                *q.last_mut().unwrap() = b[k] + v[v.len() - 1];
                (0.0, 0.0)
            } else if k + 1 < turns.len() {
                (self.v[turns[k + 1][0]], b[k + 1])
            } else {
                (self.end, 0.0)
            };
            advantages.extend(sums(&settings.token, &q, &v, next_value, next_advantage));
        }
        advantages
    }

    /// Advantage of each turn, with the value at `anchor` and the reward `of` its tokens'.
    fn of_turns(
        &self,
        gae: &Gae,
        anchor: impl Fn(&[usize]) -> usize,
        of: impl Fn(&[f64]) -> f64,
    ) -> Vec<f64> {
        let turns = self.spans();
        let q: Vec<f64> =
            turns.iter().map(|s| of(&s.iter().map(|&t| self.q[t]).collect::<Vec<f64>>())).collect();
        let v: Vec<f64> = turns.iter().map(|span| self.v[anchor(span)]).collect();
        sums(gae, &q, &v, self.end, 0.0)
    }

    /// Tokens of each turn that has some.
    fn spans(&self) -> Vec<Vec<usize>> {
        let of = |turn| (0..self.turns.len()).filter(|&t| self.turns[t] == turn).collect();
        (0..20).map(of).filter(|span: &Vec<usize>| !span.is_empty()).collect()
    }
}

/// Sum over l of (gamma lambda)^l delta_{t+l}, with what comes behind the last one.
fn sums(gae: &Gae, q: &[f64], v: &[f64], next_value: f64, next_advantage: f64) -> Vec<f64> {
    let n = q.len();
    let decay = gae.gamma * gae.lambda;
    let value = |t: usize| if t < n { v[t] } else { next_value };
    let delta = |t: usize| q[t] + gae.gamma * value(t + 1) - v[t];
    let weight = |steps: usize| decay.powi(steps as i32);
    (0..n)
        .map(|t| {
            let own: f64 = (t..n).map(|j| weight(j - t) * delta(j)).sum();
            own + weight(n - t) * next_advantage
        })
        .collect()
}

fn discounted(rewards: &[f64], gamma: f64) -> f64 {
    rewards.iter().enumerate().map(|(j, reward)| gamma.powi(j as i32) * reward).sum()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|x| (x - mean(values)).powi(2)).sum()
}

fn bessel(values: &[f64]) -> f64 {
    if values.len() < 2 { 0.0 } else { (squares(values) / (values.len() - 1) as f64).sqrt() }
}

fn is_dead(values: &[f64]) -> bool {
    values.iter().all(|x| (x - values[0]).abs() < 1e-9)
}

fn whiten(whitening: Whitening, rows: &mut [Option<Vec<f64>>]) {
    let all: Vec<f64> = rows.iter().flatten().flatten().copied().collect();
    let divisor = match whitening {
        Whitening::Bessel => (bessel(&all).powi(2) + 1e-8).sqrt(),
        Whitening::Population => (squares(&all) / all.len() as f64).max(1e-8).sqrt(),
    };
    let is_flat = is_dead(&all);
    for x in rows.iter_mut().flatten().flatten() {
        *x = if is_flat { 0.0 } else { (*x - mean(&all)) / divisor };
    }
}
