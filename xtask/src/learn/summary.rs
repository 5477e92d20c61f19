//! Means and intervals of a row over its seeds.
//!
//! The held-out items are the same for every seed, so an item's worth is averaged over the seeds first
//! and the items are resampled: the interval says how far the mean depends on which items there are.
//! How far it depends on the seed is shown by the intervals of single seeds.

use anyhow::{Result, ensure};
use stateset_algo::{Bootstrap, Interval};
use stateset_core::{Purpose, RunSeed, StreamKey};

use super::outcome::Outcome;

/// A row over its seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    /// Mean before training.
    pub(super) before: Interval,
    /// Mean after training.
    pub(super) after: Interval,
    /// Seeds whose own intervals do not overlap.
    pub(super) n_apart: usize,
}

impl Summary {
    /// Over these outcomes.
    pub(super) fn of(outcomes: &[Outcome]) -> Result<Summary> {
        let n_items = outcomes.first().map_or(0, |outcome| outcome.before.len());
        let is_whole = |o: &Outcome| o.before.len() == n_items && o.after.len() == n_items;
        ensure!(n_items > 0 && outcomes.iter().all(is_whole), "seeds have different items");
        let mut n_apart = 0;
        for outcome in outcomes {
            let apart = interval(&outcome.after)?.low > interval(&outcome.before)?.high;
            n_apart += usize::from(apart);
        }
        let mean = |of: fn(&Outcome) -> &[f64]| {
            let item = |i: usize| outcomes.iter().map(|o| of(o)[i]).sum::<f64>();
            (0..n_items).map(|i| item(i) / outcomes.len() as f64).collect::<Vec<f64>>()
        };
        Ok(Summary {
            before: interval(&mean(|outcome| &outcome.before))?,
            after: interval(&mean(|outcome| &outcome.after))?,
            n_apart,
        })
    }
}

/// The mean of some items with its 95 % interval.
pub(super) fn interval(items: &[f64]) -> Result<Interval> {
    let mut stream = RunSeed(0).stream(Purpose::Bootstrap, StreamKey::default());
    Ok(Bootstrap::default().mean(items, &mut stream)?)
}

/// Mean over seeds of a figure; `None` where a seed lacks it.
pub(super) fn mean_figure(outcomes: &[Outcome], name: &str) -> Option<f64> {
    let sum: f64 = outcomes.iter().map(|outcome| outcome.figure(name)).sum();
    let mean = sum / outcomes.len() as f64;
    mean.is_finite().then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(before: &[f64], after: &[f64]) -> Outcome {
        Outcome { before: before.to_vec(), after: after.to_vec(), ..Outcome::default() }
    }

    #[test]
    fn items_are_averaged_over_seeds() {
        let outcomes = [outcome(&[0.0, 0.2], &[1.0, 0.8]), outcome(&[0.2, 0.0], &[0.0, 0.2])];
        let found = Summary::of(&outcomes).expect("it can be summed up");
        assert!((found.before.estimate - 0.1).abs() < 1e-12);
        // Both items have the mean 0.1, so there is nothing to resample.
        assert!((found.before.high - 0.1).abs() < 1e-12);
        assert!((found.after.estimate - 0.5).abs() < 1e-12);
        assert_eq!(found.n_apart, 1);
    }

    #[test]
    fn seeds_with_other_items_are_refused() {
        let outcomes = [outcome(&[0.0], &[1.0]), outcome(&[0.2, 0.0], &[0.0, 0.2])];
        assert!(Summary::of(&outcomes).is_err());
        assert!(Summary::of(&[]).is_err());
    }
}
