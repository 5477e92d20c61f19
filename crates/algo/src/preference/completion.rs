//! One answer as the preference losses see it: its tokens' log-probs, the reference's, and no text.
//!
//! Only loss tokens are here, those that the policy wrote; for a dialogue, those after the point
//! where the two sides of a pair part. Padding cannot be expressed. An answer without tokens is an
//! error and not a 0, because a mean over its tokens has no value.

use std::fmt;

use crate::AlgoError;

/// The scores of one answer.
///
/// # Shapes
/// Every array has one entry for each loss token, natural logs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Completion<'a> {
    /// Log-probs under the current policy, which gradients are taken with respect to.
    pub logprobs: &'a [f32],
    /// Log-probs under the reference policy; needed by DPO and KTO.
    pub reference: Option<&'a [f32]>,
    /// log sum_v p_v² of the current policy's whole distribution at each token, detached; needed by
    /// [`crate::Dpo::use_weighting`].
    pub log_sum_squares: Option<&'a [f32]>,
}

/// Two answers to one prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pair<'a> {
    /// The better one.
    pub chosen: Completion<'a>,
    /// The worse one.
    pub rejected: Completion<'a>,
}

/// What the losses of an optimiser step are divided by; the same for each of its micro-batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairTotals {
    /// Pairs of the step.
    pub n_pairs: usize,
    /// Loss tokens of all chosen answers of the step.
    pub n_chosen_tokens: usize,
}

/// What an answer is to its loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The better of a pair.
    Chosen,
    /// The worse of a pair.
    Rejected,
    /// Judged good by itself.
    Desirable,
    /// Judged bad by itself.
    Undesirable,
    /// Answers another prompt than its own, to measure how far the policy has moved.
    Probe,
}

/// Which answer an error speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletionId {
    /// Its role.
    pub role: Role,
    /// Index of its pair, or its own among those judged alone.
    pub index: usize,
}

impl PairTotals {
    /// The totals of a step made of these pairs.
    pub fn of(pairs: &[Pair<'_>]) -> PairTotals {
        PairTotals {
            n_pairs: pairs.len(),
            n_chosen_tokens: pairs.iter().map(|pair| pair.chosen.logprobs.len()).sum(),
        }
    }

    /// 1 / pairs.
    pub(crate) fn pair_weight(&self) -> f64 {
        1.0 / self.n_pairs.max(1) as f64
    }

    /// 1 / chosen tokens.
    pub(crate) fn chosen_token_weight(&self) -> f64 {
        1.0 / self.n_chosen_tokens.max(1) as f64
    }
}

impl Pair<'_> {
    /// Checks both answers; see [`Completion::check`].
    pub(crate) fn check(&self, index: usize, needs: Needs) -> Result<(), AlgoError> {
        self.chosen.check(CompletionId { role: Role::Chosen, index }, needs)?;
        self.rejected.check(CompletionId { role: Role::Rejected, index }, needs)
    }
}

/// Arrays that a loss cannot do without.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    pub(crate) reference: bool,
    pub(crate) log_sum_squares: bool,
}

impl Completion<'_> {
    pub(crate) fn n_tokens(&self) -> f64 {
        self.logprobs.len() as f64
    }

    /// Sum of the current log-probs.
    pub(crate) fn sum(&self) -> f64 {
        self.logprobs.iter().copied().map(f64::from).sum()
    }

    /// Mean of the current log-probs.
    pub(crate) fn mean(&self) -> f64 {
        self.sum() / self.n_tokens()
    }

    /// That every array that is needed is there, as long as the log-probs, and finite.
    pub(crate) fn check(&self, id: CompletionId, needs: Needs) -> Result<(), AlgoError> {
        if self.logprobs.is_empty() {
            return Err(AlgoError::EmptyCompletion { id });
        }
        self.check_array(id, "current", self.logprobs)?;
        let others = [
            ("reference", self.reference, needs.reference),
            ("log-sum-squares", self.log_sum_squares, needs.log_sum_squares),
        ];
        for (array, values, needed) in others {
            match values {
                Some(values) if needed => self.check_array(id, array, values)?,
                None if needed => return Err(AlgoError::MissingScores { id, array }),
                _ => {}
            }
        }
        Ok(())
    }

    fn check_array(
        &self,
        id: CompletionId,
        array: &'static str,
        values: &[f32],
    ) -> Result<(), AlgoError> {
        let (expected, got) = (self.logprobs.len(), values.len());
        if expected != got {
            return Err(AlgoError::ScoreCount { id, array, expected, got });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(token) => {
                Err(AlgoError::ScoreNotFinite { id, array, token, value: values[token] })
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Chosen => "chosen",
            Role::Rejected => "rejected",
            Role::Desirable => "desirable",
            Role::Undesirable => "undesirable",
            Role::Probe => "probe",
        })
    }
}

impl fmt::Display for CompletionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} completion {}", self.role, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: CompletionId = CompletionId { role: Role::Rejected, index: 3 };
    const ALL: Needs = Needs { reference: true, log_sum_squares: true };

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let whole = Completion {
            logprobs: &[-1.0, -2.0],
            reference: Some(&[-1.0, -1.0]),
            log_sum_squares: Some(&[-0.5, -0.5]),
        };
        let message = |completion: Completion<'_>, needs| {
            completion.check(ID, needs).map_err(|error| error.to_string())
        };
        assert_eq!(message(whole, ALL), Ok(()));
        let bad = [
            (
                Completion { logprobs: &[], ..whole },
                "read rejected completion 3: it has no loss tokens; leave it out",
            ),
            (
                Completion { reference: None, ..whole },
                "read rejected completion 3: it came without reference scores",
            ),
            (
                Completion { log_sum_squares: Some(&[-0.5]), ..whole },
                "read rejected completion 3: 2 loss tokens but 1 log-sum-squares scores",
            ),
            (
                Completion { logprobs: &[-1.0, f32::NAN], ..whole },
                "read rejected completion 3: the current score of token 1 is NaN",
            ),
        ];
        for (completion, wanted) in bad {
            assert_eq!(message(completion, ALL), Err(wanted.to_owned()));
        }
    }

    #[test]
    fn what_is_not_needed_may_be_missing_or_wrong() {
        let bare = Completion { logprobs: &[-1.0], ..Default::default() };
        assert_eq!(bare.check(ID, Needs::default()), Ok(()));
        let odd = Completion { reference: Some(&[]), ..bare };
        assert_eq!(odd.check(ID, Needs::default()), Ok(()));
    }

    #[test]
    fn totals_of_pairs() {
        let completion = |logprobs| Completion { logprobs, ..Default::default() };
        let pair =
            |chosen, rejected| Pair { chosen: completion(chosen), rejected: completion(rejected) };
        let pairs = [pair(&[-1.0; 3], &[-1.0; 5]), pair(&[-1.0; 1], &[-1.0; 2])];
        assert_eq!(PairTotals::of(&pairs), PairTotals { n_pairs: 2, n_chosen_tokens: 4 });
        assert_eq!(PairTotals::default().pair_weight(), 1.0);
    }
}
