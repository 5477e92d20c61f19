//! The clipped surrogate of PPO, with the two-sided bound of INTELLECT-2.
//!
//! With ratio rho and advantage A (arXiv 1707.06347, equation 7), minimised:
//!
//!   ell = -min( min(rho, delta) A, clip(rho, 1 - low, 1 + high) A )
//!
//! The gradient is 0 where the clipped branch is strictly smaller. Without `delta`, a negative
//! advantage has no bound from above: rho may be anything. `delta` (arXiv 2505.07291) bounds it; it
//! stands in the first branch only, as in TRL.

use super::{RatioLevel, Sequence, Slopes, TokenLoss};
use crate::error::Problems;
use crate::{ClipSide, Problem, Term};

/// The range in which a ratio may move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// How far below 1, 0 or more. PPO and TRL 0.2.
    pub low: f64,
    /// How far above 1, 0 or more. TRL 0.2 (as `low`), DAPO 0.28.
    pub high: f64,
    /// Upper bound of the ratio where the advantage is negative; above 1 + `high`. INTELLECT-2 4.0,
    /// off in TRL.
    pub delta: Option<f64>,
}

impl Default for Clip {
    fn default() -> Self {
        Clip { low: 0.2, high: 0.2, delta: None }
    }
}

impl Clip {
    /// The loss of every token of a trajectory, with the ratio taken at `level`.
    pub fn losses(&self, sequence: &Sequence, level: RatioLevel) -> Vec<TokenLoss> {
        let token = |(ratio, advantage): (Slopes, &f64)| {
            let term = self.surrogate(Term { value: ratio.value, slope: 1.0 }, *advantage);
            TokenLoss {
                loss: ratio.then(term),
                gate: 1.0,
                ratio: ratio.value,
                clipped: self.side(ratio.value, *advantage),
            }
        };
        sequence.ratios(level).into_iter().zip(&sequence.advantages).map(token).collect()
    }

    /// The loss of one token.
    pub fn surrogate(&self, ratio: Term, advantage: f64) -> Term {
        let bounded = self.bounded(ratio);
        let clipped = self.clipped(ratio);
        let (first, second) = (bounded.value * advantage, clipped.value * advantage);
        if first <= second {
            Term { value: -first, slope: -advantage * bounded.slope }
        } else {
            Term { value: -second, slope: -advantage * clipped.slope }
        }
    }

    /// The side on which the ratio left the range while the advantage pushed it further out.
    pub fn side(&self, ratio: f64, advantage: f64) -> Option<ClipSide> {
        if ratio < 1.0 - self.low && advantage < 0.0 {
            Some(ClipSide::Low)
        } else if ratio > 1.0 + self.high && advantage > 0.0 {
            Some(ClipSide::High)
        } else {
            None
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let is_width = |width: f64| width.is_finite() && width >= 0.0;
        let hint = "0.2 is usual";
        problems.require(is_width(self.low), "clip.low", self.low, "0 or more", hint);
        problems.require(is_width(self.high), "clip.high", self.high, "0 or more", hint);
        problems.require(
            self.delta.is_none_or(|delta| delta.is_finite() && delta > 1.0 + self.high),
            "clip.delta",
            self.delta.unwrap_or_default(),
            "above 1 + clip.high, or nothing",
            "4.0 is INTELLECT-2's",
        );
        problems.into_vec()
    }

    fn bounded(&self, ratio: Term) -> Term {
        match self.delta {
            Some(delta) if ratio.value > delta => Term { value: delta, slope: 0.0 },
            _ => ratio,
        }
    }

    fn clipped(&self, ratio: Term) -> Term {
        let (low, high) = (1.0 - self.low, 1.0 + self.high);
        if ratio.value < low {
            Term { value: low, slope: 0.0 }
        } else if ratio.value > high {
            Term { value: high, slope: 0.0 }
        } else {
            ratio
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clip: Clip, ratio: f64, advantage: f64) -> Term {
        clip.surrogate(crate::ratio(ratio.ln()), advantage)
    }

    fn assert_close(got: Term, value: f64, slope: f64) {
        assert!((got.value - value).abs() < 1e-12, "{} is not {value}", got.value);
        assert!((got.slope - slope).abs() < 1e-12, "{} is not {slope}", got.slope);
    }

    #[test]
    fn golden_tokens() {
        let clip = Clip::default();
        assert_close(at(clip, 1.3, 1.0), -1.2, 0.0);
        assert_close(at(clip, 0.7, 1.0), -0.7, -0.7);
        assert_close(at(clip, 1.0, 1.0), -1.0, -1.0);
        assert_close(at(clip, 0.5, -1.0), 0.8, 0.0);
        assert_close(at(Clip { high: 0.28, ..clip }, 1.3, 1.0), -1.28, 0.0);
    }

    #[test]
    fn golden_delta_bounds_the_negative_side() {
        let clip = Clip { delta: Some(4.0), ..Default::default() };
        assert_close(at(clip, 5.0, -1.0), 4.0, 0.0);
        assert_close(at(Clip::default(), 5.0, -1.0), 5.0, 5.0);
        assert_close(at(clip, 3.0, -1.0), 3.0, 3.0);
        assert_close(at(clip, 5.0, 1.0), -1.2, 0.0);
    }

    #[test]
    fn golden_signed_sides() {
        let clip = Clip::default();
        let sides: Vec<Option<ClipSide>> = [(0.3, 1.0), (-0.4, 1.0), (0.0, -1.0), (0.05, 1.0)]
            .map(|(log_ratio, advantage): (f64, f64)| clip.side(log_ratio.exp(), advantage))
            .to_vec();
        assert_eq!(sides, [Some(ClipSide::High), None, None, None]);
        assert_eq!(clip.side(0.5, -1.0), Some(ClipSide::Low));
        assert_eq!(clip.side(0.5, 0.0), None);
    }

    #[test]
    fn slopes_are_central_differences() {
        let clip = Clip { delta: Some(2.0), ..Default::default() };
        let h = 1e-6;
        for log_ratio in [-3.0, -0.5, -0.1, 0.0, 0.1, 0.4, 1.0, 30.0] {
            for advantage in [-2.0, 0.0, 1.5] {
                let at = |x: f64| clip.surrogate(crate::ratio(x), advantage);
                let numeric = (at(log_ratio + h).value - at(log_ratio - h).value) / (2.0 * h);
                assert!((at(log_ratio).slope - numeric).abs() < 1e-8, "{log_ratio}, {advantage}");
            }
        }
    }

    #[test]
    fn an_open_range_never_clips() {
        let open = Clip { low: 1.0, high: f64::MAX, delta: None };
        assert_close(at(open, 5.0, 1.0), -5.0, -5.0);
        assert_close(at(open, 0.1, -1.0), 0.1, 0.1);
    }

    #[test]
    fn nan_is_not_swallowed() {
        let clip = Clip { delta: Some(4.0), ..Default::default() };
        for advantage in [-1.0, 1.0] {
            assert!(clip.surrogate(crate::ratio(f64::NAN), advantage).value.is_nan());
        }
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = Clip { low: -0.1, high: f64::NAN, delta: Some(1.0) };
        let keys: Vec<&str> = bad.validate().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["clip.low", "clip.high", "clip.delta"]);
        assert_eq!(Clip::default().validate(), []);
    }
}
