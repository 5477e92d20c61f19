//! The numbers of one optimiser step, added up over micro-batches and given names.
//!
//! | name | what |
//! |---|---|
//! | `loss`, `loss/policy`, `loss/kl`, `loss/entropy_bonus` | the loss and its parts; loss = policy + kl - bonus + value + example |
//! | `loss/value`, `loss/example` | the critic's part, and that of positive examples, weighted |
//! | `ratio/mean`, `min`, `max`, `std` | current to old policy, by token (population deviation) |
//! | `ratio/row_product`, `ratio/row_geometric` | the same by row, mean over rows |
//! | `drift/k1`, `k2`, `k3` | KL of old to current policy, three estimators |
//! | `clip/low`, `high`, `region` | share of tokens clipped; `region` is either side |
//! | `clip/row_low`, `clip/row_high` | mean over rows of a row's share: of sequences, where they are clipped as one |
//! | `clip/low_min`, `clip/high_max` | least and largest share of a row |
//! | `entropy` | nats |
//! | `reference_kl`, `reference_k1` | k3 and k1 of current to reference policy |
//! | `value/explained_variance` | share of the targets' variance that the critic foresees |
//! | `value/mean`, `value/target_mean`, `value/error_std`, `value/clip_share` | what it says, was to say, is off by; share of clipped tokens |
//! | `preference/accuracy`, `margin`, `chosen`, `rejected` | share of pairs told apart; rewards of both and their difference |
//! | `mismatch/kl` | k3 of behaviour to current policy |
//! | `mismatch/gap_mean`, `gap_max` | abs(old - behaviour) |
//! | `mismatch/perplexity_ratio` | exp(mean(behaviour - old)) |
//! | `mismatch/weight_mean`, `min`, `max`, `std` | exp(old - behaviour), by token |
//! | `mismatch/row_product`, `mismatch/row_geometric` | the same by row, mean over rows |
//! | `mismatch/ess`, `mismatch/ess_rows` | effective share of tokens, of rows |
//! | `mismatch/chi2`, `mismatch/chi2_rows` | mean squared weight - 1 |
//! | `reward/mean`, `min`, `max` | scorable total rewards |
//! | `reward/std` | Bessel deviation over the step (TRL's `reward_std`) |
//! | `reward/group_std` | mean of the groups' population deviations |
//! | `reward/dead_share`, `all_correct_share`, `all_wrong_share`, `unscorable_share` | shares of trajectories |
//! | `length/mean`, `length/max`, `length/truncated_share` | sampled tokens of a trajectory |
//!
//! A number that nothing was recorded for is absent, never 0. Gradient norms and tool calls are the
//! engine's and the trainer's to report.

use std::collections::BTreeMap;

use super::{Mean, Moments, RewardStats, TokenStats, ValueStats};
use crate::PreferenceStats;

/// Statistics of a step, of a part of it, or of several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics {
    /// Policy part of the loss.
    pub policy_loss: f64,
    /// KL part of the loss, weighted.
    pub kl_loss: f64,
    /// Entropy bonus, weighted; the loss has it with a minus.
    pub entropy_bonus: f64,
    /// The critic's part of the loss, weighted.
    pub value_loss: f64,
    /// Part of positive examples in the loss, weighted.
    pub example_loss: f64,
    /// Rewards, groups and lengths; filled by the plan.
    pub rewards: RewardStats,
    /// Tokens and rows; filled by the loss.
    pub tokens: TokenStats,
    /// The critic; filled by the loss.
    pub values: ValueStats,
    /// Preferred and rejected completions; filled by the loss.
    pub preferences: PreferenceStats,
}

impl Diagnostics {
    /// The loss of everything recorded.
    pub fn loss(&self) -> f64 {
        self.policy_loss + self.kl_loss - self.entropy_bonus + self.value_loss + self.example_loss
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &Diagnostics) {
        self.policy_loss += other.policy_loss;
        self.kl_loss += other.kl_loss;
        self.entropy_bonus += other.entropy_bonus;
        self.value_loss += other.value_loss;
        self.example_loss += other.example_loss;
        self.rewards.add(&other.rewards);
        self.tokens.add(&other.tokens);
        self.values.add(&other.values);
        self.preferences.add(&other.preferences);
    }

    /// The numbers by name.
    pub fn finish(&self) -> BTreeMap<&'static str, f64> {
        let mut named = BTreeMap::new();
        let has_values = self.values.targets.count() > 0;
        let has_pairs = self.preferences != PreferenceStats::default();
        if self.tokens.ratio.count() > 0 || has_values || has_pairs || self.loss() != 0.0 {
            self.name_losses(&mut named);
        }
        if self.tokens.ratio.count() > 0 {
            self.name_policy(&mut named);
        }
        if has_values {
            self.name_values(&mut named);
        }
        named.extend(self.preferences.finish());
        if self.tokens.mismatch_weight.count() > 0 {
            self.name_mismatch(&mut named);
        }
        self.name_rewards(&mut named);
        named
    }

    fn name_losses(&self, named: &mut BTreeMap<&'static str, f64>) {
        named.insert("loss", self.loss());
        named.insert("loss/policy", self.policy_loss);
        named.insert("loss/kl", self.kl_loss);
        named.insert("loss/entropy_bonus", self.entropy_bonus);
        if self.values.targets.count() > 0 {
            named.insert("loss/value", self.value_loss);
        }
        if self.example_loss != 0.0 {
            named.insert("loss/example", self.example_loss);
        }
    }

    fn name_values(&self, named: &mut BTreeMap<&'static str, f64>) {
        let stats = &self.values;
        if let Some(share) = stats.explained_variance() {
            named.insert("value/explained_variance", share);
        }
        named.insert("value/mean", stats.values.mean());
        named.insert("value/target_mean", stats.targets.mean());
        named.insert("value/error_std", stats.errors.population_std());
        named.insert("value/clip_share", stats.n_clipped as f64 / stats.targets.count() as f64);
    }

    fn name_policy(&self, named: &mut BTreeMap<&'static str, f64>) {
        let tokens = &self.tokens;
        let names = ["ratio/mean", "ratio/min", "ratio/max", "ratio/std"];
        name_moments(named, names, &tokens.ratio);
        named.insert("ratio/row_product", tokens.row_ratio.mean());
        named.insert("ratio/row_geometric", tokens.row_ratio_geometric.mean());
        name_mean(named, "drift/k1", &tokens.drift_k1);
        name_mean(named, "drift/k2", &tokens.drift_k2);
        name_mean(named, "drift/k3", &tokens.drift_k3);
        name_mean(named, "clip/low", &tokens.clipped_low);
        name_mean(named, "clip/high", &tokens.clipped_high);
        if let (Some(low), Some(high)) = (tokens.clipped_low.get(), tokens.clipped_high.get()) {
            named.insert("clip/region", low + high);
        }
        named.insert("clip/row_low", tokens.row_clipped_low.mean());
        named.insert("clip/row_high", tokens.row_clipped_high.mean());
        named.insert("clip/low_min", tokens.row_clipped_low.min());
        named.insert("clip/high_max", tokens.row_clipped_high.max());
        name_mean(named, "entropy", &tokens.entropy);
        name_mean(named, "reference_kl", &tokens.reference_kl);
        name_mean(named, "reference_k1", &tokens.reference_k1);
    }

    fn name_mismatch(&self, named: &mut BTreeMap<&'static str, f64>) {
        let tokens = &self.tokens;
        name_mean(named, "mismatch/kl", &tokens.mismatch_kl);
        named.insert("mismatch/gap_mean", tokens.mismatch_gap.mean());
        named.insert("mismatch/gap_max", tokens.mismatch_gap.max());
        if let Some(log) = tokens.mismatch_log.get() {
            named.insert("mismatch/perplexity_ratio", log.exp());
        }
        let names = [
            "mismatch/weight_mean",
            "mismatch/weight_min",
            "mismatch/weight_max",
            "mismatch/weight_std",
        ];
        name_moments(named, names, &tokens.mismatch_weight);
        named.insert("mismatch/row_product", tokens.row_mismatch_weight.mean());
        named.insert("mismatch/row_geometric", tokens.row_mismatch_geometric.mean());
        if let Some(share) = tokens.mismatch_weight.effective_share() {
            named.insert("mismatch/ess", share);
        }
        if let Some(share) = tokens.row_mismatch_weight.effective_share() {
            named.insert("mismatch/ess_rows", share);
        }
        named.insert("mismatch/chi2", tokens.mismatch_weight.mean_square() - 1.0);
        named.insert("mismatch/chi2_rows", tokens.row_mismatch_weight.mean_square() - 1.0);
    }

    fn name_rewards(&self, named: &mut BTreeMap<&'static str, f64>) {
        let stats = &self.rewards;
        if stats.rewards.count() > 0 {
            named.insert("reward/mean", stats.rewards.mean());
            named.insert("reward/min", stats.rewards.min());
            named.insert("reward/max", stats.rewards.max());
            named.insert("reward/std", stats.rewards.sample_std());
        }
        name_mean(named, "reward/group_std", &stats.group_std);
        name_mean(named, "reward/dead_share", &stats.dead);
        name_mean(named, "reward/all_correct_share", &stats.all_correct);
        name_mean(named, "reward/all_wrong_share", &stats.all_wrong);
        name_mean(named, "reward/unscorable_share", &stats.unscorable);
        name_mean(named, "length/truncated_share", &stats.truncated);
        if stats.lengths.count() > 0 {
            named.insert("length/mean", stats.lengths.mean());
            named.insert("length/max", stats.lengths.max());
        }
    }
}

fn name_mean(named: &mut BTreeMap<&'static str, f64>, name: &'static str, mean: &Mean) {
    if let Some(value) = mean.get() {
        named.insert(name, value);
    }
}

/// `names`: of mean, minimum, maximum and population deviation.
fn name_moments(
    named: &mut BTreeMap<&'static str, f64>,
    names: [&'static str; 4],
    moments: &Moments,
) {
    let values = [moments.mean(), moments.min(), moments.max(), moments.population_std()];
    named.extend(names.into_iter().zip(values));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClipSide, RowStats, TokenFacts};

    #[test]
    fn nothing_recorded_names_nothing() {
        assert_eq!(Diagnostics::default().finish(), BTreeMap::new());
    }

    /// Two rows: one token with u = 2 and ratio 1, two tokens with u = 1/2 and ratio 3/2.
    #[test]
    fn names_and_numbers() {
        let mut diagnostics = Diagnostics::default();
        for (n_tokens, u, rho) in [(1, 2.0f64, 1.0f64), (2, 0.5, 1.5)] {
            let mut row = RowStats::default();
            for _ in 0..n_tokens {
                let token = TokenFacts {
                    current: -1.0 + rho.ln(),
                    old: -1.0,
                    behaviour: -1.0 - u.ln(),
                    reference: Some(-1.0),
                    entropy: u,
                    ratio: rho,
                    clipped: (rho > 1.2).then_some(ClipSide::High),
                };
                diagnostics.tokens.record(&token, &mut row);
            }
            diagnostics.tokens.record_row(&row);
        }
        let named = diagnostics.finish();
        let k3_of = |rho: f64| rho - 1.0 - rho.ln();
        let wanted = [
            ("ratio/mean", 4.0 / 3.0),
            ("ratio/row_product", (1.0 + 2.25) / 2.0),
            ("ratio/row_geometric", 1.25),
            ("drift/k1", -2.0 * 1.5f64.ln() / 3.0),
            ("drift/k3", 2.0 * k3_of(1.5) / 3.0),
            ("clip/high", 2.0 / 3.0),
            ("clip/low", 0.0),
            ("clip/region", 2.0 / 3.0),
            ("clip/high_max", 1.0),
            ("entropy", 1.0),
            ("reference_kl", 2.0 * k3_of(1.0 / 1.5) / 3.0),
            ("mismatch/kl", (k3_of(2.0) + 2.0 * k3_of(0.75)) / 3.0),
            ("mismatch/gap_mean", 2f64.ln()),
            ("mismatch/gap_max", 2f64.ln()),
            ("mismatch/perplexity_ratio", 2f64.powf(1.0 / 3.0)),
            ("mismatch/weight_mean", 1.0),
            ("mismatch/weight_std", 0.5f64.sqrt()),
            ("mismatch/row_product", 1.125),
            ("mismatch/row_geometric", 1.25),
            ("mismatch/ess", 9.0 / (3.0 * 4.5)),
            ("mismatch/chi2", 0.5),
            ("mismatch/chi2_rows", (4.0 + 0.0625) / 2.0 - 1.0),
        ];
        for (name, wanted) in wanted {
            assert!(
                (named[name] - wanted).abs() < 1e-12,
                "{name}: {} is not {wanted}",
                named[name]
            );
        }
        assert!(!named.contains_key("reward/mean"));
    }

    #[test]
    fn the_bonus_lowers_the_loss() {
        let mut both = Diagnostics { policy_loss: 1.0, entropy_bonus: 0.005, ..Default::default() };
        assert_eq!(both.loss(), 0.995);
        both.add(&Diagnostics { kl_loss: 0.5, ..Default::default() });
        assert_eq!(both.loss(), 1.495);
    }
}
