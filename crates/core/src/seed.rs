//! Randomness by address: every draw is a function of (run seed, purpose, step, scenario, sample,
//! turn, index), so neither threads nor restarts nor the order of events can change it.
//!
//! The generator is Philox4x32-10 (Salmon et al. 2011). The purpose is mixed into its key; the rest
//! of the address fills the upper 96 bits of the counter, the draws count in the lower 32, so two
//! different addresses can never share a block.

use rand_philox::{Philox, splitmix64};

/// What a stream of random numbers is for. The number is part of the stream's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// Tokens a policy samples.
    Sampling = 1,
    /// Choices of an environment or simulated user.
    Environment = 2,
    /// Which scenarios a step plays.
    Scenarios = 3,
    /// Order of mini-batches.
    Shuffle = 4,
    /// Initial weights and adapters.
    Weights = 5,
    /// Bootstrap intervals.
    Bootstrap = 6,
    /// Synthetic data.
    Data = 7,
    /// Dropout in training passes.
    Dropout = 8,
    /// Choices of a reward or a judge.
    Reward = 9,
    /// Pauses before a request to the outside is repeated. Results never depend on it.
    Backoff = 20,
}

/// Address of a stream inside a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// Optimisation step, or pass over the data.
    pub step: u32,
    /// Index of the scenario, or of the item, inside the step.
    pub scenario: u32,
    /// Index of the sample inside its group.
    pub sample: u16,
    /// Index of the turn inside the conversation.
    pub turn: u16,
}

impl StreamKey {
    /// The same address at another turn.
    pub fn at_turn(self, turn: usize) -> StreamKey {
        StreamKey { turn: turn as u16, ..self }
    }
}

/// The one number a run's randomness starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunSeed(pub u64);

impl RunSeed {
    /// The stream at this address. Two calls give the same draws.
    pub fn stream(self, purpose: Purpose, key: StreamKey) -> Stream {
        let mixed = splitmix64(splitmix64(self.0).wrapping_add(purpose as u64));
        let philox_key = [mixed as u32, (mixed >> 32) as u32];
        let address = u128::from(key.step) << 96
            | u128::from(key.scenario) << 64
            | u128::from(key.sample) << 48
            | u128::from(key.turn) << 32;
        Stream { philox: Philox::new(philox_key, address) }
    }

    /// A seed for a part of the run that wants to be a run of its own.
    pub fn child(self, index: u64) -> RunSeed {
        RunSeed(splitmix64(splitmix64(self.0) ^ splitmix64(index.wrapping_add(0x9e37_79b9))))
    }
}

/// A sequence of random numbers at one address. Holds at most 2^34 draws.
#[derive(Clone, Debug)]
pub struct Stream {
    philox: Philox,
}

impl Stream {
    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        self.philox.next_u32()
    }

    /// A number in (0, 1), never an end point; 52 random bits.
    pub fn unit(&mut self) -> f64 {
        let bits = self.philox.next_u64() >> 12;
        (bits as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// A number in (low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A standard normal number (Box-Muller, the cosine half).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (self.unit(), self.unit());
        (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// An index below `n`, each equally likely.
    ///
    /// # Panics
    /// Where `n` is 0 or above `u32::MAX`.
    pub fn index(&mut self, n: usize) -> usize {
        assert!(n > 0 && n <= u32::MAX as usize, "index of {n} items");
        self.philox.bounded(n as u32) as usize
    }

    /// One of `items`; `None` where there is none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() { None } else { items.get(self.index(items.len())) }
    }

    /// Reorders `items`, every order equally likely (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.index(i + 1);
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_address_gives_the_same_draws() {
        let key = StreamKey { step: 3, scenario: 5, sample: 1, turn: 2 };
        let draw = || {
            let mut stream = RunSeed(42).stream(Purpose::Sampling, key);
            (0..16).map(|_| stream.next_u32()).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
    }

    /// Pins the layout: a change of it changes every run ever made.
    #[test]
    fn draws_are_pinned() {
        let key = StreamKey { step: 1, scenario: 2, sample: 3, turn: 4 };
        let mut stream = RunSeed(1).stream(Purpose::Environment, key);
        let mixed = splitmix64(splitmix64(1).wrapping_add(2));
        let block = rand_philox::philox4x32_10(
            [0, 4 | 3 << 16, 2, 1],
            [mixed as u32, (mixed >> 32) as u32],
        );
        assert_eq!([(); 4].map(|()| stream.next_u32()), block);
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let base = StreamKey { step: 1, scenario: 1, sample: 1, turn: 1 };
        let keys = [
            base,
            StreamKey { step: 2, ..base },
            StreamKey { scenario: 2, ..base },
            StreamKey { sample: 2, ..base },
            base.at_turn(2),
        ];
        let mut firsts: Vec<u64> = Vec::new();
        for seed in [RunSeed(0), RunSeed(1), RunSeed(0).child(1)] {
            for purpose in [Purpose::Sampling, Purpose::Environment] {
                for key in keys {
                    let mut stream = seed.stream(purpose, key);
                    let first = u64::from(stream.next_u32()) << 32 | u64::from(stream.next_u32());
                    assert!(!firsts.contains(&first));
                    firsts.push(first);
                }
            }
        }
    }

    #[test]
    fn units_and_normals_have_the_right_moments() {
        let mut stream = RunSeed(9).stream(Purpose::Data, StreamKey::default());
        let n = 20_000;
        let units: Vec<f64> = (0..n).map(|_| stream.unit()).collect();
        assert!(units.iter().all(|&u| u > 0.0 && u < 1.0));
        let mean = units.iter().sum::<f64>() / n as f64;
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
        let normals: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let variance = normals.iter().map(|z| z * z).sum::<f64>() / n as f64;
        assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut stream = RunSeed(9).stream(Purpose::Shuffle, StreamKey::default());
        let mut items: Vec<usize> = (0..50).collect();
        stream.shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
