//! DPO, direct preference optimisation, in all the forms that differ by a setting.
//!
//! A step of B pairs, with w_k the weight of loss k ([`DpoLoss`]) and g the weight of a pair:
//!
//!   loss = sum_k w_k mean_pairs [ g ell_k(c, j) ]
//!
//! c = sum_t v_t (log pi - log ref) over the tokens of the chosen answer, j the same of the rejected
//! one. v is 1, but `ld_alpha` on tokens beyond the length that both answers have (LD-DPO, arXiv
//! 2409.06411). g is 1, or with `use_weighting` the likelihood of both answers, exp(mean_t(log p -
//! log sum_v p_v²)) of each multiplied, detached (WPO, arXiv 2406.11827, equation 2). DPO itself is
//! equation 7 of arXiv 2305.18290.
//!
//! # Deviations
//!
//! - `aot`, `aot_unpaired` sort the pairs of the whole optimiser step, TRL those of a micro-batch;
//!   `sft` averages over the chosen tokens of the whole step.
//! - Equal log-ratios share their slopes in `aot` and `aot_unpaired`; TRL's depend on their order.
//! - `label_smoothing` without a loss that it acts on is refused, where TRL ignores it.
//! - `use_weighting` with `sft` is refused (its tokens have no pair weight; TRL ends in an error).
//! - `reference_free` leaves the reference out, as if it gave every token probability 1. TRL no
//!   longer has it.

use super::completion::Needs;
use super::pair_sum::PairSum;
use crate::error::Problems;
use crate::{AlgoError, DpoLoss, FDivergence, Pair, PairOutput, PairTotals, Problem, Unit};

/// A loss and what it weighs in the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedLoss {
    /// The loss.
    pub loss: DpoLoss,
    /// Its weight, 0 or more.
    pub weight: f64,
}

/// Settings of DPO. Defaults are those of TRL 1.16.
#[derive(Clone, Debug, PartialEq)]
pub struct Dpo {
    /// The losses that are added up, at least one. `sigmoid`; MPO has sigmoid 0.8, bco_pair 0.2, sft 1.
    pub losses: Vec<WeightedLoss>,
    /// How strongly the reference holds, above 0; IPO's tau. 0.1.
    pub beta: f64,
    /// Probability that a label is the wrong way round, from 0 to below 0.5; acts in `robust`,
    /// `exo_pair` (which needs it above 0), `aot` and `aot_unpaired`. 0; 0.1 for robust, 0.001 for EXO.
    pub label_smoothing: f64,
    /// The divergence behind the implicit rewards. Reverse KL.
    pub f_divergence: FDivergence,
    /// Weight of log-probs beyond the common length of a pair, 0 to 1; nothing is 1.
    pub ld_alpha: Option<f64>,
    /// Weigh pairs by how likely the policy is to say them. Off.
    pub use_weighting: bool,
    /// Temperature of the blend in `discopop`, above 0. 0.05.
    pub discopop_tau: f64,
    /// Take the log-prob itself for the log-ratio; no reference is needed. Off.
    pub reference_free: bool,
}

impl Default for Dpo {
    fn default() -> Self {
        Dpo {
            losses: vec![WeightedLoss { loss: DpoLoss::Sigmoid, weight: 1.0 }],
            beta: 0.1,
            label_smoothing: 0.0,
            f_divergence: FDivergence::ReverseKl,
            ld_alpha: None,
            use_weighting: false,
            discopop_tau: 0.05,
            reference_free: false,
        }
    }
}

impl Dpo {
    /// The defaults with one loss.
    pub fn with_loss(loss: DpoLoss) -> Dpo {
        Dpo { losses: vec![WeightedLoss { loss, weight: 1.0 }], ..Dpo::default() }
    }

    /// What a micro-batch must hold whole.
    pub fn unit(&self) -> Unit {
        if self.any(DpoLoss::needs_whole_step) { Unit::Step } else { Unit::Pair }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        self.validate_losses(&mut problems);
        self.validate_smoothing(&mut problems);
        problems.require(
            self.beta.is_finite() && self.beta > 0.0,
            "beta",
            self.beta,
            "above 0",
            "0.1 is usual; 0.01 to 0.5 are in use",
        );
        problems.extend(self.f_divergence.validate());
        problems.require(
            self.f_divergence == FDivergence::ReverseKl || !self.any(|l| !l.takes_divergence()),
            "f_divergence",
            self.f_divergence,
            "ReverseKl, unless every loss is one of sigmoid, sigmoid_norm, hinge, ipo, exo_pair, \
             robust, discopop, sft",
            "the other losses look at each answer by itself, where no other divergence has a meaning",
        );
        problems.require(
            !self.reference_free || self.f_divergence == FDivergence::ReverseKl,
            "reference_free",
            self.reference_free,
            "false with an f_divergence",
            "a divergence needs something to diverge from",
        );
        problems.require(
            self.ld_alpha.is_none_or(|alpha| (0.0..=1.0).contains(&alpha)),
            "ld_alpha",
            self.ld_alpha.unwrap_or_default(),
            "0 to 1, or nothing",
            "0 drops the tokens beyond the common length, 1 keeps them as they are",
        );
        problems.require(
            self.discopop_tau.is_finite() && self.discopop_tau > 0.0,
            "discopop_tau",
            self.discopop_tau,
            "above 0",
            "0.05 is the paper's",
        );
        problems.into_vec()
    }

    /// That the settings are valid and the pairs have all that they need.
    ///
    /// # Errors
    /// [`AlgoError`] where the settings are invalid, an answer is empty, lacks scores or has some that
    /// are not finite, or where a loss needs all pairs of the step and got a part.
    pub fn check(&self, pairs: &[Pair<'_>], totals: PairTotals) -> Result<(), AlgoError> {
        let problems = self.validate();
        if !problems.is_empty() {
            return Err(AlgoError::Settings(problems));
        }
        let needs = Needs { reference: !self.reference_free, log_sum_squares: self.use_weighting };
        for (index, pair) in pairs.iter().enumerate() {
            pair.check(index, needs)?;
        }
        let (expected, got) = (totals.n_pairs, pairs.len());
        let sorting = self.losses.iter().find(|weighted| weighted.loss.needs_whole_step());
        match sorting {
            Some(WeightedLoss { loss, .. }) if expected != got => {
                Err(AlgoError::SplitStep { loss: loss.as_str(), expected, got })
            }
            _ => Ok(()),
        }
    }

    /// The loss of a micro-batch of pairs and its gradients, as its share of the step with these totals.
    ///
    /// # Errors
    /// As [`Dpo::check`].
    pub fn loss(&self, pairs: &[Pair<'_>], totals: PairTotals) -> Result<PairOutput, AlgoError> {
        self.check(pairs, totals)?;
        Ok(self.share(pairs, totals))
    }

    /// [`Dpo::loss`] of pairs that were checked before with other current log-probs. Those that are
    /// not finite give a loss that is not.
    pub fn share(&self, pairs: &[Pair<'_>], totals: PairTotals) -> PairOutput {
        let mut sum = PairSum::new(self, pairs, totals);
        for &weighted in &self.losses {
            sum.add(weighted);
        }
        sum.finish()
    }

    fn any(&self, is: impl Fn(DpoLoss) -> bool) -> bool {
        self.losses.iter().any(|weighted| is(weighted.loss))
    }

    fn names(&self) -> Vec<&'static str> {
        self.losses.iter().map(|weighted| weighted.loss.as_str()).collect()
    }

    fn validate_losses(&self, problems: &mut Problems) {
        let weights: Vec<f64> = self.losses.iter().map(|weighted| weighted.weight).collect();
        problems.require(
            !self.losses.is_empty(),
            "losses",
            self.names(),
            "at least one loss type",
            "sigmoid is DPO's own",
        );
        problems.require(
            weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0)
                && (weights.is_empty() || weights.iter().any(|&weight| weight > 0.0)),
            "loss_weights",
            &weights,
            "0 or more each, and one above 0",
            "1.0 for each is usual; MPO has sigmoid 0.8, bco_pair 0.2, sft 1.0",
        );
        problems.require(
            !self.use_weighting
                || !self.any(|loss| loss.needs_whole_step() || loss == DpoLoss::Sft),
            "use_weighting",
            self.use_weighting,
            "false with aot, aot_unpaired and sft",
            "these losses are not made of pairs that could be weighed",
        );
    }

    fn validate_smoothing(&self, problems: &mut Problems) {
        let smoothing = self.label_smoothing;
        problems.require(
            (0.0..0.5).contains(&smoothing),
            "label_smoothing",
            smoothing,
            "0 or more and below 0.5",
            "it is the share of labels that are the wrong way round",
        );
        problems.require(
            smoothing == 0.0 || self.any(DpoLoss::is_smoothed),
            "label_smoothing",
            smoothing,
            "0 with these losses",
            "it acts in robust, exo_pair, aot and aot_unpaired only",
        );
        problems.require(
            smoothing != 0.0 || !self.any(|loss| loss == DpoLoss::ExoPair),
            "label_smoothing",
            smoothing,
            "above 0 with exo_pair",
            "0.001 is the paper's",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Completion;

    fn completion<'a>(logprobs: &'a [f32], reference: &'a [f32]) -> Completion<'a> {
        Completion { logprobs, reference: Some(reference), log_sum_squares: None }
    }

    fn loss(dpo: &Dpo, pairs: &[Pair<'_>]) -> PairOutput {
        dpo.loss(pairs, PairTotals::of(pairs)).unwrap()
    }

    fn assert_close(got: f64, wanted: f64) {
        assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
    }

    #[test]
    fn golden_optimal_transport() {
        // Policy margins .8 and -.6, reference margins .2 and .1.
        let policy = [[-0.25f32, -1.05], [-1.0, -0.4]];
        let reference = [[-0.5f32, -0.7], [-0.5, -0.6]];
        let pair = |i: usize| Pair {
            chosen: completion(&policy[i][..1], &reference[i][..1]),
            rejected: completion(&policy[i][1..], &reference[i][1..]),
        };
        let pairs = [pair(0), pair(1)];
        assert_close(loss(&Dpo::with_loss(DpoLoss::Aot), &pairs).loss, 0.696178);

        // Chosen log-ratios .5 and -.2, rejected ones -.3 and .4.
        let policy = [[-0.5f32, -1.3], [-1.2, -0.6]];
        let pair = |i: usize| Pair {
            chosen: completion(&policy[i][..1], &[-1.0]),
            rejected: completion(&policy[i][1..], &[-1.0]),
        };
        let pairs = [pair(0), pair(1)];
        assert_close(loss(&Dpo::with_loss(DpoLoss::AotUnpaired), &pairs).loss, 0.688160);
    }

    #[test]
    fn golden_likelihood() {
        let pairs = [Pair {
            chosen: completion(&[-0.5, -1.5], &[-1.0, -1.0]),
            rejected: completion(&[-0.5], &[-1.0]),
        }];
        let out = loss(&Dpo::with_loss(DpoLoss::Sft), &pairs);
        assert_eq!(out.loss, 1.0);
        assert_eq!(out.gradients[0].chosen, [-0.5, -0.5]);
        assert_eq!(out.gradients[0].rejected, [0.0]);
        assert_eq!(out.stats.nll.get(), Some(1.0));
    }

    /// The whole batch is in one micro-batch, or the sorting losses have nothing to sort.
    #[test]
    fn transport_refuses_a_part_of_the_step() {
        let dpo = Dpo::with_loss(DpoLoss::Aot);
        assert_eq!(dpo.unit(), Unit::Step);
        assert_eq!(Dpo::default().unit(), Unit::Pair);
        let one = completion(&[-1.0], &[-1.0]);
        let pairs = [Pair { chosen: one, rejected: one }];
        let error = dpo.loss(&pairs, PairTotals { n_pairs: 2, n_chosen_tokens: 2 }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sort log-ratios: aot needs all 2 pairs of the step at once and got 1"
        );
    }

    #[test]
    fn without_a_reference_the_log_prob_is_the_ratio() {
        let bare = |logprobs| Completion { logprobs, ..Completion::default() };
        let pairs = [Pair { chosen: bare(&[-0.5, -1.0]), rejected: bare(&[-3.0]) }];
        let free = Dpo { reference_free: true, ..Dpo::default() };
        let zeros = [Pair {
            chosen: completion(&[-0.5, -1.0], &[0.0, 0.0]),
            rejected: completion(&[-3.0], &[0.0]),
        }];
        assert_eq!(loss(&free, &pairs), loss(&Dpo::default(), &zeros));
        let error = Dpo::default().loss(&pairs, PairTotals::of(&pairs)).unwrap_err();
        assert_eq!(error.to_string(), "read chosen completion 0: it came without reference scores");
    }

    #[test]
    fn every_problem_is_reported() {
        let weighted = |loss, weight| WeightedLoss { loss, weight };
        let keys = |dpo: &Dpo| -> Vec<&str> { dpo.validate().iter().map(|p| p.key).collect() };
        let bad = Dpo {
            losses: vec![weighted(DpoLoss::ExoPair, -1.0), weighted(DpoLoss::AotUnpaired, 1.0)],
            beta: 0.0,
            label_smoothing: 0.0,
            f_divergence: FDivergence::Alpha { coef: f64::INFINITY },
            ld_alpha: Some(1.5),
            use_weighting: true,
            discopop_tau: 0.0,
            reference_free: true,
        };
        let wanted = [
            "loss_weights",
            "use_weighting",
            "label_smoothing",
            "beta",
            "f_divergence.coef",
            "f_divergence",
            "reference_free",
            "ld_alpha",
            "discopop_tau",
        ];
        assert_eq!(keys(&bad), wanted);
        assert_eq!(bad.loss(&[], PairTotals::default()), Err(AlgoError::Settings(bad.validate())));
        assert_eq!(keys(&Dpo { losses: vec![], ..Dpo::default() }), ["losses"]);
        assert_eq!(keys(&Dpo { label_smoothing: 0.1, ..Dpo::default() }), ["label_smoothing"]);
        let robust = Dpo { label_smoothing: 0.5, ..Dpo::with_loss(DpoLoss::Robust) };
        assert_eq!(keys(&robust), ["label_smoothing"]);
        let weightless = Dpo { losses: vec![weighted(DpoLoss::Ipo, 0.0)], ..Dpo::default() };
        assert_eq!(keys(&weightless), ["loss_weights"]);
        let sft = Dpo { use_weighting: true, ..Dpo::with_loss(DpoLoss::Sft) };
        assert_eq!(keys(&sft), ["use_weighting"]);
        assert_eq!(keys(&Dpo::default()), [""; 0]);
    }
}
