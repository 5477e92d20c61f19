//! Scores as values: a number with its evidence, or the reason why there is none.
//!
//! A score that could not be computed is [`Score::Unscorable`], never 0: a failed judge must not
//! look like a bad conversation. Trainers leave unscorable trajectories out of group statistics.

/// One judgement.
#[derive(Clone, Debug, PartialEq)]
pub enum Score {
    /// The value, and what it rests on (quotes, counts) for a person to check.
    Scored {
        /// Finite; the range is the reward's to state, usually 0 to 1.
        value: f64,
        /// Words or numbers that led to the value; may be empty.
        evidence: String,
    },
    /// No value, and why.
    Unscorable {
        /// What stood in the way.
        why: String,
    },
}

impl Score {
    /// A value without evidence. A value that is not finite becomes unscorable.
    pub fn of(value: f64) -> Score {
        Score::with_evidence(value, String::new())
    }

    /// A value with its evidence. A value that is not finite becomes unscorable.
    pub fn with_evidence(value: f64, evidence: impl Into<String>) -> Score {
        if value.is_finite() {
            Score::Scored { value, evidence: evidence.into() }
        } else {
            Score::unscorable(format!("the reward returned {value}"))
        }
    }

    /// No value, because `why`.
    pub fn unscorable(why: impl Into<String>) -> Score {
        Score::Unscorable { why: why.into() }
    }

    /// The value, if there is one.
    pub fn value(&self) -> Option<f64> {
        match self {
            Score::Scored { value, .. } => Some(*value),
            Score::Unscorable { .. } => None,
        }
    }
}

impl From<f64> for Score {
    fn from(value: f64) -> Score {
        Score::of(value)
    }
}

impl<E: std::fmt::Display> From<Result<f64, E>> for Score {
    fn from(result: Result<f64, E>) -> Score {
        result.map_or_else(|error| Score::unscorable(error.to_string()), Score::of)
    }
}

/// A named part of a reward.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardComponent {
    /// Name of the reward that gave it, such as `helpfulness`.
    pub name: String,
    /// Its share in the total.
    pub weight: f64,
    /// What it said.
    pub score: Score,
}

/// What a reward says of a whole trajectory.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardResult {
    /// The value that is trained on.
    pub total: Score,
    /// The parts it was made of; empty for a reward without parts.
    pub components: Vec<RewardComponent>,
}

impl RewardResult {
    /// A reward without parts.
    pub fn single(total: Score) -> RewardResult {
        RewardResult { total, components: Vec::new() }
    }

    /// The component called `name`.
    pub fn component(&self, name: &str) -> Option<&RewardComponent> {
        self.components.iter().find(|component| component.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_finite_is_no_score() {
        assert_eq!(Score::of(0.25).value(), Some(0.25));
        assert_eq!(Score::of(f64::NAN).value(), None);
        assert_eq!(Score::of(f64::INFINITY).value(), None);
        assert_eq!(Score::from(f64::NAN).value(), None);
        let failed: Result<f64, &str> = Err("nobody is there");
        assert_eq!(Score::from(failed), Score::unscorable("nobody is there"));
    }
}
