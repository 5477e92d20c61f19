//! Running means and spreads that add up over micro-batches.
//!
//! Welford's update and Chan's merge: sums of squares would lose all digits where the spread is small
//! against the mean, as it is for ratios near 1.

/// A running mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    n: u64,
    sum: f64,
}

impl Mean {
    /// Takes in one value.
    pub fn push(&mut self, value: f64) {
        self.n += 1;
        self.sum += value;
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &Mean) {
        self.n += other.n;
        self.sum += other.sum;
    }

    /// Sum of the values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The mean; `None` before the first value.
    pub fn get(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}

/// Running count, mean, variance, minimum and maximum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Moments { n: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// Takes in one value.
    pub fn push(&mut self, value: f64) {
        self.n += 1;
        let delta = value - self.mean;
        self.mean += delta / self.n as f64;
        self.squares += delta * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &Moments) {
        if self.n == 0 || other.n == 0 {
            if self.n == 0 {
                *self = *other;
            }
            return;
        }
        let (ours, theirs) = (self.n as f64, other.n as f64);
        let total = ours + theirs;
        let delta = other.mean - self.mean;
        self.mean += delta * theirs / total;
        self.squares += other.squares + delta * delta * ours * theirs / total;
        self.n += other.n;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.n
    }

    /// The mean; 0 without values.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The smallest value; infinity without values.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The largest value; minus infinity without values.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// Population variance (division by n); 0 without values.
    pub fn variance(&self) -> f64 {
        self.squares / self.n.max(1) as f64
    }

    /// Population standard deviation; 0 without values.
    pub fn population_std(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Bessel standard deviation (division by n - 1); 0 for fewer than two values.
    pub fn sample_std(&self) -> f64 {
        if self.n < 2 { 0.0 } else { (self.squares / (self.n - 1) as f64).sqrt() }
    }

    /// Mean of the squares; 0 without values.
    pub fn mean_square(&self) -> f64 {
        self.mean * self.mean + self.variance()
    }

    /// Effective sample size of these values taken as weights, as a share of their number:
    /// (sum w)² / (n sum w²). `None` without values or where all are 0.
    pub fn effective_share(&self) -> Option<f64> {
        let mean_square = self.mean_square();
        (self.n > 0 && mean_square > 0.0).then(|| self.mean * self.mean / mean_square)
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Moments::default();
        for value in values {
            moments.push(value);
        }
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Moments {
        values.iter().copied().collect()
    }

    #[test]
    fn golden_effective_sample_size() {
        let share = of(&[0.5, 1.0, 1.0, 4.0]).effective_share().unwrap();
        assert!((share - 0.578767).abs() < 1e-6);
        assert!((4.0 * share - 2.315068).abs() < 1e-6);
    }

    #[test]
    fn both_deviations() {
        let moments = of(&[1.0, 0.0, 0.0, 2.0]);
        assert_eq!(moments.mean(), 0.75);
        assert!((moments.sample_std() - 0.957427).abs() < 1e-6);
        assert!((moments.variance() - 0.6875).abs() < 1e-12);
        assert_eq!((moments.min(), moments.max(), moments.count()), (0.0, 2.0, 4));
    }

    #[test]
    fn merging_is_like_seeing_everything() {
        let values = [0.5, -3.0, 2.5, 1e6, 1e6 + 1.0, 7.0];
        for cut in 0..=values.len() {
            let mut merged = of(&values[..cut]);
            merged.add(&of(&values[cut..]));
            let whole = of(&values);
            assert_eq!(merged.count(), whole.count());
            assert!((merged.mean() - whole.mean()).abs() < 1e-9);
            assert!((merged.variance() / whole.variance() - 1.0).abs() < 1e-12);
            assert_eq!((merged.min(), merged.max()), (whole.min(), whole.max()));
        }
    }

    #[test]
    fn nothing_seen() {
        let empty = Moments::default();
        assert_eq!((empty.mean(), empty.sample_std(), empty.population_std()), (0.0, 0.0, 0.0));
        assert_eq!(empty.effective_share(), None);
        assert_eq!(Mean::default().get(), None);
        assert_eq!(of(&[3.0]).sample_std(), 0.0);
    }
}
