//! Weights and masks for what was not sampled by the policy that is trained.
//!
//! u_t = exp(lo - lb) compares the policy at the start of the update phase with the one that sampled:
//! another engine or precision, or weights that are some steps old. It carries no gradient and is
//! multiplied onto the policy loss (not onto the KL penalty); denominators stay as they are, as in
//! TRL. Sources: truncation TIS (Yao et al. 2025), masking and IcePop (INTELLECT-3, arXiv
//! 2512.16144), geometric bounds and veto (verl and slime).
//!
//! | `level` | u |
//! |---|---|
//! | `Token` | of the token |
//! | `Sequence` | product over the trajectory |
//! | `Geometric` | geometric mean over the trajectory |
//!
//! A log-prob that the sampler did not give is no evidence: its u is 1. A product over a long
//! conversation leaves any range, so for conversations of several turns take `Geometric` (0.99 to
//! 1.01) or `Token`.

use super::Sequence;
use crate::Problem;
use crate::error::Problems;

/// Over what the mismatch is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CorrectionLevel {
    /// Each token.
    #[default]
    Token,
    /// The product over the trajectory.
    Sequence,
    /// The geometric mean over the trajectory.
    Geometric,
}

/// What becomes of a mismatch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CorrectionRule {
    /// w = min(u, max). TIS; verl and TRL 2.0 to 3.0.
    Truncate {
        /// Greatest weight.
        max: f64,
    },
    /// w = clamp(u, min, max).
    Clamp {
        /// Least weight.
        min: f64,
        /// Greatest weight.
        max: f64,
    },
    /// w = u inside the range, else 0. IcePop: tokens, 0.5 to 5.0.
    Mask {
        /// Least mismatch that counts.
        min: f64,
        /// Greatest mismatch that counts.
        max: f64,
    },
    /// w = 1 inside the range, else 0.
    Gate {
        /// Least mismatch that counts.
        min: f64,
        /// Greatest mismatch that counts.
        max: f64,
    },
}

/// Importance correction between sampler and trainer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correction {
    /// Over what the mismatch is taken.
    pub level: CorrectionLevel,
    /// What becomes of it.
    pub rule: CorrectionRule,
    /// A trajectory with a token below this mismatch is left out whole; 0 for never. slime 1e-4.
    pub veto: f64,
}

impl Correction {
    /// Weight of each token of a trajectory.
    pub fn weights(&self, sequence: &Sequence) -> Vec<f64> {
        let logs: Vec<f64> = (sequence.old.iter().zip(&sequence.behaviour))
            .map(|(old, behaviour)| if behaviour.is_finite() { old - behaviour } else { 0.0 })
            .collect();
        if logs.iter().any(|log| log.exp() < self.veto) {
            return vec![0.0; logs.len()];
        }
        let sum: f64 = logs.iter().sum();
        let weight = |log: f64| self.weight(crate::ratio(log).value);
        match self.level {
            CorrectionLevel::Token => logs.into_iter().map(weight).collect(),
            CorrectionLevel::Sequence => vec![weight(sum); logs.len()],
            CorrectionLevel::Geometric => vec![weight(sum / logs.len().max(1) as f64); logs.len()],
        }
    }

    /// Sum of the logarithms of a trajectory's token weights, each within [log 1e-8, 20] as in TRL, so
    /// that a weight of 0 leaves a number.
    pub(crate) fn log_weight(&self, sequence: &Sequence) -> f64 {
        let log = |weight: f64| weight.max(1e-8).ln().min(crate::MAX_LOG_RATIO);
        self.weights(sequence).into_iter().map(log).sum()
    }

    fn weight(&self, mismatch: f64) -> f64 {
        let inside = |min: f64, max: f64| (min..=max).contains(&mismatch);
        match self.rule {
            CorrectionRule::Truncate { max } => mismatch.min(max),
            CorrectionRule::Clamp { min, max } => mismatch.clamp(min, max),
            CorrectionRule::Mask { min, max } if inside(min, max) => mismatch,
            CorrectionRule::Gate { min, max } if inside(min, max) => 1.0,
            CorrectionRule::Mask { .. } | CorrectionRule::Gate { .. } => 0.0,
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let (min, max) = match self.rule {
            CorrectionRule::Truncate { max } => (0.0, max),
            CorrectionRule::Clamp { min, max }
            | CorrectionRule::Mask { min, max }
            | CorrectionRule::Gate { min, max } => (min, max),
        };
        let mut problems = Problems::default();
        problems.require(
            min.is_finite() && (0.0..=1.0).contains(&min),
            "correction.min",
            min,
            "0 to 1",
            "1 is no mismatch; 0.5 is usual for tokens",
        );
        problems.require(
            max.is_finite() && max >= 1.0,
            "correction.max",
            max,
            "1 or more",
            "1 is no mismatch; 2 to 5 are usual for tokens",
        );
        problems.require(
            self.veto.is_finite() && (0.0..1.0).contains(&self.veto),
            "correction.veto",
            self.veto,
            "0 to below 1",
            "0 switches it off, 1e-4 is usual",
        );
        problems.into_vec()
    }
}

/// Off-policy sequence masking (DeepSeek-V3.2, arXiv 2512.02556, equation 9): false where the policy
/// has become `delta` nats a token less likely to say what has a negative advantage.
pub fn off_policy_mask(sequence: &Sequence, delta: f64) -> Vec<bool> {
    let drift: f64 = (0..sequence.len())
        .map(|i| {
            let behaviour = sequence.behaviour[i];
            let sampler = if behaviour.is_finite() { behaviour } else { sequence.old[i] };
            sampler - sequence.current[i]
        })
        .sum();
    let is_near = drift / sequence.len().max(1) as f64 <= delta;
    sequence.advantages.iter().map(|advantage| *advantage >= 0.0 || is_near).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(mismatches: &[f64]) -> Sequence {
        Sequence {
            current: vec![-1.0; mismatches.len()],
            old: vec![-1.0; mismatches.len()],
            behaviour: mismatches.iter().map(|u| -1.0 - u.ln()).collect(),
            advantages: vec![1.0; mismatches.len()],
            ..Sequence::default()
        }
    }

    #[track_caller]
    fn assert_weights(level: CorrectionLevel, rule: CorrectionRule, wanted: &[f64], u: &[f64]) {
        let got = Correction { level, rule, veto: 0.0 }.weights(&sequence(u));
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    #[test]
    fn golden_rules_by_token() {
        let (u, token) = ([0.4, 1.0, 2.5, 6.0], CorrectionLevel::Token);
        let truncate = CorrectionRule::Truncate { max: 2.0 };
        assert_weights(token, truncate, &[0.4, 1.0, 2.0, 2.0], &u);
        let mask = CorrectionRule::Mask { min: 0.5, max: 2.0 };
        assert_weights(token, mask, &[0.0, 1.0, 0.0, 0.0], &u);
        let ice_pop = CorrectionRule::Mask { min: 0.5, max: 5.0 };
        assert_weights(token, ice_pop, &[0.0, 1.0, 2.5, 0.0], &u);
        let gate = CorrectionRule::Gate { min: 0.5, max: 5.0 };
        assert_weights(token, gate, &[0.0, 1.0, 1.0, 0.0], &u);
        let clamp = CorrectionRule::Clamp { min: 0.5, max: 5.0 };
        assert_weights(token, clamp, &[0.5, 1.0, 2.5, 5.0], &u);
    }

    #[test]
    fn golden_levels() {
        let u = [1.1, 0.9, 1.2];
        let wide = CorrectionRule::Truncate { max: 9.0 };
        assert_weights(CorrectionLevel::Sequence, wide, &[1.188; 3], &u);
        assert_weights(CorrectionLevel::Geometric, wide, &[1.059105; 3], &u);
    }

    #[test]
    fn a_veto_drops_the_whole_and_a_missing_logprob_is_no_evidence() {
        let rule = CorrectionRule::Truncate { max: 2.0 };
        let correction = Correction { level: CorrectionLevel::Token, rule, veto: 1e-4 };
        assert_eq!(correction.weights(&sequence(&[1.0, 1e-5])), [0.0, 0.0]);
        let mut unknown = sequence(&[1.0, 1.5]);
        unknown.behaviour[0] = f64::NAN;
        assert!((correction.weights(&unknown)[0] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn golden_off_policy_mask() {
        let mut sequence = Sequence {
            current: vec![-1.8, -1.4],
            old: vec![-1.0; 2],
            behaviour: vec![-1.0; 2],
            advantages: vec![-1.0, 1.0],
            ..Sequence::default()
        };
        assert_eq!(off_policy_mask(&sequence, 0.5), [false, true]);
        assert_eq!(off_policy_mask(&sequence, 0.7), [true, true]);
        sequence.behaviour.fill(f64::NAN);
        assert_eq!(off_policy_mask(&sequence, 0.5), [false, true]);
    }

    #[test]
    fn bounds_on_the_wrong_side_of_one_are_refused() {
        let rule = CorrectionRule::Mask { min: 1.5, max: 0.5 };
        let bad = Correction { level: CorrectionLevel::Token, rule, veto: 1.0 };
        let keys: Vec<&str> = bad.validate().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["correction.min", "correction.max", "correction.veto"]);
    }
}
