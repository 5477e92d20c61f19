//! The loss by its definition, in the order of a reader's eye, in f64 and without the library's parts.
//!
//! Everything that carries no gradient is taken at `here`, the point at which the gradient is asked
//! for; only what is differentiated moves. Every choice between branches is noted, so that a caller
//! knows when two points lie on different sides of a kink.

use std::cell::RefCell;

use stateset_algo::{
    Aggregation, Clip, CorrectionLevel, CorrectionRule, KlEstimator, PolicyGradient, RatioLevel,
    Surrogate, ValueLoss,
};

use super::Batch;
use super::credit::{NaiveCredit, naive_credit};

/// What a gradient is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    /// By row and token, as all.
    pub(crate) current: Vec<Vec<f64>>,
    pub(crate) entropies: Vec<Vec<f64>>,
    pub(crate) values: Vec<Vec<f64>>,
}

impl Point {
    pub(crate) fn of(batch: &Batch) -> Point {
        let wide = |of: fn(&super::Row) -> &Vec<f32>| -> Vec<Vec<f64>> {
            batch.rows.iter().map(|row| of(row).iter().map(|&x| x.into()).collect()).collect()
        };
        Point {
            current: wide(|row| &row.current),
            entropies: wide(|row| &row.entropies),
            values: wide(|row| &row.values),
        }
    }
}

pub(crate) struct Oracle<'a> {
    method: &'a PolicyGradient,
    batch: &'a Batch,
    /// What is held still.
    here: Point,
    credit: NaiveCredit,
    least_entropy: f64,
    branches: RefCell<Vec<u8>>,
}

/// One trajectory, as far as its surrogate reads it.
struct Tokens {
    lc: Vec<f64>,
    /// The same, held still.
    fixed: Vec<f64>,
    old: Vec<f64>,
    /// NaN where unknown.
    behaviour: Vec<f64>,
    advantages: Vec<f64>,
    kept: Vec<bool>,
    log_expected: f64,
}

impl<'a> Oracle<'a> {
    pub(crate) fn new(method: &'a PolicyGradient, batch: &'a Batch) -> Oracle<'a> {
        let mut oracle = Oracle {
            method,
            batch,
            here: Point::of(batch),
            credit: naive_credit(batch, method),
            least_entropy: f64::NEG_INFINITY,
            branches: RefCell::default(),
        };
        if let Some(share) = method.top_entropy_share {
            let rows = (0..batch.rows.len()).filter(|&r| oracle.counts(batch.rows[r].trajectory));
            let mut all: Vec<f64> =
                rows.flat_map(|r| &batch.rows[r].first_entropies).map(|&h| h.into()).collect();
            all.sort_by(f64::total_cmp);
            let place = (1.0 - share) * (all.len().max(1) - 1) as f64;
            let at = |i: f64| all.get(i as usize).copied().unwrap_or(f64::NAN);
            let (low, high) = (at(place.floor()), at(place.ceil()));
            oracle.least_entropy = low + place.fract() * (high - low);
        }
        oracle
    }

    /// The same, with what carries no gradient taken at another point.
    pub(crate) fn at(&mut self, here: Point) -> &Oracle<'a> {
        self.here = here;
        self
    }

    /// The loss at a point, and the branches that were taken.
    pub(crate) fn loss(&self, at: &Point) -> (f64, Vec<u8>) {
        self.branches.borrow_mut().clear();
        let n = self.batch.trajectories.len();
        let loss: f64 = (0..n).filter(|&i| self.counts(i)).map(|i| self.trajectory(i, at)).sum();
        (loss, self.branches.borrow().clone())
    }

    /// Not left out as truncated.
    fn counts(&self, trajectory: usize) -> bool {
        !(self.method.mask_truncated && self.batch.trajectories[trajectory].truncated)
    }

    fn length(&self, trajectory: usize) -> usize {
        if self.counts(trajectory) { self.batch.tokens_of(trajectory).len() } else { 0 }
    }

    /// Sum of something over the trajectories that count.
    fn total(&self, of: impl Fn(usize) -> usize) -> f64 {
        let counted = (0..self.batch.trajectories.len()).filter(|&i| self.counts(i));
        counted.map(of).sum::<usize>().max(1) as f64
    }

    fn branch(&self, taken: bool) -> bool {
        self.branches.borrow_mut().push(u8::from(taken));
        taken
    }

    /// What a token weighs.
    fn weight(&self, i: usize) -> f64 {
        let n_trajectories = self.batch.trajectories.len() as f64;
        match self.method.aggregation {
            Aggregation::Grpo => 1.0 / (n_trajectories * self.length(i).max(1) as f64),
            Aggregation::TokenSum => 1.0 / n_trajectories,
            Aggregation::DrGrpo { max_completion_tokens } => {
                1.0 / (n_trajectories * max_completion_tokens as f64)
            }
            Aggregation::Dapo { .. } | Aggregation::Bnpo => 1.0 / self.total(|j| self.length(j)),
        }
    }

    fn trajectory(&self, i: usize, at: &Point) -> f64 {
        let places = self.batch.tokens_of(i);
        let tokens = self.tokens(i, at);
        let ells = self.surrogate(&tokens);
        let masks = self.masks(&tokens);
        let ratios = self.kl_ratios(&tokens);
        let solved = |j: usize| self.batch.trajectories[j].reward.is_some_and(|r| r >= 1.0);
        let n_solved = self.total(|j| if solved(j) { self.length(j) } else { 0 });
        let n_taught = self.total(|j| self.targets(j).filter(|r| !r.is_nan()).count());
        let mut loss = 0.0;
        for (t, &(row, token)) in places.iter().enumerate() {
            let reference = f64::from(self.batch.rows[row].reference[token]);
            let kl = self.kl(tokens.lc[t] - reference, ratios[t]);
            loss += self.weight(i) * (masks[t] * ells[t] + self.method.kl.coef * kl);
            let bonus = self.method.entropy_coef * at.entropies[row][token];
            loss -= bonus / self.total(|j| self.length(j));
            if solved(i) {
                loss -= self.method.positive_coef * tokens.lc[t] / n_solved;
            }
            if let Some(term) = &self.method.value {
                let old = self.batch.rows[row].old_values[token].into();
                let target = self.credit.returns[i][t];
                if !target.is_nan() {
                    let error = self.value(&term.loss, at.values[row][token], old, target);
                    loss += term.coef * error / n_taught;
                }
            }
        }
        loss
    }

    fn targets(&self, i: usize) -> impl Iterator<Item = &f64> {
        self.credit.returns.get(i).into_iter().flatten()
    }

    fn tokens(&self, i: usize, at: &Point) -> Tokens {
        let places = self.batch.tokens_of(i);
        let from = |point: &Point| places.iter().map(|&(r, t)| point.current[r][t]).collect();
        let row = |r: usize| &self.batch.rows[r];
        let old = |&(r, t): &(usize, usize)| {
            row(r).old.as_ref().map_or(self.here.current[r][t], |old| old[t].into())
        };
        let first_entropy = |&(r, t): &(usize, usize)| f64::from(row(r).first_entropies[t]);
        Tokens {
            lc: from(at),
            fixed: from(&self.here),
            old: places.iter().map(old).collect(),
            behaviour: places.iter().map(|&(r, t)| row(r).behaviour[t].into()).collect(),
            advantages: self.credit.advantages[i].clone(),
            kept: places.iter().map(|at| first_entropy(at) >= self.least_entropy).collect(),
            log_expected: self.log_expected(self.batch.trajectories[i].group),
        }
    }

    /// GEPO's log E_q of a group.
    fn log_expected(&self, group: usize) -> f64 {
        let of = |i: usize| -> Option<f64> {
            let known: Vec<f64> = (self.batch.tokens_of(i).into_iter())
                .filter_map(|(r, t)| {
                    let row = &self.batch.rows[r];
                    let sampled = Some(row.behaviour[t]).filter(|lp| !lp.is_nan());
                    sampled.or_else(|| row.old.as_ref().map(|old| old[t])).map(f64::from)
                })
                .collect();
            (!known.is_empty()).then(|| mean(&known).exp())
        };
        let own = (0..self.batch.trajectories.len())
            .filter(|&i| self.batch.trajectories[i].group == group);
        let q: Vec<f64> = own.filter_map(of).collect();
        let squares: f64 = q.iter().map(|q| q * q).sum();
        if q.is_empty() { 0.0 } else { (squares / q.iter().sum::<f64>()).ln() }
    }

    fn surrogate(&self, tokens: &Tokens) -> Vec<f64> {
        let n = tokens.lc.len();
        let (lc, a) = (&tokens.lc, &tokens.advantages);
        let each = |of: &dyn Fn(usize) -> f64| (0..n).map(of).collect::<Vec<f64>>();
        match &self.method.surrogate {
            Surrogate::Clip { clip, level } => {
                let rho = ratios(*level, lc, &tokens.old);
                each(&|t| self.clipped(clip, rho[t], a[t]))
            }
            Surrogate::GspoToken(clip) => {
                let s = ratios(RatioLevel::Sequence, &tokens.fixed, &tokens.old);
                each(&|t| self.clipped(clip, s[t] * (lc[t] - tokens.fixed[t]).exp(), a[t]))
            }
            Surrogate::Cispo(cispo) => {
                let rho = ratios(cispo.level, &tokens.fixed, &tokens.old);
                each(&|t| -rho[t].max(cispo.min).min(cispo.max) * a[t] * lc[t])
            }
            Surrogate::Sapo(sapo) => {
                let rho = ratios(sapo.level, lc, &tokens.old);
                let tau = |t: usize| if a[t] > 0.0 { sapo.tau_positive } else { sapo.tau_negative };
                let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
                each(&|t| -a[t] * 4.0 / tau(t) * sigmoid(tau(t) * (rho[t] - 1.0)))
            }
            Surrogate::Vespo(vespo) => {
                let logs = tokens.fixed.iter().zip(&tokens.old).map(|(lc, lo)| lc - lo);
                let u = self.mismatch(tokens);
                let log_u: f64 = u.iter().map(|u| u.max(1e-8).ln().min(20.0)).sum();
                let log_w = (logs.sum::<f64>() + log_u).max(1e-8f64.ln()).min(20.0);
                each(&|t| {
                    let shape = if a[t] >= 0.0 { vespo.positive } else { vespo.negative };
                    let phi = (shape.lambda + shape.k * log_w - shape.lambda * log_w.exp()).exp();
                    -phi * a[t] * lc[t]
                })
            }
            Surrogate::Gmpo(gmpo) => {
                let z = |t: usize| {
                    let x = lc[t] - tokens.old[t];
                    let cut = x.max(-gmpo.width).min(gmpo.width);
                    self.branch(x == cut);
                    if a[t] > 0.0 { x.min(cut) } else { x.max(cut) }
                };
                let kept: Vec<f64> = (0..n).filter(|&t| tokens.kept[t]).map(z).collect();
                let weight = if kept.is_empty() { 1.0 } else { mean(&kept).exp() };
                each(&|t| -weight * a[t])
            }
            Surrogate::Gepo(gepo) => {
                let expected = self.denominator(tokens, gepo.kl_gate);
                let weight = if n == 0 { 1.0 } else { (mean(lc) - expected).exp() };
                each(&|t| self.clipped(&gepo.clip, weight, a[t]))
            }
            Surrogate::Reinforce(reinforce) => each(&|t| {
                let weight = match reinforce.max_weight {
                    Some(max) if !tokens.behaviour[t].is_nan() => {
                        (tokens.fixed[t] - tokens.behaviour[t]).exp().min(max)
                    }
                    _ => 1.0,
                };
                -weight * a[t] * lc[t]
            }),
        }
    }

    fn denominator(&self, tokens: &Tokens, gate: Option<f64>) -> f64 {
        let sampled = sampled(tokens);
        let Some(gate) = gate.filter(|_| !sampled.is_empty()) else { return tokens.log_expected };
        let k3 = |(lb, lc): (&f64, &f64)| (lc - lb).exp() - 1.0 - (lc - lb);
        let drift: Vec<f64> = sampled.iter().zip(&tokens.fixed).map(k3).collect();
        if self.branch(mean(&drift) < gate) { mean(&sampled) } else { tokens.log_expected }
    }

    /// -min( min(rho, delta) A, clip(rho) A )
    fn clipped(&self, clip: &Clip, rho: f64, a: f64) -> f64 {
        let first = clip.delta.map_or(rho, |delta| rho.min(delta));
        let second = rho.max(1.0 - clip.low).min(1.0 + clip.high);
        self.branch(first == rho);
        self.branch(second == rho);
        -f64::min(first * a, second * a)
    }

    /// What masks and corrections leave of the policy loss of each token.
    fn masks(&self, tokens: &Tokens) -> Vec<f64> {
        let n = tokens.lc.len();
        let drifts: Vec<f64> =
            sampled(tokens).iter().zip(&tokens.fixed).map(|(lb, lc)| lb - lc).collect();
        let has_left = self.method.off_policy_delta.is_some_and(|d| n > 0 && mean(&drifts) > d);
        let is_inside = matches!(self.method.surrogate, Surrogate::Vespo(_));
        let u = if is_inside { vec![1.0; n] } else { self.mismatch(tokens) };
        let is_chosen_inside = matches!(self.method.surrogate, Surrogate::Gmpo(_));
        let keeps = |t: usize| {
            let is_chosen = is_chosen_inside || tokens.kept[t];
            is_chosen && !(self.branch(has_left) && tokens.advantages[t] < 0.0)
        };
        (0..n).map(|t| if keeps(t) { u[t] } else { 0.0 }).collect()
    }

    fn mismatch(&self, tokens: &Tokens) -> Vec<f64> {
        let n = tokens.lc.len();
        let Some(correction) = &self.method.correction else { return vec![1.0; n] };
        let known = |(lo, lb): (&f64, &f64)| if lb.is_nan() { 0.0 } else { lo - lb };
        let logs: Vec<f64> = tokens.old.iter().zip(&tokens.behaviour).map(known).collect();
        if logs.iter().any(|log| log.exp() < correction.veto) {
            return vec![0.0; n];
        }
        let u: Vec<f64> = match correction.level {
            CorrectionLevel::Token => logs.iter().map(|log| log.exp()).collect(),
            CorrectionLevel::Sequence => vec![logs.iter().sum::<f64>().exp(); n],
            CorrectionLevel::Geometric => vec![mean(&logs).exp(); n],
        };
        let cut = |u: f64| match correction.rule {
            CorrectionRule::Truncate { max } => u.min(max),
            CorrectionRule::Clamp { min, max } => u.max(min).min(max),
            CorrectionRule::Mask { min, max } => {
                if u >= min && u <= max {
                    u
                } else {
                    0.0
                }
            }
            CorrectionRule::Gate { min, max } => {
                if u >= min && u <= max {
                    1.0
                } else {
                    0.0
                }
            }
        };
        u.into_iter().map(cut).collect()
    }

    /// What multiplies k3 where it is corrected: the sequence's ratio where the surrogate has one.
    fn kl_ratios(&self, tokens: &Tokens) -> Vec<f64> {
        let is_sequence = match &self.method.surrogate {
            Surrogate::Clip { level, .. } => *level == RatioLevel::Sequence,
            Surrogate::GspoToken(_) => true,
            _ => false,
        };
        let level = if is_sequence { RatioLevel::Sequence } else { RatioLevel::Token };
        ratios(level, &tokens.lc, &tokens.old)
    }

    fn kl(&self, d: f64, ratio: f64) -> f64 {
        let k3 = (-d).exp() - 1.0 + d;
        match self.method.kl.estimator {
            KlEstimator::K1 => d,
            KlEstimator::K2 => d * d / 2.0,
            KlEstimator::K3 => k3,
            KlEstimator::K3ImportanceCorrected => ratio * k3,
        }
    }

    fn value(&self, loss: &ValueLoss, v: f64, old: f64, target: f64) -> f64 {
        let free = (v - target).powi(2);
        let cut = loss.clip.map_or(v, |c| v.max(old - c).min(old + c));
        self.branch(v == cut);
        self.branch(free > (cut - target).powi(2));
        loss.scale * free.max((cut - target).powi(2))
    }
}

/// The sampler's log-probs, the old policy's where they are unknown.
fn sampled(tokens: &Tokens) -> Vec<f64> {
    let both = tokens.behaviour.iter().zip(&tokens.old);
    both.map(|(lb, lo)| if lb.is_nan() { *lo } else { *lb }).collect()
}

fn ratios(level: RatioLevel, lc: &[f64], lo: &[f64]) -> Vec<f64> {
    let logs: Vec<f64> = lc.iter().zip(lo).map(|(lc, lo)| lc - lo).collect();
    match level {
        RatioLevel::Token => logs.iter().map(|x| x.exp()).collect(),
        RatioLevel::Sequence => vec![mean(&logs).exp(); logs.len()],
        RatioLevel::Product => vec![logs.iter().sum::<f64>().exp(); logs.len()],
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
