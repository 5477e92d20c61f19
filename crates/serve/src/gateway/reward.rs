//! What a program says of its own sample, or else what the run's reward says.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stateset_core::{
    Reward, RewardComponent, RewardContext, RewardResult, Score, Trajectory, Weighing,
};
use utoipa::ToSchema;

use crate::api_error::ApiError;

/// Where the verdict lies in the metadata of the last state.
pub(super) const PROGRAM_REWARD: &str = "program_reward";
/// Most parts of a verdict.
const MAX_PARTS: usize = 64;

/// A program's own verdict.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verdict {
    /// The reward.
    reward: f64,
    /// Its parts, at most 64, for people to read; they are not added up.
    #[serde(default)]
    components: BTreeMap<String, f64>,
}

impl Verdict {
    /// The verdict, if every number is one.
    ///
    /// # Errors
    /// [`ApiError`] that names the field.
    pub(super) fn checked(self) -> Result<Verdict, ApiError> {
        if !self.reward.is_finite() {
            return Err(ApiError::invalid("reward", "it must be a finite number"));
        }
        if self.components.len() > MAX_PARTS {
            let message = format!("at most {MAX_PARTS} parts are allowed");
            return Err(ApiError::invalid("components", message));
        }
        match self.components.iter().find(|(_, value)| !value.is_finite()) {
            Some((name, _)) => {
                let field = format!("components.{name}");
                Err(ApiError::invalid(field, "it must be a finite number"))
            }
            None => Ok(self),
        }
    }

    /// The verdict on the last line of a program's output, if that is one.
    pub(super) fn of_output(stdout: &str) -> Option<Verdict> {
        let last = stdout.lines().rev().find(|line| !line.trim().is_empty())?;
        serde_json::from_str::<Verdict>(last.trim()).ok()?.checked().ok()
    }
}

/// The program's verdict where it gave one, else the run's reward.
pub struct HarnessReward {
    otherwise: Arc<dyn Reward>,
}

impl HarnessReward {
    /// Where the program says nothing, `otherwise` judges.
    pub fn new(otherwise: Arc<dyn Reward>) -> HarnessReward {
        HarnessReward { otherwise }
    }
}

#[async_trait]
impl Reward for HarnessReward {
    fn name(&self) -> &str {
        self.otherwise.name()
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let state = trajectory.final_state.as_ref();
        let given = state.and_then(|state| state.metadata.get(PROGRAM_REWARD));
        let verdict = given.and_then(|given| serde_json::from_value::<Verdict>(given.clone()).ok());
        let Some(verdict) = verdict else {
            return self.otherwise.score(trajectory, context).await;
        };
        let part = |(name, value): (String, f64)| RewardComponent {
            name,
            weight: 0.0,
            score: Score::of(value),
        };
        let total = Score::with_evidence(verdict.reward, "given by the program");
        RewardResult { total, components: verdict.components.into_iter().map(part).collect() }
    }

    fn weighing(&self) -> Option<Box<dyn Weighing>> {
        self.otherwise.weighing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_may_be_a_verdict() {
        let verdict = |text: &str| Verdict::of_output(text).map(|verdict| verdict.reward);
        assert_eq!(
            verdict("starting\n{\"reward\": 0.5, \"components\": {\"fast\": 1}}\n\n"),
            Some(0.5)
        );
        for none in
            ["", "0.5", "{\"reward\": 0.5}\ndone", "{\"reward\": \"high\"}", "{\"rewrd\": 1}"]
        {
            assert_eq!(verdict(none), None, "{none:?}");
        }
    }

    #[test]
    fn numbers_must_be_finite() {
        let verdict = Verdict { reward: f64::NAN, components: BTreeMap::new() };
        assert_eq!(verdict.checked().unwrap_err().field.as_deref(), Some("reward"));
        let components = BTreeMap::from([("fast".to_owned(), f64::INFINITY)]);
        let verdict = Verdict { reward: 1.0, components };
        assert_eq!(verdict.checked().unwrap_err().field.as_deref(), Some("components.fast"));
    }
}
