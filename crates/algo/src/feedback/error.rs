//! What judges' numbers can be refused for.

/// Feedback that no reward can be made of.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FeedbackError {
    /// There are fewer options than can be chosen from.
    #[error("weigh options: there are {found}, and at least 2 are needed")]
    TooFewOptions {
        /// How many there are.
        found: usize,
    },
    /// An option's log-prob is NaN or infinite, or every option is impossible.
    #[error("weigh options: the log-prob of option {index} is {value}")]
    NotFinite {
        /// Index of the option.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A probability is outside 0 to 1.
    #[error("note a comparison: {value} is no probability")]
    NotAProbability {
        /// The value.
        value: f64,
    },
    /// A comparison names something that is not in the group, or one sample twice.
    #[error("note a comparison: samples {i} and {j} are not two of a group of {n}")]
    NotAPair {
        /// The first sample.
        i: usize,
        /// The second sample.
        j: usize,
        /// Samples in the group.
        n: usize,
    },
    /// Strengths would grow without end.
    #[error(
        "fit strengths: some samples never lose to the others, so without a prior their strengths are infinite; set a prior above 0"
    )]
    Unbounded,
    /// The prior is negative or not a number.
    #[error("fit strengths: the prior is {value}, allowed is a number from 0")]
    BadPrior {
        /// The prior.
        value: f64,
    },
    /// The iteration did not settle.
    #[error("fit strengths: after {n_iterations} iterations they still change by {change:e}")]
    NotSettled {
        /// Iterations made.
        n_iterations: usize,
        /// Largest change of a log-strength in the last one.
        change: f64,
    },
}
