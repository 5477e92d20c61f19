//! The usual agent: a policy, instructions, and a memory of the last messages.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{
    Agent, AgentReply, AgentRequest, Border, GenerateRequest, Message, Policy, PolicyError, Role,
    RolloutError, Sampling,
};

/// Answers with a policy. Its own instructions come first, unless the scenario brings others.
#[derive(Clone)]
pub struct MultiTurnAgent {
    /// Who answers.
    pub policy: Arc<dyn Policy>,
    /// Instructions before every conversation.
    pub system_prompt: Option<String>,
    /// Messages beside system messages that are kept; all where absent. A window makes the policy
    /// read the conversation anew once it has moved.
    pub memory_window: Option<usize>,
    /// How tokens are drawn, unless a request says otherwise.
    pub sampling: Sampling,
}

impl MultiTurnAgent {
    /// What the policy reads first: instructions, then `opening`. Those of a scenario replace the
    /// agent's own; an opening that begins with a system message has its own.
    pub fn opening(&self, of_scenario: Option<&str>, opening: Vec<Message>) -> Vec<Message> {
        let brings_own = opening.first().is_some_and(|m| m.role == Role::System);
        let prompt = of_scenario.or(self.system_prompt.as_deref()).filter(|_| !brings_own);
        prompt.map(Message::system).into_iter().chain(opening).collect()
    }

    /// What the policy reads: instructions, then the messages in memory.
    pub fn messages(&self, request: &AgentRequest) -> Vec<Message> {
        let all = self.opening(request.system_prompt.as_deref(), request.messages.clone());
        let mut messages = Vec::with_capacity(all.len());
        let n_others = all.iter().filter(|m| m.role != Role::System).count();
        let mut to_drop = self.memory_window.map_or(0, |window| n_others.saturating_sub(window));
        for message in all {
            if message.role != Role::System && to_drop > 0 {
                to_drop -= 1;
            } else {
                messages.push(message);
            }
        }
        messages
    }

    /// The request that the policy gets.
    pub fn generate_request(&self, request: AgentRequest) -> GenerateRequest {
        GenerateRequest {
            messages: self.messages(&request),
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
        let completion = self.policy.generate(self.generate_request(request)).await;
        let completion = completion.map_err(|error| {
            let border = match &error {
                PolicyError::ContextFull { .. } => Border::Limit,
                _ => Border::Model,
            };
            RolloutError::new(border, error)
        })?;
        Ok(AgentReply { completion })
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::{Purpose, RunSeed, StreamKey, TokenTrace};

    use super::*;
    use crate::policy::StubPolicy;

    fn agent(window: Option<usize>) -> MultiTurnAgent {
        MultiTurnAgent {
            policy: Arc::new(StubPolicy::new(Vec::new())),
            system_prompt: Some("Be kind.".into()),
            memory_window: window,
            sampling: Sampling::default(),
        }
    }

    fn request(messages: Vec<Message>, system_prompt: Option<&str>) -> AgentRequest {
        AgentRequest {
            messages,
            system_prompt: system_prompt.map(str::to_owned),
            tools: Vec::new(),
            trace: TokenTrace::new(),
            sampling: None,
            stream: RunSeed(0).stream(Purpose::Sampling, StreamKey::default()),
        }
    }

    fn texts(messages: &[Message]) -> Vec<&str> {
        messages.iter().map(|message| message.content.as_str()).collect()
    }

    #[test]
    fn instructions_come_first_once() {
        let user = vec![Message::user("hi")];
        assert_eq!(texts(&agent(None).messages(&request(user.clone(), None))), ["Be kind.", "hi"]);
        let brought = agent(None).messages(&request(user.clone(), Some("Be brief.")));
        assert_eq!(texts(&brought), ["Be brief.", "hi"]);
        let own = [vec![Message::system("Sell.")], user].concat();
        assert_eq!(texts(&agent(None).messages(&request(own, None))), ["Sell.", "hi"]);
    }

    #[test]
    fn memory_keeps_the_last_messages_and_all_instructions() {
        let turns = ["a", "b", "c", "d"].map(Message::user).to_vec();
        let kept = agent(Some(2)).messages(&request(turns, None));
        assert_eq!(texts(&kept), ["Be kind.", "c", "d"]);
    }
}
