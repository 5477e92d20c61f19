//! A place for a judge that comes later.
//!
//! Rewards are made when a run is described, and its judge is started when it begins. What asks a judge
//! holds this place until then.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use stateset_core::{Judge, JudgeRequest, PolicyError, Verdict};

/// A place for a judge. Clones are the same place.
#[derive(Clone, Default)]
pub struct JudgeSlot {
    judge: Arc<OnceLock<Arc<dyn Judge>>>,
}

impl JudgeSlot {
    /// Puts a judge here; one that is here already stays.
    pub fn fill(&self, judge: Arc<dyn Judge>) {
        // A second judge is not an error: the run asks the first one for as long as it lasts.
        let _ = self.judge.set(judge);
    }

    /// True once there is a judge.
    pub fn is_filled(&self) -> bool {
        self.judge.get().is_some()
    }
}

#[async_trait]
impl Judge for JudgeSlot {
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
        match self.judge.get() {
            Some(judge) => judge.judge(request).await,
            None => Err(PolicyError::Refused {
                who: "the judge".to_owned(),
                message: "there is none; name one by reward.judge_model".to_owned(),
            }),
        }
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
