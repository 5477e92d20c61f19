//! Programs that call the model several times at once: every call is answered for itself, and the tokens of
//! two conversations never meet in one row.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use proptest::prelude::*;
use stateset_core::{
    Completion, FinishReason, GenerateRequest, Message, Policy, PolicyError, PolicyVersion,
    RunSeed, SampledTokens, Sampling, Scenario, Segment, Trajectory, TrajectoryId,
};
use stateset_env::conversation::ConversationEnvironment;
use stateset_env::rewards::parse_reward;
use stateset_nn::{ChatFormat, TextError};
use stateset_train::{
    EpisodeLimits, ModelSource, MultiTurnAgent, Players, RESTARTED, chat_format, play,
};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::session::Session;
use super::{Elsewhere, HarnessEnvironment, Sessions};
use crate::answer::{AnswerRequest, Prompt, Speaker};

/// Repeats the last message, in the tokens of a real chat template; once for each permit.
struct Repeats {
    format: ChatFormat,
    permits: Arc<Semaphore>,
}

#[async_trait]
impl Policy for Repeats {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        let failed = |error: TextError| PolicyError::Failed(error.to_string());
        self.permits.acquire().await.unwrap().forget();
        let given = self.format.continuation(&request.messages, &request.tools, &request.trace);
        let line = repeated(&request.messages.last().unwrap().content);
        let mut tokens = self.format.tokenizer().encode_after(None, &line).map_err(failed)?;
        tokens.extend(self.format.end_ids().first());
        let sampled = SampledTokens {
            given: given.map_err(failed)?,
            logprobs: vec![-0.5; tokens.len()],
            tokens,
            version: PolicyVersion(0),
        };
        let message = Message::assistant(line);
        Ok(Completion { message, sampled: Some(sampled), finish: FinishReason::Stop })
    }
}

fn repeated(text: &str) -> String {
    format!("you said {text}")
}

fn tiny_format() -> ChatFormat {
    let fetch = |name: &str| panic!("nothing is to be downloaded, and {name} was asked for");
    chat_format(&ModelSource::open("builtin:tiny", &fetch).unwrap(), None).unwrap()
}

/// Begins an episode whose program is the test; the model answers once for each permit.
async fn episode(permits: Arc<Semaphore>) -> (Arc<Session>, JoinHandle<Trajectory>) {
    let sessions = Sessions::default();
    let elsewhere = Elsewhere {
        run: "run".to_owned(),
        purpose: "training",
        time_limit: Duration::from_secs(120),
    };
    let inner = Arc::new(ConversationEnvironment::default());
    let environment = HarnessEnvironment::elsewhere(elsewhere, sessions.clone(), inner);
    let agent = MultiTurnAgent::new(Arc::new(Repeats { format: tiny_format(), permits }));
    let playing = tokio::spawn(async move {
        let reward = parse_reward("length").unwrap();
        let players = Players { agent: &agent, environment: &environment, reward: reward.as_ref() };
        let limits = EpisodeLimits {
            max_turns: 100,
            turn_timeout: Duration::from_secs(120),
            reward_timeout: Duration::from_secs(120),
        };
        let (scenario, id) = (Scenario::new("s"), TrajectoryId::default());
        play(players, &scenario, id, RunSeed(1), None, &limits).await
    });
    let taken = sessions.take("run", 1, Duration::from_secs(60)).await;
    (taken[0].1.clone(), playing)
}

fn call(session: &Arc<Session>, messages: Vec<Message>) -> JoinHandle<Message> {
    let session = session.clone();
    let request =
        AnswerRequest::new(Prompt::Chat { messages, tools: Vec::new() }, Sampling::default());
    tokio::spawn(async move { session.answer(request).await.unwrap().message })
}

/// Lets everything else happen that can.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// A conversation of a program, with the call that is under way.
#[derive(Default)]
struct Conversation {
    messages: Vec<Message>,
    asked: Option<JoinHandle<Message>>,
}

impl Conversation {
    /// Waits for the answer, which has to be one to this conversation.
    async fn hear(&mut self) {
        let Some(asked) = self.asked.take() else { return };
        let answer = asked.await.unwrap();
        assert_eq!(answer.content, repeated(&self.messages.last().unwrap().content));
        self.messages.push(answer);
    }
}

/// Plays calls in this order, each given by its conversation and whether what can happen does before the
/// next: a conversation waits for its own answers and for nobody else's.
async fn played(calls: &[(usize, bool)]) -> (Trajectory, Vec<Conversation>) {
    let (session, playing) = episode(Arc::new(Semaphore::new(1000))).await;
    let mut conversations: Vec<Conversation> = (0..3).map(|_| Conversation::default()).collect();
    for (n, &(which, settles)) in calls.iter().enumerate() {
        let conversation = &mut conversations[which];
        conversation.hear().await;
        conversation.messages.push(Message::user(format!("call {n} of {which}")));
        conversation.asked = Some(call(&session, conversation.messages.clone()));
        if settles {
            settle().await;
        }
    }
    for conversation in &mut conversations {
        conversation.hear().await;
    }
    session.end(None).unwrap();
    (playing.await.unwrap(), conversations)
}

/// The conversation of each answer, in the order of the answers.
fn answered(trajectory: &Trajectory) -> Vec<usize> {
    let which = |text: &str| text.rsplit(' ').next().unwrap().parse().unwrap();
    trajectory.assistant_texts().map(which).collect()
}

fn text_of(format: &ChatFormat, segment: &Segment) -> String {
    format.tokenizer().decode(segment.tokens(), false).unwrap()
}

/// Every beginning of a conversation that ends with an answer, as the model reads and says it.
fn beginnings(format: &ChatFormat, conversation: &Conversation) -> Vec<String> {
    let messages = &conversation.messages;
    let ends = (1..messages.len()).step_by(2);
    let text = |end: usize| {
        let mut tokens = format.prompt(&messages[..end], &[]).unwrap();
        tokens.extend(format.tokenizer().encode_after(None, &messages[end].content).unwrap());
        tokens.extend(format.end_ids().first());
        format.tokenizer().decode(&tokens, false).unwrap()
    };
    ends.map(text).collect()
}

fn check(calls: &[(usize, bool)], trajectory: &Trajectory, conversations: &[Conversation]) {
    assert_eq!(trajectory.error, None);
    let answered = answered(trajectory);
    assert_eq!(answered.len(), calls.len(), "each call is answered once");
    let changes = answered.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let segments = trajectory.trace.segments();
    let restarts =
        trajectory.metadata.get(RESTARTED).map_or(0, |all| all.as_array().unwrap().len());
    assert_eq!(
        restarts, changes,
        "a row ends where another conversation is answered: {answered:?}"
    );
    assert_eq!(segments.len(), restarts + 1);
    let spans: usize = segments.iter().map(|segment| segment.sampled_spans().count()).sum();
    assert_eq!(spans, calls.len(), "each answer is in one row, once");
    let format = tiny_format();
    let known: HashMap<String, usize> = conversations
        .iter()
        .enumerate()
        .flat_map(|(which, talk)| beginnings(&format, talk).into_iter().map(move |t| (t, which)))
        .collect();
    let mut at = 0;
    for segment in segments {
        let text = text_of(&format, segment);
        assert_eq!(known.get(&text), Some(&answered[at]), "a row mixes conversations: {text:?}");
        at += segment.sampled_spans().count();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn calls_in_any_order_keep_to_their_conversations(
        calls in proptest::collection::vec((0..3_usize, any::<bool>()), 1..9),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (trajectory, conversations) = runtime.block_on(played(&calls));
        check(&calls, &trajectory, &conversations);
    }
}

#[tokio::test]
async fn a_conversation_alone_is_one_row() {
    let calls = [(1, false), (1, true), (1, false)];
    let (trajectory, conversations) = played(&calls).await;
    check(&calls, &trajectory, &conversations);
    assert_eq!(trajectory.trace.segments().len(), 1);
}

#[tokio::test]
async fn what_a_client_gave_up_is_not_answered() {
    let permits = Arc::new(Semaphore::new(0));
    let (session, playing) = episode(permits.clone()).await;
    let first = call(&session, vec![Message::user("first 0")]);
    settle().await;
    let given_up = call(&session, vec![Message::user("given up 1")]);
    settle().await;
    given_up.abort();
    settle().await;
    permits.add_permits(10);
    first.await.unwrap();
    let last = call(&session, vec![Message::user("last 2")]);
    last.await.unwrap();
    session.end(None).unwrap();
    let trajectory = playing.await.unwrap();
    assert_eq!(trajectory.error, None);
    assert_eq!(answered(&trajectory), [0, 2]);
    assert_eq!(permits.available_permits(), 8);
}
