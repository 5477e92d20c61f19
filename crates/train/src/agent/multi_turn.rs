//! The usual agent: a policy, instructions, and what stands around them.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{
    Agent, AgentReply, AgentRequest, Border, GenerateRequest, Message, Policy, PolicyError, Role,
    RolloutError, Sampling,
};
use stateset_env::agents::{Reading, Surroundings};

/// Answers with a policy. Its own instructions come first, unless the scenario brings others.
#[derive(Clone)]
pub struct MultiTurnAgent {
    /// Who answers.
    pub policy: Arc<dyn Policy>,
    /// Instructions before every conversation.
    pub system_prompt: Option<String>,
    /// Memory, plans, compression and thoughts. Where a history is cut or a plan changes, the policy reads the
    /// conversation anew: a new segment of tokens begins, and says why.
    pub surroundings: Surroundings,
    /// How tokens are drawn, unless a request says otherwise.
    pub sampling: Sampling,
}

impl MultiTurnAgent {
    /// A policy with nothing around it.
    pub fn new(policy: Arc<dyn Policy>) -> Self {
        MultiTurnAgent {
            policy,
            system_prompt: None,
            surroundings: Surroundings::default(),
            sampling: Sampling::default(),
        }
    }

    /// The whole conversation: instructions, then `opening`. Those of a scenario replace the agent's own; an opening
    /// that begins with a system message has its own.
    pub fn opening(&self, of_scenario: Option<&str>, opening: Vec<Message>) -> Vec<Message> {
        let brings_own = opening.first().is_some_and(|m| m.role == Role::System);
        let prompt = of_scenario.or(self.system_prompt.as_deref()).filter(|_| !brings_own);
        prompt.map(Message::system).into_iter().chain(opening).collect()
    }

    /// What the policy reads of a request: all of the conversation, or what the surroundings make of it.
    ///
    /// # Errors
    /// [`RolloutError`] where the surroundings fail.
    pub async fn read(&self, request: &AgentRequest) -> Result<Reading, RolloutError> {
        let all = self.opening(request.system_prompt.as_deref(), request.messages.clone());
        self.surroundings.read(all, &request.context, &request.notes, &request.stream).await
    }

    /// The request that the policy gets with these messages.
    pub fn generate_request(
        &self,
        request: AgentRequest,
        messages: Vec<Message>,
    ) -> GenerateRequest {
        GenerateRequest {
            messages,
            tools: request.tools,
            trace: request.trace,
            sampling: request.sampling.unwrap_or_else(|| self.sampling.clone()),
            stream: request.stream,
        }
    }
}

#[async_trait]
impl Agent for MultiTurnAgent {
    async fn reply(&self, request: AgentRequest) -> Result<AgentReply, RolloutError> {
        let mut reading = self.read(&request).await?;
        let messages = std::mem::take(&mut reading.messages);
        let completion = self.policy.generate(self.generate_request(request, messages)).await;
        let mut completion = completion.map_err(|error| {
            let border = match &error {
                PolicyError::ContextFull { .. } => Border::Limit,
                _ => Border::Model,
            };
            RolloutError::new(border, error)
        })?;
        self.surroundings.settle(&mut reading, &mut completion);
        Ok(AgentReply { completion, notes: reading.notes })
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::{Purpose, RunSeed, StreamKey};

    use super::*;
    use crate::policy::StubPolicy;

    fn agent(window: Option<usize>) -> MultiTurnAgent {
        MultiTurnAgent {
            system_prompt: Some("Be kind.".into()),
            surroundings: Surroundings { memory_window: window, ..Surroundings::default() },
            ..MultiTurnAgent::new(Arc::new(StubPolicy::new(Vec::new())))
        }
    }

    fn request(messages: Vec<Message>, system_prompt: Option<&str>) -> AgentRequest {
        let stream = RunSeed(0).stream(Purpose::Sampling, StreamKey::default());
        AgentRequest {
            system_prompt: system_prompt.map(str::to_owned),
            ..AgentRequest::new(messages, stream)
        }
    }

    async fn read(window: Option<usize>, request: AgentRequest) -> Vec<String> {
        let messages = agent(window).read(&request).await.unwrap().messages;
        messages.into_iter().map(|message| message.content).collect()
    }

    #[tokio::test]
    async fn instructions_come_first_once() {
        let user = vec![Message::user("hi")];
        assert_eq!(read(None, request(user.clone(), None)).await, ["Be kind.", "hi"]);
        let brought = read(None, request(user.clone(), Some("Be brief."))).await;
        assert_eq!(brought, ["Be brief.", "hi"]);
        let own = [vec![Message::system("Sell.")], user].concat();
        assert_eq!(read(None, request(own, None)).await, ["Sell.", "hi"]);
    }

    #[tokio::test]
    async fn memory_keeps_the_last_messages_and_all_instructions() {
        let turns = ["a", "b", "c", "d"].map(Message::user).to_vec();
        assert_eq!(read(Some(2), request(turns, None)).await, ["Be kind.", "c", "d"]);
    }
}
