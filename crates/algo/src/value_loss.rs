//! The critic's loss, and its gradient with respect to the value.
//!
//! PPO with clipped values (TRL `ppo_trainer.py`, verl), v_old the value at the time of the rollout
//! and R the target:
//!
//!   L = scale max( (v - R)², (v_clip - R)² )      v_clip = v_old + clamp(v - v_old, -c, c)
//!
//! with scale 0.5. A2C (Stable-Baselines3) has neither clip nor 0.5. The gradient is 0 where the
//! clipped branch is the larger one and the clamp acts: the value has moved far enough, and away
//! from the target it may still come back. A target of NaN says that the critic is not taught at a
//! token; such tokens do not count.

use crate::error::{Problems, require_len};
use crate::{AlgoError, Problem, Term};

/// Settings of the critic's loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueLoss {
    /// How far a value may move from the old one, above 0; `None` for no clip. TRL 0.2, verl 0.5.
    pub clip: Option<f64>,
    /// Factor of the squared error, above 0. PPO 0.5, A2C 1.
    pub scale: f64,
}

impl Default for ValueLoss {
    fn default() -> Self {
        ValueLoss { clip: Some(0.2), scale: 0.5 }
    }
}

/// Sums over the tokens of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueLossSums {
    /// Sum of the tokens' losses.
    pub loss: f64,
    /// Tokens that have a target.
    pub n_tokens: usize,
    /// Tokens on which the clipped error is the larger one.
    pub n_clipped: usize,
    /// d loss / d value of each token; divide by the same number as the loss.
    pub gradients: Vec<f64>,
}

impl ValueLoss {
    /// A2C's: the plain squared error.
    pub const A2C: ValueLoss = ValueLoss { clip: None, scale: 1.0 };

    /// Loss of one token, its slope with respect to `value`, and whether the clipped branch counts.
    /// `old` is read only where there is a clip.
    pub fn token(&self, value: f64, old: f64, target: f64) -> (Term, bool) {
        let error = value - target;
        let free = Term { value: self.scale * error * error, slope: 2.0 * self.scale * error };
        let Some(clip) = self.clip else { return (free, false) };
        let clipped_error = old + (value - old).clamp(-clip, clip) - target;
        let clipped = self.scale * clipped_error * clipped_error;
        if clipped > free.value && (value - old).abs() > clip {
            (Term { value: clipped, slope: 0.0 }, true)
        } else {
            (free, false)
        }
    }

    /// Sums over one row.
    ///
    /// # Shapes
    /// One value, old value and target for each loss token; targets of NaN are left out. `old` may
    /// be empty where there is no clip.
    ///
    /// # Errors
    /// Where the slices differ in length.
    pub fn sums(
        &self,
        values: &[f32],
        old: &[f32],
        targets: &[f64],
    ) -> Result<ValueLossSums, AlgoError> {
        const TASK: &str = "teach the critic";
        require_len(TASK, "targets", values.len(), targets.len())?;
        if self.clip.is_some() {
            require_len(TASK, "old values", values.len(), old.len())?;
        }
        let mut sums = ValueLossSums { gradients: vec![0.0; values.len()], ..Default::default() };
        for (t, (&value, &target)) in values.iter().zip(targets).enumerate() {
            if target.is_nan() {
                continue;
            }
            let old = old.get(t).copied().unwrap_or(value);
            let (term, is_clipped) = self.token(f64::from(value), f64::from(old), target);
            sums.loss += term.value;
            sums.gradients[t] = term.slope;
            sums.n_tokens += 1;
            sums.n_clipped += usize::from(is_clipped);
        }
        Ok(sums)
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.clip.is_none_or(|clip| clip.is_finite() && clip > 0.0),
            "value_loss.clip",
            self.clip.unwrap_or_default(),
            "above 0, or nothing",
            "0.2 is TRL's, 0.5 verl's",
        );
        problems.require(
            self.scale.is_finite() && self.scale > 0.0,
            "value_loss.scale",
            self.scale,
            "above 0",
            "0.5 is PPO's, 1 A2C's",
        );
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_clipped_value() {
        let (term, is_clipped) = ValueLoss::default().token(1.0, 0.5, 2.0);
        assert!((term.value - 0.845).abs() < 1e-12 && term.slope == 0.0 && is_clipped);
    }

    #[test]
    fn golden_a2c() {
        let sums = ValueLoss::A2C.sums(&[0.5, 1.0], &[], &[1.5, -1.0]).unwrap();
        assert_eq!((sums.loss / 2.0, sums.n_tokens, sums.n_clipped), (2.5, 2, 0));
        assert_eq!(sums.gradients, [-2.0, 4.0]);
    }

    #[test]
    fn slopes_are_central_differences() {
        let h = 1e-6;
        for loss in [ValueLoss::default(), ValueLoss::A2C] {
            for value in [-1.0, 0.35, 0.5, 0.65, 1.3, 2.5] {
                for target in [-2.0, 0.4, 0.55, 2.0] {
                    let at = |value: f64| loss.token(value, 0.5, target).0;
                    let numeric = (at(value + h).value - at(value - h).value) / (2.0 * h);
                    assert!((at(value).slope - numeric).abs() < 1e-6, "{value} to {target}");
                }
            }
        }
    }

    #[test]
    fn it_is_the_larger_of_both_errors() {
        let loss = ValueLoss::default();
        for value in [-1.0, 0.31, 0.5, 0.69, 0.71, 3.0] {
            for target in [-1.0, 0.5, 0.6, 4.0] {
                let clipped = f64::clamp(value, 0.3, 0.7);
                let wanted = 0.5 * f64::max((value - target).powi(2), (clipped - target).powi(2));
                assert!((loss.token(value, 0.5, target).0.value - wanted).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn tokens_without_target_do_not_count() {
        let loss = ValueLoss::default();
        let some = loss.sums(&[1.0, 0.2], &[0.5, 0.2], &[f64::NAN, 0.5]).unwrap();
        let alone = loss.sums(&[0.2], &[0.2], &[0.5]).unwrap();
        assert_eq!((some.loss, some.n_tokens), (alone.loss, 1));
        assert_eq!(some.gradients, [0.0, alone.gradients[0]]);
        assert_eq!(loss.sums(&[], &[], &[]), Ok(ValueLossSums::default()));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let loss = ValueLoss::default();
        assert!(loss.sums(&[1.0], &[], &[1.0]).is_err());
        assert!(loss.sums(&[1.0], &[1.0], &[]).is_err());
        assert!(ValueLoss::A2C.sums(&[1.0], &[], &[1.0]).is_ok());
        let bad = ValueLoss { clip: Some(0.0), scale: f64::NAN };
        assert_eq!(bad.validate().len(), 2);
        assert_eq!(ValueLoss::default().validate(), []);
        assert_eq!(ValueLoss::A2C.validate(), []);
    }
}
