//! Learning-rate schedules: a multiplier for every optimiser step.
//!
//! Names, formulas and defaults are those of transformers (`optimization.py`, `lr_scheduler_type`).
//! Steps count from 0, so a schedule with warm-up begins with a multiplier of 0. One thing differs on
//! purpose: after the last step a schedule stays where it ended, while transformers' cosines rise
//! again. `reduce_lr_on_plateau` and `greedy` are not here: they follow a metric, not the step.

use std::f64::consts::PI;

use crate::Problem;
use crate::error::Problems;

/// The way from 0 to 1 (or back) inside [`ScheduleShape::WarmupStableDecay`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ramp {
    /// Straight.
    Linear,
    /// Half a cosine.
    Cosine,
    /// One minus a square root.
    OneMinusSqrt,
}

/// Form of a schedule after its warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScheduleShape {
    /// 1 from the first step on; the warm-up is not used.
    Constant,
    /// 1 after the warm-up.
    ConstantWithWarmup,
    /// Straight to 0.
    Linear,
    /// Cosine to 0.
    Cosine {
        /// Waves; 0.5 is one fall from 1 to 0.
        n_cycles: f64,
    },
    /// Several falls from 1 to 0, each starting anew.
    CosineWithRestarts {
        /// Number of falls.
        n_cycles: u32,
    },
    /// (1 - p)^power down to a share of the peak.
    Polynomial {
        /// Last learning rate as a share of the peak; transformers' `lr_end` / learning rate.
        end_ratio: f64,
        /// Exponent.
        power: f64,
    },
    /// 1 / sqrt(steps since the warm-up, in units of the timescale, plus 1).
    InverseSqrt {
        /// Steps after which it has fallen to 1 / sqrt 2; the warm-up, or 10,000 without one, where
        /// `None`.
        timescale_steps: Option<u64>,
    },
    /// Cosine down to a share of the peak.
    CosineWithMinLr {
        /// Waves; 0.5 is one fall.
        n_cycles: f64,
        /// Last learning rate as a share of the peak.
        min_ratio: f64,
    },
    /// As [`ScheduleShape::CosineWithMinLr`], but already the first step learns, and the last
    /// reaches the minimum.
    CosineWarmupWithMinLr {
        /// Waves; 0.5 is one fall.
        n_cycles: f64,
        /// Last learning rate as a share of the peak.
        min_ratio: f64,
        /// First learning rate as a share of the peak; 1 / warm-up steps where `None`.
        start_ratio: Option<f64>,
    },
    /// Warm-up, a plateau of 1, and a decay at the end.
    WarmupStableDecay {
        /// Steps of the decay; a tenth of all where `None`.
        decay_steps: Option<u64>,
        /// First and last learning rate as a share of the peak.
        min_ratio: f64,
        /// Form of the warm-up.
        warmup: Ramp,
        /// Form of the decay.
        decay: Ramp,
    },
}

/// A learning-rate schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Form after the warm-up.
    pub shape: ScheduleShape,
    /// Optimiser steps of the warm-up.
    pub warmup_steps: u64,
    /// All optimiser steps, with the warm-up.
    pub total_steps: u64,
}

/// Steps of a warm-up that is given as a share of all steps; rounded up, as in transformers.
pub fn warmup_steps_from_ratio(total_steps: u64, ratio: f64) -> u64 {
    (total_steps as f64 * ratio.clamp(0.0, 1.0)).ceil() as u64
}

impl ScheduleShape {
    /// Every name, as in transformers.
    pub const NAMES: [&'static str; 10] = [
        "constant",
        "constant_with_warmup",
        "linear",
        "cosine",
        "cosine_with_restarts",
        "polynomial",
        "inverse_sqrt",
        "cosine_with_min_lr",
        "cosine_warmup_with_min_lr",
        "warmup_stable_decay",
    ];

    /// The shape with this name and transformers' defaults. Where transformers has none: a minimum
    /// of a tenth of the peak (`*_min_lr`), a polynomial that ends at 0.
    pub fn from_name(name: &str) -> Option<ScheduleShape> {
        Some(match name {
            "constant" => ScheduleShape::Constant,
            "constant_with_warmup" => ScheduleShape::ConstantWithWarmup,
            "linear" => ScheduleShape::Linear,
            "cosine" => ScheduleShape::Cosine { n_cycles: 0.5 },
            "cosine_with_restarts" => ScheduleShape::CosineWithRestarts { n_cycles: 1 },
            "polynomial" => ScheduleShape::Polynomial { end_ratio: 0.0, power: 1.0 },
            "inverse_sqrt" => ScheduleShape::InverseSqrt { timescale_steps: None },
            "cosine_with_min_lr" => {
                ScheduleShape::CosineWithMinLr { n_cycles: 0.5, min_ratio: 0.1 }
            }
            "cosine_warmup_with_min_lr" => ScheduleShape::CosineWarmupWithMinLr {
                n_cycles: 0.5,
                min_ratio: 0.1,
                start_ratio: None,
            },
            "warmup_stable_decay" => ScheduleShape::WarmupStableDecay {
                decay_steps: None,
                min_ratio: 0.0,
                warmup: Ramp::Linear,
                decay: Ramp::Cosine,
            },
            _ => return None,
        })
    }

    /// Name as in transformers.
    pub fn as_str(&self) -> &'static str {
        match self {
            ScheduleShape::Constant => "constant",
            ScheduleShape::ConstantWithWarmup => "constant_with_warmup",
            ScheduleShape::Linear => "linear",
            ScheduleShape::Cosine { .. } => "cosine",
            ScheduleShape::CosineWithRestarts { .. } => "cosine_with_restarts",
            ScheduleShape::Polynomial { .. } => "polynomial",
            ScheduleShape::InverseSqrt { .. } => "inverse_sqrt",
            ScheduleShape::CosineWithMinLr { .. } => "cosine_with_min_lr",
            ScheduleShape::CosineWarmupWithMinLr { .. } => "cosine_warmup_with_min_lr",
            ScheduleShape::WarmupStableDecay { .. } => "warmup_stable_decay",
        }
    }

    /// Its numbers: waves and exponents, which are above 0, and shares, which lie in 0 to 1.
    fn numbers(&self) -> (Vec<f64>, Vec<f64>) {
        match *self {
            ScheduleShape::Cosine { n_cycles } => (vec![n_cycles], vec![]),
            ScheduleShape::CosineWithRestarts { n_cycles } => (vec![f64::from(n_cycles)], vec![]),
            ScheduleShape::Polynomial { end_ratio, power } => (vec![power], vec![end_ratio]),
            ScheduleShape::InverseSqrt { timescale_steps: Some(steps) } => {
                (vec![steps as f64], vec![])
            }
            ScheduleShape::CosineWithMinLr { n_cycles, min_ratio } => {
                (vec![n_cycles], vec![min_ratio])
            }
            ScheduleShape::CosineWarmupWithMinLr { n_cycles, min_ratio, start_ratio } => {
                (vec![n_cycles], vec![min_ratio, start_ratio.unwrap_or(0.0)])
            }
            ScheduleShape::WarmupStableDecay { min_ratio, .. } => (vec![], vec![min_ratio]),
            _ => (vec![], vec![]),
        }
    }
}

impl Schedule {
    /// What the peak learning rate is multiplied with at optimiser step `step`, counted from 0.
    pub fn multiplier(&self, step: u64) -> f64 {
        use ScheduleShape as Shape;
        match self.shape {
            Shape::Constant => return 1.0,
            Shape::WarmupStableDecay { .. } => return self.warmup_stable_decay(step),
            Shape::CosineWarmupWithMinLr { n_cycles, min_ratio, start_ratio } => {
                if step < self.warmup_steps {
                    return self.early_warmup(step, start_ratio);
                }
                return with_floor(cosine(n_cycles, self.progress(step + 1)), min_ratio);
            }
            _ if step < self.warmup_steps => return step as f64 / self.warmup_steps as f64,
            _ => {}
        }
        let progress = self.progress(step);
        match self.shape {
            Shape::Linear => 1.0 - progress,
            Shape::Cosine { n_cycles } => cosine(n_cycles, progress),
            Shape::CosineWithRestarts { .. } if progress >= 1.0 => 0.0,
            Shape::CosineWithRestarts { n_cycles } => {
                cosine(0.5, (f64::from(n_cycles) * progress).fract())
            }
            Shape::Polynomial { end_ratio, power } => {
                with_floor((1.0 - progress).powf(power), end_ratio)
            }
            Shape::InverseSqrt { timescale_steps } => self.inverse_sqrt(step, timescale_steps),
            Shape::CosineWithMinLr { n_cycles, min_ratio } => {
                with_floor(cosine(n_cycles, progress), min_ratio)
            }
            _ => 1.0,
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.total_steps > 0,
            "schedule.total_steps",
            self.total_steps,
            "1 or more",
            "a run has at least one optimiser step",
        );
        problems.require(
            self.warmup_steps <= self.total_steps,
            "schedule.warmup_steps",
            self.warmup_steps,
            "at most schedule.total_steps",
            "a tenth of all steps is usual",
        );
        let (positive, shares) = self.shape.numbers();
        problems.require(
            positive.iter().all(|number| number.is_finite() && *number > 0.0)
                && shares.iter().all(|share| (0.0..=1.0).contains(share)),
            "schedule.shape",
            self.shape,
            "cycles, power and timescale above 0, ratios from 0 to 1",
            "leave them at their defaults",
        );
        problems.into_vec()
    }

    /// Share of the way from the end of the warm-up to the last step, in [0, 1].
    fn progress(&self, step: u64) -> f64 {
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1);
        (step.saturating_sub(self.warmup_steps) as f64 / decay_steps as f64).min(1.0)
    }

    fn inverse_sqrt(&self, step: u64, timescale_steps: Option<u64>) -> f64 {
        let default = if self.warmup_steps == 0 { 10_000 } else { self.warmup_steps };
        let timescale = timescale_steps.unwrap_or(default).max(1) as f64;
        (((step - self.warmup_steps) as f64 + timescale) / timescale).sqrt().recip()
    }

    /// Without a start, step s of w has (s + 1) / w; with one, a line from it to 1 at step w - 1.
    fn early_warmup(&self, step: u64, start_ratio: Option<f64>) -> f64 {
        match start_ratio {
            None => (step + 1) as f64 / self.warmup_steps as f64,
            Some(start) => {
                let last = (self.warmup_steps - 1).max(1) as f64;
                start + (1.0 - start) * step as f64 / last
            }
        }
    }

    fn warmup_stable_decay(&self, step: u64) -> f64 {
        let ScheduleShape::WarmupStableDecay { decay_steps, min_ratio, warmup, decay } = self.shape
        else {
            return 1.0;
        };
        let decay_steps = decay_steps.unwrap_or(self.total_steps.div_ceil(10)).max(1);
        let decay_from = self.total_steps.saturating_sub(decay_steps).max(self.warmup_steps);
        let factor = if step < self.warmup_steps {
            rise(warmup, step as f64 / self.warmup_steps as f64)
        } else if step < decay_from {
            return 1.0;
        } else {
            fall(decay, ((step - decay_from) as f64 / decay_steps as f64).min(1.0))
        };
        with_floor(factor, min_ratio)
    }
}

fn cosine(n_cycles: f64, progress: f64) -> f64 {
    (0.5 * (1.0 + (PI * n_cycles * 2.0 * progress).cos())).max(0.0)
}

fn with_floor(factor: f64, floor: f64) -> f64 {
    factor * (1.0 - floor) + floor
}

fn rise(ramp: Ramp, progress: f64) -> f64 {
    match ramp {
        Ramp::Linear => progress,
        Ramp::Cosine => 0.5 * (1.0 - (PI * progress).cos()),
        Ramp::OneMinusSqrt => 1.0 - (1.0 - progress).sqrt(),
    }
}

fn fall(ramp: Ramp, progress: f64) -> f64 {
    match ramp {
        Ramp::Linear => 1.0 - progress,
        Ramp::Cosine => cosine(0.5, progress),
        Ramp::OneMinusSqrt => 1.0 - progress.sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(shape: ScheduleShape) -> Schedule {
        Schedule { shape, warmup_steps: 10, total_steps: 110 }
    }

    fn named(name: &str) -> Schedule {
        with(ScheduleShape::from_name(name).unwrap())
    }

    fn assert_golden(schedule: Schedule, wanted: &[(u64, f64)]) {
        for &(step, wanted) in wanted {
            let got = schedule.multiplier(step);
            assert!((got - wanted).abs() < 1e-6, "step {step}: {got} is not {wanted}");
        }
    }

    #[test]
    fn golden_cosine_linear_and_inverse_sqrt() {
        let warm_up = [(0, 0.0), (5, 0.5), (10, 1.0), (60, 0.5), (110, 0.0)];
        assert_golden(named("cosine"), &warm_up);
        assert_golden(named("cosine"), &[(35, 0.853553)]);
        assert_golden(named("linear"), &warm_up);
        assert_golden(named("linear"), &[(35, 0.75)]);
        assert_golden(named("cosine_with_min_lr"), &[(35, 0.868198), (60, 0.55), (110, 0.1)]);
        assert_golden(named("inverse_sqrt"), &[(40, 0.5)]);
    }

    #[test]
    fn a_finished_schedule_stays_where_it_ended() {
        for name in ScheduleShape::NAMES.into_iter().filter(|&name| name != "inverse_sqrt") {
            let schedule = named(name);
            let end = schedule.multiplier(110);
            assert_golden(schedule, &[(111, end), (150, end), (100_000, end)]);
        }
    }

    #[test]
    fn every_name_is_there_and_back() {
        for name in ScheduleShape::NAMES {
            assert_eq!(named(name).shape.as_str(), name);
            assert_eq!(named(name).validate(), []);
        }
        assert_eq!(ScheduleShape::from_name("greedy"), None);
    }

    #[test]
    fn odd_lengths_stay_in_bounds() {
        for name in ScheduleShape::NAMES {
            for (warmup_steps, total_steps) in [(0, 0), (0, 1), (1, 1), (5, 5), (7, 3)] {
                let shape = ScheduleShape::from_name(name).unwrap();
                let schedule = Schedule { shape, warmup_steps, total_steps };
                for step in 0..12 {
                    let got = schedule.multiplier(step);
                    assert!((0.0..=1.0).contains(&got), "{name} {schedule:?} step {step}: {got}");
                }
            }
        }
    }

    #[test]
    fn warm_up_shares_round_up() {
        assert_eq!(warmup_steps_from_ratio(101, 0.1), 11);
        assert_eq!(warmup_steps_from_ratio(100, 0.0), 0);
        assert_eq!(warmup_steps_from_ratio(100, 7.0), 100);
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = Schedule {
            shape: ScheduleShape::Polynomial { end_ratio: 1.5, power: 0.0 },
            warmup_steps: 3,
            total_steps: 0,
        };
        let keys: Vec<&str> = bad.validate().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["schedule.total_steps", "schedule.warmup_steps", "schedule.shape"]);
    }
}
