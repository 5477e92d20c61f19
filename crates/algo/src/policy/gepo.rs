//! GEPO, group expectation policy optimisation (arXiv 2508.17850).
//!
//! For trajectories sampled by a policy that may be far behind, p_i = exp(mean_t lc) and
//! q_i = exp(mean_t lb) are length-normalised probabilities, and the weight is taken against what the
//! *group* expects instead of against the trajectory's own q:
//!
//!   E_q = sum_j q_j² / sum_j q_j,   w_i = p_i / E_q,
//!   ell_i = -min( w_i A_i, clip(w_i, 1 - low, 1 + high) A_i ),   loss = mean_i ell_i
//!
//! E_q is the sampler's and carries no gradient. Even on policy w_i is not 1 for each sample, so the
//! clip acts from the first step whenever q varies in the group. The authors' code takes its clip
//! range from the host trainer (0.2); the paper's own is not known. `kl_gate` is the defensive variant:
//! a trajectory whose k3(lb, lc) is below it is compared with its own q.
//!
//! The sampler's log-probs are used where they are known, the old policy's elsewhere; a token that has
//! neither has no part in q.

use super::{Clip, Sequence, Slopes, Surrogate, TokenLoss};
use crate::error::Problems;
use crate::{
    Aggregation, GroupAdvantage, PolicyGradient, Problem, RewardScaling, StepData, Term, k3,
};

/// Settings of GEPO.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gepo {
    /// Range of the weight. 0.2.
    pub clip: Clip,
    /// Below this mean k3 of sampler to current policy a trajectory has its own denominator (GEPO+,
    /// 0.002 in the authors' code). Off.
    pub kl_gate: Option<f64>,
}

/// GEPO with the settings of the authors' code: advantages are centred and not scaled.
pub fn gepo() -> PolicyGradient {
    let advantage = GroupAdvantage { scaling: RewardScaling::None, ..GroupAdvantage::default() };
    PolicyGradient {
        name: "gepo",
        advantage: advantage.into(),
        surrogate: Surrogate::Gepo(Gepo::default()),
        aggregation: Aggregation::Grpo,
        ..PolicyGradient::default()
    }
}

impl Gepo {
    /// log E_q of each trajectory's group. Trajectories without loss tokens do not count.
    pub fn log_denominators(&self, step: &StepData<'_>) -> Vec<f64> {
        let rows = step.trajectory_rows();
        let mean = |i: usize| {
            let tokens = rows[i].iter().flat_map(|&row| {
                let data = &step.rows[row];
                (0..data.behaviour.len()).filter_map(move |t| known(data.behaviour[t], data.old, t))
            });
            let (sum, n) = tokens.fold((0.0, 0usize), |(sum, n), lp| (sum + lp, n + 1));
            (n > 0).then(|| sum / n as f64)
        };
        let mut denominators = vec![0.0; step.trajectories.len()];
        for members in step.groups().values() {
            let q: Vec<f64> = members.iter().filter_map(|&i| mean(i)).map(f64::exp).collect();
            let (sum, squares) = q.iter().fold((0.0, 0.0), |(s, ss), q| (s + q, ss + q * q));
            let log = if sum > 0.0 { (squares / sum).max(f64::MIN_POSITIVE).ln() } else { 0.0 };
            members.iter().for_each(|&i| denominators[i] = log);
        }
        denominators
    }

    /// The loss of every token of a trajectory, whose context is log E_q.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        let n = sequence.len().max(1) as f64;
        let mean = sequence.current.iter().sum::<f64>() / n;
        let log_weight = mean - self.log_denominator(sequence);
        let Term { value, slope } = crate::ratio(log_weight);
        let weight = Slopes { value, own: 0.0, shared: slope / n };
        let token = |advantage: &f64| {
            let term = self.clip.surrogate(Term { value, slope: 1.0 }, *advantage);
            TokenLoss {
                loss: weight.then(term),
                gate: 1.0,
                ratio: value,
                clipped: self.clip.side(value, *advantage),
            }
        };
        sequence.advantages.iter().map(token).collect()
    }

    fn log_denominator(&self, sequence: &Sequence) -> f64 {
        let Some(gate) = self.kl_gate else { return sequence.context };
        let n = sequence.len().max(1) as f64;
        let known = |i: usize| {
            let behaviour = sequence.behaviour[i];
            if behaviour.is_finite() { behaviour } else { sequence.old[i] }
        };
        let kl = (0..sequence.len()).map(|i| k3(known(i) - sequence.current[i]).value);
        if kl.sum::<f64>() / n < gate {
            (0..sequence.len()).map(known).sum::<f64>() / n
        } else {
            sequence.context
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.extend(self.clip.validate());
        problems.require(
            self.kl_gate.is_none_or(|gate| gate.is_finite() && gate > 0.0),
            "gepo.kl_gate",
            self.kl_gate.unwrap_or_default(),
            "above 0, or nothing",
            "0.002 is the authors'",
        );
        problems.into_vec()
    }
}

/// The sampler's log-prob of a token, or the old policy's where the sampler gave none.
fn known(behaviour: f32, old: Option<&[f32]>, token: usize) -> Option<f64> {
    let sampled = Some(behaviour).filter(|lp| lp.is_finite());
    sampled.or_else(|| old.map(|old| old[token])).map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RowData, TrajectoryData};

    fn sequence(current: &[f64], behaviour: &[f64], advantage: f64, context: f64) -> Sequence {
        Sequence {
            current: current.to_vec(),
            old: behaviour.to_vec(),
            behaviour: behaviour.to_vec(),
            advantages: vec![advantage; current.len()],
            context,
            ..Sequence::default()
        }
    }

    /// One token each: p = [.5, .2], q = [.4, .1], A = [1, -1].
    #[test]
    fn golden_two_answers_of_one_token() {
        let (p, q) = ([0.5f64.ln(), 0.2f64.ln()], [0.4f32.ln(), 0.1f32.ln()]);
        let step = StepData {
            trajectories: vec![TrajectoryData::default(); 2],
            rows: (0..2)
                .map(|i| RowData { trajectory: i, behaviour: &q[i..=i], ..RowData::default() })
                .collect(),
            ..StepData::default()
        };
        let open = Clip { low: 1.0, high: f64::MAX, delta: None };
        for (clip, loss) in [(Clip::default(), -0.2), (open, -0.441176)] {
            let gepo = Gepo { clip, kl_gate: None };
            let expected = gepo.log_denominators(&step);
            assert!((expected[0].exp() - 0.34).abs() < 1e-6 && expected[0] == expected[1]);
            let of = |i: usize, advantage| {
                let q = f64::from(q[i]);
                gepo.losses(&sequence(&p[i..=i], &[q], advantage, expected[i]))[0]
            };
            let (first, second) = (of(0, 1.0), of(1, -1.0));
            assert!(
                (first.ratio - 1.470588).abs() < 1e-6 && (second.ratio - 0.588235).abs() < 1e-6
            );
            let got = (first.loss.value + second.loss.value) / 2.0;
            assert!((got - loss).abs() < 1e-6, "{got} is not {loss}");
        }
    }

    /// A trajectory that has hardly moved is compared with its own probability.
    #[test]
    fn the_gate_chooses_the_denominator() {
        let gepo = Gepo { kl_gate: Some(0.002), ..Gepo::default() };
        let near = gepo.losses(&sequence(&[-1.0, -1.5], &[-1.01, -1.5], 1.0, -3.0));
        assert!((near[0].ratio - 0.005f64.exp()).abs() < 1e-12);
        let far = gepo.losses(&sequence(&[-1.0, -1.5], &[-1.3, -1.5], 1.0, -1.5));
        assert!((far[0].ratio - 0.25f64.exp()).abs() < 1e-12);
    }

    #[test]
    fn a_token_that_nobody_scored_has_no_part_in_q() {
        let with = |behaviour: &'static [f32]| StepData {
            trajectories: vec![TrajectoryData::default()],
            rows: vec![RowData { behaviour, ..RowData::default() }],
            ..StepData::default()
        };
        let gepo = Gepo::default();
        let got = gepo.log_denominators(&with(&[-1.0, f32::NAN]));
        assert_eq!(got, gepo.log_denominators(&with(&[-1.0])));
        assert!((got[0] + 1.0).abs() < 1e-12);
    }
}
