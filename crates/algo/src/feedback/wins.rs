//! Who beat whom inside a group, and the share of wins of each sample.
//!
//! w_i = mean over the opponents j that i was compared with of P(i beats j), from 0 to 1. Not every
//! pair has to be compared: a mean over k random opponents estimates the same with fewer questions.
//! A sample that was compared with nobody has no share, rather than one half.

use super::FeedbackError;

/// Wins of each sample over each other one, as sums of probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Wins {
    n: usize,
    /// Row-major, `[winner][loser]`.
    sums: Vec<f64>,
}

impl Wins {
    /// No comparisons yet between `n` samples.
    pub fn new(n: usize) -> Wins {
        Wins { n, sums: vec![0.0; n * n] }
    }

    /// Samples in the group.
    pub fn n_samples(&self) -> usize {
        self.n
    }

    /// Notes that i beats j with this probability. The same pair may be noted several times.
    ///
    /// # Errors
    /// [`FeedbackError`] where i and j are not two samples of the group, or the probability is none.
    pub fn add(&mut self, i: usize, j: usize, probability: f64) -> Result<(), FeedbackError> {
        if i == j || i >= self.n || j >= self.n {
            return Err(FeedbackError::NotAPair { i, j, n: self.n });
        }
        if !(0.0..=1.0).contains(&probability) {
            return Err(FeedbackError::NotAProbability { value: probability });
        }
        self.sums[i * self.n + j] += probability;
        self.sums[j * self.n + i] += 1.0 - probability;
        Ok(())
    }

    /// Wins of i over j.
    pub fn of(&self, i: usize, j: usize) -> f64 {
        self.sums[i * self.n + j]
    }

    /// Comparisons of i with j.
    pub fn n_compared(&self, i: usize, j: usize) -> f64 {
        self.of(i, j) + self.of(j, i)
    }

    /// Share of wins of each sample over those it was compared with; `None` where that is nobody.
    pub fn rates(&self) -> Vec<Option<f64>> {
        (0..self.n).map(|i| self.rate(i)).collect()
    }

    fn rate(&self, i: usize) -> Option<f64> {
        let (mut sum, mut n_opponents) = (0.0, 0);
        for j in (0..self.n).filter(|j| *j != i) {
            let n = self.n_compared(i, j);
            if n > 0.0 {
                sum += self.of(i, j) / n;
                n_opponents += 1;
            }
        }
        (n_opponents > 0).then(|| sum / f64::from(n_opponents))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_means_over_opponents() {
        let mut wins = Wins::new(3);
        wins.add(0, 1, 0.7).unwrap();
        wins.add(0, 2, 0.9).unwrap();
        wins.add(2, 1, 0.4).unwrap();
        let rates: Vec<f64> = wins.rates().into_iter().flatten().collect();
        for (rate, expected) in rates.iter().zip([0.8, 0.45, 0.25]) {
            assert!((rate - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn who_was_not_compared_has_no_rate() {
        let mut wins = Wins::new(3);
        wins.add(0, 2, 1.0).unwrap();
        // A second comparison of the same pair makes no second opponent.
        wins.add(2, 0, 0.5).unwrap();
        assert_eq!(wins.rates(), [Some(0.75), None, Some(0.25)]);
        assert_eq!(Wins::new(0).rates(), []);
    }

    #[test]
    fn impossible_comparisons_are_refused() {
        let mut wins = Wins::new(2);
        assert!(matches!(wins.add(1, 1, 0.5), Err(FeedbackError::NotAPair { .. })));
        assert!(matches!(wins.add(0, 2, 0.5), Err(FeedbackError::NotAPair { .. })));
        for p in [-0.1, 1.1, f64::NAN] {
            assert!(matches!(wins.add(0, 1, p), Err(FeedbackError::NotAProbability { .. })));
        }
        assert_eq!(wins, Wins::new(2));
    }

    proptest! {
        /// Where everybody meets everybody, wins and losses balance.
        #[test]
        fn rates_of_a_whole_group_average_one_half(p in prop::collection::vec(0.0..=1.0, 10)) {
            let mut wins = Wins::new(5);
            let pairs = (0..5).flat_map(|i| (0..i).map(move |j| (i, j)));
            for ((i, j), p) in pairs.zip(p) {
                wins.add(i, j, p).unwrap();
            }
            let rates: Vec<f64> = wins.rates().into_iter().flatten().collect();
            prop_assert!((rates.iter().sum::<f64>() - 2.5).abs() < 1e-9);
        }
    }
}
