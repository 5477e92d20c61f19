//! ORPO: likelihood of the better answer and odds against the worse one, without a reference.
//!
//! With a the *mean* log-prob of an answer's tokens and odds(a) = e^a / (1 - e^a) (arXiv 2403.07691,
//! equations 4 to 7):
//!
//!   loss = NLL - beta mean_pairs log s( log odds(a_c) - log odds(a_j) )
//!
//! NLL is minus the mean log-prob over all chosen tokens of the step. The log-odds are bounded at 20:
//! an answer of probability 1 has infinite ones.
//!
//! # Deviations
//!
//! - The NLL covers the loss tokens of the chosen answer; TRL's covers the prompt as well, which in a
//!   dialogue would teach the model to speak for the user.

use super::completion::Needs;
use super::logistic::log_loss;
use crate::error::Problems;
use crate::{AlgoError, MAX_LOG_RATIO, Pair, PairGradients, PairOutput, PairTotals, Problem, Term};

/// Settings of ORPO. Defaults are those of TRL 1.16.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orpo {
    /// Weight of the odds, above 0; the paper's lambda. 0.1.
    pub beta: f64,
}

impl Default for Orpo {
    fn default() -> Self {
        Orpo { beta: 0.1 }
    }
}

impl Orpo {
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
    /// As [`Orpo::check`].
    pub fn loss(&self, pairs: &[Pair<'_>], totals: PairTotals) -> Result<PairOutput, AlgoError> {
        self.check(pairs)?;
        Ok(self.share(pairs, totals))
    }

    /// [`Orpo::loss`] of pairs that were checked before with other current log-probs. Those that are
    /// not finite give a loss that is not.
    pub fn share(&self, pairs: &[Pair<'_>], totals: PairTotals) -> PairOutput {
        let mut out = PairOutput::default();
        let (share, token) = (totals.pair_weight(), totals.chosen_token_weight());
        for Pair { chosen, rejected } in pairs {
            let (better, worse) = (log_odds(chosen.mean()), log_odds(rejected.mean()));
            let log_odds_ratio = better.value - worse.value;
            let odds = log_loss(log_odds_ratio);
            out.loss += share * self.beta * odds.value - token * chosen.sum();

            let slope = share * self.beta * odds.slope;
            let d_chosen = slope * better.slope / chosen.n_tokens() - token;
            let d_rejected = -slope * worse.slope / rejected.n_tokens();
            out.gradients.push(PairGradients {
                chosen: vec![d_chosen as f32; chosen.logprobs.len()],
                rejected: vec![d_rejected as f32; rejected.logprobs.len()],
            });
            out.stats.push_rewards(self.beta * chosen.mean(), self.beta * rejected.mean());
            out.stats.push_logprobs(chosen.mean(), rejected.mean());
            out.stats.log_odds.push(log_odds_ratio);
            for &logprob in chosen.logprobs {
                out.stats.nll.push(-f64::from(logprob));
            }
        }
        out
    }
}

/// log(e^a / (1 - e^a)), flat where it exceeds the bound (a above -e^-20).
fn log_odds(a: f64) -> Term {
    let most = -(-MAX_LOG_RATIO).exp();
    let bounded = if a > most { most } else { a };
    let miss = -bounded.exp_m1();
    let slope = if a > most { 0.0 } else { 1.0 / miss };
    Term { value: bounded - miss.ln(), slope }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Completion;

    fn pair<'a>(chosen: &'a [f32], rejected: &'a [f32]) -> Pair<'a> {
        let completion = |logprobs| Completion { logprobs, ..Completion::default() };
        Pair { chosen: completion(chosen), rejected: completion(rejected) }
    }

    #[test]
    fn golden_loss() {
        let pairs = [pair(&[-0.3, -0.5], &[-1.2])];
        let out = Orpo::default().loss(&pairs, PairTotals::of(&pairs)).unwrap();
        assert!((out.stats.log_odds.get().unwrap() - 1.551251).abs() < 1e-6);
        assert!((out.loss - 0.419226).abs() < 1e-6);
        assert!((out.stats.nll.get().unwrap() - 0.4).abs() < 1e-6);
    }

    #[test]
    fn slopes_of_the_log_odds_are_central_differences() {
        let h = 1e-7;
        for a in [-50.0, -3.0, -0.7, -0.1, -1e-3] {
            let numeric = (log_odds(a + h).value - log_odds(a - h).value) / (2.0 * h);
            assert!((log_odds(a).slope / numeric - 1.0).abs() < 1e-6, "{a}");
        }
    }

    #[test]
    fn certainty_stays_finite() {
        for a in [0.0, 1e-6, -1e-12] {
            let Term { value, slope } = log_odds(a);
            assert!((value - MAX_LOG_RATIO).abs() < 1e-6, "{value}");
            assert_eq!(slope, 0.0);
        }
        let pairs = [pair(&[0.0, 0.0], &[-50.0]), pair(&[-50.0], &[0.0])];
        let out = Orpo::default().loss(&pairs, PairTotals::of(&pairs)).unwrap();
        assert!(out.loss.is_finite());
        assert!(out.gradients.iter().all(|g| g.chosen[0].is_finite() && g.rejected[0].is_finite()));
    }

    #[test]
    fn a_weight_of_zero_is_a_problem() {
        let problems = Orpo { beta: 0.0 }.validate();
        assert_eq!(problems[0].key, "beta");
        assert_eq!(
            Orpo { beta: 0.0 }.loss(&[], PairTotals::default()),
            Err(AlgoError::Settings(problems))
        );
    }
}
