//! DAPO's soft punishment of long replies, added to the reward.
//!
//! DAPO, arXiv 2503.14476, equation 13. With y tokens, a limit L and a cache C before it:
//!
//!   0 for y <= L - C;  (L - C - y) / C up to L;  -1 beyond
//!
//! times `factor`. Whoever does not stop at L keeps falling in verl's form, which has no floor;
//! TRL's and the paper's stop at -1.

use crate::Problem;
use crate::error::Problems;

/// Settings of the punishment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftOverlong {
    /// Length limit L, tokens. The paper's 20,480.
    pub max_tokens: usize,
    /// Length C of the stretch before the limit in which the punishment grows, tokens, from 1 to
    /// `max_tokens`. The paper's 4,096.
    pub cache_tokens: usize,
    /// Size of the punishment at the limit, 0 or more.
    pub factor: f64,
    /// Stop at -`factor` beyond the limit (the paper, TRL); without, go on falling (verl).
    pub floor: bool,
}

impl Default for SoftOverlong {
    fn default() -> Self {
        SoftOverlong { max_tokens: 20_480, cache_tokens: 4_096, factor: 1.0, floor: true }
    }
}

impl SoftOverlong {
    /// What is added to the reward of a reply of this many tokens; never above 0.
    pub fn punishment(&self, n_tokens: usize) -> f64 {
        let free = self.max_tokens.saturating_sub(self.cache_tokens);
        let over = n_tokens.saturating_sub(free);
        if over == 0 {
            return 0.0;
        }
        let share = over as f64 / self.cache_tokens.max(1) as f64;
        -self.factor * if self.floor { share.min(1.0) } else { share }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            (1..=self.max_tokens).contains(&self.cache_tokens),
            "soft_overlong.cache_tokens",
            self.cache_tokens,
            "1 to max_tokens",
            "a fifth of max_tokens is usual",
        );
        problems.require(
            self.factor.is_finite() && self.factor >= 0.0,
            "soft_overlong.factor",
            self.factor,
            "0 or more",
            "1 is usual",
        );
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: SoftOverlong =
        SoftOverlong { max_tokens: 100, cache_tokens: 20, factor: 1.0, floor: true };

    #[test]
    fn golden() {
        let got = [0, 80, 90, 95, 100, 101].map(|n| PAPER.punishment(n));
        assert_eq!(got, [0.0, 0.0, -0.5, -0.75, -1.0, -1.0]);
        let verl = SoftOverlong { floor: false, ..PAPER };
        assert_eq!(verl.punishment(95), -0.75);
        assert!((verl.punishment(101) + 1.05).abs() < 1e-12);
    }

    #[test]
    fn it_grows_with_the_factor_and_never_falls_back() {
        let strict = SoftOverlong { factor: 3.0, ..PAPER };
        assert_eq!(strict.punishment(90), -1.5);
        let all: Vec<f64> = (0..150).map(|n| PAPER.punishment(n)).collect();
        assert!(all.windows(2).all(|pair| pair[1] <= pair[0]));
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = SoftOverlong { max_tokens: 10, cache_tokens: 11, factor: -1.0, floor: true };
        assert_eq!(bad.validate().len(), 2);
        assert!(bad.punishment(50).is_finite());
        assert_eq!(SoftOverlong { cache_tokens: 0, ..PAPER }.validate().len(), 1);
        assert_eq!(SoftOverlong::default().validate(), []);
    }
}
