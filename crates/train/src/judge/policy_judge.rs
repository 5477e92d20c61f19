//! A judge made of any policy: it is asked as a user asks and answers in words.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{
    GenerateRequest, Judge, JudgeRequest, Message, Policy, PolicyError, RunSeed, Sampling,
    TokenTrace, Verdict,
};

use super::text_key::stream_of;

/// Asks a policy. It has no probabilities of options, so both orders of a comparison must agree.
#[derive(Clone)]
pub struct PolicyJudge {
    /// Who answers.
    pub policy: Arc<dyn Policy>,
    /// How; greedy where answers should not vary.
    pub sampling: Sampling,
    /// What the randomness of sampled answers starts from.
    pub seed: RunSeed,
}

impl PolicyJudge {
    /// A judge that answers greedily in at most 256 tokens.
    pub fn greedy(policy: Arc<dyn Policy>) -> PolicyJudge {
        PolicyJudge { policy, sampling: greedy(), seed: RunSeed(0) }
    }
}

/// The likeliest answer, of at most 256 tokens.
pub(super) fn greedy() -> Sampling {
    Sampling { greedy: true, max_new_tokens: 256, ..Sampling::default() }
}

/// The question as a conversation.
pub(super) fn messages(request: &JudgeRequest) -> Vec<Message> {
    let mut messages = Vec::with_capacity(2);
    if !request.instructions.is_empty() {
        messages.push(Message::system(&request.instructions));
    }
    messages.push(Message::user(&request.question));
    messages
}

#[async_trait]
impl Judge for PolicyJudge {
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
        let asked = GenerateRequest {
            messages: messages(&request),
            tools: Vec::new(),
            trace: TokenTrace::new(),
            sampling: self.sampling.clone(),
            stream: stream_of(self.seed, &request),
        };
        let completion = self.policy.generate(asked).await?;
        Ok(Verdict { text: completion.message.content, option_logprobs: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StubPolicy;

    #[tokio::test]
    async fn a_policy_answers() {
        let judge = PolicyJudge::greedy(Arc::new(StubPolicy::new(vec!["2".into()])));
        let request = JudgeRequest {
            instructions: "You compare.".into(),
            question: "Which?".into(),
            options: vec!["1".into(), "2".into()],
        };
        assert_eq!(messages(&request).len(), 2);
        let verdict = judge.judge(request).await.unwrap();
        assert_eq!(verdict, Verdict { text: "2".into(), option_logprobs: None });
    }
}
