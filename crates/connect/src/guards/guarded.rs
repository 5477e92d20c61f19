//! A policy, judge or tool behind guards.

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{
    Completion, GenerateRequest, Judge, JudgeRequest, Policy, PolicyError, Tool, ToolError,
    ToolSpec, Verdict,
};

use super::pipeline::Guards;

/// Something behind guards.
#[derive(Clone)]
pub struct Guarded<T> {
    /// What is guarded.
    pub inner: T,
    /// Its guards; give the same ones to all that share a server.
    pub guards: Guards,
}

impl<T> Guarded<T> {
    /// `inner` behind `guards`.
    pub fn new(inner: T, guards: Guards) -> Guarded<T> {
        Guarded { inner, guards }
    }
}

#[async_trait]
impl<T: Policy> Policy for Guarded<T> {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        self.guards.run(|| self.inner.generate(request.clone())).await
    }
}

#[async_trait]
impl<T: Judge> Judge for Guarded<T> {
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
        self.guards.run(|| self.inner.judge(request.clone())).await
    }
}

#[async_trait]
impl<T: Tool> Tool for Guarded<T> {
    fn spec(&self) -> &ToolSpec {
        self.inner.spec()
    }

    async fn call(&self, arguments: Value) -> Result<Value, ToolError> {
        self.guards.run(|| self.inner.call(arguments.clone())).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::breaker::{Breaker, BreakerSettings};
    use super::super::clock::testing::ManualClock;
    use super::super::retry::{Retry, RetrySettings};
    use super::*;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    struct Scripted(Mutex<VecDeque<Result<(), PolicyError>>>);

    #[async_trait]
    impl Judge for Scripted {
        async fn judge(&self, _: JudgeRequest) -> Result<Verdict, PolicyError> {
            let next = self.0.lock().unwrap().pop_front().unwrap();
            next.map(|()| Verdict { text: "yes".into(), option_logprobs: None })
        }
    }

    fn busy() -> PolicyError {
        PolicyError::Unavailable { who: "j".into(), message: "busy".into(), retry_after: None }
    }

    fn request() -> JudgeRequest {
        JudgeRequest { instructions: String::new(), question: "?".into(), options: Vec::new() }
    }

    #[tokio::test]
    async fn breaker_and_retry_work_together() {
        let clock = Arc::new(ManualClock::default());
        let answers = [Err(busy()), Err(busy()), Err(busy()), Ok(()), Ok(())];
        let judge = Guarded::new(
            Scripted(Mutex::new(answers.into())),
            Guards {
                retry: Some(Arc::new(Retry::new(RetrySettings {
                    jitter: 0.0,
                    ..RetrySettings::default()
                }))),
                breaker: Some(Arc::new(Breaker::new(BreakerSettings {
                    max_faults: 3,
                    cool_down: Duration::from_secs(60),
                }))),
                clock: clock.clone(),
                ..Guards::none("the judge j")
            },
        );
        // The third fault opens the breaker, which ends the retries.
        let error = judge.judge(request()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "get an answer of the judge j: it failed several times in a row and is left alone for \
             another 58 s"
        );
        assert_eq!(judge.inner.0.lock().unwrap().len(), 2, "nobody is asked while it is open");
        assert!(judge.judge(request()).await.is_err());
        clock.advance(Duration::from_secs(58));
        assert!(judge.judge(request()).await.is_ok() && judge.judge(request()).await.is_ok());
    }
}
