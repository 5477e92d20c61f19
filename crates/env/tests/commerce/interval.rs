//! Means over scenarios with their bootstrap intervals.

use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_env::customer::Split;
use stateset_env::sets::World;

use super::play::{Policy, play};

/// A mean with its 95 % percentile interval (Efron and Tibshirani 1993, section 13.3).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) mean: f64,
    pub(crate) high: f64,
}

pub(crate) fn interval(values: &[f64]) -> Interval {
    const N: usize = 1000;
    let mut stream = RunSeed(17).stream(Purpose::Bootstrap, StreamKey::default());
    let n = values.len();
    let mut means: Vec<f64> =
        (0..N).map(|_| (0..n).map(|_| values[stream.index(n)]).sum::<f64>() / n as f64).collect();
    means.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / n as f64;
    Interval { low: means[N * 25 / 1000], mean, high: means[N * 975 / 1000 - 1] }
}

/// Mean reward over the held-out scenarios, three episodes each; a scenario is one value.
pub(crate) fn held_out(world: &dyn World, policy: Policy<'_>) -> Interval {
    const N_EPISODES: u64 = 3;
    let values: Vec<f64> = world
        .scenarios(Split::HeldOut)
        .iter()
        .enumerate()
        .map(|(index, scenario)| {
            let seeds = (0..N_EPISODES).map(|sample| 100 * index as u64 + sample);
            seeds.map(|seed| play(world, scenario, policy, seed).reward).sum::<f64>()
                / N_EPISODES as f64
        })
        .collect();
    interval(&values)
}

/// Each policy earns more than the one before it, and the intervals do not overlap.
#[expect(clippy::print_stdout, reason = "the table of docs/commerce.md is made of it")]
pub(crate) fn assert_rising(world: &dyn World, policies: &[(&str, Policy<'_>)]) {
    let found: Vec<(&str, Interval)> =
        policies.iter().map(|(name, policy)| (*name, held_out(world, *policy))).collect();
    for (name, Interval { low, mean, high }) in &found {
        println!("{:<16} {name:<12} {mean:.3} [{low:.3}, {high:.3}]", world.name());
    }
    for pair in found.windows(2) {
        let [(worse, a), (better, b)] = pair else { unreachable!() };
        assert!(a.high < b.low, "{}: {worse} {a:?} against {better} {b:?}", world.name());
    }
}

/// Each of `degenerate` earns less than `sensible`, and the intervals do not overlap.
#[expect(clippy::print_stdout, reason = "the table of docs/commerce.md is made of it")]
pub(crate) fn assert_below(
    world: &dyn World,
    sensible: Policy<'_>,
    degenerate: &[(&str, Policy<'_>)],
) {
    let best = held_out(world, sensible);
    for (name, policy) in degenerate {
        let found = held_out(world, *policy);
        let Interval { low, mean, high } = found;
        println!("{:<16} {name:<12} {mean:.3} [{low:.3}, {high:.3}]", world.name());
        assert!(high < best.low, "{}: {name} {found:?} against {best:?}", world.name());
    }
}
