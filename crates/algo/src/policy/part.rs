//! The rows of one trajectory, as far as a micro-batch holds them: its tokens in one line, what they
//! weigh, and what is recorded of them.

use super::off_policy_mask;
use crate::{
    Diagnostics, Plan, PolicyGradient, RowScores, RowStats, Sequence, Surrogate, TokenLoss,
};

/// The rows of one trajectory in a micro-batch.
pub(super) struct Part<'p, 's> {
    /// All rows of the micro-batch, and the weight of a token of each.
    pub(super) rows: &'p [RowScores<'s>],
    pub(super) weights: &'p [f64],
    /// Which of them are the trajectory's.
    pub(super) members: &'p [usize],
}

impl Part<'_, '_> {
    /// (row of the micro-batch, token) of every loss token.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let of_row =
            |&index: &usize| (0..self.rows[index].logprobs.len()).map(move |token| (index, token));
        self.members.iter().flat_map(of_row)
    }

    pub(super) fn sequence(&self, plan: &Plan<'_>) -> Sequence {
        let mut sequence = Sequence::default();
        for &index in self.members {
            let row = plan.row(&self.rows[index]);
            let current = self.rows[index].logprobs;
            sequence.current.extend(current.iter().map(|lp| f64::from(*lp)));
            sequence.old.extend(row.data.old.unwrap_or(current).iter().map(|lp| f64::from(*lp)));
            sequence.behaviour.extend(row.data.behaviour.iter().map(|lp| f64::from(*lp)));
            sequence.advantages.extend_from_slice(&row.credit.advantages);
            sequence.kept.extend(&row.kept);
            sequence.context = plan.contexts.get(row.data.trajectory).copied().unwrap_or(0.0);
        }
        sequence
    }

    /// What each token's surrogate weighs: the aggregation, and what masks and corrections leave.
    pub(super) fn policy_weights(
        &self,
        plan: &Plan<'_>,
        method: &PolicyGradient,
        sequence: &Sequence,
    ) -> Vec<f64> {
        // GMPO has the choice of tokens inside its mean.
        let is_chosen_inside = matches!(method.surrogate, Surrogate::Gmpo(_));
        let mut weights: Vec<f64> = (self.tokens())
            .map(|(index, token)| {
                let kept = &plan.row(&self.rows[index]).kept;
                let is_kept = is_chosen_inside || kept.get(token).copied().unwrap_or(true);
                if is_kept { self.weights[index] } else { 0.0 }
            })
            .collect();
        if let Some(delta) = method.off_policy_delta {
            let near = off_policy_mask(sequence, delta);
            weights.iter_mut().zip(near).for_each(|(w, near)| *w *= f64::from(u8::from(near)));
        }
        // VESPO has the correction inside its own weight.
        let is_inside = matches!(method.surrogate, Surrogate::Vespo(_));
        if let Some(correction) = method.correction.as_ref().filter(|_| !is_inside) {
            let factors = correction.weights(sequence);
            weights.iter_mut().zip(factors).for_each(|(w, factor)| *w *= factor);
        }
        weights
    }

    pub(super) fn record(&self, plan: &Plan<'_>, losses: &[TokenLoss], stats: &mut Diagnostics) {
        let mut all = losses.iter();
        for &index in self.members {
            let (row, scores) = (plan.row(&self.rows[index]), &self.rows[index]);
            let mut row_stats = RowStats::default();
            for (token, loss) in (0..scores.logprobs.len()).zip(all.by_ref()) {
                let mut facts = row.facts(scores, token);
                (facts.ratio, facts.clipped) = (loss.ratio, loss.clipped);
                stats.tokens.record(&facts, &mut row_stats);
            }
            stats.tokens.record_row(&row_stats);
        }
    }
}
