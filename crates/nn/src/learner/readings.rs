//! What a pass read of packed rows, and cutting it into the scores of each row.

use super::rows::{RowScores, TokenRow, Wants};
use crate::kernels::RowStats;

/// What was read of packed rows, in their order.
#[derive(Default)]
pub(super) struct Readings {
    /// Of each wanted token.
    pub(super) tokens: Vec<(RowStats, f32)>,
    /// Of each selected row: before the wanted tokens, then at the wanted ends.
    pub(super) values: Vec<f32>,
}

impl Readings {
    /// Cuts the flat lists into rows.
    pub(super) fn unpack(&self, rows: &[TokenRow<'_>], wants: Wants) -> Vec<RowScores> {
        let n_tokens: usize = rows.iter().map(TokenRow::n_wanted).sum();
        let (mut values, mut ends) = self.values.split_at(n_tokens.min(self.values.len()));
        let mut tokens = &self.tokens[..];
        let mut scores = Vec::with_capacity(rows.len());
        for row in rows {
            let n = row.n_wanted();
            let mut row_scores = RowScores::default();
            if wants.needs_logits() {
                let mine = take(&mut tokens, n);
                if wants.logprobs {
                    row_scores.logprobs = mine.iter().map(|(_, logprob)| *logprob).collect();
                }
                if wants.moments {
                    row_scores.entropies = mine.iter().map(|(stats, _)| stats.entropy).collect();
                    row_scores.log_sum_p2 =
                        mine.iter().map(|(stats, _)| stats.log_sum_p2).collect();
                }
            }
            if wants.values {
                row_scores.values = take(&mut values, n).to_vec();
                row_scores.values.extend(take(&mut ends, usize::from(row.wants_end)));
            }
            scores.push(row_scores);
        }
        scores
    }
}

/// Splits off the first `n`.
fn take<'a, T>(list: &mut &'a [T], n: usize) -> &'a [T] {
    let (first, rest) = list.split_at(n);
    *list = rest;
    first
}
