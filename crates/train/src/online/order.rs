//! Which scenarios a step plays.
//!
//! Passes go on from step to step as if no group were ever replaced: what replaces one is drawn beside
//! them, by an address of its own. So the scenarios of a step depend on its number alone and not on how
//! many groups of earlier steps were dead.

use stateset_core::{Purpose, RunSeed, StreamKey};

/// Goes through the scenarios in passes; every pass has an order of its own where they are shuffled.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScenarioOrder {
    /// The run's randomness.
    pub(super) seed: RunSeed,
    /// Scenarios there are.
    pub(super) n_scenarios: usize,
    /// Each pass has an order of its own.
    pub(super) shuffles: bool,
}

impl ScenarioOrder {
    /// Indices of the `n` scenarios of `step`, counted from 1. Steps follow each other without a gap,
    /// so that after every pass each scenario has been played equally often.
    pub(super) fn of_step(self, step: u32, n: usize) -> Vec<usize> {
        if self.n_scenarios == 0 {
            return Vec::new();
        }
        let first = (u64::from(step) - 1) * n as u64;
        let mut order: Option<(u64, Vec<usize>)> = None;
        let mut chosen = Vec::with_capacity(n);
        for place in first..first + n as u64 {
            let (pass, index) = (place / self.n_scenarios as u64, place % self.n_scenarios as u64);
            if order.as_ref().is_none_or(|(known, _)| *known != pass) {
                order = Some((pass, self.of_pass(pass as u32)));
            }
            chosen.extend(order.as_ref().map(|(_, order)| order[index as usize]));
        }
        chosen
    }

    /// Indices of `n` scenarios that replace others in a `round` of `step`, counted from 1: those that
    /// are not `used` in the step yet come first. Once all are, they are played again, which gives other
    /// samples of them.
    pub(super) fn of_refill(self, step: u32, round: u32, n: usize, used: &[usize]) -> Vec<usize> {
        // The sample keeps these addresses apart from those of passes.
        let key = StreamKey { step, scenario: round, sample: 1, turn: 0 };
        let mut order: Vec<usize> = (0..self.n_scenarios).collect();
        self.seed.stream(Purpose::Scenarios, key).shuffle(&mut order);
        order.sort_by_key(|index| used.contains(index));
        order.iter().copied().cycle().take(n).collect()
    }

    fn of_pass(self, pass: u32) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.n_scenarios).collect();
        if self.shuffles {
            let key = StreamKey { step: pass, ..StreamKey::default() };
            self.seed.stream(Purpose::Scenarios, key).shuffle(&mut order);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_hold_every_scenario_once() {
        let order = ScenarioOrder { seed: RunSeed(3), n_scenarios: 7, shuffles: true };
        let played: Vec<usize> = (1..=7).flat_map(|step| order.of_step(step, 3)).collect();
        for pass in played.chunks(7) {
            let mut sorted = pass.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..7).collect::<Vec<_>>());
        }
        assert_ne!(played[..7], played[7..14]);
    }

    #[test]
    fn a_step_may_be_longer_than_a_pass() {
        let order = ScenarioOrder { seed: RunSeed(3), n_scenarios: 2, shuffles: false };
        assert_eq!(order.of_step(1, 5), [0, 1, 0, 1, 0]);
        assert_eq!(order.of_step(2, 5), [1, 0, 1, 0, 1]);
    }

    #[test]
    fn refills_are_other_scenarios_as_long_as_there_are_some() {
        let order = ScenarioOrder { seed: RunSeed(3), n_scenarios: 6, shuffles: false };
        let first = order.of_refill(2, 1, 3, &[0, 1]);
        assert!(first.iter().all(|index| *index > 1), "{first:?}");
        assert_eq!(first, order.of_refill(2, 1, 3, &[0, 1]));
        let mut all = order.of_refill(2, 2, 8, &[0, 1, 2, 3, 4]);
        assert_eq!(all[0], 5);
        assert_eq!(all[..2], all[6..]);
        all.truncate(6);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
        let rounds: Vec<_> = (1..9).map(|round| order.of_refill(1, round, 6, &[])).collect();
        assert!(rounds.iter().any(|round| *round != rounds[0]));
        let none = ScenarioOrder { n_scenarios: 0, ..order };
        assert!(none.of_refill(1, 1, 3, &[]).is_empty());
    }
}
