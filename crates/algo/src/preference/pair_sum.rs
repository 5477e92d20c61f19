//! DPO's losses, weighed and added up over the pairs of a micro-batch.
//!
//! Each loss gives slopes with respect to the summed log-probs of both answers of a pair; only at
//! the end do they become gradients of single tokens. `sft` alone is a loss of tokens, and `aot` and
//! `aot_unpaired` are losses of all pairs together.

use super::completion::Completion;
use super::dpo_loss::{PairTerm, Score};
use super::logistic::smoothed_log_loss;
use super::transport::transport;
use crate::{
    Dpo, DpoLoss, Pair, PairGradients, PairOutput, PairTotals, PreferenceStats, WeightedLoss,
};

/// What all losses of a micro-batch add up to.
pub(crate) struct PairSum<'a> {
    dpo: &'a Dpo,
    pairs: &'a [Pair<'a>],
    totals: PairTotals,
    scored: Vec<ScoredPair>,
    loss: f64,
    /// By the summed log-probs of chosen and rejected answer of each pair.
    slopes: Vec<[f64; 2]>,
    /// By each chosen token, beside the above.
    token_slope: f64,
    stats: PreferenceStats,
}

/// Both sides of a pair, and what the pair weighs.
struct ScoredPair {
    chosen: Score,
    rejected: Score,
    weight: f64,
}

impl<'a> PairSum<'a> {
    /// Adds up nothing yet.
    pub(crate) fn new(dpo: &'a Dpo, pairs: &'a [Pair<'a>], totals: PairTotals) -> PairSum<'a> {
        let scored: Vec<ScoredPair> = pairs.iter().map(|pair| score(dpo, pair)).collect();
        let mut stats = PreferenceStats::default();
        for ScoredPair { chosen, rejected, .. } in &scored {
            stats.push_rewards(dpo.beta * chosen.log_ratio(), dpo.beta * rejected.log_ratio());
            stats.push_logprobs(chosen.logprob, rejected.logprob);
        }
        let slopes = vec![[0.0; 2]; pairs.len()];
        PairSum { dpo, pairs, totals, scored, loss: 0.0, slopes, token_slope: 0.0, stats }
    }

    /// Adds one loss.
    pub(crate) fn add(&mut self, WeightedLoss { loss, weight }: WeightedLoss) {
        match loss {
            DpoLoss::Sft => self.add_likelihood(weight),
            DpoLoss::Aot | DpoLoss::AotUnpaired => self.add_transport(loss, weight),
            _ => self.add_pairwise(loss, weight),
        }
    }

    /// The sum, and the gradients of tokens.
    pub(crate) fn finish(self) -> PairOutput {
        let gradients = self.pairs.iter().zip(&self.slopes).map(|(pair, &[chosen, rejected])| {
            let tail = Tail::of(self.dpo, pair);
            PairGradients {
                chosen: tail.gradients(&pair.chosen, chosen, self.token_slope),
                rejected: tail.gradients(&pair.rejected, rejected, 0.0),
            }
        });
        PairOutput { loss: self.loss, gradients: gradients.collect(), stats: self.stats }
    }

    fn add_pairwise(&mut self, loss: DpoLoss, weight: f64) {
        for (pair, slopes) in self.scored.iter().zip(&mut self.slopes) {
            let PairTerm { value, chosen, rejected } =
                loss.term(self.dpo, &pair.chosen, &pair.rejected).unwrap_or_default();
            let weight = weight * pair.weight * self.totals.pair_weight();
            self.loss += weight * value;
            slopes[0] += weight * chosen;
            slopes[1] += weight * rejected;
        }
    }

    fn add_transport(&mut self, loss: DpoLoss, weight: f64) {
        let unpaired = loss == DpoLoss::AotUnpaired;
        let compared = |pair: &ScoredPair| {
            let ScoredPair { chosen, rejected, .. } = pair;
            if unpaired {
                (chosen.log_ratio(), rejected.log_ratio())
            } else {
                (chosen.logprob - rejected.logprob, chosen.reference - rejected.reference)
            }
        };
        let (left, right): (Vec<f64>, Vec<f64>) = self.scored.iter().map(compared).unzip();
        let beta = self.dpo.beta;
        let cost = |delta: f64| smoothed_log_loss(beta * delta, self.dpo.label_smoothing);
        let matched = transport(&left, &right, cost);
        let weight = weight * self.totals.pair_weight();
        self.loss += weight * matched.value;
        for (i, slopes) in self.slopes.iter_mut().enumerate() {
            // Paired, the reference stands on the right and has no slope.
            let rejected = if unpaired { matched.right[i] } else { -matched.left[i] };
            slopes[0] += weight * beta * matched.left[i];
            slopes[1] += weight * beta * rejected;
        }
    }

    fn add_likelihood(&mut self, weight: f64) {
        let weight = weight * self.totals.chosen_token_weight();
        for &logprob in self.pairs.iter().flat_map(|pair| pair.chosen.logprobs) {
            self.loss -= weight * f64::from(logprob);
            self.stats.nll.push(-f64::from(logprob));
        }
        self.token_slope -= weight;
    }
}

/// Tokens from `from` on weigh `weight`, the others 1.
#[derive(Clone, Copy)]
struct Tail {
    from: usize,
    weight: f64,
}

impl Tail {
    /// Of LD-DPO: the tokens beyond the length that both answers have.
    fn of(dpo: &Dpo, pair: &Pair<'_>) -> Tail {
        let shared = pair.chosen.logprobs.len().min(pair.rejected.logprobs.len());
        Tail { from: shared, weight: dpo.ld_alpha.unwrap_or(1.0) }
    }

    fn weight(self, token: usize) -> f64 {
        if token < self.from { 1.0 } else { self.weight }
    }

    fn sum(self, values: &[f32]) -> f64 {
        let weighted = |(t, &value)| self.weight(t) * f64::from(value);
        values.iter().enumerate().map(weighted).sum()
    }

    fn gradients(self, completion: &Completion<'_>, slope: f64, token_slope: f64) -> Vec<f32> {
        let gradient = |t: usize| (slope * self.weight(t) + token_slope) as f32;
        (0..completion.logprobs.len()).map(gradient).collect()
    }
}

fn score(dpo: &Dpo, pair: &Pair<'_>) -> ScoredPair {
    let tail = Tail::of(dpo, pair);
    let side = |completion: &Completion<'_>| {
        let logprob = tail.sum(completion.logprobs);
        let reference = match completion.reference {
            Some(reference) if !dpo.reference_free => tail.sum(reference),
            _ => 0.0,
        };
        let reward = dpo.f_divergence.score(logprob - reference);
        Score { logprob, reference, n_tokens: completion.n_tokens(), reward }
    };
    let likely = || likelihood(&pair.chosen) * likelihood(&pair.rejected);
    ScoredPair {
        chosen: side(&pair.chosen),
        rejected: side(&pair.rejected),
        weight: if dpo.use_weighting { likely() } else { 1.0 },
    }
}

/// exp(mean_t(log p - log sum_v p_v²)). It cannot overflow: p / sum_v p_v² is at most the vocabulary's
/// size.
fn likelihood(completion: &Completion<'_>) -> f64 {
    let squares = completion.log_sum_squares.unwrap_or_default();
    let log_ratio = |(&p, &square): (&f32, &f32)| f64::from(p) - f64::from(square);
    let total: f64 = completion.logprobs.iter().zip(squares).map(log_ratio).sum();
    (total / completion.n_tokens()).exp()
}
