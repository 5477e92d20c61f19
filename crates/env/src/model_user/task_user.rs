//! A user played by a policy, in a task over a database.
//!
//! The task's instruction stands where a scenario's context does. The agent's calls, their results and its
//! instructions never reach the user, since only what is said to them does.

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{Border, Message, RolloutError, Scenario, Stream};

use super::user::ModelUser;
use crate::database::{DatabaseTask, TaskUser, UserAnswer, UserEnding};

/// What was said: the user first, then agent and user in turn.
type Memory = Vec<String>;

fn conversation(said: &Memory) -> Vec<Message> {
    let message = |(index, text): (usize, &String)| match index % 2 {
        0 => Message::user(text),
        _ => Message::assistant(text),
    };
    said.iter().enumerate().map(message).collect()
}

impl ModelUser {
    async fn play(
        &self,
        task: &DatabaseTask,
        mut said: Memory,
        stream: Stream,
    ) -> Result<(UserAnswer, Value), RolloutError> {
        let instruction = task.instruction.trim().to_owned();
        let scenario = Scenario { context: instruction, ..Scenario::new(&task.id) };
        let answer = ModelUser::answer(self, &scenario, &conversation(&said), stream).await;
        let answer = answer.map_err(|error| failed(format!("ask the user's model: {error}")))?;
        said.push(answer.text.clone());
        let memory = serde_json::to_value(said).map_err(|error| failed(error.to_string()))?;
        let ending = answer.is_done.then_some(UserEnding::Content);
        Ok((UserAnswer { text: answer.text, ending }, memory))
    }
}

fn failed(message: String) -> RolloutError {
    RolloutError::new(Border::Environment, message)
}

#[async_trait]
impl TaskUser for ModelUser {
    async fn open(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        stream: Stream,
    ) -> Result<String, RolloutError> {
        let (answer, held) = self.play(task, Memory::new(), stream).await?;
        *memory = held;
        Ok(answer.text)
    }

    async fn answer(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        text: &str,
        stream: Stream,
    ) -> Result<UserAnswer, RolloutError> {
        let mut said: Memory = serde_json::from_value(memory.take())
            .map_err(|error| failed(format!("the state holds no user: {error}")))?;
        said.push(text.to_owned());
        let (answer, held) = self.play(task, said, stream).await?;
        *memory = held;
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stateset_core::{
        Completion, FinishReason, GenerateRequest, Policy, PolicyError, Purpose, Role, RunSeed,
        StreamKey,
    };

    use super::*;
    use crate::persona::Persona;

    /// Answers with the number of messages it reads, and ends when told so; fails when asked why.
    struct Counting;

    #[async_trait]
    impl Policy for Counting {
        async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
            assert_eq!(request.messages[0].role, Role::System);
            assert!(request.messages[0].content.contains("You want tea."));
            let last = request.messages.last().unwrap();
            assert_eq!(last.role, Role::User);
            assert!(!last.content.contains("SECRET"), "{}", last.content);
            let text = match last.content.as_str() {
                "Why?" => return Err(PolicyError::Cancelled),
                "Bye." => "Bye. [DONE]".to_owned(),
                _ => format!("{} messages", request.messages.len()),
            };
            let message = Message::assistant(text);
            Ok(Completion { message, sampled: None, finish: FinishReason::Stop })
        }
    }

    #[tokio::test]
    async fn roles_are_exchanged_and_an_end_ends() {
        let user: Arc<dyn TaskUser> =
            Arc::new(ModelUser::new(Arc::new(Counting), Persona::default()));
        let task = DatabaseTask::new("t", "You want tea.");
        let stream = || RunSeed(1).stream(Purpose::Environment, StreamKey::default());
        let mut memory = Value::Null;
        assert_eq!(user.open(&task, &mut memory, stream()).await.unwrap(), "2 messages");
        let asked = "Which?<tool_call>SECRET</tool_call>";
        let answer = user.answer(&task, &mut memory, asked, stream()).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.ending), ("4 messages", None));
        let answer = user.answer(&task, &mut memory, "Bye.", stream()).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.ending), ("Bye.", Some(UserEnding::Content)));
        let error = user.answer(&task, &mut memory, "Why?", stream()).await.unwrap_err();
        assert_eq!(error.border, Border::Environment);
        let error = user.answer(&task, &mut Value::Null, "So?", stream()).await.unwrap_err();
        assert!(error.to_string().contains("the state holds no user"), "{error}");
    }
}
