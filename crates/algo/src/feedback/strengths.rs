//! Bradley-Terry strengths of the samples of a group, from who beat whom.
//!
//! P(i beats j) = pi_i / (pi_i + pi_j). The likelihood is maximised by minorisation-maximisation:
//! pi_i <- W_i / sum over j of n_ij / (pi_i + pi_j), with W_i the wins of i and n_ij the comparisons
//! of i with j. A reward is log pi_i, shifted so that the mean over the group is 0. Against win rates
//! it takes into account whom a sample was compared with, which matters for random opponents.
//!
//! Source: Hunter 2004, "MM algorithms for generalized Bradley-Terry models", equation 3.
//!
//! A reader may question the prior. A sample that wins every comparison has infinite strength. With a
//! prior of c every sample also has c wins and c losses against an anchor of strength 1, which keeps
//! strengths finite; 0 is plain maximum likelihood, and then such groups are refused (Ford's
//! condition: every two samples must be linked by a chain of wins in both directions).

use super::{FeedbackError, Wins};

/// Settings of the fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strengths {
    /// Wins and losses of each sample against an anchor; 0 for plain maximum likelihood.
    pub prior: f64,
    /// Most iterations.
    pub max_iterations: usize,
    /// Largest change of a log-strength at which the iteration ends.
    pub tolerance: f64,
}

impl Default for Strengths {
    fn default() -> Self {
        Strengths { prior: 0.1, max_iterations: 100_000, tolerance: 1e-10 }
    }
}

impl Strengths {
    /// Log-strength of each sample, of mean 0 over those that were compared; `None` for the others.
    ///
    /// # Errors
    /// [`FeedbackError::Unbounded`] where the maximum does not exist without a prior;
    /// [`FeedbackError::BadPrior`]; [`FeedbackError::NotSettled`].
    pub fn strengths(&self, wins: &Wins) -> Result<Vec<Option<f64>>, FeedbackError> {
        if !self.prior.is_finite() || self.prior < 0.0 {
            return Err(FeedbackError::BadPrior { value: self.prior });
        }
        let n = wins.n_samples();
        let is_compared = |i: &usize| (0..n).any(|j| wins.n_compared(*i, j) > 0.0);
        let compared: Vec<usize> = (0..n).filter(is_compared).collect();
        if self.prior == 0.0 && !is_linked(wins, &compared) {
            return Err(FeedbackError::Unbounded);
        }
        let logs = self.fit(wins, &compared)?;
        let mut strengths = vec![None; n];
        for (sample, log) in compared.into_iter().zip(logs) {
            strengths[sample] = Some(log);
        }
        Ok(strengths)
    }

    fn fit(&self, wins: &Wins, samples: &[usize]) -> Result<Vec<f64>, FeedbackError> {
        let mut logs = vec![0.0; samples.len()];
        let mut change = f64::INFINITY;
        for _ in 0..self.max_iterations {
            let mut next: Vec<f64> =
                (0..samples.len()).map(|i| self.improved(wins, samples, &logs, i)).collect();
            if self.prior == 0.0 {
                centre(&mut next);
            }
            change = logs.iter().zip(&next).fold(0.0, |most, (a, b)| f64::max(most, (a - b).abs()));
            logs = next;
            if change <= self.tolerance {
                centre(&mut logs);
                return Ok(logs);
            }
        }
        if samples.is_empty() {
            return Ok(logs);
        }
        Err(FeedbackError::NotSettled { n_iterations: self.max_iterations, change })
    }

    fn improved(&self, wins: &Wins, samples: &[usize], logs: &[f64], i: usize) -> f64 {
        let strength = logs[i].exp();
        let mut n_wins = self.prior;
        let mut rest = 2.0 * self.prior / (strength + 1.0);
        for j in (0..samples.len()).filter(|j| *j != i) {
            n_wins += wins.of(samples[i], samples[j]);
            rest += wins.n_compared(samples[i], samples[j]) / (strength + logs[j].exp());
        }
        (n_wins / rest).ln()
    }
}

fn centre(logs: &mut [f64]) {
    let mean = logs.iter().sum::<f64>() / logs.len().max(1) as f64;
    logs.iter_mut().for_each(|log| *log -= mean);
}

/// True where from every sample a chain of wins leads to every other one.
fn is_linked(wins: &Wins, samples: &[usize]) -> bool {
    let reaches_all = |beats: &dyn Fn(usize, usize) -> bool| {
        let Some(first) = samples.first() else { return true };
        let (mut seen, mut open) = (vec![*first], vec![*first]);
        while let Some(i) = open.pop() {
            for j in samples {
                if !seen.contains(j) && beats(i, *j) {
                    seen.push(*j);
                    open.push(*j);
                }
            }
        }
        seen.len() == samples.len()
    };
    reaches_all(&|i, j| wins.of(i, j) > 0.0) && reaches_all(&|i, j| wins.of(j, i) > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wins_of(rows: &[[f64; 3]; 3]) -> Wins {
        let mut wins = Wins::new(3);
        for (i, row) in rows.iter().enumerate() {
            for (j, probability) in row.iter().enumerate().take(i) {
                wins.add(i, j, *probability).unwrap();
            }
        }
        wins
    }

    const PLAIN: Strengths = Strengths { prior: 0.0, max_iterations: 100_000, tolerance: 1e-12 };

    #[test]
    fn strengths_of_a_known_group() {
        let wins = wins_of(&[[0.5, 0.7, 0.9], [0.3, 0.5, 0.6], [0.1, 0.4, 0.5]]);
        let strengths = PLAIN.strengths(&wins).unwrap();
        for (found, expected) in strengths.iter().zip([0.943_606, -0.160_161, -0.783_445]) {
            assert!((found.unwrap() - expected).abs() < 1e-6, "{strengths:?}");
        }
    }

    #[test]
    fn probabilities_of_the_model_are_found_again() {
        let truth = [1.5_f64, -0.25, -1.25];
        let mut wins = Wins::new(3);
        for (i, j) in [(0, 1), (0, 2), (1, 2)] {
            wins.add(i, j, 1.0 / (1.0 + (truth[j] - truth[i]).exp())).unwrap();
        }
        for (found, expected) in PLAIN.strengths(&wins).unwrap().iter().zip(truth) {
            assert!((found.unwrap() - expected).abs() < 1e-8);
        }
    }

    #[test]
    fn who_always_wins_needs_a_prior() {
        let wins = wins_of(&[[0.5, 1.0, 1.0], [0.0, 0.5, 0.5], [0.0, 0.5, 0.5]]);
        assert_eq!(PLAIN.strengths(&wins), Err(FeedbackError::Unbounded));
        let strengths = Strengths::default().strengths(&wins).unwrap();
        let strengths: Vec<f64> = strengths.into_iter().flatten().collect();
        assert!(strengths[0] > 1.0 && strengths[0] < 10.0, "{strengths:?}");
        assert!((strengths[1] - strengths[2]).abs() < 1e-8);
        assert!(strengths.iter().sum::<f64>().abs() < 1e-9);
    }

    #[test]
    fn who_was_not_compared_has_no_strength() {
        let mut wins = Wins::new(3);
        wins.add(0, 2, 0.8).unwrap();
        let strengths = PLAIN.strengths(&wins).unwrap();
        assert_eq!(strengths[1], None);
        assert!((strengths[0].unwrap() - 4f64.ln() / 2.0).abs() < 1e-9);
        assert_eq!(PLAIN.strengths(&Wins::new(2)).unwrap(), [None, None]);
    }

    #[test]
    fn bad_settings_are_refused() {
        let wins = wins_of(&[[0.5, 0.7, 0.9], [0.3, 0.5, 0.6], [0.1, 0.4, 0.5]]);
        for prior in [-1.0, f64::NAN] {
            let settings = Strengths { prior, ..PLAIN };
            assert!(matches!(settings.strengths(&wins), Err(FeedbackError::BadPrior { .. })));
        }
        let hasty = Strengths { max_iterations: 1, ..PLAIN };
        assert!(matches!(hasty.strengths(&wins), Err(FeedbackError::NotSettled { .. })));
    }
}
