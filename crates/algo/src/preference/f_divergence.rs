//! The divergence that holds the policy to its reference in DPO: f-DPO, arXiv 2309.16240.
//!
//! DPO's implicit reward is f'(u) with u = pi / ref; for log-ratio c = log u:
//!
//! | name | f'(u) |
//! |---|---|
//! | `reverse_kl` | c (up to a constant): DPO itself |
//! | `forward_kl` | 1 - exp(-c) |
//! | `js_divergence` | log 2 + log sigmoid(c) |
//! | `alpha_divergence` | (exp((a - 1) c) - 1) / (a - 1); for a = 1 it is c |
//!
//! The constants are TRL's: they cancel in a difference of sums, but not in one of means (`ipo`,
//! `sigmoid_norm`). Exponents are bounded at 20 from above; TRL bounds alpha's at 80, forward KL's
//! not at all.

use std::str::FromStr;

use super::logistic::{bounded_exp, log_sigmoid, sigmoid};
use crate::error::Problems;
use crate::{Problem, Term};

/// A divergence, and with it the implicit reward.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum FDivergence {
    /// KL(policy || reference), as in DPO.
    #[default]
    ReverseKl,
    /// KL(reference || policy).
    ForwardKl,
    /// Jensen-Shannon.
    JensenShannon,
    /// The alpha family.
    Alpha {
        /// a; TRL's default is 0.5, and 1 is reverse KL.
        coef: f64,
    },
}

/// Nearer to 1 than this, alpha is 1.
const ALPHA_IS_ONE: f64 = 1e-6;

impl FDivergence {
    /// Name as in TRL's `f_divergence_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            FDivergence::ReverseKl => "reverse_kl",
            FDivergence::ForwardKl => "forward_kl",
            FDivergence::JensenShannon => "js_divergence",
            FDivergence::Alpha { .. } => "alpha_divergence",
        }
    }

    /// The implicit reward, before beta, of log-ratio `c`, and its slope.
    pub fn score(self, c: f64) -> Term {
        match self {
            FDivergence::ReverseKl => Term { value: c, slope: 1.0 },
            FDivergence::ForwardKl => {
                let inverse = bounded_exp(-c);
                Term { value: 1.0 - inverse.value, slope: inverse.slope }
            }
            FDivergence::JensenShannon => {
                Term { value: std::f64::consts::LN_2 + log_sigmoid(c), slope: sigmoid(-c) }
            }
            FDivergence::Alpha { coef } if (coef - 1.0).abs() < ALPHA_IS_ONE => {
                Term { value: c, slope: 1.0 }
            }
            FDivergence::Alpha { coef } => {
                let power = bounded_exp((coef - 1.0) * c);
                Term { value: (power.value - 1.0) / (coef - 1.0), slope: power.slope }
            }
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(self) -> Vec<Problem> {
        let mut problems = Problems::default();
        if let FDivergence::Alpha { coef } = self {
            problems.require(
                coef.is_finite(),
                "f_divergence.coef",
                coef,
                "a finite number",
                "0.5 is TRL's; 1 is reverse_kl",
            );
        }
        problems.into_vec()
    }
}

impl FromStr for FDivergence {
    type Err = Problem;

    /// Reads a name of TRL's; alpha gets its default coefficient.
    fn from_str(name: &str) -> Result<FDivergence, Problem> {
        let all = [
            FDivergence::ReverseKl,
            FDivergence::ForwardKl,
            FDivergence::JensenShannon,
            FDivergence::Alpha { coef: 0.5 },
        ];
        all.into_iter().find(|divergence| divergence.as_str() == name).ok_or_else(|| Problem {
            key: "f_divergence",
            found: format!("{name:?}"),
            allowed: "reverse_kl, forward_kl, js_divergence or alpha_divergence",
            hint: "reverse_kl is DPO's own",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [FDivergence; 6] = [
        FDivergence::ReverseKl,
        FDivergence::ForwardKl,
        FDivergence::JensenShannon,
        FDivergence::Alpha { coef: 0.5 },
        FDivergence::Alpha { coef: 1.0 },
        FDivergence::Alpha { coef: 2.0 },
    ];

    #[test]
    fn no_reward_for_staying_at_the_reference() {
        for divergence in ALL {
            assert!(divergence.score(0.0).value.abs() < 1e-15, "{divergence:?}");
        }
    }

    #[test]
    fn slopes_are_central_differences() {
        let h = 1e-6;
        for divergence in ALL {
            for c in [-30.0, -1.5, -0.1, 0.0, 0.3, 2.0, 30.0] {
                let at = |c: f64| divergence.score(c);
                let numeric = (at(c + h).value - at(c - h).value) / (2.0 * h);
                let error = (at(c).slope - numeric).abs();
                assert!(error <= 1e-7 * (1.0 + numeric.abs()), "{divergence:?} at {c}");
            }
        }
    }

    #[test]
    fn fifty_nats_stay_finite() {
        for divergence in ALL {
            for c in [-5000.0, -50.0, 50.0, 5000.0] {
                let Term { value, slope } = divergence.score(c);
                assert!(value.is_finite() && slope.is_finite(), "{divergence:?} at {c}");
            }
        }
    }

    #[test]
    fn names_are_read_back_and_unknown_ones_listed() {
        for divergence in &ALL[..4] {
            assert_eq!(divergence.as_str().parse(), Ok(*divergence));
        }
        let problem = "hellinger".parse::<FDivergence>().unwrap_err();
        assert_eq!(
            problem.to_string(),
            "f_divergence is \"hellinger\", allowed is reverse_kl, forward_kl, js_divergence or \
             alpha_divergence: reverse_kl is DPO's own"
        );
        assert_eq!(FDivergence::Alpha { coef: f64::NAN }.validate().len(), 1);
    }
}
