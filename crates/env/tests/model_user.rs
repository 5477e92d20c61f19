//! Users played by a policy. Pinned here:
//!
//! 1. The user's model sees a persona, what was said aloud, and roles exchanged; never the agent's
//!    instructions, tool calls, tool results or reasoning.
//! 2. The user says that it is done by a mark; what stands before it are last words.
//! 3. A policy that fails, or says nothing, ends its own rollout at the border of the environment.
//! 4. The conversation is in the state: an episode that goes through JSON after every turn is the same.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::json;
use stateset_core::{
    Border, Completion, ConversationTurn, Environment, EnvironmentState, EpisodeStatus,
    FinishReason, GenerateRequest, Message, Policy, PolicyError, Purpose, Role, RunSeed, Scenario,
    Stream, StreamKey, ToolCall,
};
use stateset_env::Persona;
use stateset_env::model_user::{ModelUser, ModelUserEnvironment};

/// Says the given lines in turn, fails where there is none left, and keeps what it was asked.
struct Canned {
    lines: Vec<&'static str>,
    asked: Mutex<Vec<GenerateRequest>>,
}

#[async_trait]
impl Policy for Canned {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        let mut asked = self.asked.lock().expect("nobody panicked");
        let line = self.lines.get(asked.len()).copied();
        asked.push(request);
        let line = line.ok_or_else(|| PolicyError::Failed("the server is down".into()))?;
        let message = Message::assistant(line);
        Ok(Completion { message, sampled: None, finish: FinishReason::Stop })
    }
}

fn canned(lines: &[&'static str]) -> (Arc<Canned>, ModelUserEnvironment) {
    let policy = Arc::new(Canned { lines: lines.to_vec(), asked: Mutex::default() });
    let user = ModelUser::new(
        policy.clone(),
        Persona::named("busy_professional").expect("it is built in"),
    );
    (policy, ModelUserEnvironment::new(user, 5))
}

fn scenario() -> Scenario {
    Scenario {
        context: "Your parcel 4821 is late.".into(),
        system_prompt: Some("SECRET rules".into()),
        ..Scenario::new("late")
    }
}

fn stream(turn: usize) -> Stream {
    RunSeed(1).stream(Purpose::Environment, StreamKey::default().at_turn(turn))
}

fn says(message: Message) -> ConversationTurn {
    ConversationTurn::new(message)
}

#[tokio::test]
async fn the_user_sees_only_what_is_said_to_them() {
    let (policy, environment) =
        canned(&["Where is my parcel?", "User: It is 4821.", "Thanks! [DONE] and more"]);
    let opening = environment.reset(&scenario(), stream(0)).await.unwrap();
    assert_eq!(opening.messages, [Message::user("Where is my parcel?")]);
    let mut state = opening.state;

    let call =
        ToolCall { id: "1".into(), name: "lookup".into(), arguments: json!({"key": "SECRET"}) };
    let calling = Message {
        tool_calls: vec![call],
        reasoning: Some("SECRET".into()),
        ..Message::assistant("")
    };
    let outcome =
        environment.step(&scenario(), &mut state, &says(calling), stream(1)).await.unwrap();
    assert_eq!(outcome.messages[0].role, Role::Tool);
    assert_eq!(policy.asked.lock().unwrap().len(), 1, "a call of a tool is not for the user");

    let thinking = Message::assistant("<think>SECRET</think>What is the number?");
    let outcome =
        environment.step(&scenario(), &mut state, &says(thinking), stream(2)).await.unwrap();
    assert_eq!(outcome.messages, [Message::user("It is 4821.")], "without the speaker's name");
    let done = says(Message::assistant("It comes tomorrow."));
    let outcome = environment.step(&scenario(), &mut state, &done, stream(3)).await.unwrap();
    assert!(outcome.messages.is_empty());
    assert_eq!(state.status, EpisodeStatus::Completed);
    assert_eq!(state.metadata["closing_words"], json!("Thanks!"));

    let asked = policy.asked.lock().unwrap();
    for request in asked.iter() {
        assert_eq!(request.messages[0].role, Role::System);
        assert!(request.messages[0].content.contains("Your parcel 4821 is late."));
        assert_eq!(request.messages.last().unwrap().role, Role::User, "the agent spoke last");
        assert!(request.messages.iter().all(|message| !message.content.contains("SECRET")));
        assert!(request.messages.iter().all(|message| message.tool_calls.is_empty()));
        assert!(request.tools.is_empty());
    }
    let last: Vec<(Role, &str)> =
        asked[2].messages[2..].iter().map(|m| (m.role, m.content.as_str())).collect();
    assert_eq!(
        last,
        [
            (Role::Assistant, "Where is my parcel?"),
            (Role::User, "What is the number?"),
            (Role::Assistant, "It is 4821."),
            (Role::User, "It comes tomorrow."),
        ]
    );
}

#[tokio::test]
async fn a_failure_of_the_users_model_is_the_environments() {
    let (_, environment) = canned(&[]);
    let error = environment.reset(&scenario(), stream(0)).await.unwrap_err();
    assert_eq!(error.border, Border::Environment);
    assert!(error.message.contains("the server is down"), "{error}");
    let (_, environment) = canned(&["Where is it?", "  "]);
    let mut state = environment.reset(&scenario(), stream(0)).await.unwrap().state;
    let turn = says(Message::assistant("Hello."));
    let error = environment.step(&scenario(), &mut state, &turn, stream(1)).await.unwrap_err();
    assert_eq!(error.border, Border::Environment);
    assert!(error.message.contains("said nothing"), "{error}");
    let (_, environment) = canned(&["[DONE]"]);
    assert!(environment.reset(&scenario(), stream(0)).await.is_err(), "nothing to open with");
}

#[tokio::test]
async fn goodbye_turns_and_storage() {
    let (policy, environment) = canned(&["Hi, where is it?", "Hm.", "Hm?", "Well.", "So?", "And?"]);
    let mut state = environment.reset(&scenario(), stream(0)).await.unwrap().state;
    for turn in 1..=5 {
        let stored = serde_json::to_string(&state).unwrap();
        state = serde_json::from_str::<EnvironmentState>(&stored).unwrap();
        let said = says(Message::assistant(format!("Idea {turn}.")));
        environment.step(&scenario(), &mut state, &said, stream(turn)).await.unwrap();
    }
    assert_eq!((state.status, state.turn_count), (EpisodeStatus::Timeout, 5));
    assert_eq!(policy.asked.lock().unwrap()[5].messages.len(), 2 + 1 + 9);

    let (policy, environment) = canned(&["Hi, where is it?", "never said"]);
    let mut state = environment.reset(&scenario(), stream(0)).await.unwrap().state;
    let bye = says(Message::assistant("It is on its way. Goodbye!"));
    environment.step(&scenario(), &mut state, &bye, stream(1)).await.unwrap();
    assert_eq!(state.status, EpisodeStatus::Completed);
    assert_eq!(policy.asked.lock().unwrap().len(), 1);

    let opened = Scenario { messages: vec![Message::user("Where?")], ..scenario() };
    let (policy, environment) = canned(&["There."]);
    let opening = environment.reset(&opened, stream(0)).await.unwrap();
    assert_eq!((opening.messages.len(), policy.asked.lock().unwrap().len()), (1, 0));
}
