//! How far a judge can be trusted: with itself in the other order, and with a known truth.
//!
//! A judge whose verdict turns with the order of the candidates in more than 30 % of the comparisons
//! looks at places more than at candidates. The border is a choice of this project; MT-Bench (arXiv
//! 2306.05685, table 2) finds strong judges at 10 to 35 % and weak ones above 50 %.

use super::Comparison;

/// Share of comparisons whose orders disagree beyond which a judge is warned of.
pub const MAX_DISAGREEMENT: f64 = 0.3;

/// Probabilities closer to one half than this are ties; an average of two orders is not exact.
const TIE: f64 = 1e-9;

/// Counts how often the two orders of a comparison disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OrderTally {
    /// Comparisons seen.
    pub n: usize,
    /// Those whose orders disagree.
    pub n_disagreeing: usize,
    sum_first_place: f64,
}

impl OrderTally {
    /// Counts one comparison.
    pub fn add(&mut self, comparison: &Comparison) {
        self.n += 1;
        self.n_disagreeing += usize::from(comparison.disagrees);
        self.sum_first_place += comparison.first_place;
    }

    /// Share of comparisons whose orders disagree; `None` before the first.
    pub fn disagreement(&self) -> Option<f64> {
        (self.n > 0).then(|| self.n_disagreeing as f64 / self.n as f64)
    }

    /// Mean probability given to the first place; `None` before the first comparison.
    pub fn first_place(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum_first_place / self.n as f64)
    }

    /// True where the orders disagree more often than [`MAX_DISAGREEMENT`].
    pub fn is_biased(&self) -> bool {
        self.disagreement().is_some_and(|share| share > MAX_DISAGREEMENT)
    }
}

/// Counts how often a judge finds the better of two candidates of known quality.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TruthTally {
    /// Comparisons seen.
    pub n: usize,
    sum: f64,
}

impl TruthTally {
    /// Counts one comparison in which A is better where `a_is_better`. A tie counts half.
    pub fn add(&mut self, comparison: &Comparison, a_is_better: bool) {
        let p = comparison.probability;
        let is_right = if a_is_better { p > 0.5 } else { p < 0.5 };
        let is_tie = (p - 0.5).abs() < TIE;
        self.n += 1;
        self.sum += if is_tie { 0.5 } else { f64::from(u8::from(is_right)) };
    }

    /// Share of comparisons that were judged rightly; `None` before the first.
    pub fn agreement(&self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::Choice;

    #[test]
    fn disagreement_is_a_share() {
        let mut tally = OrderTally::default();
        assert_eq!(
            (tally.disagreement(), tally.first_place(), tally.is_biased()),
            (None, None, false)
        );
        for behind in [Choice::Second, Choice::Second, Choice::First] {
            tally.add(&Comparison::from_choices(Choice::First, behind));
        }
        assert_eq!(tally.disagreement(), Some(1.0 / 3.0));
        assert_eq!(tally.first_place(), Some(2.0 / 3.0));
        assert!(tally.is_biased());
        for _ in 0..7 {
            tally.add(&Comparison::from_choices(Choice::First, Choice::Second));
        }
        assert!(!tally.is_biased(), "1 of 10");
    }

    #[test]
    fn ties_are_half_right() {
        let mut tally = TruthTally::default();
        assert_eq!(tally.agreement(), None);
        let of = |probability| Comparison { probability, ..Comparison::of_equals() };
        tally.add(&of(0.9), true);
        tally.add(&of(0.9), false);
        tally.add(&of(0.1), false);
        tally.add(&of(0.5), true);
        assert_eq!(tally.agreement(), Some(2.5 / 4.0));
    }
}
