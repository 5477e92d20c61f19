//! KTO: learning from answers that are judged good or bad by themselves.
//!
//! With r = sum_t (log pi - log ref) over an answer, z the KL point and s the logistic function
//! (arXiv 2402.01306, equation 7):
//!
//!   desirable: w_D (1 - s(beta (r - z)))      undesirable: w_U (1 - s(beta (z - r)))
//!
//! averaged over all answers. z estimates KL(pi || ref) on answers that were put to prompts they do
//! not belong to: max(0, mean of their r), without gradient. `apo_zero_unpaired` (arXiv 2408.06266)
//! is the same with z = 0, and needs no such answers.
//!
//! # Deviations
//!
//! - One KL point for the whole optimiser step; TRL has one for each micro-batch.

use std::fmt;
use std::str::FromStr;

use super::completion::Needs;
use super::logistic::{sigmoid, sigmoid_slope};
use crate::error::Problems;
use crate::{AlgoError, Completion, CompletionId, PreferenceStats, Problem, Role};

/// Which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KtoLoss {
    /// Against the KL point.
    #[default]
    Kto,
    /// Against 0.
    ApoZeroUnpaired,
}

/// Settings of KTO. Defaults are those of TRL 1.16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kto {
    /// The form. `kto`.
    pub loss: KtoLoss,
    /// How strongly the reference holds, above 0. 0.1.
    pub beta: f64,
    /// Weight of desirable answers, 0 or more. 1; see [`Kto::imbalance`].
    pub desirable_weight: f64,
    /// Weight of undesirable answers, 0 or more. 1.
    pub undesirable_weight: f64,
}

impl Default for Kto {
    fn default() -> Self {
        Kto { loss: KtoLoss::Kto, beta: 0.1, desirable_weight: 1.0, undesirable_weight: 1.0 }
    }
}

/// An answer with its judgement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Judged<'a> {
    /// The answer.
    pub completion: Completion<'a>,
    /// It is a good one.
    pub desirable: bool,
}

/// What the micro-batches of a step share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KtoStep {
    /// Answers of the step, without the mismatched ones.
    pub n_completions: usize,
    /// z in nats, 0 or more; see [`Kto::kl_point`].
    pub kl_point: f64,
}

/// A micro-batch of judged answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KtoOutput {
    /// Its share of the loss; shares of micro-batches add up.
    pub loss: f64,
    /// By answer, in their order, and token.
    pub gradients: Vec<Vec<f32>>,
    /// Statistics; add those of the other micro-batches.
    pub stats: PreferenceStats,
}

/// Weights that do not make up for the numbers of good and bad answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Imbalance {
    /// (weight times number) of desirable to that of undesirable answers; 1 to 4/3 is advised.
    pub ratio: f64,
    /// Range of the desirable weight that would mend it.
    pub desirable_weight: [f64; 2],
    /// Range of the undesirable weight that would mend it instead.
    pub undesirable_weight: [f64; 2],
}

const NEEDS: Needs = Needs { reference: true, log_sum_squares: false };

/// The largest advised ratio of desirable to undesirable weight; the smallest is 1.
const MAX_RATIO: f64 = 4.0 / 3.0;

impl Kto {
    /// True where the step needs mismatched answers.
    pub fn needs_probes(&self) -> bool {
        self.loss == KtoLoss::Kto
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.beta.is_finite() && self.beta > 0.0,
            "beta",
            self.beta,
            "above 0",
            "0.1 is usual",
        );
        let weights = [
            ("desirable_weight", self.desirable_weight),
            ("undesirable_weight", self.undesirable_weight),
        ];
        for (key, weight) in weights {
            let hint = "1 is usual; raise that of the rarer kind";
            problems.require(weight.is_finite() && weight >= 0.0, key, weight, "0 or more", hint);
        }
        problems.require(
            self.desirable_weight != 0.0 || self.undesirable_weight != 0.0,
            "desirable_weight",
            self.desirable_weight,
            "above 0 where undesirable_weight is 0",
            "with both at 0 nothing is learnt",
        );
        problems.into_vec()
    }

    /// What to warn of: (weight times number) of desirable answers should be 1 to 4/3 times that of
    /// undesirable ones (the paper's advice). Nothing where one kind is absent.
    pub fn imbalance(&self, n_desirable: usize, n_undesirable: usize) -> Option<Imbalance> {
        let (desirable, undesirable) = (n_desirable as f64, n_undesirable as f64);
        let weighted = [self.desirable_weight * desirable, self.undesirable_weight * undesirable];
        if weighted.contains(&0.0) {
            return None;
        }
        let ratio = weighted[0] / weighted[1];
        // A rounding error is no imbalance.
        let slack = 1e-9;
        if (1.0 - slack..=MAX_RATIO + slack).contains(&ratio) {
            return None;
        }
        let least = weighted[1] / desirable;
        let most = weighted[0] / undesirable;
        Some(Imbalance {
            ratio,
            desirable_weight: [least, least * MAX_RATIO],
            undesirable_weight: [most / MAX_RATIO, most],
        })
    }

    /// z of a step, nats, from answers put to prompts they do not belong to. 0 where the form needs none.
    ///
    /// # Errors
    /// [`AlgoError`] where there are none, or one is empty, lacks its reference or is not finite.
    pub fn kl_point(&self, probes: &[Completion<'_>]) -> Result<f64, AlgoError> {
        if !self.needs_probes() {
            return Ok(0.0);
        }
        if probes.is_empty() {
            return Err(AlgoError::MissingProbes);
        }
        let mut sum = 0.0;
        for (index, probe) in probes.iter().enumerate() {
            probe.check(CompletionId { role: Role::Probe, index }, NEEDS)?;
            sum += log_ratio(probe);
        }
        Ok((sum / probes.len() as f64).max(0.0))
    }

    /// That the settings are valid and every answer has what it needs.
    ///
    /// # Errors
    /// [`AlgoError`] where the settings are invalid, or an answer is empty, lacks its reference or has
    /// scores that are not finite.
    pub fn check(&self, judged: &[Judged<'_>]) -> Result<(), AlgoError> {
        let problems = self.validate();
        if !problems.is_empty() {
            return Err(AlgoError::Settings(problems));
        }
        for (index, Judged { completion, desirable }) in judged.iter().enumerate() {
            let role = if *desirable { Role::Desirable } else { Role::Undesirable };
            completion.check(CompletionId { role, index }, NEEDS)?;
        }
        Ok(())
    }

    /// The loss of a micro-batch of answers and its gradients, as its share of the step.
    ///
    /// # Errors
    /// As [`Kto::check`].
    pub fn loss(&self, judged: &[Judged<'_>], step: KtoStep) -> Result<KtoOutput, AlgoError> {
        self.check(judged)?;
        Ok(self.share(judged, step))
    }

    /// [`Kto::loss`] of answers that were checked before with other current log-probs. Those that
    /// are not finite give a loss that is not.
    pub fn share(&self, judged: &[Judged<'_>], step: KtoStep) -> KtoOutput {
        let point = if self.needs_probes() { step.kl_point } else { 0.0 };
        let share = 1.0 / step.n_completions.max(1) as f64;
        let mut out = KtoOutput::default();
        for Judged { completion, desirable } in judged {
            let ratio = log_ratio(completion);
            let (weight, sign) = if *desirable {
                (self.desirable_weight, 1.0)
            } else {
                (self.undesirable_weight, -1.0)
            };
            let x = sign * self.beta * (ratio - point);
            out.loss += share * weight * sigmoid(-x);
            let slope = -share * weight * sign * self.beta * sigmoid_slope(x);
            out.gradients.push(vec![slope as f32; completion.logprobs.len()]);
            let (reward, logprob) = if *desirable {
                (&mut out.stats.chosen_reward, &mut out.stats.chosen_logprob)
            } else {
                (&mut out.stats.rejected_reward, &mut out.stats.rejected_logprob)
            };
            reward.push(self.beta * ratio);
            logprob.push(completion.sum());
        }
        out
    }
}

impl KtoLoss {
    /// Name as in TRL's `loss_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            KtoLoss::Kto => "kto",
            KtoLoss::ApoZeroUnpaired => "apo_zero_unpaired",
        }
    }
}

impl FromStr for KtoLoss {
    type Err = Problem;

    fn from_str(name: &str) -> Result<KtoLoss, Problem> {
        let all = [KtoLoss::Kto, KtoLoss::ApoZeroUnpaired];
        all.into_iter().find(|loss| loss.as_str() == name).ok_or_else(|| Problem {
            key: "loss_type",
            found: format!("{name:?}"),
            allowed: "kto or apo_zero_unpaired",
            hint: "kto is the paper's",
        })
    }
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Imbalance { ratio, desirable_weight: [a, b], undesirable_weight: [c, d] } = self;
        write!(
            f,
            "desirable answers weigh {ratio:.2} times the undesirable ones, advised is 1 to 1.33: set \
             desirable_weight to {a:.2} to {b:.2}, or undesirable_weight to {c:.2} to {d:.2}"
        )
    }
}

fn log_ratio(completion: &Completion<'_>) -> f64 {
    let reference = completion.reference.unwrap_or_default();
    completion.sum() - reference.iter().copied().map(f64::from).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completion(logprobs: &[f32]) -> Completion<'_> {
        Completion { logprobs, reference: Some(&[-1.0]), ..Completion::default() }
    }

    /// Log-ratios .5 desirable and -.3 undesirable, z = .2.
    #[test]
    fn golden_losses() {
        let kto = Kto::default();
        let judged = [
            Judged { completion: completion(&[-0.5]), desirable: true },
            Judged { completion: completion(&[-1.3]), desirable: false },
        ];
        let step = KtoStep { n_completions: 2, kl_point: 0.2 };
        let out = kto.loss(&judged, step).unwrap();
        assert!((out.loss - 0.490002).abs() < 1e-6);
        let one = |i: usize| kto.loss(&judged[i..=i], step).unwrap().loss * 2.0;
        assert!((one(0) - 0.492501).abs() < 1e-6);
        assert!((one(1) - 0.487503).abs() < 1e-6);
        assert!(out.gradients[0][0] < 0.0 && out.gradients[1][0] > 0.0);
    }

    #[test]
    fn the_kl_point_is_a_mean_and_never_below_zero() {
        let kto = Kto::default();
        let point = |probes: &[Completion<'_>]| kto.kl_point(probes);
        let half = point(&[completion(&[-0.25]), completion(&[-0.75])]).unwrap();
        assert!((half - 0.5).abs() < 1e-12);
        assert_eq!(point(&[completion(&[-2.0])]), Ok(0.0));
        assert_eq!(point(&[]), Err(AlgoError::MissingProbes));
        let error = point(&[completion(&[-1.0]), completion(&[])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "read probe completion 1: it has no loss tokens; leave it out"
        );
        let apo = Kto { loss: KtoLoss::ApoZeroUnpaired, ..kto };
        assert_eq!(apo.kl_point(&[]), Ok(0.0));
    }

    #[test]
    fn one_to_four_thirds_is_balanced() {
        let kto = Kto::default();
        assert_eq!(kto.imbalance(3, 3), None);
        assert_eq!(kto.imbalance(4, 3), None);
        assert_eq!(kto.imbalance(0, 3), None);
        let found = kto.imbalance(1, 2).unwrap();
        assert_eq!(found.ratio, 0.5);
        assert_eq!(
            found.to_string(),
            "desirable answers weigh 0.50 times the undesirable ones, advised is 1 to 1.33: set \
             desirable_weight to 2.00 to 2.67, or undesirable_weight to 0.38 to 0.50"
        );
        for desirable_weight in found.desirable_weight {
            assert_eq!(Kto { desirable_weight, ..kto }.imbalance(1, 2), None);
        }
        for undesirable_weight in found.undesirable_weight {
            assert_eq!(Kto { undesirable_weight, ..kto }.imbalance(1, 2), None);
        }
        assert!(kto.imbalance(3, 2).is_some());
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = Kto {
            beta: f64::NAN,
            desirable_weight: -1.0,
            undesirable_weight: -0.5,
            ..Kto::default()
        };
        let keys: Vec<&str> = bad.validate().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["beta", "desirable_weight", "undesirable_weight"]);
        let idle = Kto { desirable_weight: 0.0, undesirable_weight: 0.0, ..Kto::default() };
        assert_eq!(idle.validate().len(), 1);
        assert_eq!(Kto::default().validate(), []);
        assert_eq!("kto".parse(), Ok(KtoLoss::Kto));
        assert_eq!("apo_zero_unpaired".parse(), Ok(KtoLoss::ApoZeroUnpaired));
        let problem = "bco".parse::<KtoLoss>().unwrap_err();
        assert_eq!(problem.allowed, "kto or apo_zero_unpaired");
    }
}
