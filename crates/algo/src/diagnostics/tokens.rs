//! What the loss tokens of a step look like to the current policy.
//!
//! Three policies meet here: *behaviour* sampled the token, *old* is the policy at the start of the
//! update phase, *current* is being trained. Their differences have names: the *ratio* (current to
//! old) is what clipping acts on, the *drift* measures it as a KL, the *mismatch* (old to behaviour)
//! is what another engine, precision or weight version adds.
//!
//! Sequence-level numbers are taken over rows, because a row is what is never split.

use super::{Mean, Moments};
use crate::{k1, k2, k3, ratio};

/// The side on which a ratio left the clip range while the advantage pushed it further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipSide {
    /// Ratio below the range, advantage negative.
    Low,
    /// Ratio above the range, advantage positive.
    High,
}

/// What is known of one loss token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenFacts {
    /// Log-prob under the current policy.
    pub current: f64,
    /// Log-prob under the old policy.
    pub old: f64,
    /// Log-prob under the policy that sampled it; not finite where unknown.
    pub behaviour: f64,
    /// Log-prob under the reference policy, where there is one.
    pub reference: Option<f64>,
    /// Entropy of the current policy, nats.
    pub entropy: f64,
    /// Ratio of current to old, clamped.
    pub ratio: f64,
    /// Whether the clip range acted.
    pub clipped: Option<ClipSide>,
}

/// Sums over the tokens of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowStats {
    n_tokens: u32,
    log_ratio: f64,
    n_known: u32,
    log_mismatch: f64,
    n_clipped_low: u32,
    n_clipped_high: u32,
}

/// Statistics of loss tokens and rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenStats {
    /// Ratio of current to old policy.
    pub ratio: Moments,
    /// Product of the ratios of each row.
    pub row_ratio: Moments,
    /// Geometric mean of the ratios of each row.
    pub row_ratio_geometric: Moments,
    /// old - current.
    pub drift_k1: Mean,
    /// (old - current)² / 2.
    pub drift_k2: Mean,
    /// ratio - 1 - log ratio.
    pub drift_k3: Mean,
    /// Share of tokens clipped below.
    pub clipped_low: Mean,
    /// Share of tokens clipped above.
    pub clipped_high: Mean,
    /// Each row's share of tokens clipped below.
    pub row_clipped_low: Moments,
    /// Each row's share of tokens clipped above.
    pub row_clipped_high: Moments,
    /// Entropy of the current policy, nats.
    pub entropy: Mean,
    /// k3 of current to reference policy.
    pub reference_kl: Mean,
    /// Log-prob of current minus reference policy.
    pub reference_k1: Mean,
    /// k3 of behaviour to current policy.
    pub mismatch_kl: Mean,
    /// |old - behaviour|.
    pub mismatch_gap: Moments,
    /// behaviour - old.
    pub mismatch_log: Mean,
    /// exp(old - behaviour).
    pub mismatch_weight: Moments,
    /// Product of the mismatch weights of each row.
    pub row_mismatch_weight: Moments,
    /// Geometric mean of the mismatch weights of each row.
    pub row_mismatch_geometric: Moments,
}

impl TokenStats {
    /// Takes in one token of the row whose sums are `row`.
    pub fn record(&mut self, token: &TokenFacts, row: &mut RowStats) {
        let drift = token.old - token.current;
        self.ratio.push(token.ratio);
        self.drift_k1.push(k1(drift).value);
        self.drift_k2.push(k2(drift).value);
        self.drift_k3.push(k3(drift).value);
        self.entropy.push(token.entropy);
        let (low, high) =
            (token.clipped == Some(ClipSide::Low), token.clipped == Some(ClipSide::High));
        self.clipped_low.push(f64::from(u8::from(low)));
        self.clipped_high.push(f64::from(u8::from(high)));
        if let Some(reference) = token.reference {
            self.reference_kl.push(k3(token.current - reference).value);
            self.reference_k1.push(token.current - reference);
        }
        row.n_tokens += 1;
        row.log_ratio -= drift;
        row.n_clipped_low += u32::from(low);
        row.n_clipped_high += u32::from(high);
        if token.behaviour.is_finite() {
            self.record_mismatch(token, row);
        }
    }

    /// Takes in a row whose tokens have all been recorded. A row without tokens counts nowhere.
    pub fn record_row(&mut self, row: &RowStats) {
        if row.n_tokens > 0 {
            let n = f64::from(row.n_tokens);
            self.row_ratio.push(ratio(row.log_ratio).value);
            self.row_ratio_geometric.push(ratio(row.log_ratio / n).value);
            self.row_clipped_low.push(f64::from(row.n_clipped_low) / n);
            self.row_clipped_high.push(f64::from(row.n_clipped_high) / n);
        }
        if row.n_known > 0 {
            self.row_mismatch_weight.push(ratio(row.log_mismatch).value);
            let mean = row.log_mismatch / f64::from(row.n_known);
            self.row_mismatch_geometric.push(ratio(mean).value);
        }
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &TokenStats) {
        self.ratio.add(&other.ratio);
        self.row_ratio.add(&other.row_ratio);
        self.row_ratio_geometric.add(&other.row_ratio_geometric);
        self.drift_k1.add(&other.drift_k1);
        self.drift_k2.add(&other.drift_k2);
        self.drift_k3.add(&other.drift_k3);
        self.clipped_low.add(&other.clipped_low);
        self.clipped_high.add(&other.clipped_high);
        self.row_clipped_low.add(&other.row_clipped_low);
        self.row_clipped_high.add(&other.row_clipped_high);
        self.entropy.add(&other.entropy);
        self.reference_kl.add(&other.reference_kl);
        self.reference_k1.add(&other.reference_k1);
        self.mismatch_kl.add(&other.mismatch_kl);
        self.mismatch_gap.add(&other.mismatch_gap);
        self.mismatch_log.add(&other.mismatch_log);
        self.mismatch_weight.add(&other.mismatch_weight);
        self.row_mismatch_weight.add(&other.row_mismatch_weight);
        self.row_mismatch_geometric.add(&other.row_mismatch_geometric);
    }

    fn record_mismatch(&mut self, token: &TokenFacts, row: &mut RowStats) {
        let log_mismatch = token.old - token.behaviour;
        self.mismatch_kl.push(k3(token.behaviour - token.current).value);
        self.mismatch_gap.push(log_mismatch.abs());
        self.mismatch_log.push(-log_mismatch);
        self.mismatch_weight.push(ratio(log_mismatch).value);
        row.n_known += 1;
        row.log_mismatch += log_mismatch;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(log_ratio: f64, log_mismatch: f64) -> TokenFacts {
        let old = -1.0;
        TokenFacts {
            current: old + log_ratio,
            old,
            behaviour: old - log_mismatch,
            reference: None,
            entropy: 0.5,
            ratio: ratio(log_ratio).value,
            clipped: None,
        }
    }

    fn record(tokens: &[TokenFacts]) -> TokenStats {
        let (mut stats, mut row) = (TokenStats::default(), RowStats::default());
        for token in tokens {
            stats.record(token, &mut row);
        }
        stats.record_row(&row);
        stats
    }

    fn assert_close(got: Option<f64>, wanted: f64) {
        let got = got.unwrap();
        assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
    }

    #[test]
    fn golden_drift() {
        let stats = record(&[0.3, -0.4, 0.0, 0.05].map(|log_ratio| token(log_ratio, 0.0)));
        assert_close(stats.drift_k1.get(), 0.0125);
        assert_close(stats.drift_k2.get(), 0.031563);
        assert_close(stats.drift_k3.get(), 0.030362);
    }

    #[test]
    fn golden_row_products_and_means() {
        let stats = record(&[1.1f64, 0.9, 1.2].map(|u| token(0.0, u.ln())));
        assert_close(Some(stats.row_mismatch_weight.mean()), 1.188);
        assert_close(Some(stats.row_mismatch_geometric.mean()), 1.059105);
        // Current equals old here, so the mismatch k3 is that of u.
        assert_close(stats.mismatch_kl.get(), 0.009243);
        let ratios = record(&[1.1f64, 0.9, 1.2].map(|rho| token(rho.ln(), 0.0)));
        assert_close(Some(ratios.row_ratio.mean()), 1.188);
        assert_close(Some(ratios.row_ratio_geometric.mean()), 1.059105);
    }

    #[test]
    fn golden_effective_sample_size_of_weights() {
        let stats = record(&[0.5f64, 1.0, 1.0, 4.0].map(|u| token(0.0, u.ln())));
        assert_close(stats.mismatch_weight.effective_share(), 0.578767);
    }

    #[test]
    fn an_unknown_behaviour_logprob_gives_no_mismatch_evidence() {
        let known = token(0.1, 0.2);
        let unknown = TokenFacts { behaviour: f64::NAN, ..token(0.3, 0.0) };
        let stats = record(&[known, unknown]);
        assert_eq!(stats.mismatch_weight.count(), 1);
        assert_eq!(stats.ratio.count(), 2);
        assert_close(Some(stats.row_mismatch_geometric.mean()), 0.2f64.exp());
    }

    #[test]
    fn clip_shares_by_token_and_by_row() {
        let clipped = |side| TokenFacts { clipped: Some(side), ..token(0.0, 0.0) };
        let mut stats = record(&[clipped(ClipSide::Low), token(0.0, 0.0)]);
        stats.add(&record(&[clipped(ClipSide::High)]));
        assert_close(stats.clipped_low.get(), 1.0 / 3.0);
        assert_close(stats.clipped_high.get(), 1.0 / 3.0);
        assert_eq!((stats.row_clipped_low.min(), stats.row_clipped_high.max()), (0.0, 1.0));
    }

    #[test]
    fn an_empty_row_counts_nowhere() {
        assert_eq!(record(&[]), TokenStats::default());
    }
}
