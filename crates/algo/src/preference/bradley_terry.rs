//! The loss of a reward model that learns from pairs: Bradley-Terry.
//!
//! With scores r_c and r_j of a pair, m its margin, p the probability that the chosen answer is the
//! better one (1 for a plain label), s the logistic function and w `center_coef`:
//!
//!   loss = mean_pairs [ -p log s(r_c - r_j - m) - (1 - p) log s(r_j - r_c - m) + w (r_c + r_j)² ]
//!
//! Margins: Llama 2, arXiv 2307.09288, equation 2 (1, 2/3, 1/3, 0 from "significantly better" down).
//! Soft labels: RLAIF, arXiv 2309.00267; with a margin, whichever answer wins has to win by it.
//! Centring: arXiv 2312.09244; the loss sees differences only, so without it scores may drift.

use super::logistic::log_loss;
use crate::error::Problems;
use crate::{AlgoError, Mean, Moments, Problem};

/// Settings of the reward model's loss. Defaults are those of TRL 1.16.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BradleyTerry {
    /// Weight of the pull of scores towards 0, 0 or more. 0; 0.01 where it is on.
    pub center_coef: f64,
}

/// The scores of a pair of answers, with its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredPair {
    /// Score of the chosen answer.
    pub chosen: f32,
    /// Score of the rejected answer.
    pub rejected: f32,
    /// How far apart they should be at least, 0 or more.
    pub margin: f64,
    /// Probability that the chosen answer is the better one, 0 to 1.
    pub preference: f64,
}

/// A micro-batch of scored pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RewardOutput {
    /// Its share of the loss; shares of micro-batches add up.
    pub loss: f64,
    /// Derivatives by chosen and by rejected score of each pair, in their order.
    pub gradients: Vec<[f32; 2]>,
    /// Share of pairs whose chosen score is larger; a tie is no success.
    pub accuracy: Mean,
    /// Chosen less rejected score.
    pub margin: Mean,
    /// All scores.
    pub scores: Moments,
}

impl ScoredPair {
    /// A pair with a plain label: the chosen answer is better, by no stated margin.
    pub fn new(chosen: f32, rejected: f32) -> ScoredPair {
        ScoredPair { chosen, rejected, margin: 0.0, preference: 1.0 }
    }

    fn check(&self, pair: usize) -> Result<(), AlgoError> {
        let (chosen, rejected) = (f64::from(self.chosen), f64::from(self.rejected));
        let checks = [
            ("chosen score", chosen, chosen.is_finite(), "a finite number"),
            ("rejected score", rejected, rejected.is_finite(), "a finite number"),
            ("margin", self.margin, self.margin.is_finite() && self.margin >= 0.0, "0 or more"),
            ("preference", self.preference, (0.0..=1.0).contains(&self.preference), "0 to 1"),
        ];
        match checks.into_iter().find(|&(_, _, holds, _)| !holds) {
            Some((what, value, _, allowed)) => {
                Err(AlgoError::BadScore { pair, what, value, allowed })
            }
            None => Ok(()),
        }
    }
}

impl BradleyTerry {
    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.center_coef.is_finite() && self.center_coef >= 0.0,
            "center_coef",
            self.center_coef,
            "0 or more",
            "0 switches centring off, 0.01 is usual",
        );
        problems.into_vec()
    }

    /// That the settings are valid and the numbers of every pair in range.
    ///
    /// # Errors
    /// [`AlgoError`] for the first that is not.
    pub fn check(&self, pairs: &[ScoredPair]) -> Result<(), AlgoError> {
        let problems = self.validate();
        if !problems.is_empty() {
            return Err(AlgoError::Settings(problems));
        }
        pairs.iter().enumerate().try_for_each(|(index, pair)| pair.check(index))
    }

    /// The loss of a micro-batch and its gradients, as its share of a step of `n_pairs`.
    ///
    /// # Errors
    /// As [`BradleyTerry::check`].
    pub fn loss(&self, pairs: &[ScoredPair], n_pairs: usize) -> Result<RewardOutput, AlgoError> {
        self.check(pairs)?;
        Ok(self.share(pairs, n_pairs))
    }

    /// [`BradleyTerry::loss`] of pairs whose labels were checked before. Scores that are not finite
    /// give a loss that is not.
    pub fn share(&self, pairs: &[ScoredPair], n_pairs: usize) -> RewardOutput {
        let share = 1.0 / n_pairs.max(1) as f64;
        let mut out = RewardOutput::default();
        for pair in pairs {
            let (chosen, rejected) = (f64::from(pair.chosen), f64::from(pair.rejected));
            let (difference, sum) = (chosen - rejected, chosen + rejected);
            let right = log_loss(difference - pair.margin);
            let wrong = log_loss(-difference - pair.margin);
            let p = pair.preference;
            out.loss +=
                share * (p * right.value + (1.0 - p) * wrong.value + self.center_coef * sum * sum);
            let slope = p * right.slope - (1.0 - p) * wrong.slope;
            let centre = 2.0 * self.center_coef * sum;
            let d_chosen = share * (slope + centre);
            let d_rejected = share * (centre - slope);
            out.gradients.push([d_chosen as f32, d_rejected as f32]);
            out.accuracy.push(f64::from(chosen > rejected));
            out.margin.push(difference);
            out.scores.push(chosen);
            out.scores.push(rejected);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(model: BradleyTerry, pair: ScoredPair) -> f64 {
        model.loss(&[pair], 1).unwrap().loss
    }

    #[test]
    fn golden_losses() {
        let plain = BradleyTerry::default();
        let pair = ScoredPair::new(1.2, 0.2);
        assert!((loss(plain, pair) - 0.313262).abs() < 1e-6);
        let with_margin = ScoredPair { margin: 1.0 / 3.0, ..pair };
        assert!((loss(plain, with_margin) - 0.414370).abs() < 1e-6);
        let centred = BradleyTerry { center_coef: 0.01 };
        assert!((loss(centred, pair) - 0.332862).abs() < 1e-6);
    }

    #[test]
    fn soft_labels_blend_both_verdicts() {
        let model = BradleyTerry { center_coef: 0.02 };
        for margin in [0.0, 0.5] {
            let pair = ScoredPair { margin, ..ScoredPair::new(1.5, -0.25) };
            let turned = ScoredPair { margin, ..ScoredPair::new(-0.25, 1.5) };
            let soft = ScoredPair { preference: 0.7, ..pair };
            let wanted = 0.7 * loss(model, pair) + 0.3 * loss(model, turned);
            assert!((loss(model, soft) - wanted).abs() < 1e-12);
            // The same label, told the other way round.
            let mirrored = ScoredPair { preference: 0.3, ..turned };
            assert!((loss(model, soft) - loss(model, mirrored)).abs() < 1e-12);
        }
    }

    #[test]
    fn gradients_are_central_differences() {
        let model = BradleyTerry { center_coef: 0.05 };
        let h = 1.0 / 1024.0;
        for (chosen, rejected) in [(1.5, -0.25), (-2.0, 3.0), (0.5, 0.5)] {
            let pair = ScoredPair { chosen, rejected, margin: 0.25, preference: 0.8 };
            let [d_chosen, d_rejected] = model.loss(&[pair], 1).unwrap().gradients[0];
            let at = |dc: f32, dr: f32| {
                let moved = ScoredPair { chosen: chosen + dc, rejected: rejected + dr, ..pair };
                loss(model, moved)
            };
            let by_chosen = (at(h, 0.0) - at(-h, 0.0)) / (2.0 * f64::from(h));
            let by_rejected = (at(0.0, h) - at(0.0, -h)) / (2.0 * f64::from(h));
            assert!((f64::from(d_chosen) - by_chosen).abs() < 1e-6);
            assert!((f64::from(d_rejected) - by_rejected).abs() < 1e-6);
        }
    }

    #[test]
    fn shares_of_micro_batches_add_up() {
        let model = BradleyTerry { center_coef: 0.01 };
        let pairs =
            [ScoredPair::new(1.0, 2.0), ScoredPair::new(0.5, -3.0), ScoredPair::new(7.0, 7.0)];
        let whole = model.loss(&pairs, 3).unwrap();
        let parts = [model.loss(&pairs[..1], 3).unwrap(), model.loss(&pairs[1..], 3).unwrap()];
        assert!((whole.loss - parts[0].loss - parts[1].loss).abs() < 1e-12);
        assert_eq!(whole.gradients, [&parts[0].gradients[..], &parts[1].gradients].concat());
        assert_eq!(whole.accuracy.get(), Some(1.0 / 3.0));
    }

    #[test]
    fn numbers_out_of_range_are_named() {
        let message = |pair: ScoredPair| {
            let pairs = [ScoredPair::new(0.0, 0.0), pair];
            BradleyTerry::default().loss(&pairs, 2).unwrap_err().to_string()
        };
        let pair = ScoredPair::new(1.0, 0.0);
        assert_eq!(
            message(ScoredPair { chosen: f32::NAN, ..pair }),
            "compare scores: the chosen score of pair 1 is NaN, allowed is a finite number"
        );
        assert_eq!(
            message(ScoredPair { margin: -0.5, ..pair }),
            "compare scores: the margin of pair 1 is -0.5, allowed is 0 or more"
        );
        assert_eq!(
            message(ScoredPair { preference: 1.5, ..pair }),
            "compare scores: the preference of pair 1 is 1.5, allowed is 0 to 1"
        );
        let problems = BradleyTerry { center_coef: f64::NAN }.validate();
        assert_eq!(problems[0].key, "center_coef");
    }
}
