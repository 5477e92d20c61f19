//! How conversations are played. Pinned here:
//!
//! 1. The user speaks first, after the scenario's own messages; messages that end with the user's words
//!    are an opening already.
//! 2. Scripted lines come in the order they are written, or in one shuffled order per episode; never
//!    is one skipped or said twice.
//! 3. An episode ends when the script is exhausted or the agent says goodbye (completed), when the
//!    customer is content (completed) or has had enough (failed), or after `max_turns` (timeout).
//! 4. The whole memory is in the state: an episode that goes through JSON after every turn is the same
//!    as one that does not.
//! 5. A finished episode takes no further turn; a scenario that cannot be played is an error of its
//!    own episode.
//! 6. The environment works through a channel, as if it lived in another language.

use serde_json::json;
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening, Purpose,
    RolloutError, RunSeed, Scenario, StepOutcome, Stream, StreamKey,
};
use stateset_env::conversation::{
    CLOSING_WORDS, ConversationEnvironment, ResponseOrder, TurnReward,
};
use stateset_env::customer::{CustomerReport, Split};
use stateset_env::sets::CONVERSATION_CONFIGS;

fn stream(turn: usize) -> Stream {
    RunSeed(3).stream(Purpose::Environment, StreamKey::default().at_turn(turn))
}

fn scripted(lines: &[&str]) -> Scenario {
    let user_responses = lines.iter().map(|line| (*line).to_owned()).collect();
    Scenario { user_responses, ..Scenario::new("script") }
}

fn refund() -> Scenario {
    let customer = json!({
        "issue": "refund", "facts": {"order_number": "4821", "reason": "it broke"}, "n_opening_facts": 1
    });
    Scenario { customer: Some(customer), ..Scenario::new("refund") }
}

fn says(text: &str) -> ConversationTurn {
    ConversationTurn::new(Message::assistant(text))
}

/// What the user said, and the last state, of an episode in which the agent says `replies`.
async fn episode(
    environment: &ConversationEnvironment,
    scenario: &Scenario,
    replies: &[&str],
) -> (Vec<String>, EnvironmentState) {
    let opening = environment.reset(scenario, stream(0)).await.expect("it opens");
    let mut heard: Vec<String> = opening.messages.into_iter().map(|m| m.content).collect();
    let mut state = opening.state;
    for reply in replies {
        let turn = stream(state.turn_count + 1);
        let outcome = environment.step(scenario, &mut state, &says(reply), turn).await;
        let outcome = outcome.expect("it answers");
        heard.extend(outcome.messages.into_iter().map(|message| message.content));
    }
    (heard, state)
}

#[tokio::test]
async fn the_script_is_said_in_order_and_opens_the_episode() {
    let environment = ConversationEnvironment::default();
    let scenario = scripted(&["My order is late.", "I'd like a refund.", "Thanks!"]);
    let replies = ["What is the number?", "I will start it.", "You are welcome."];
    let (heard, state) = episode(&environment, &scenario, &replies).await;
    assert_eq!(heard, scenario.user_responses);
    assert_eq!((state.status, state.turn_count), (EpisodeStatus::Completed, 3));
    assert_eq!(state.context["scenario_id"], json!("script"));
}

#[tokio::test]
async fn messages_come_first_and_may_be_the_opening() {
    let environment = ConversationEnvironment::default();
    let greeting = vec![Message::user("Hi"), Message::assistant("Hello!")];
    let scenario = Scenario { messages: greeting.clone(), ..scripted(&["Where is it?"]) };
    let opening = environment.reset(&scenario, stream(0)).await.unwrap();
    assert_eq!(opening.messages[..2], greeting);
    assert_eq!(opening.messages[2], Message::user("Where is it?"));

    let scenario = Scenario { messages: vec![Message::user("Hi")], ..scripted(&["And then?"]) };
    let (heard, state) = episode(&environment, &scenario, &["Hello!", "That is all."]).await;
    assert_eq!(heard, ["Hi", "And then?"]);
    assert_eq!(state.status, EpisodeStatus::Completed);
}

#[tokio::test]
async fn a_shuffled_script_keeps_every_line() {
    let environment =
        ConversationEnvironment { order: ResponseOrder::Shuffled, ..Default::default() };
    let lines = ["one", "two", "three", "four", "five", "six"];
    let (heard, _) = episode(&environment, &scripted(&lines), &["a", "b", "c", "d", "e"]).await;
    assert_ne!(heard, lines);
    let mut sorted = (heard.clone(), lines.to_vec());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1);
    let (again, _) = episode(&environment, &scripted(&lines), &["a", "b", "c", "d", "e"]).await;
    assert_eq!(again, heard);
}

#[tokio::test]
async fn goodbye_and_the_turn_limit_end_a_script() {
    let environment = ConversationEnvironment { max_turns: 2, ..Default::default() };
    let lines = ["one", "two", "three", "four"];
    let (_, state) =
        episode(&environment, &scripted(&lines), &["I see.", "Say goodbye to delays."]).await;
    assert_eq!(state.status, EpisodeStatus::Timeout);
    let (heard, state) = episode(&environment, &scripted(&lines), &["Thanks, goodbye!"]).await;
    assert_eq!((heard.len(), state.status), (1, EpisodeStatus::Completed));
}

#[tokio::test]
async fn a_customer_is_content_has_had_enough_or_runs_out_of_time() {
    let environment = ConversationEnvironment { max_turns: 4, ..Default::default() };
    let good = ["I am sorry. Why do you want a refund?", "Thank you. I have started your refund."];
    let (_, state) = episode(&environment, &refund(), &good).await;
    assert_eq!(state.status, EpisodeStatus::Completed);
    assert_eq!(state.metadata["goal_reached"], json!(true));
    assert!(!state.metadata[CLOSING_WORDS].as_str().unwrap().is_empty());

    let (_, state) = episode(&environment, &refund(), &["Shut up.", "Who cares?"]).await;
    assert_eq!(state.status, EpisodeStatus::Failed);
    assert_eq!(state.metadata["ended_by"], json!("gave_up"));

    let (_, state) = episode(&environment, &refund(), &["Goodbye!"]).await;
    assert_eq!(state.metadata["ended_by"], json!("agent_left"));

    let slow = ["I am sorry.", "Why do you want a refund?", "Well then.", "Good for you."];
    let (_, state) = episode(&environment, &refund(), &slow).await;
    assert_eq!(state.status, EpisodeStatus::Timeout);
    assert_eq!(state.metadata["facts_collected"], json!(2));
}

#[tokio::test]
async fn an_episode_survives_json_after_every_turn() {
    let replies = [
        "I am sorry to hear that.",
        "May I have your order number and the zip code?",
        "What item is it, and what is your email?",
        "Could you tell me why?",
        "I have started your refund.",
        "What is the new address?",
    ];
    let environment = ConversationEnvironment {
        order: ResponseOrder::Shuffled,
        turn_reward: Some(TurnReward::Progress),
        ..Default::default()
    };
    let mut scenarios = CONVERSATION_CONFIGS[0].scenarios(Split::Validation);
    scenarios.push(scripted(&["one", "two", "three", "four", "five", "six", "seven", "eight"]));
    for scenario in &scenarios {
        let Opening { mut state, .. } = environment.reset(scenario, stream(0)).await.unwrap();
        let mut stored = serde_json::to_string(&state).unwrap();
        for (turn, reply) in replies.iter().enumerate() {
            if state.is_done() {
                break;
            }
            let mut read: EnvironmentState = serde_json::from_str(&stored).unwrap();
            let straight = environment.step(scenario, &mut state, &says(reply), stream(turn)).await;
            let through = environment.step(scenario, &mut read, &says(reply), stream(turn)).await;
            assert_eq!(straight, through, "{}", scenario.id);
            assert_eq!(state, read, "{}", scenario.id);
            stored = serde_json::to_string(&read).unwrap();
        }
    }
}

#[tokio::test]
async fn what_cannot_be_played_says_why() {
    let environment = ConversationEnvironment::default();
    let message = |error: RolloutError| error.to_string();
    let empty = environment.reset(&Scenario::new("s"), stream(0)).await.unwrap_err();
    assert_eq!(
        message(empty),
        "play the episode: environment: scenario \"s\": it has no customer, no user_responses and no \
         user message"
    );
    let bad = Scenario { customer: Some(json!({"issue": "x"})), ..Scenario::new("s") };
    let error = message(environment.reset(&bad, stream(0)).await.unwrap_err());
    assert!(error.contains("`issue`: found \"x\""), "{error}");

    let (_, mut state) = episode(&environment, &scripted(&["Hi"]), &["Hello!"]).await;
    let scenario = scripted(&["Hi"]);
    let over = environment.step(&scenario, &mut state, &says("Hi"), stream(2)).await.unwrap_err();
    assert!(message(over).ends_with("the episode is over already"));

    let mut foreign = EnvironmentState::new("s");
    let lost = environment.step(&refund(), &mut foreign, &says("Hi"), stream(1)).await.unwrap_err();
    assert!(message(lost).contains("the state holds no customer"));
    let mut foreign = EnvironmentState::new("s");
    foreign.context.insert("response_order".into(), json!([7]));
    foreign.context.insert("n_responses_said".into(), json!(0));
    let lost = environment.step(&scenario, &mut foreign, &says("Hi"), stream(1)).await.unwrap_err();
    assert!(message(lost).contains("no line 7"));
}

#[tokio::test]
async fn turns_are_rewarded_only_where_asked_for() {
    let plain = ConversationEnvironment::default();
    let by_length =
        ConversationEnvironment { turn_reward: Some(TurnReward::Length), ..plain.clone() };
    let scenario = scripted(&["one", "two", "three", "four"]);
    for (environment, expected) in
        [(plain, [None; 3]), (by_length, [Some(0.0), Some(0.1), Some(0.2)])]
    {
        let mut state = environment.reset(&scenario, stream(0)).await.unwrap().state;
        let long = "It is on its way to you and will be there tomorrow at noon.";
        for (reply, expected) in ["Ok.", "I see, thank you.", long].into_iter().zip(expected) {
            let outcome = environment.step(&scenario, &mut state, &says(reply), stream(1)).await;
            assert_eq!(outcome.unwrap().reward, expected, "{reply}");
        }
    }
}

/// An environment at the other end of a channel: states and words travel as JSON text.
#[tokio::test]
async fn the_environment_works_over_a_channel() {
    use std::sync::mpsc;
    let (to_env, requests) = mpsc::channel::<Option<(String, String)>>();
    let (answers_in, answers) = mpsc::channel::<(String, Vec<String>)>();
    let remote = std::thread::spawn(move || {
        let environment: Box<dyn Environment> = Box::new(ConversationEnvironment::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let texts = |messages: Vec<Message>| messages.into_iter().map(|m| m.content).collect();
        for request in requests {
            let (state, said) = match request {
                None => {
                    let opening =
                        runtime.block_on(environment.reset(&refund(), stream(0))).unwrap();
                    (opening.state, texts(opening.messages))
                }
                Some((state, reply)) => {
                    let mut state: EnvironmentState = serde_json::from_str(&state).unwrap();
                    let (scenario, action) = (refund(), says(&reply));
                    let step = environment.step(&scenario, &mut state, &action, stream(1));
                    let StepOutcome { messages, .. } = runtime.block_on(step).unwrap();
                    (state, texts(messages))
                }
            };
            answers_in.send((serde_json::to_string(&state).unwrap(), said)).unwrap();
        }
    });
    to_env.send(None).unwrap();
    let (state, said) = answers.recv().unwrap();
    assert!(said[0].contains("4821"), "{said:?}");
    to_env.send(Some((state, "I am sorry. Why do you want a refund?".into()))).unwrap();
    let (state, said) = answers.recv().unwrap();
    assert!(said[0].contains("it broke"), "{said:?}");
    to_env.send(Some((state, "I have started your refund.".into()))).unwrap();
    let (state, said) = answers.recv().unwrap();
    drop(to_env);
    remote.join().unwrap();
    let state: EnvironmentState = serde_json::from_str(&state).unwrap();
    assert!(said.is_empty() && state.is_done());
    assert!(CustomerReport::from_metadata(&state.metadata).unwrap().goal_reached);
}
