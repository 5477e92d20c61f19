//! A policy as a user: what it is asked, and what of its answer is the user's message.

use std::sync::Arc;

use stateset_core::{
    GenerateRequest, Message, Policy, PolicyError, Role, Sampling, Scenario, Stream, TokenTrace,
};

use super::flip::flipped;
use super::prompt::persona_prompt;
use crate::persona::Persona;

/// The mark with which a user's model says that it is done, unless another is set.
const DONE: &str = "[DONE]";

/// A user played by a policy.
#[derive(Clone)]
pub struct ModelUser {
    /// What plays them.
    pub policy: Arc<dyn Policy>,
    /// Who they are.
    pub persona: Persona,
    /// How to draw. `sampling.stop` ends a message; it does not end the conversation.
    pub sampling: Sampling,
    /// Texts that end the conversation where the user writes them; the first one is named in the
    /// instructions. They must not be stop texts of `sampling`, or they would be cut off unseen.
    pub done: Vec<String>,
}

/// What the user said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The message, without the mark at its end; may be empty where `is_done`.
    pub text: String,
    /// Whether the user is done.
    pub is_done: bool,
}

impl ModelUser {
    /// A user who writes at most 96 tokens at temperature 1 and ends with `[DONE]`.
    pub fn new(policy: Arc<dyn Policy>, persona: Persona) -> ModelUser {
        let sampling = Sampling { max_new_tokens: 96, ..Sampling::default() };
        ModelUser { policy, persona, sampling, done: vec![DONE.to_owned()] }
    }

    /// The user's next message in `conversation`, which has the agent's roles.
    ///
    /// # Errors
    /// [`PolicyError`] of the policy; [`PolicyError::Failed`] where it says nothing.
    pub async fn answer(
        &self,
        scenario: &Scenario,
        conversation: &[Message],
        stream: Stream,
    ) -> Result<Said, PolicyError> {
        let request = GenerateRequest {
            messages: self.messages(scenario, conversation),
            tools: Vec::new(),
            trace: TokenTrace::default(),
            sampling: self.sampling.clone(),
            stream,
        };
        let completion = self.policy.generate(request).await?;
        let said = self.read(&completion.message.content);
        if said.text.is_empty() && !said.is_done {
            return Err(PolicyError::Failed("the user's model said nothing".to_owned()));
        }
        Ok(said)
    }

    /// Instructions, and the conversation with the roles exchanged. A model answers the last message of
    /// the other side, so the opening is asked for.
    fn messages(&self, scenario: &Scenario, conversation: &[Message]) -> Vec<Message> {
        let done = self.done.first().map_or(DONE, String::as_str);
        let mut messages = vec![Message::system(persona_prompt(&self.persona, scenario, done))];
        let seen = flipped(conversation);
        if seen.first().is_none_or(|first| first.role == Role::Assistant) {
            messages.push(Message::user("Hello. How can I help you?"));
        }
        messages.extend(seen);
        messages
    }

    /// The message up to the first mark. A label of the speaker before it is no part of it.
    fn read(&self, text: &str) -> Said {
        let marks = self.done.iter().filter(|mark| !mark.is_empty());
        let end = marks.filter_map(|mark| text.find(mark.as_str())).min();
        let words = text[..end.unwrap_or(text.len())].trim();
        let words = ["User:", "Customer:"]
            .iter()
            .find_map(|label| words.strip_prefix(label))
            .unwrap_or(words);
        Said { text: words.trim().to_owned(), is_done: end.is_some() }
    }
}
