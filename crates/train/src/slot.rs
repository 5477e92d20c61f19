//! A place for somebody who comes later.
//!
//! Rewards and worlds are made when a run is described; the models that they ask are started when it
//! begins. Until then they hold such a place.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use stateset_core::{
    Completion, GenerateRequest, Judge, JudgeRequest, Policy, PolicyError, Verdict,
};

/// A place for a judge.
pub type JudgeSlot = Slot<dyn Judge>;
/// A place for a policy.
pub type PolicySlot = Slot<dyn Policy>;

/// A place. Clones are the same place.
pub struct Slot<T: ?Sized> {
    held: Arc<OnceLock<Arc<T>>>,
}

impl<T: ?Sized> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot { held: self.held.clone() }
    }
}

impl<T: ?Sized> Default for Slot<T> {
    fn default() -> Self {
        Slot { held: Arc::default() }
    }
}

impl<T: ?Sized> Slot<T> {
    /// Puts somebody here; one who is here already stays.
    pub fn fill(&self, somebody: Arc<T>) {
        // A second one is not an error: the run asks the first one for as long as it lasts.
        let _ = self.held.set(somebody);
    }

    /// True once there is somebody.
    pub fn is_filled(&self) -> bool {
        self.held.get().is_some()
    }

    fn held(&self, who: &str, key: &str) -> Result<&Arc<T>, PolicyError> {
        self.held.get().ok_or_else(|| PolicyError::Refused {
            who: who.to_owned(),
            message: format!("there is none; name one by {key}"),
        })
    }
}

#[async_trait]
impl Judge for JudgeSlot {
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
        self.held("the judge", "reward.judge_model")?.judge(request).await
    }
}

#[async_trait]
impl Policy for PolicySlot {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        self.held("the users' model", "environment.user_model")?.generate(request).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PolicyJudge, StubPolicy};

    #[tokio::test]
    async fn what_comes_later_answers_for_all() {
        let slot = JudgeSlot::default();
        let early = slot.clone();
        let request =
            JudgeRequest { instructions: String::new(), question: "?".into(), options: Vec::new() };
        let error = early.judge(request.clone()).await.unwrap_err().to_string();
        assert!(error.contains("reward.judge_model") && !slot.is_filled(), "{error}");
        let judge = |text: &str| {
            Arc::new(PolicyJudge::greedy(Arc::new(StubPolicy::new(vec![text.into()]))))
        };
        slot.fill(judge("1"));
        slot.fill(judge("2"));
        assert_eq!(early.judge(request).await.unwrap().text, "1");
    }
}
