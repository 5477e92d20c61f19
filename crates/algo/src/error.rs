//! What can be wrong with settings or with the arrays of a step.
//!
//! Settings are reported as a list of [`Problem`]s, all at once, because a person mends a file; a
//! step's arrays come from a program, so the first thing wrong with them is enough.

use std::fmt;

use crate::CompletionId;

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the setting inside its value, such as `clip.low`.
    pub key: &'static str,
    /// What it is set to.
    pub found: String,
    /// What it may be.
    pub allowed: &'static str,
    /// What to do.
    pub hint: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { key, found, allowed, hint } = self;
        write!(f, "{key} is {found}, allowed is {allowed}: {hint}")
    }
}

/// A value that algorithms cannot work with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AlgoError {
    /// The settings were not validated.
    #[error("use the settings: {}", list(.0))]
    Settings(
        /// Everything wrong with them.
        Vec<Problem>,
    ),
    /// A group-relative method got a sample without anything to compare it with.
    #[error(
        "compare samples: group {group} has 1 trajectory and needs at least 2; keep failed ones as unscorable"
    )]
    GroupTooSmall {
        /// The group's number.
        group: usize,
    },
    /// A row belongs to no trajectory.
    #[error("place row {row}: it names trajectory {trajectory} of {n_trajectories}")]
    UnknownTrajectory {
        /// Index of the row.
        row: usize,
        /// What it names.
        trajectory: usize,
        /// How many there are.
        n_trajectories: usize,
    },
    /// Two arrays of a row differ in length.
    #[error("read row {row}: {expected} loss tokens but {got} numbers for {array}")]
    LengthMismatch {
        /// Index of the row.
        row: usize,
        /// The array that differs.
        array: &'static str,
        /// Loss tokens of the row.
        expected: usize,
        /// Entries of the array.
        got: usize,
    },
    /// Two slices that go together differ in length.
    #[error("{task}: {array} has {got} entries and needs {expected}")]
    SliceLength {
        /// What was to be done.
        task: &'static str,
        /// The slice that differs.
        array: &'static str,
        /// Entries that it needs.
        expected: usize,
        /// Entries that it has.
        got: usize,
    },
    /// The turns of a row's tokens go backwards.
    #[error("{task}: token {token} is of an earlier turn than the token before it")]
    TurnOrder {
        /// What was to be done.
        task: &'static str,
        /// Index of the token.
        token: usize,
    },
    /// A log-prob that the loss needs is NaN or infinite.
    #[error("read row {row}: the {array} of loss token {token} is {value}")]
    NotFinite {
        /// Index of the row.
        row: usize,
        /// The array it is in.
        array: &'static str,
        /// Index among the row's loss tokens.
        token: usize,
        /// The value.
        value: f32,
    },
    /// The loss has a KL term, but a row came without reference log-probs.
    #[error("weigh the KL penalty: row {row} has no reference log-probs")]
    MissingReference {
        /// Index of the row.
        row: usize,
    },
    /// The algorithm has a critic, but a row came without values.
    #[error(
        "weigh rewards against values: row {row} has no values; the run needs a value function"
    )]
    MissingValues {
        /// Index of the row.
        row: usize,
    },
    /// The top-entropy mask needs the entropies from before the update.
    #[error("choose tokens by entropy: row {row} has no entropies")]
    MissingEntropies {
        /// Index of the row.
        row: usize,
    },
    /// Credit goes to turns, but a token has no turn.
    #[error("give credit to turns: row {row} does not say which turn its tokens belong to")]
    MissingTurns {
        /// Index of the row.
        row: usize,
    },
    /// A trajectory has not one component for each weight.
    #[error("combine rewards: trajectory {trajectory} has {got} components for {expected} weights")]
    ComponentCount {
        /// Index of the trajectory.
        trajectory: usize,
        /// Number of weights.
        expected: usize,
        /// Number of components.
        got: usize,
    },
    /// Rewards are combined by component, but there are none.
    #[error("combine rewards: normalize_then_sum needs reward components, and the step has none")]
    MissingComponents,
    /// MaxRL divides by the mean and is meant for rewards from 0 up.
    #[error("scale by the mean reward: trajectory {trajectory} has reward {reward}, below 0")]
    NegativeReward {
        /// Index of the trajectory.
        trajectory: usize,
        /// Its reward.
        reward: f64,
    },
    /// The caller's credit does not fit the step.
    #[error(
        "plan the step: row {row} has {got} advantages for {expected} loss tokens, or one that is not finite"
    )]
    BadAdvantages {
        /// Index of the row.
        row: usize,
        /// Its loss tokens.
        expected: usize,
        /// Number of advantages.
        got: usize,
    },
    /// The window's token count was asked for but not given.
    #[error("average over the generation window: the step says nothing of one")]
    MissingWindow,
    /// An answer has no token to learn from.
    #[error("read {id}: it has no loss tokens; leave it out")]
    EmptyCompletion {
        /// The answer.
        id: CompletionId,
    },
    /// A preference loss needs an array that an answer came without.
    #[error("read {id}: it came without {array} scores")]
    MissingScores {
        /// The answer.
        id: CompletionId,
        /// The array.
        array: &'static str,
    },
    /// Two arrays of an answer differ in length.
    #[error("read {id}: {expected} loss tokens but {got} {array} scores")]
    ScoreCount {
        /// The answer.
        id: CompletionId,
        /// The array that differs.
        array: &'static str,
        /// Its loss tokens.
        expected: usize,
        /// Entries of the array.
        got: usize,
    },
    /// A score of an answer is NaN or infinite.
    #[error("read {id}: the {array} score of token {token} is {value}")]
    ScoreNotFinite {
        /// The answer.
        id: CompletionId,
        /// The array it is in.
        array: &'static str,
        /// Index among its loss tokens.
        token: usize,
        /// The value.
        value: f32,
    },
    /// A loss that compares all pairs of a step got a part of them.
    #[error("sort log-ratios: {loss} needs all {expected} pairs of the step at once and got {got}")]
    SplitStep {
        /// Name of the loss.
        loss: &'static str,
        /// Pairs of the step.
        expected: usize,
        /// Pairs given.
        got: usize,
    },
    /// KTO's reference point has nothing to be measured on.
    #[error(
        "measure the KL point: kto needs at least one mismatched completion; apo_zero_unpaired needs none"
    )]
    MissingProbes,
    /// A group of preference data is not one pair.
    #[error(
        "pair answers: group {group} has {n_chosen} chosen and {n_rejected} rejected answers, allowed is \
         one of each"
    )]
    Unpaired {
        /// The group.
        group: usize,
        /// Chosen answers in it.
        n_chosen: usize,
        /// Rejected answers in it.
        n_rejected: usize,
    },
    /// The label of a trajectory is missing, or is none that the method learns from.
    #[error("read trajectory {trajectory}: {name} learns from answers labelled {allowed}")]
    Unlabelled {
        /// The trajectory.
        trajectory: usize,
        /// Name of the method.
        name: &'static str,
        /// Labels it knows.
        allowed: &'static str,
    },
    /// A number that comes with a scored pair is out of range.
    #[error("compare scores: the {what} of pair {pair} is {value}, allowed is {allowed}")]
    BadScore {
        /// Index of the pair.
        pair: usize,
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// There is nothing to resample.
    #[error("resample: the sample is empty")]
    EmptySample,
    /// A value is NaN or infinite.
    #[error("resample: value {index} is {value}")]
    BadValue {
        /// Its index.
        index: usize,
        /// The value.
        value: f64,
    },
}

/// Refuses a slice of another length than `expected`.
pub(crate) fn require_len(
    task: &'static str,
    array: &'static str,
    expected: usize,
    got: usize,
) -> Result<(), AlgoError> {
    if expected == got {
        Ok(())
    } else {
        Err(AlgoError::SliceLength { task, array, expected, got })
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Collects problems; keeps the `validate` functions to one line for each setting.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem unless `holds`.
    pub(crate) fn require(
        &mut self,
        holds: bool,
        key: &'static str,
        found: impl fmt::Debug,
        allowed: &'static str,
        hint: &'static str,
    ) {
        if !holds {
            self.0.push(Problem { key, found: format!("{found:?}"), allowed, hint });
        }
    }

    pub(crate) fn extend(&mut self, more: Vec<Problem>) {
        self.0.extend(more);
    }

    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_errors_name_every_key() {
        let mut problems = Problems::default();
        problems.require(false, "clip.low", -1.0, "0 or more", "0.2 is usual");
        problems.require(true, "clip.high", 0.2, "0 or more", "0.2 is usual");
        problems.require(false, "kl.coef", f64::NAN, "0 or more", "0 switches it off");
        let error = AlgoError::Settings(problems.into_vec());
        assert_eq!(
            error.to_string(),
            "use the settings: clip.low is -1.0, allowed is 0 or more: 0.2 is usual; \
             kl.coef is NaN, allowed is 0 or more: 0 switches it off"
        );
    }
}
