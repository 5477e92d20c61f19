//! What is promised of agents with tools.
//!
//! 1. A whole episode plays: the agent calls, the world answers, the agent answers the user.
//! 2. What was sampled stays sampled, results are given tokens, and the row is not broken by calls.
//! 3. A broken call is answered with what is wrong with it.
//! 4. A run plays a world with tools without being told.
//! 5. Outside of a world the agent answers its own calls.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    AgentRequest, CallFormat, Completion, FinishReason, GenerateRequest, Message, Origin, Policy,
    PolicyError, PolicyVersion, Reward, RewardContext, RewardResult, Role, RunSeed, SampledTokens,
    Sampling, Scenario, Score, StreamKey, TokenTrace, ToolSpec, Trajectory, TrajectoryId,
};
use stateset_env::conversation::ConversationEnvironment;
use stateset_env::prompts::PromptEnvironment;
use stateset_env::tools::{ToolRegistry, WithTools};
use stateset_nn::ChatFormat;
use stateset_train::{
    EpisodeLimits, ModelSource, MultiTurnAgent, Players, StubPolicy, ToolAgent, chat_format, play,
};

use crate::support::stub_run;

const CALL: &str =
    "I look.\n```json\n{\"parameters\":{\"id\": \"17\"}, \"tool\":\"find_order\"}\n```";

fn tools() -> ToolRegistry {
    let mut tools = ToolRegistry::new();
    let spec = ToolSpec {
        name: "find_order".to_owned(),
        description: "Finds an order.".to_owned(),
        parameters: json!({"properties": {"id": {"type": "string"}}, "required": ["id"]}),
    };
    let find = |arguments: Value| Ok(json!(format!("order {} left", arguments["id"])));
    tools.add_function(spec, find).unwrap();
    tools
}

/// Says its lines with the tokens of a real chat template, as a model would.
struct Teller {
    format: ChatFormat,
    lines: Vec<&'static str>,
}

#[async_trait]
impl Policy for Teller {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        let failed = |error: stateset_nn::TextError| PolicyError::Failed(error.to_string());
        let given = self.format.continuation(&request.messages, &request.tools, &request.trace);
        let given = given.map_err(failed)?;
        let n = request.messages.iter().filter(|m| m.role == Role::Assistant).count();
        let line = self.lines[n % self.lines.len()];
        let mut tokens = self.format.tokenizer().encode_after(None, line).map_err(failed)?;
        tokens.extend(self.format.end_ids().first());
        let message = self.format.reply(&tokens, &[]).map_err(failed)?;
        let logprobs = vec![-0.5; tokens.len()];
        let sampled = SampledTokens { given, tokens, logprobs, version: PolicyVersion(0) };
        Ok(Completion { message, sampled: Some(sampled), finish: FinishReason::Stop })
    }
}

fn tiny_format() -> ChatFormat {
    let fetch = |name: &str| panic!("nothing is to be downloaded, and {name} was asked for");
    chat_format(&ModelSource::open("builtin:tiny", &fetch).unwrap(), None).unwrap()
}

fn agent(policy: impl Policy + 'static) -> ToolAgent {
    let inner = MultiTurnAgent {
        system_prompt: Some("Be brief.".to_owned()),
        ..MultiTurnAgent::new(Arc::new(policy))
    };
    ToolAgent::new(inner, CallFormat::Json)
}

/// 1 where a tool said something that is no error.
struct WasHelped;

#[async_trait]
impl Reward for WasHelped {
    fn name(&self) -> &str {
        "was_helped"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        let is_help = |m: &Message| m.role == Role::Tool && !m.content.starts_with("Error");
        let helped = trajectory.turns.iter().any(|turn| is_help(&turn.message));
        RewardResult::single(Score::of(f64::from(u8::from(helped))))
    }
}

async fn episode(agent: &ToolAgent) -> Trajectory {
    let environment = WithTools::new(Arc::new(ConversationEnvironment::default()), tools());
    let players = Players { agent, environment: &environment, reward: &WasHelped };
    let scenario = Scenario {
        user_responses: vec!["Where is order 17?".into(), "And now?".into()],
        ..Scenario::new("s")
    };
    let limits = EpisodeLimits {
        max_turns: 6,
        turn_timeout: Duration::from_secs(60),
        reward_timeout: Duration::from_secs(60),
    };
    play(players, &scenario, TrajectoryId::default(), RunSeed(1), None, &limits).await
}

fn roles(trajectory: &Trajectory) -> Vec<&str> {
    trajectory.turns.iter().map(|turn| turn.message.role.as_str()).collect()
}

#[tokio::test]
async fn a_whole_episode_with_tools_plays() {
    let stub = StubPolicy::new([CALL, "It left.", "Goodbye!"].map(str::to_owned).to_vec());
    let played = episode(&agent(stub)).await;
    assert_eq!(played.error, None);
    assert_eq!(roles(&played), ["user", "assistant", "tool", "assistant", "user", "assistant"]);
    let call = &played.turns[1];
    assert_eq!(call.message.content, "I look.");
    assert_eq!(call.message.tool_calls[0].arguments, json!({"id": "17"}));
    assert_eq!(call.finish, Some(FinishReason::ToolCalls));
    assert_eq!(played.turns[2].message.content, "order \"17\" left");
    assert_eq!(played.turns[2].message.tool_call_id.as_deref(), Some("call00000"));
    assert_eq!(played.turns[3].finish, Some(FinishReason::Stop));
    assert_eq!(played.reward(), Some(1.0));
    assert_eq!(played.final_state.unwrap().metadata["tool_calls"], json!(1));
}

#[tokio::test]
async fn results_are_read_and_not_learnt() {
    let format = tiny_format();
    let lines = vec![CALL, "It left.", "Goodbye!"];
    let played = episode(&agent(Teller { format: format.clone(), lines: lines.clone() })).await;
    assert_eq!(played.error, None);
    assert_eq!(played.metadata.get("restarted"), None);
    let [row] = played.trace.segments() else { panic!("{} rows", played.trace.segments().len()) };
    let said: Vec<String> = row
        .sampled_spans()
        .map(|span| format.reply_text(&row.tokens()[span.start..span.end], &[]).unwrap())
        .collect();
    assert_eq!(said, lines);
    let mask = row.mask(Origin::Sampled);
    let pairs = row.tokens().iter().zip(&mask);
    let given: Vec<u32> = pairs.filter(|(_, is_sampled)| !**is_sampled).map(|(t, _)| *t).collect();
    let given = format.tokenizer().decode(&given, false).unwrap();
    assert_eq!(given.matches("order \"17\" left").count(), 1, "{given}");
    assert!(given.contains("find_order(id: string)"), "{given}");
    assert!(!given.contains("I look."), "{given}");
}

#[tokio::test]
async fn a_broken_call_is_answered_with_its_fault() {
    let broken = "```json\n{\"tool\": \"find_order\", \"parameters\": {\"id\": \n```";
    let stub = StubPolicy::new([broken, CALL, "Goodbye!"].map(str::to_owned).to_vec());
    let played = episode(&agent(stub)).await;
    assert_eq!(roles(&played), ["user", "assistant", "tool", "assistant", "tool", "assistant"]);
    let fault = &played.turns[2].message;
    assert!(fault.content.starts_with("Error: the call cannot be read: it is not JSON"));
    assert_eq!(fault.tool_call_id.as_deref(), Some("call00000"));
    assert_eq!(played.turns[4].message.tool_call_id.as_deref(), Some("call00001"));
    assert_eq!(played.reward(), Some(1.0));
    assert_eq!(played.final_state.unwrap().metadata["tool_errors"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_play_worlds_with_tools() {
    let temp = tempfile::tempdir().unwrap();
    let responses = json!(["[find_order(id='17')]", "It left."]).to_string();
    let changes = [
        ("agent.use_stub_model", "true"),
        ("agent.stub_responses", responses.as_str()),
        ("agent.tool_format", "pythonic"),
        ("training.max_steps", "1"),
    ];
    let mut run = stub_run(temp.path(), &changes);
    run.cast.environment = Arc::new(WithTools::new(Arc::new(PromptEnvironment), tools()));
    run.cast.evaluation_environment = run.cast.environment.clone();
    (run.cast.max_turns, run.cast.evaluation_max_turns) = (4, 4);
    run.cast.reward = Arc::new(WasHelped);
    let before = run.train().await.unwrap().before.unwrap();
    assert_eq!(before.reward.unwrap().estimate, 1.0);
    assert_eq!(before.mean_turns, 2.0);
}

#[tokio::test]
async fn the_agents_own_calls_are_answered_outside_of_worlds() {
    let format = tiny_format();
    let teller = Teller { format: format.clone(), lines: vec![CALL, "It left."] };
    let agent = agent(teller).with_tools(tools());
    let key = StreamKey::default();
    let stream = || RunSeed(0).stream(stateset_core::Purpose::Sampling, key);
    let request = |messages| AgentRequest::new(messages, stream());
    let question = vec![Message::user("Where is order 17?")];
    let said = agent.answer(request(question.clone()), (RunSeed(0), key), 8).await.unwrap();
    let texts: Vec<&str> = said.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(texts, ["I look.", "order \"17\" left", "It left."]);
    let unanswered = agent.answer(request(question), (RunSeed(0), key), 0).await.unwrap();
    assert_eq!((unanswered.len(), unanswered[0].tool_calls.len()), (1, 1));
}

#[tokio::test]
async fn text_that_only_looks_like_a_call_stays_text_without_tools() {
    let stub = StubPolicy::new(vec![CALL.to_owned()]);
    let request = GenerateRequest {
        messages: vec![Message::user("Hi")],
        tools: Vec::new(),
        trace: TokenTrace::new(),
        sampling: Sampling::default(),
        stream: RunSeed(0).stream(stateset_core::Purpose::Sampling, StreamKey::default()),
    };
    let plain = stub.generate(request).await.unwrap().message;
    let played = {
        let environment = ConversationEnvironment { max_turns: 1, ..Default::default() };
        let agent = agent(stub);
        let players = Players { agent: &agent, environment: &environment, reward: &WasHelped };
        let scenario = Scenario { messages: vec![Message::user("Hi")], ..Scenario::new("s") };
        let limits = EpisodeLimits {
            max_turns: 1,
            turn_timeout: Duration::from_secs(60),
            reward_timeout: Duration::from_secs(60),
        };
        play(players, &scenario, TrajectoryId::default(), RunSeed(1), None, &limits).await
    };
    assert_eq!(played.turns[1].message, plain);
    assert_eq!(played.turns[1].finish, Some(FinishReason::Stop));
}
