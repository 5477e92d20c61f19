//! Held-out preferences in figures.
//!
//! | name | pairs | answers judged alone |
//! |---|---|---|
//! | `accuracy` | share of pairs whose chosen answer has the larger reward | AUROC of the rewards |
//! | `margin` | mean difference of both rewards | difference of the mean rewards |
//! | `loss` | mean loss | mean loss |
//!
//! The accuracy also stands where evaluations of conversations have their reward, so that reports, early
//! stopping and the choice of the best checkpoint read it. Intervals are percentile bootstraps over
//! examples; that of an AUROC resamples the good answers' shares of bad ones below them, and so holds
//! the bad answers fixed.

use stateset_algo::{AlgoError, Bootstrap, Interval};
use stateset_core::{Purpose, RunSeed, StreamKey};

use super::step::Measured;
use crate::EvaluationSummary;

/// Resamples of each interval.
const N_RESAMPLES: usize = 2_000;

/// What the rewards of a held-out pair are, or that of an answer judged alone, which has one of the two.
///
/// The reward is the method's own: scaled log-prob ratios to the reference, scaled log-probs, or the
/// score of a reward model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnswerRewards {
    /// That of the chosen, or good, answer.
    pub chosen: Option<f64>,
    /// That of the rejected, or bad, answer.
    pub rejected: Option<f64>,
}

impl From<&Measured> for AnswerRewards {
    fn from(measured: &Measured) -> AnswerRewards {
        let stats = &measured.stats;
        AnswerRewards { chosen: stats.chosen_reward.get(), rejected: stats.rejected_reward.get() }
    }
}

/// Sums up what was measured after `step` steps.
pub(super) fn summary(
    measured: &[Measured],
    seed: RunSeed,
    step: u32,
) -> Result<EvaluationSummary, AlgoError> {
    let bootstrap = Bootstrap { n_resamples: N_RESAMPLES, ..Bootstrap::default() };
    let key = StreamKey { step, ..StreamKey::default() };
    let mut stream = seed.stream(Purpose::Bootstrap, key);
    let values = |of: fn(&Measured) -> Option<f64>| -> Vec<f64> {
        measured.iter().filter_map(of).filter(|value| value.is_finite()).collect()
    };
    let mut mean = |values: Vec<f64>| -> Result<Option<Interval>, AlgoError> {
        if values.is_empty() { Ok(None) } else { bootstrap.mean(&values, &mut stream).map(Some) }
    };
    let loss = mean(values(|m| Some(m.loss)))?;
    let accuracies = values(|m| m.stats.accuracy.get());
    let (accuracy, margin) = if accuracies.is_empty() {
        let good = values(|m| m.stats.chosen_reward.get());
        let bad = values(|m| m.stats.rejected_reward.get());
        let accuracy = mean(shares_below(&good, &bad))?;
        let comparable = !good.is_empty() && !bad.is_empty();
        let margin = comparable.then(|| bootstrap.difference(&good, &bad, &mut stream));
        (accuracy, margin.transpose()?)
    } else {
        (mean(accuracies)?, mean(values(|m| m.stats.margin()))?)
    };
    let named = [("accuracy", accuracy), ("margin", margin), ("loss", loss)];
    Ok(EvaluationSummary {
        reward: accuracy,
        components: named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect(),
        n_episodes: measured.len(),
        ..EvaluationSummary::default()
    })
}

/// For each good score the share of bad ones below it, a tie counting half; their mean is the AUROC.
fn shares_below(good: &[f64], bad: &[f64]) -> Vec<f64> {
    if bad.is_empty() {
        return Vec::new();
    }
    let share = |score: &f64| stateset_algo::auroc(&[*score], bad);
    good.iter().filter_map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(chosen: f64, rejected: f64) -> Measured {
        let mut stats = stateset_algo::PreferenceStats::default();
        stats.chosen_reward.push(chosen);
        stats.rejected_reward.push(rejected);
        stats.accuracy.push(f64::from(u8::from(chosen > rejected)));
        Measured { loss: 0.5, stats }
    }

    fn judged(reward: f64, is_good: bool) -> Measured {
        let mut stats = stateset_algo::PreferenceStats::default();
        match is_good {
            true => stats.chosen_reward.push(reward),
            false => stats.rejected_reward.push(reward),
        }
        Measured { loss: 1.0, stats }
    }

    #[test]
    fn pairs_have_accuracy_margin_and_loss() {
        let all = [pair(1.0, 0.0), pair(0.5, 1.0), pair(2.0, 0.0), pair(1.0, 0.5)];
        let summary = summary(&all, RunSeed(1), 3).unwrap();
        assert_eq!(summary.reward.unwrap().estimate, 0.75);
        assert_eq!(summary.components["margin"].estimate, 0.75);
        assert_eq!(summary.components["loss"].estimate, 0.5);
        assert_eq!(summary.n_episodes, 4);
    }

    #[test]
    fn answers_judged_alone_have_an_auroc() {
        let all = [judged(1.0, true), judged(0.0, true), judged(0.5, false), judged(-1.0, false)];
        let summary = summary(&all, RunSeed(1), 3).unwrap();
        assert_eq!(summary.reward.unwrap().estimate, 0.75);
        assert_eq!(summary.components["margin"].estimate, 0.75);
        let one_kind = super::summary(&all[..2], RunSeed(1), 3).unwrap();
        assert_eq!(one_kind.reward, None);
    }
}
