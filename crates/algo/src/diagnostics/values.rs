//! What a critic says of the states of a step, beside what came of them.

use super::Moments;

/// Statistics of the tokens that a critic is taught at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueStats {
    /// What the critic was to say.
    pub targets: Moments,
    /// Target minus what it said.
    pub errors: Moments,
    /// What it said.
    pub values: Moments,
    /// Tokens at which the clip of the value loss acted.
    pub n_clipped: u64,
}

impl ValueStats {
    /// Takes in one token.
    pub fn record(&mut self, value: f64, target: f64, is_clipped: bool) {
        self.values.push(value);
        self.targets.push(target);
        self.errors.push(target - value);
        self.n_clipped += u64::from(is_clipped);
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &ValueStats) {
        self.targets.add(&other.targets);
        self.errors.add(&other.errors);
        self.values.add(&other.values);
        self.n_clipped += other.n_clipped;
    }

    /// [`super::explained_variance`] of what was recorded; `None` where targets do not vary.
    pub fn explained_variance(&self) -> Option<f64> {
        let spread = self.targets.variance();
        (self.targets.count() > 1 && spread > 0.0).then(|| 1.0 - self.errors.variance() / spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_in_two_parts() {
        let (mut whole, mut rest) = (ValueStats::default(), ValueStats::default());
        whole.record(1.1, 1.0, false);
        whole.record(1.9, 2.0, true);
        rest.record(3.2, 3.0, false);
        rest.record(3.6, 4.0, false);
        whole.add(&rest);
        assert!((whole.explained_variance().unwrap() - 0.958).abs() < 1e-9);
        assert_eq!((whole.n_clipped, whole.values.count()), (1, 4));
    }

    #[test]
    fn equal_targets_leave_nothing_to_explain() {
        let mut stats = ValueStats::default();
        assert_eq!(stats.explained_variance(), None);
        stats.record(0.0, 1.0, false);
        stats.record(2.0, 1.0, false);
        assert_eq!(stats.explained_variance(), None);
    }
}
