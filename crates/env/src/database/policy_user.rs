//! A user played by any policy: a model behind a persona, a remote service, or a stub.
//!
//! The policy plays the person: it reads its instruction, hears what the agent says to the user as if the
//! agent were asking it, and never sees the agent's calls, their results, or the agent's instructions. It
//! ends the conversation by writing [`PolicyUser::END`].

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateset_core::{
    Border, GenerateRequest, Message, Policy, RolloutError, Sampling, Stream, TokenTrace,
};

use super::task::DatabaseTask;
use super::user::{TaskUser, UserAnswer, UserEnding};

/// A user played by a policy.
#[derive(Clone)]
pub struct PolicyUser {
    policy: Arc<dyn Policy>,
    sampling: Sampling,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// What was said, agent and user in turn; the agent's greeting comes first.
    said: Vec<String>,
}

const GREETING: &str = "Hello! How can I help you?";

impl PolicyUser {
    /// What the policy writes when it has nothing more to say.
    pub const END: &'static str = "[END]";

    /// A user whose words `policy` writes, drawn as `sampling` says.
    pub fn new(policy: Arc<dyn Policy>, sampling: Sampling) -> PolicyUser {
        PolicyUser { policy, sampling }
    }

    async fn say(
        &self,
        task: &DatabaseTask,
        memory: &mut Memory,
        stream: Stream,
    ) -> Result<UserAnswer, RolloutError> {
        let mut messages = vec![Message::system(persona(task))];
        messages.extend(memory.said.iter().enumerate().map(|(index, text)| {
            if index % 2 == 0 { Message::user(text) } else { Message::assistant(text) }
        }));
        let request = GenerateRequest {
            messages,
            tools: Vec::new(),
            trace: TokenTrace::default(),
            sampling: self.sampling.clone(),
            stream,
        };
        let completion = self.policy.generate(request).await.map_err(|error| {
            RolloutError::new(Border::Environment, format!("the user's policy failed: {error}"))
        })?;
        let text = completion.message.content;
        let is_over = text.contains(PolicyUser::END);
        let text = text.replace(PolicyUser::END, "").trim().to_owned();
        memory.said.push(text.clone());
        Ok(UserAnswer { text, ending: is_over.then_some(UserEnding::Content) })
    }
}

fn persona(task: &DatabaseTask) -> String {
    format!(
        "You play a person who talks to a service desk. {}\nSay one or two sentences at a time, in your own \
         words. Tell only what is asked, and nothing that is not written above. When everything is settled, \
         or cannot be, write {}.",
        task.instruction.trim(),
        PolicyUser::END
    )
}

#[async_trait]
impl TaskUser for PolicyUser {
    async fn open(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        stream: Stream,
    ) -> Result<String, RolloutError> {
        let mut held = Memory { said: vec![GREETING.to_owned()] };
        let answer = self.say(task, &mut held, stream).await?;
        *memory = serde_json::to_value(held).unwrap_or_default();
        Ok(answer.text)
    }

    async fn answer(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        text: &str,
        stream: Stream,
    ) -> Result<UserAnswer, RolloutError> {
        let mut held: Memory = serde_json::from_value(memory.take()).map_err(|error| {
            RolloutError::new(Border::Environment, format!("the state holds no user: {error}"))
        })?;
        held.said.push(text.to_owned());
        let answer = self.say(task, &mut held, stream).await?;
        *memory = serde_json::to_value(held).unwrap_or_default();
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Completion, FinishReason, PolicyError, Purpose, Role, RunSeed, StreamKey};

    /// Answers with the number of messages it reads, and ends when told so; fails on an empty turn.
    struct Counting;

    #[async_trait]
    impl Policy for Counting {
        async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
            let last = request.messages.last().map(|message| message.content.as_str());
            assert_eq!(request.messages[0].role, Role::System);
            assert!(request.messages[0].content.contains("You want tea."));
            assert!(request.messages.last().is_some_and(|last| last.role == Role::User));
            let text = match last {
                Some("") => return Err(PolicyError::Cancelled),
                Some("Bye.") => format!("Bye. {}", PolicyUser::END),
                _ => format!("{} messages", request.messages.len()),
            };
            let message = Message::assistant(text);
            Ok(Completion { message, sampled: None, finish: FinishReason::Stop })
        }
    }

    #[tokio::test]
    async fn roles_are_flipped_and_an_end_ends() {
        let user = PolicyUser::new(Arc::new(Counting), Sampling::default());
        let task = DatabaseTask::new("t", "You want tea.");
        let stream = || RunSeed(1).stream(Purpose::Environment, StreamKey::default());
        let mut memory = Value::Null;
        assert_eq!(user.open(&task, &mut memory, stream()).await.unwrap(), "2 messages");
        let answer = user.answer(&task, &mut memory, "Which?", stream()).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.ending), ("4 messages", None));
        let answer = user.answer(&task, &mut memory, "Bye.", stream()).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.ending), ("Bye.", Some(UserEnding::Content)));
        let error = user.answer(&task, &mut memory, "", stream()).await.unwrap_err();
        assert_eq!(error.border, Border::Environment);
    }
}
