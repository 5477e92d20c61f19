//! An agent that calls tools: its own, and those that the world brings.
//!
//! The policy's text is read in the agent's call format; what it calls is taken out of the visible text
//! and put on the message, and whoever holds the tools (a world, or [`ToolAgent::answer`]) answers it.
//! Tokens are not touched: what was sampled stays sampled, and results are read as given tokens by the
//! next turn. The choice a reader would question: a policy that gives calls itself, as remote servers
//! do, is believed, and its text is not read again.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{
    Agent, AgentReply, AgentRequest, CallFormat, Environment, FinishReason, Message, Purpose,
    RolloutError, RunSeed, StreamKey, ToolSpec,
};
use stateset_env::tools::{ToolRegistry, ToolRunner, WithTools};

use super::multi_turn::MultiTurnAgent;
use crate::rollout::append_tokens;

/// A [`MultiTurnAgent`] with tools.
#[derive(Clone)]
pub struct ToolAgent {
    /// Who answers, with instructions and memory.
    pub inner: MultiTurnAgent,
    /// Tools of its own, offered in every turn.
    pub tools: ToolRegistry,
    /// How the policy writes calls.
    pub format: CallFormat,
}

impl ToolAgent {
    /// An agent without tools of its own.
    pub fn new(inner: MultiTurnAgent, format: CallFormat) -> ToolAgent {
        ToolAgent { inner, tools: ToolRegistry::new(), format }
    }

    /// The same agent with tools of its own.
    pub fn with_tools(mut self, tools: ToolRegistry) -> ToolAgent {
        self.tools = tools;
        self
    }

    /// `world` with the agent's own tools, so that episodes answer its calls; `world` itself where the
    /// agent has none.
    pub fn world(&self, world: Arc<dyn Environment>) -> Arc<dyn Environment> {
        if self.tools.is_empty() {
            return world;
        }
        Arc::new(WithTools::new(world, self.tools.clone()))
    }

    /// Takes a turn outside of any world: answers its own calls, at most `max_rounds` times, until it
    /// says something without a call. Gives everything said, the last being the answer; where the rounds
    /// run out, that one still holds calls. Each round draws from the stream of `seed` at `key` and the
    /// round's number; the request's own stream is not used.
    ///
    /// # Errors
    /// As [`Agent::reply`].
    pub async fn answer(
        &self,
        mut request: AgentRequest,
        (seed, key): (RunSeed, StreamKey),
        max_rounds: usize,
    ) -> Result<Vec<Message>, RolloutError> {
        let runner = ToolRunner::new(self.tools.clone());
        let n_before = request.messages.len();
        for round in 0..=max_rounds {
            request.stream = seed.stream(Purpose::Sampling, key.at_turn(round));
            let completion = self.reply(request.clone()).await?.completion;
            if let Some(sampled) = &completion.sampled {
                append_tokens(&mut request.trace, sampled)?;
            }
            let calls = completion.message.tool_calls.clone();
            request.messages.push(completion.message);
            if calls.is_empty() || round == max_rounds {
                break;
            }
            request.messages.extend(runner.run(&calls).await);
        }
        Ok(request.messages.split_off(n_before))
    }

    /// Own tools and those of the world, each name once: a world made by [`ToolAgent::world`] brings the
    /// agent's own.
    fn all_tools(&self, of_world: &[ToolSpec]) -> Vec<ToolSpec> {
        let is_new = |own: &ToolSpec| of_world.iter().all(|tool| tool.name != own.name);
        of_world.iter().cloned().chain(self.tools.specs().into_iter().filter(is_new)).collect()
    }
}

#[async_trait]
impl Agent for ToolAgent {
    async fn reply(&self, mut request: AgentRequest) -> Result<AgentReply, RolloutError> {
        request.tools = self.all_tools(&request.tools);
        let tools = request.tools.clone();
        let n_earlier = request.messages.iter().map(|message| message.tool_calls.len()).sum();
        let mut reply = self.inner.reply(request).await?;
        let message = &mut reply.completion.message;
        if !tools.is_empty() && message.tool_calls.is_empty() {
            let read = self.format.read(&message.content, &tools, n_earlier);
            (message.content, message.tool_calls) = (read.content, read.calls);
        }
        // An answer that was cut off stays one, whatever it called before.
        if !message.tool_calls.is_empty() && reply.completion.finish == FinishReason::Stop {
            reply.completion.finish = FinishReason::ToolCalls;
        }
        Ok(reply)
    }
}
