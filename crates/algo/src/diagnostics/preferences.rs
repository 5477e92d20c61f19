//! How well preferences are told apart.

use super::Mean;

/// Statistics of preferred and rejected completions, in units of the implicit or learned reward.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreferenceStats {
    /// Reward of preferred completions.
    pub chosen: Mean,
    /// Reward of rejected ones.
    pub rejected: Mean,
    /// Preferred minus rejected of each pair.
    pub margin: Mean,
    /// 1 for each pair in which the preferred one has the greater reward, 1/2 for a tie, else 0.
    pub accuracy: Mean,
}

impl PreferenceStats {
    /// Takes in a pair.
    pub fn record_pair(&mut self, chosen: f64, rejected: f64) {
        self.chosen.push(chosen);
        self.rejected.push(rejected);
        self.margin.push(chosen - rejected);
        self.accuracy.push(match chosen.partial_cmp(&rejected) {
            Some(std::cmp::Ordering::Greater) => 1.0,
            Some(std::cmp::Ordering::Equal) => 0.5,
            _ => 0.0,
        });
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &PreferenceStats) {
        self.chosen.add(&other.chosen);
        self.rejected.add(&other.rejected);
        self.margin.add(&other.margin);
        self.accuracy.add(&other.accuracy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_ties() {
        let mut stats = PreferenceStats::default();
        for (chosen, rejected) in [(1.0, 0.0), (0.0, 2.0), (1.0, 1.0)] {
            stats.record_pair(chosen, rejected);
        }
        assert_eq!(stats.accuracy.get(), Some(0.5));
        assert_eq!(stats.margin.get(), Some(-1.0 / 3.0));
    }
}
