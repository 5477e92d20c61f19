//! CPO and SimPO: preferences without a reference model.
//!
//! With a the log-prob of an answer, *summed* over tokens for `sigmoid` and `hinge` and their *mean* for
//! `ipo` and `simpo`, and D = r(a_c) - r(a_j):
//!
//! | name | loss | source |
//! |---|---|---|
//! | `sigmoid` | -log s(beta D) | CPO, arXiv 2401.08417, equation 3 |
//! | `hinge` | max(0, 1 - beta D) | SLiC, arXiv 2305.10425 |
//! | `ipo` | (D - 1/(2 beta))² | IPO, arXiv 2310.12036, on means |
//! | `simpo` | -log s(beta D - gamma) | SimPO, arXiv 2405.14734, equation 6 |
//!
//! plus `cpo_alpha` times minus the mean log-prob of all chosen tokens of the step. r(a) = a, or with
//! `alpha` that of AlphaPO (arXiv 2501.03884), (1 - exp(-alpha a)) / alpha. SimPO proper has
//! `cpo_alpha` 0 ([`Cpo::simpo`]).
//!
//! # Deviations
//!
//! - The exponent -alpha a is bounded at 20 from above.
//! - Label smoothing with `hinge` or `ipo`, where it would do nothing, is refused; TRL warns.

use std::str::FromStr;

use super::completion::Needs;
use super::logistic::{bounded_exp, smoothed_log_loss};
use crate::error::Problems;
use crate::{AlgoError, Completion, Pair, PairGradients, PairOutput, PairTotals, Problem, Term};

/// The loss on a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CpoLoss {
    /// The log-loss on sums.
    #[default]
    Sigmoid,
    /// Linear up to a margin, on sums.
    Hinge,
    /// Squared distance to a margin, on means.
    Ipo,
    /// The log-loss with a target margin, on means.
    Simpo,
}

/// Settings of CPO. Defaults are those of TRL 1.16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cpo {
    /// The loss on a pair. `sigmoid`.
    pub loss: CpoLoss,
    /// Scale of the difference, above 0; IPO's tau. 0.1; SimPO's paper 2 to 2.5.
    pub beta: f64,
    /// Probability that a label is the wrong way round, from 0 to below 0.5; acts in `sigmoid` and
    /// `simpo`. 0.
    pub label_smoothing: f64,
    /// Weight of the likelihood of the chosen answers, 0 or more. 1.
    pub cpo_alpha: f64,
    /// Target margin of `simpo`, finite. 0.5; the paper has 0.3 to 1.6.
    pub simpo_gamma: f64,
    /// Shape of AlphaPO's reward, finite; 0 is the log-prob itself. 0.
    pub alpha: f64,
}

impl Default for Cpo {
    fn default() -> Self {
        Cpo {
            loss: CpoLoss::Sigmoid,
            beta: 0.1,
            label_smoothing: 0.0,
            cpo_alpha: 1.0,
            simpo_gamma: 0.5,
            alpha: 0.0,
        }
    }
}

impl Cpo {
    /// SimPO with the paper's values: beta 2.5, gamma 0.55 beta, no likelihood term.
    pub fn simpo() -> Cpo {
        Cpo {
            loss: CpoLoss::Simpo,
            beta: 2.5,
            cpo_alpha: 0.0,
            simpo_gamma: 1.375,
            ..Cpo::default()
        }
    }

    /// AlphaPO: SimPO's loss on another reward. TRL's `alphapo` with its beta and gamma.
    pub fn alphapo(alpha: f64) -> Cpo {
        Cpo { loss: CpoLoss::Simpo, cpo_alpha: 0.0, alpha, ..Cpo::default() }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.beta.is_finite() && self.beta > 0.0,
            "beta",
            self.beta,
            "above 0",
            "0.1 is usual for cpo, 2 to 2.5 for simpo",
        );
        problems.require(
            (0.0..0.5).contains(&self.label_smoothing),
            "label_smoothing",
            self.label_smoothing,
            "0 or more and below 0.5",
            "it is the share of labels that are the wrong way round",
        );
        problems.require(
            self.label_smoothing == 0.0 || self.is_logistic(),
            "label_smoothing",
            self.label_smoothing,
            "0 with hinge and ipo",
            "it acts in sigmoid and simpo only",
        );
        problems.require(
            self.cpo_alpha.is_finite() && self.cpo_alpha >= 0.0,
            "cpo_alpha",
            self.cpo_alpha,
            "0 or more",
            "1 is CPO's, 0 SimPO's",
        );
        problems.require(
            self.simpo_gamma.is_finite(),
            "simpo_gamma",
            self.simpo_gamma,
            "a finite number",
            "about half of beta",
        );
        problems.require(
            self.alpha.is_finite(),
            "alpha",
            self.alpha,
            "a finite number",
            "0 leaves the log-prob as it is",
        );
        problems.into_vec()
    }

    /// That the settings are valid and no answer is empty or has log-probs that are not finite.
    ///
    /// # Errors
    /// [`AlgoError`] for the first of these.
    pub fn check(&self, pairs: &[Pair<'_>]) -> Result<(), AlgoError> {
        let problems = self.validate();
        if !problems.is_empty() {
            return Err(AlgoError::Settings(problems));
        }
        let mut pairs = pairs.iter().enumerate();
        pairs.try_for_each(|(index, pair)| pair.check(index, Needs::default()))
    }

    /// The loss of a micro-batch of pairs and its gradients, as its share of the step with these totals.
    ///
    /// # Errors
    /// As [`Cpo::check`].
    pub fn loss(&self, pairs: &[Pair<'_>], totals: PairTotals) -> Result<PairOutput, AlgoError> {
        self.check(pairs)?;
        Ok(self.share(pairs, totals))
    }

    /// [`Cpo::loss`] of pairs that were checked before with other current log-probs. Those that are
    /// not finite give a loss that is not.
    pub fn share(&self, pairs: &[Pair<'_>], totals: PairTotals) -> PairOutput {
        let mut out = PairOutput::default();
        let share = totals.pair_weight();
        let token = self.cpo_alpha * totals.chosen_token_weight();
        for Pair { chosen, rejected } in pairs {
            let (better, worse) = (self.reward(chosen), self.reward(rejected));
            let term = self.term(better.value - worse.value);
            out.loss += share * term.value - token * chosen.sum();

            let d_chosen = share * term.slope * better.slope - token;
            let d_rejected = -share * term.slope * worse.slope;
            out.gradients.push(PairGradients {
                chosen: vec![d_chosen as f32; chosen.logprobs.len()],
                rejected: vec![d_rejected as f32; rejected.logprobs.len()],
            });
            out.stats.push_rewards(self.beta * better.value, self.beta * worse.value);
            out.stats.push_logprobs(self.logprob(chosen), self.logprob(rejected));
            if self.cpo_alpha != 0.0 {
                for &logprob in chosen.logprobs {
                    out.stats.nll.push(-f64::from(logprob));
                }
            }
        }
        out
    }

    fn is_logistic(&self) -> bool {
        matches!(self.loss, CpoLoss::Sigmoid | CpoLoss::Simpo)
    }

    fn averages(&self) -> bool {
        matches!(self.loss, CpoLoss::Ipo | CpoLoss::Simpo)
    }

    fn logprob(&self, completion: &Completion<'_>) -> f64 {
        if self.averages() { completion.mean() } else { completion.sum() }
    }

    /// The implicit reward before beta, and its slope by each token's log-prob.
    fn reward(&self, completion: &Completion<'_>) -> Term {
        let logprob = self.logprob(completion);
        let per_token = if self.averages() { 1.0 / completion.n_tokens() } else { 1.0 };
        if self.alpha == 0.0 {
            return Term { value: logprob, slope: per_token };
        }
        let power = bounded_exp(-self.alpha * logprob);
        Term { value: (1.0 - power.value) / self.alpha, slope: power.slope * per_token }
    }

    /// The loss of a difference of rewards.
    fn term(&self, difference: f64) -> Term {
        let beta = self.beta;
        let log_loss = |margin: f64| {
            let Term { value, slope } =
                smoothed_log_loss(beta * difference - margin, self.label_smoothing);
            Term { value, slope: beta * slope }
        };
        match self.loss {
            CpoLoss::Sigmoid => log_loss(0.0),
            CpoLoss::Simpo => log_loss(self.simpo_gamma),
            CpoLoss::Hinge if beta * difference >= 1.0 => Term::default(),
            CpoLoss::Hinge => Term { value: 1.0 - beta * difference, slope: -beta },
            CpoLoss::Ipo => {
                let miss = difference - 0.5 / beta;
                Term { value: miss * miss, slope: 2.0 * miss }
            }
        }
    }
}

impl CpoLoss {
    /// Every loss.
    pub const ALL: [CpoLoss; 4] = [CpoLoss::Sigmoid, CpoLoss::Hinge, CpoLoss::Ipo, CpoLoss::Simpo];

    /// Name as in TRL's `loss_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            CpoLoss::Sigmoid => "sigmoid",
            CpoLoss::Hinge => "hinge",
            CpoLoss::Ipo => "ipo",
            CpoLoss::Simpo => "simpo",
        }
    }
}

impl FromStr for CpoLoss {
    type Err = Problem;

    fn from_str(name: &str) -> Result<CpoLoss, Problem> {
        CpoLoss::ALL.into_iter().find(|loss| loss.as_str() == name).ok_or_else(|| Problem {
            key: "loss_type",
            found: format!("{name:?}"),
            allowed: "sigmoid, hinge, ipo or simpo",
            hint: "alphapo is simpo with alpha other than 0 and cpo_alpha 0",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair<'a>(chosen: &'a [f32], rejected: &'a [f32]) -> Pair<'a> {
        let completion = |logprobs| Completion { logprobs, ..Completion::default() };
        Pair { chosen: completion(chosen), rejected: completion(rejected) }
    }

    fn loss(cpo: Cpo, pairs: &[Pair<'_>]) -> f64 {
        cpo.loss(pairs, PairTotals::of(pairs)).unwrap().loss
    }

    #[test]
    fn golden_losses() {
        let simpo = loss(Cpo::simpo(), &[pair(&[-0.3, -0.5], &[-1.2])]);
        assert!((simpo - 0.428701).abs() < 1e-6, "{simpo}");
        // Mean log-probs .8 apart, beta .1.
        let ipo = Cpo { loss: CpoLoss::Ipo, cpo_alpha: 0.0, ..Cpo::default() };
        let ipo = loss(ipo, &[pair(&[-0.3, -0.5], &[-1.2])]);
        assert!((ipo - 17.64).abs() < 1e-5, "{ipo}");
    }

    #[test]
    fn alphapo_nears_simpo_as_alpha_vanishes() {
        let pairs = [pair(&[-0.3, -0.5], &[-1.2]), pair(&[-2.0], &[-0.1, -3.0])];
        let simpo = Cpo { cpo_alpha: 0.0, loss: CpoLoss::Simpo, ..Cpo::default() };
        assert!((loss(Cpo::alphapo(1e-7), &pairs) - loss(simpo, &pairs)).abs() < 1e-6);
        assert!((loss(Cpo::alphapo(0.5), &pairs) - loss(simpo, &pairs)).abs() > 1e-3);
    }

    #[test]
    fn fifty_nats_stay_finite() {
        for loss in CpoLoss::ALL {
            for alpha in [-2.0, 0.0, 2.0] {
                let cpo = Cpo { loss, alpha, beta: 2.5, ..Cpo::default() };
                let pairs = [pair(&[-50.0; 3], &[-0.1]), pair(&[-0.1], &[-50.0; 3])];
                let out = cpo.loss(&pairs, PairTotals::of(&pairs)).unwrap();
                assert!(out.loss.is_finite());
                for gradients in out.gradients {
                    assert!(gradients.chosen[0].is_finite() && gradients.rejected[0].is_finite());
                }
            }
        }
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = Cpo {
            loss: CpoLoss::Hinge,
            beta: -0.1,
            label_smoothing: 0.7,
            cpo_alpha: -1.0,
            simpo_gamma: f64::NAN,
            alpha: f64::INFINITY,
        };
        let keys: Vec<&str> = bad.validate().iter().map(|problem| problem.key).collect();
        let wanted =
            ["beta", "label_smoothing", "label_smoothing", "cpo_alpha", "simpo_gamma", "alpha"];
        assert_eq!(keys, wanted);
        for good in [Cpo::default(), Cpo::simpo(), Cpo::alphapo(0.1)] {
            assert_eq!(good.validate(), []);
        }
        for loss in CpoLoss::ALL {
            assert_eq!(loss.as_str().parse(), Ok(loss));
        }
        let problem = "alphapo".parse::<CpoLoss>().unwrap_err();
        assert_eq!(problem.allowed, "sigmoid, hinge, ipo or simpo");
    }
}
