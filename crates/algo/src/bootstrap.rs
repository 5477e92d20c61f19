//! Percentile bootstrap intervals of a mean and of a difference of means.
//!
//! Efron 1979: resample with replacement, take the mean, read the interval off the quantiles of many
//! such means. Quantiles interpolate linearly between order statistics (type 7, NumPy's default).
//! The percentile form is chosen for plainness: it is exact enough for the few dozen scores of an
//! evaluation and needs no assumption about their distribution.

use stateset_core::Stream;

use crate::error::Problems;
use crate::{AlgoError, Moments};

/// Settings of a bootstrap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// Probability that the interval should cover the true value, in (0, 1). 0.95.
    pub confidence: f64,
    /// Number of resamples, 1 or more. 9,999, as in SciPy.
    pub n_resamples: usize,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap { confidence: 0.95, n_resamples: 9_999 }
    }
}

/// An estimate with its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// The estimate from the sample itself.
    pub estimate: f64,
    /// Upper end.
    pub high: f64,
}

impl Bootstrap {
    /// Interval of the mean of `values`. For paired samples give their differences.
    ///
    /// # Errors
    /// Where the settings are invalid, or `values` is empty or holds a value that is not finite.
    pub fn mean(&self, values: &[f64], stream: &mut Stream) -> Result<Interval, AlgoError> {
        self.check(&[values])?;
        Ok(self.interval(mean(values), || resampled_mean(values, stream)))
    }

    /// Interval of the mean of `treated` minus the mean of `baseline`, which are independent samples.
    ///
    /// # Errors
    /// As [`Bootstrap::mean`], for either sample.
    pub fn difference(
        &self,
        treated: &[f64],
        baseline: &[f64],
        stream: &mut Stream,
    ) -> Result<Interval, AlgoError> {
        self.check(&[treated, baseline])?;
        Ok(self.interval(mean(treated) - mean(baseline), || {
            resampled_mean(treated, stream) - resampled_mean(baseline, stream)
        }))
    }

    fn check(&self, samples: &[&[f64]]) -> Result<(), AlgoError> {
        let mut problems = Problems::default();
        problems.require(
            self.confidence > 0.0 && self.confidence < 1.0,
            "bootstrap.confidence",
            self.confidence,
            "between 0 and 1",
            "0.95 is usual",
        );
        problems.require(
            self.n_resamples > 0,
            "bootstrap.n_resamples",
            self.n_resamples,
            "1 or more",
            "9999 is usual",
        );
        let problems = problems.into_vec();
        if !problems.is_empty() {
            return Err(AlgoError::Settings(problems));
        }
        for sample in samples {
            if sample.is_empty() {
                return Err(AlgoError::EmptySample);
            }
            if let Some(index) = sample.iter().position(|value| !value.is_finite()) {
                return Err(AlgoError::BadValue { index, value: sample[index] });
            }
        }
        Ok(())
    }

    fn interval(&self, estimate: f64, mut resample: impl FnMut() -> f64) -> Interval {
        let mut means: Vec<f64> = (0..self.n_resamples).map(|_| resample()).collect();
        means.sort_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - self.confidence);
        Interval { low: quantile(&means, tail), estimate, high: quantile(&means, 1.0 - tail) }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().copied().collect::<Moments>().mean()
}

fn resampled_mean(values: &[f64], stream: &mut Stream) -> f64 {
    let n = values.len();
    (0..n).map(|_| values[stream.index(n)]).sum::<f64>() / n as f64
}

/// Of sorted values, which are not empty; `share` in [0, 1].
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn stream(seed: u64) -> Stream {
        RunSeed(seed).stream(Purpose::Bootstrap, StreamKey::default())
    }

    /// numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1]).
    #[test]
    fn quantiles_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        for (share, wanted) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&sorted, share) - wanted).abs() < 1e-12);
        }
    }

    /// Means of two draws from {0, 1} are 0, 1/2 and 1 with probabilities 1/4, 1/2 and 1/4.
    #[test]
    fn an_interval_that_can_be_counted_out() {
        let half = Bootstrap { confidence: 0.4, ..Default::default() };
        let got = half.mean(&[0.0, 1.0], &mut stream(1)).unwrap();
        assert_eq!(got, Interval { low: 0.5, estimate: 0.5, high: 0.5 });
        let wide = Bootstrap { confidence: 0.6, ..Default::default() };
        let got = wide.mean(&[0.0, 1.0], &mut stream(1)).unwrap();
        assert_eq!(got, Interval { low: 0.0, estimate: 0.5, high: 1.0 });
    }

    #[test]
    fn agrees_with_the_normal_interval_where_that_holds() {
        let mut normal = stream(2);
        let values: Vec<f64> = (0..200).map(|_| 3.0 + 2.0 * normal.normal()).collect();
        let sample: Moments = values.iter().copied().collect();
        let half_width = 1.96 * sample.sample_std() / 200f64.sqrt();
        let got = Bootstrap::default().mean(&values, &mut stream(3)).unwrap();
        assert_eq!(got.estimate, sample.mean());
        assert!((got.low - (sample.mean() - half_width)).abs() < 0.05 * half_width, "{got:?}");
        assert!((got.high - (sample.mean() + half_width)).abs() < 0.05 * half_width, "{got:?}");
    }

    /// The interval of a mean covers the truth about as often as it says.
    #[test]
    fn covers_the_truth() {
        let settings = Bootstrap { n_resamples: 400, ..Default::default() };
        let covered = (0..300)
            .filter(|&seed| {
                let mut draws = stream(1000 + seed);
                let values: Vec<f64> = (0..50).map(|_| draws.normal()).collect();
                let got = settings.mean(&values, &mut draws).unwrap();
                got.low <= 0.0 && 0.0 <= got.high
            })
            .count();
        assert!((270..=297).contains(&covered), "{covered} of 300");
    }

    #[test]
    fn a_difference_is_wider_than_either_mean_and_keeps_its_sign() {
        let (treated, baseline) = ([2.0, 3.0, 4.0, 5.0, 6.0], [0.0, 1.0, 0.5, 1.5, 1.0]);
        let settings = Bootstrap::default();
        let got = settings.difference(&treated, &baseline, &mut stream(4)).unwrap();
        assert!((got.estimate - 3.2).abs() < 1e-12);
        assert!(0.0 < got.low && got.low < 3.2 && 3.2 < got.high);
        let back = settings.difference(&baseline, &treated, &mut stream(4)).unwrap();
        assert!(back.high < 0.0);
        let alone = settings.mean(&treated, &mut stream(4)).unwrap();
        assert!(got.high - got.low > alone.high - alone.low);
    }

    #[test]
    fn the_same_stream_gives_the_same_interval() {
        let values: Vec<f64> = (0..30).map(|i| f64::from(i).sqrt()).collect();
        let interval = |seed| Bootstrap::default().mean(&values, &mut stream(seed)).unwrap();
        assert_eq!(interval(5), interval(5));
        assert_ne!(interval(5), interval(6));
    }

    #[test]
    fn one_value_has_an_interval_of_no_width() {
        let got = Bootstrap::default().mean(&[0.25], &mut stream(1)).unwrap();
        assert_eq!(got, Interval { low: 0.25, estimate: 0.25, high: 0.25 });
    }

    #[test]
    fn what_cannot_be_resampled_is_named() {
        let settings = Bootstrap::default();
        assert_eq!(settings.mean(&[], &mut stream(1)), Err(AlgoError::EmptySample));
        let value = f64::INFINITY;
        assert_eq!(
            settings.difference(&[1.0], &[0.0, value], &mut stream(1)),
            Err(AlgoError::BadValue { index: 1, value })
        );
        let bad = Bootstrap { confidence: 1.0, n_resamples: 0 };
        let Err(AlgoError::Settings(problems)) = bad.mean(&[1.0], &mut stream(1)) else {
            panic!("accepted")
        };
        assert_eq!(problems.len(), 2);
    }
}
