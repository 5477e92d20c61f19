//! The losses that DPO is made with, for one pair.
//!
//! c and j are the log-ratios of policy to reference of the chosen and of the rejected answer, summed
//! over tokens; C and J their implicit rewards under the divergence ([`crate::FDivergence`]; the same
//! for reverse KL); D = C - J; N the numbers of tokens; s the logistic function; b beta; e label
//! smoothing.
//!
//! | name | loss | source |
//! |---|---|---|
//! | `sigmoid` | -log s(bD) | DPO, arXiv 2305.18290, equation 7 |
//! | `hinge` | max(0, 1 - bD) | SLiC, arXiv 2305.10425; RSO, arXiv 2309.06657 |
//! | `ipo` | (C/Nc - J/Nj - 1/(2b))² | IPO, arXiv 2310.12036, equation 17 |
//! | `exo_pair` | KL of (s(bD), s(-bD)) to (1 - e, e) | EXO, arXiv 2402.00856, equation 16 |
//! | `nca_pair` | -log s(bc) - ½ log s(-bc) - ½ log s(-bj) | NCA, arXiv 2402.05369 |
//! | `robust` | (-(1 - e) log s(bD) + e log s(-bD)) / (1 - 2e) | robust DPO, arXiv 2403.00409 |
//! | `bco_pair` | -log s(bc) - log s(-bj) | BCO, arXiv 2404.04656 |
//! | `sppo_hard` | (c - 1/(2b))² + (j + 1/(2b))² | SPPO, arXiv 2405.00675 |
//! | `aot`, `aot_unpaired` | see [`transport`](super::transport): smoothed -log s(b delta), by rank | AOT, arXiv 2406.05882 |
//! | `apo_zero` | 1 - s(bc) + s(bj) | APO, arXiv 2408.06266, equation 7 |
//! | `apo_down` | s(bc) + 1 - s(b(c - j)) | APO, equation 8 |
//! | `discopop` | (1 - w)(-log s(bD)) + w exp(-bD), w = s(bD/tau) | DiscoPOP, arXiv 2406.08414, equation 5 |
//! | `sft` | -mean log-prob of all chosen tokens of the step | the likelihood term of MPO, arXiv 2411.10442 |
//! | `sigmoid_norm` | -log s(b(C/Nc - J/Nj)) | length-normalised DPO of Tülu 3, arXiv 2411.15124 |
//!
//! The means of `ipo` are TRL's, agreed with IPO's authors; the paper has sums. `bco_pair` lacks
//! the running offset of the paper, as TRL's does.

use std::str::FromStr;

use super::logistic::{bounded_exp, log_loss, log_sigmoid, sigmoid, sigmoid_slope};
use crate::{Dpo, Problem, Term};

/// A loss on pairs; see the table above for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DpoLoss {
    /// The log-loss of DPO.
    #[default]
    Sigmoid,
    /// Linear up to a margin.
    Hinge,
    /// Squared distance to a margin, on means over tokens.
    Ipo,
    /// Reverse KL to the smoothed label.
    ExoPair,
    /// Noise contrast; keeps the chosen answer likely.
    NcaPair,
    /// Unbiased where labels are flipped with a known probability.
    Robust,
    /// Each answer classified by itself.
    BcoPair,
    /// Self-play with hard wins.
    SppoHard,
    /// Optimal transport between policy and reference margins.
    Aot,
    /// Optimal transport between chosen and rejected answers.
    AotUnpaired,
    /// Raises chosen, lowers rejected; for chosen answers better than the model's.
    ApoZero,
    /// Lowers both, rejected more; for chosen answers worse than the model's.
    ApoDown,
    /// A blend found by search.
    Discopop,
    /// Plain likelihood of the chosen answers.
    Sft,
    /// The log-loss on means over tokens.
    SigmoidNorm,
}

/// One side of a pair, summed up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// Log-prob under the policy, summed over tokens.
    pub(crate) logprob: f64,
    /// Log-prob under the reference, summed over tokens.
    pub(crate) reference: f64,
    /// Number of tokens.
    pub(crate) n_tokens: f64,
    /// Implicit reward before beta, and its slope by log-prob.
    pub(crate) reward: Term,
}

/// A pair's loss and its slopes with respect to both summed log-probs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PairTerm {
    pub(crate) value: f64,
    pub(crate) chosen: f64,
    pub(crate) rejected: f64,
}

impl Score {
    pub(crate) fn log_ratio(&self) -> f64 {
        self.logprob - self.reference
    }
}

impl DpoLoss {
    /// Every loss, in the order of TRL's documentation.
    pub const ALL: [DpoLoss; 15] = [
        DpoLoss::Sigmoid,
        DpoLoss::Hinge,
        DpoLoss::Ipo,
        DpoLoss::ExoPair,
        DpoLoss::NcaPair,
        DpoLoss::Robust,
        DpoLoss::BcoPair,
        DpoLoss::SppoHard,
        DpoLoss::Aot,
        DpoLoss::AotUnpaired,
        DpoLoss::ApoZero,
        DpoLoss::ApoDown,
        DpoLoss::Discopop,
        DpoLoss::Sft,
        DpoLoss::SigmoidNorm,
    ];

    /// Name as in TRL's `loss_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            DpoLoss::Sigmoid => "sigmoid",
            DpoLoss::Hinge => "hinge",
            DpoLoss::Ipo => "ipo",
            DpoLoss::ExoPair => "exo_pair",
            DpoLoss::NcaPair => "nca_pair",
            DpoLoss::Robust => "robust",
            DpoLoss::BcoPair => "bco_pair",
            DpoLoss::SppoHard => "sppo_hard",
            DpoLoss::Aot => "aot",
            DpoLoss::AotUnpaired => "aot_unpaired",
            DpoLoss::ApoZero => "apo_zero",
            DpoLoss::ApoDown => "apo_down",
            DpoLoss::Discopop => "discopop",
            DpoLoss::Sft => "sft",
            DpoLoss::SigmoidNorm => "sigmoid_norm",
        }
    }

    /// True where all pairs of a step are compared with each other.
    pub fn needs_whole_step(self) -> bool {
        matches!(self, DpoLoss::Aot | DpoLoss::AotUnpaired)
    }

    /// True where label smoothing changes the loss.
    pub fn is_smoothed(self) -> bool {
        self.needs_whole_step() || matches!(self, DpoLoss::Robust | DpoLoss::ExoPair)
    }

    /// True where an f-divergence may take the place of reverse KL: its partition function cancels
    /// only in a difference of the two rewards.
    pub fn takes_divergence(self) -> bool {
        use DpoLoss::{Discopop, ExoPair, Hinge, Ipo, Robust, Sft, Sigmoid, SigmoidNorm};
        matches!(self, Sigmoid | SigmoidNorm | Hinge | Ipo | ExoPair | Robust | Discopop | Sft)
    }

    /// The loss of one pair; `None` for those that are not pairwise.
    pub(crate) fn term(self, dpo: &Dpo, chosen: &Score, rejected: &Score) -> Option<PairTerm> {
        let (beta, smoothing) = (dpo.beta, dpo.label_smoothing);
        let difference = |loss: &dyn Fn(f64) -> Term| {
            Some(of_difference(beta, loss, [chosen, rejected], [1.0, 1.0]))
        };
        let lengths = [1.0 / chosen.n_tokens, 1.0 / rejected.n_tokens];
        let (c, j) = (chosen.log_ratio(), rejected.log_ratio());
        match self {
            DpoLoss::Sigmoid => difference(&log_loss),
            DpoLoss::Hinge => difference(&hinge),
            DpoLoss::ExoPair => difference(&|x| exo(x, smoothing)),
            DpoLoss::Robust => difference(&|x| robust(x, smoothing)),
            DpoLoss::Discopop => difference(&|x| discopop(x, dpo.discopop_tau)),
            DpoLoss::SigmoidNorm => {
                Some(of_difference(beta, &log_loss, [chosen, rejected], lengths))
            }
            DpoLoss::Ipo => {
                let margin = |d: f64| squared(d - 0.5 / beta);
                Some(of_difference(1.0, &margin, [chosen, rejected], lengths))
            }
            DpoLoss::NcaPair => Some(nca(beta, c, j)),
            DpoLoss::BcoPair => Some(separate(beta, log_loss(beta * c), log_loss(-beta * j))),
            DpoLoss::SppoHard => {
                // No beta in front: it stands in the margins alone.
                let (chosen, rejected) = (squared(c - 0.5 / beta), squared(-j - 0.5 / beta));
                Some(separate(1.0, chosen, rejected))
            }
            DpoLoss::ApoZero => Some(separate(beta, unlikely(beta * c), unlikely(-beta * j))),
            DpoLoss::ApoDown => Some(apo_down(beta, c, j)),
            DpoLoss::Aot | DpoLoss::AotUnpaired | DpoLoss::Sft => None,
        }
    }
}

impl FromStr for DpoLoss {
    type Err = Problem;

    fn from_str(name: &str) -> Result<DpoLoss, Problem> {
        DpoLoss::ALL.into_iter().find(|loss| loss.as_str() == name).ok_or_else(|| Problem {
            key: "loss_type",
            found: format!("{name:?}"),
            allowed: "sigmoid, hinge, ipo, exo_pair, nca_pair, robust, bco_pair, sppo_hard, aot, \
                      aot_unpaired, apo_zero, apo_down, discopop, sft or sigmoid_norm",
            hint: "sigmoid is DPO's own; kto, orpo, cpo and simpo are algorithms of their own",
        })
    }
}

/// A loss of `scale` times the weighted difference of the implicit rewards.
fn of_difference(
    scale: f64,
    loss: &dyn Fn(f64) -> Term,
    [chosen, rejected]: [&Score; 2],
    weights: [f64; 2],
) -> PairTerm {
    let difference = chosen.reward.value * weights[0] - rejected.reward.value * weights[1];
    let Term { value, slope } = loss(scale * difference);
    PairTerm {
        value,
        chosen: scale * slope * weights[0] * chosen.reward.slope,
        rejected: -scale * slope * weights[1] * rejected.reward.slope,
    }
}

/// The sum of a loss of `scale` c and one of -`scale` j.
fn separate(scale: f64, chosen: Term, rejected: Term) -> PairTerm {
    PairTerm {
        value: chosen.value + rejected.value,
        chosen: scale * chosen.slope,
        rejected: -scale * rejected.slope,
    }
}

fn squared(x: f64) -> Term {
    Term { value: x * x, slope: 2.0 * x }
}

fn hinge(x: f64) -> Term {
    if x >= 1.0 { Term::default() } else { Term { value: 1.0 - x, slope: -1.0 } }
}

/// 1 - s(x).
fn unlikely(x: f64) -> Term {
    Term { value: sigmoid(-x), slope: -sigmoid_slope(x) }
}

fn exo(x: f64, smoothing: f64) -> Term {
    let (log_right, log_wrong) = ((-smoothing).ln_1p(), smoothing.ln());
    let right = sigmoid(x) * (log_sigmoid(x) - log_right);
    let wrong = sigmoid(-x) * (log_sigmoid(-x) - log_wrong);
    Term { value: right + wrong, slope: sigmoid_slope(x) * (x - log_right + log_wrong) }
}

fn robust(x: f64, smoothing: f64) -> Term {
    let (right, wrong) = (log_loss(x), log_loss(-x));
    let scale = 1.0 / (1.0 - 2.0 * smoothing);
    Term {
        value: scale * ((1.0 - smoothing) * right.value - smoothing * wrong.value),
        slope: scale * ((1.0 - smoothing) * right.slope + smoothing * wrong.slope),
    }
}

fn discopop(x: f64, tau: f64) -> Term {
    let logistic = log_loss(x);
    let (blend, other) = (sigmoid(x / tau), sigmoid(-x / tau));
    // w exp(-x) in one exponential: apart, the second factor overflows where the first vanishes.
    let decay = bounded_exp(log_sigmoid(x / tau) - x);
    Term {
        value: other * logistic.value + decay.value,
        slope: other * logistic.slope - blend * other / tau * logistic.value
            + decay.slope * (other / tau - 1.0),
    }
}

fn nca(beta: f64, c: f64, j: f64) -> PairTerm {
    let (noise, rejected) = (log_loss(-beta * c), log_loss(-beta * j));
    let chosen = log_loss(beta * c);
    PairTerm {
        value: chosen.value + 0.5 * noise.value + 0.5 * rejected.value,
        chosen: beta * (chosen.slope - 0.5 * noise.slope),
        rejected: -0.5 * beta * rejected.slope,
    }
}

fn apo_down(beta: f64, c: f64, j: f64) -> PairTerm {
    let (chosen, margin) = (unlikely(-beta * c), unlikely(beta * (c - j)));
    PairTerm {
        value: chosen.value + margin.value,
        chosen: beta * (margin.slope - chosen.slope),
        rejected: -beta * margin.slope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FDivergence;

    fn pair(divergence: FDivergence, c: f64, j: f64) -> [Score; 2] {
        let score = |x: f64, n_tokens: f64| Score {
            logprob: x - 3.0,
            reference: -3.0,
            n_tokens,
            reward: divergence.score(x),
        };
        [score(c, 2.0), score(j, 4.0)]
    }

    fn term(dpo: &Dpo, loss: DpoLoss, c: f64, j: f64) -> PairTerm {
        let [chosen, rejected] = pair(dpo.f_divergence, c, j);
        loss.term(dpo, &chosen, &rejected).unwrap()
    }

    /// c = .5, j = -.3, beta = .1, 2 and 4 tokens.
    #[test]
    fn golden_pairwise_losses() {
        let plain = Dpo::default();
        let smoothed = Dpo { label_smoothing: 0.1, ..Dpo::default() };
        let golden = [
            (DpoLoss::Sigmoid, &plain, 0.653947),
            (DpoLoss::Hinge, &plain, 0.92),
            (DpoLoss::Ipo, &plain, 21.855625),
            (DpoLoss::Robust, &smoothed, 0.643947),
            (DpoLoss::ExoPair, &smoothed, 0.467704),
            (DpoLoss::NcaPair, &plain, 1.366819),
            (DpoLoss::BcoPair, &plain, 1.346719),
            (DpoLoss::SppoHard, &plain, 42.34),
            (DpoLoss::ApoZero, &plain, 0.980003),
            (DpoLoss::ApoDown, &plain, 0.992508),
            (DpoLoss::Discopop, &plain, 0.877901),
            (DpoLoss::SigmoidNorm, &plain, 0.677029),
        ];
        for (loss, dpo, wanted) in golden {
            let got = term(dpo, loss, 0.5, -0.3).value;
            assert!((got - wanted).abs() < 1e-6, "{loss:?}: {got} is not {wanted}");
        }
        let slope = term(&plain, DpoLoss::Sigmoid, 0.5, -0.3).chosen;
        assert!((slope + 0.048001).abs() < 1e-6);
        let forward = Dpo { f_divergence: FDivergence::ForwardKl, ..Dpo::default() };
        assert!((term(&forward, DpoLoss::Ipo, 0.5, -0.3).value - 22.238776).abs() < 1e-6);
    }

    #[test]
    fn slopes_are_central_differences() {
        let h = 1e-6;
        let divergences =
            [FDivergence::ReverseKl, FDivergence::ForwardKl, FDivergence::JensenShannon];
        for (loss, beta) in DpoLoss::ALL.into_iter().flat_map(|loss| [(loss, 0.1), (loss, 1.5)]) {
            for f_divergence in divergences {
                let dpo = Dpo { beta, label_smoothing: 0.2, f_divergence, ..Dpo::default() };
                for (c, j) in [(0.5, -0.3), (-2.0, 1.0), (0.0, 0.0), (3.0, 2.9), (-7.0, -4.0)] {
                    let [chosen, rejected] = pair(f_divergence, c, j);
                    let Some(got) = loss.term(&dpo, &chosen, &rejected) else { continue };
                    let at = |c, j| term(&dpo, loss, c, j).value;
                    let by_c = (at(c + h, j) - at(c - h, j)) / (2.0 * h);
                    let by_j = (at(c, j + h) - at(c, j - h)) / (2.0 * h);
                    let close = |x: f64, y: f64| (x - y).abs() <= 1e-6 * (1.0 + y.abs());
                    assert!(close(got.chosen, by_c), "{loss:?} {dpo:?} by c at {c}, {j}");
                    assert!(close(got.rejected, by_j), "{loss:?} {dpo:?} by j at {c}, {j}");
                }
            }
        }
    }

    #[test]
    fn hundreds_of_nats_stay_finite() {
        for tau in [0.05, 2.0] {
            let dpo = Dpo { beta: 1.0, label_smoothing: 0.1, discopop_tau: tau, ..Dpo::default() };
            for loss in DpoLoss::ALL {
                for (c, j) in [(900.0, -900.0), (-900.0, 900.0), (-900.0, -900.0)] {
                    let [chosen, rejected] = pair(FDivergence::ReverseKl, c, j);
                    let Some(got) = loss.term(&dpo, &chosen, &rejected) else { continue };
                    let all = [got.value, got.chosen, got.rejected];
                    assert!(all.iter().all(|x| x.is_finite()), "{loss:?} at {c}, {j}: {all:?}");
                }
            }
        }
    }

    #[test]
    fn names_are_read_back_and_unknown_ones_listed() {
        for loss in DpoLoss::ALL {
            assert_eq!(loss.as_str().parse(), Ok(loss));
        }
        let problem = "kto_pair".parse::<DpoLoss>().unwrap_err();
        assert_eq!(problem.key, "loss_type");
        for loss in DpoLoss::ALL {
            assert!(problem.allowed.contains(loss.as_str()), "{loss:?}");
        }
    }
}
