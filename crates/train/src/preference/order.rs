//! Which examples an optimiser step learns from.

use stateset_core::{Purpose, RunSeed, StreamKey};

/// Goes through the examples in passes, each in an order of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExampleOrder {
    pub(super) seed: RunSeed,
    pub(super) n_examples: usize,
}

impl ExampleOrder {
    /// Steps of `n_epochs` passes with `n` examples a step; the last step may go on into another pass.
    pub(super) fn n_steps(self, n_epochs: f64, n: usize) -> u32 {
        let examples = n_epochs * self.n_examples as f64;
        (examples / n.max(1) as f64).ceil().max(1.0) as u32
    }

    /// Indices of the `n` examples of `step`, counted from 1. Steps follow each other without a gap, so
    /// after every pass each example has been learned from equally often.
    pub(super) fn of_step(self, step: u32, n: usize) -> Vec<usize> {
        let first = (u64::from(step) - 1) * n as u64;
        let n_examples = self.n_examples.max(1) as u64;
        let mut chosen: Vec<usize> = Vec::with_capacity(n);
        let mut pass = first / n_examples;
        let mut rest = self.of_pass(pass as u32).split_off((first % n_examples) as usize);
        while chosen.len() < n && self.n_examples > 0 {
            let missing = n - chosen.len();
            chosen.extend(rest.iter().take(missing));
            pass += 1;
            if chosen.len() < n {
                rest = self.of_pass(pass as u32);
            }
        }
        chosen
    }

    fn of_pass(self, pass: u32) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.n_examples).collect();
        let key = StreamKey { step: pass, ..StreamKey::default() };
        self.seed.stream(Purpose::Shuffle, key).shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_hold_every_example_once() {
        let order = ExampleOrder { seed: RunSeed(3), n_examples: 7 };
        let seen: Vec<usize> = (1..=7).flat_map(|step| order.of_step(step, 3)).collect();
        for pass in seen.chunks(7) {
            let mut sorted = pass.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..7).collect::<Vec<_>>());
        }
        assert_ne!(seen[..7], seen[7..14]);
        assert_eq!(order.n_steps(2.0, 3), 5);
        assert_eq!(order.n_steps(0.1, 3), 1);
    }
}
