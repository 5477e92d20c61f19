//! Which scenarios a step plays.

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
}
