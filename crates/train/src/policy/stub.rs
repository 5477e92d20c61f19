//! A policy that says canned sentences: for trying a run's parts without a model.

use async_trait::async_trait;
use stateset_core::{
    Completion, FinishReason, GenerateRequest, Message, Policy, PolicyError, Role,
};

/// Says its replies in turn, one for each assistant turn of a conversation. Learns nothing and has
/// no tokens.
#[derive(Clone, Debug)]
pub struct StubPolicy {
    replies: Vec<String>,
}

impl StubPolicy {
    /// A policy with these replies; with a greeting of its own where there are none.
    pub fn new(replies: Vec<String>) -> StubPolicy {
        let defaults = || {
            ["Hello! How can I help you today?", "I see. Could you tell me a little more?"]
                .map(str::to_owned)
                .to_vec()
        };
        StubPolicy { replies: if replies.is_empty() { defaults() } else { replies } }
    }

    /// The n-th reply; after the last comes the first again.
    pub fn reply(&self, n: usize) -> &str {
        &self.replies[n % self.replies.len()]
    }
}

#[async_trait]
impl Policy for StubPolicy {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        let turn = request.messages.iter().filter(|m| m.role == Role::Assistant).count();
        Ok(Completion {
            message: Message::assistant(self.reply(turn)),
            sampled: None,
            finish: FinishReason::Stop,
        })
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::{Purpose, RunSeed, Sampling, StreamKey, TokenTrace};

    use super::*;

    #[tokio::test]
    async fn replies_come_in_turn() {
        let stub = StubPolicy::new(vec!["a".into(), "b".into()]);
        let mut messages = vec![Message::user("hi")];
        for expected in ["a", "b", "a"] {
            let request = GenerateRequest {
                messages: messages.clone(),
                tools: Vec::new(),
                trace: TokenTrace::new(),
                sampling: Sampling::default(),
                stream: RunSeed(0).stream(Purpose::Sampling, StreamKey::default()),
            };
            let completion = stub.generate(request).await.unwrap();
            assert_eq!(completion.message.content, expected);
            messages.push(completion.message);
        }
    }
}
