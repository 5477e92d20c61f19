//! Simulated users with goals and pupils, as a trainer meets them. Pinned here:
//!
//! 1. A competent agent reaches the goal of every scenario of `bookings` and `tutoring`, in every split,
//!    and earns 0.85 and more; agents that look for a short cut earn less than half.
//! 2. The same seed gives the same episode, word for word; one episode of each world is a snapshot.
//! 3. The whole memory is in the state: an episode that goes through JSON after every turn is the same.
//! 4. A recorded trajectory, written and read back and played again, gives the same words and the same
//!    rewards bit for bit.
//! 5. A scripted user can be reactive, has a persona, and ends where it is told to.
//! 6. Descriptions that do not fit say where, what and what is near.

use std::path::Path;

use serde_json::{Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Purpose,
    RewardContext, Role, RunSeed, Scenario, StreamKey, Trajectory, TrajectoryRecord,
};
use stateset_env::agenda::{AgendaReport, AgendaSpec, AgendaState};
use stateset_env::conversation::{
    ConversationEnvironment, EndConditions, ResponseOrder, TurnReward,
};
use stateset_env::customer::Split;
use stateset_env::pupil::{PupilReport, PupilSpec, PupilState};
use stateset_env::rewards::parse_reward;
use stateset_env::scenarios::{Format, scenarios_from_bytes};
use stateset_env::sets::world;
use stateset_env::{EnvError, Persona};

/// What a scripted agent says, from the scenario, the user's memory and the number of the turn.
type Says = fn(&Scenario, &Value, usize) -> String;

async fn play(
    environment: &dyn Environment,
    scenario: &Scenario,
    says: Says,
    seed: u64,
) -> Trajectory {
    let seed = RunSeed(seed);
    let key = StreamKey::default();
    let opening =
        environment.reset(scenario, seed.stream(Purpose::Environment, key)).await.expect("it fits");
    let mut state = opening.state;
    let mut turns: Vec<ConversationTurn> =
        opening.messages.into_iter().map(ConversationTurn::new).collect();
    while !state.is_done() {
        let memory = state.context.get("customer").cloned().unwrap_or_default();
        let text = says(scenario, &memory, state.turn_count);
        let action = ConversationTurn::new(Message::assistant(text));
        let stream = seed.stream(Purpose::Environment, key.at_turn(state.turn_count + 1));
        let outcome =
            environment.step(scenario, &mut state, &action, stream).await.expect("it fits");
        turns.push(ConversationTurn { reward: outcome.reward, ..action });
        turns.extend(outcome.messages.into_iter().map(ConversationTurn::new));
    }
    let scenario_id = scenario.id.clone();
    Trajectory { scenario_id, turns, final_state: Some(state), ..Trajectory::default() }
}

/// Asks for what was not told, answers what was asked, and books.
fn booking_oracle(scenario: &Scenario, memory: &Value, _: usize) -> String {
    let spec =
        AgendaSpec::from_value(scenario.customer.as_ref().expect("it fits")).expect("it fits");
    let state: AgendaState = serde_json::from_value(memory.clone()).expect("it fits");
    let open = state.unanswered().find(|index| state.asked[*index] > 0);
    if let Some(index) = open {
        let request = &spec.goal.requests[index];
        return format!(
            "The {} is {}.",
            request.fact.phrase,
            request.answer.as_ref().expect("it fits")
        );
    }
    if let Some(index) = state.untold().next() {
        return match spec.goal.constraints[index].fact.slot.as_str() {
            "day" => "Which day would you like?".to_owned(),
            "people" => "For how many people should it be?".to_owned(),
            "nights" => "How many nights will you stay?".to_owned(),
            "quantity" => "How many tickets do you need?".to_owned(),
            "email" => "What is your email address, please?".to_owned(),
            _ => "May I have your name?".to_owned(),
        };
    }
    "Thank you. I have booked it for you.".to_owned()
}

/// Asks how the pupil got there, then asks about one thing they overlook.
fn tutor_oracle(scenario: &Scenario, _: &Value, turn: usize) -> String {
    let spec =
        PupilSpec::from_value(scenario.customer.as_ref().expect("it fits")).expect("it fits");
    match turn {
        0 => "Good try! How did you get that?".to_owned(),
        n => format!("Have you thought of the {} here?", spec.misconception.hints()[n - 1]),
    }
}

const CHEATS: [(&str, Says); 8] = [
    ("empty", |_, _, _| String::new()),
    ("aimless", |_, _, _| "I am happy to help you with that. Thank you for your patience.".into()),
    ("eager", |_, _, _| "I have booked it for you. You are all set.".into()),
    ("leaver", |_, _, _| "Thank you for your message. Goodbye!".into()),
    ("praiser", |_, _, _| "That is right, well done. It is correct.".into()),
    ("list", |_, _, _| {
        "day people nights tickets name email booked price address first before".into()
    }),
    ("teller", |scenario, _, _| {
        let spec = PupilSpec::from_value(scenario.customer.as_ref().expect("it fits"));
        spec.map_or("It is done.".into(), |spec| {
            format!("The answer is {}.", spec.problem().expect("it fits").right)
        })
    }),
    ("parrot", |_, memory, _| memory["last_said"].as_str().unwrap_or_default().to_owned()),
];

const WORLDS: [(&str, Says); 2] = [("bookings", booking_oracle), ("tutoring", tutor_oracle)];

async fn rewards(name: &str, split: Split, says: Says) -> Vec<(f64, bool, Trajectory)> {
    let world = world(name).expect("it fits");
    let environment = world.environment(world.max_turns());
    let judge = parse_reward(world.reward()).expect("it fits");
    let mut all = Vec::new();
    for (index, scenario) in world.scenarios(split).iter().enumerate() {
        let trajectory = play(environment.as_ref(), scenario, says, index as u64).await;
        let result = judge.score(&trajectory, RewardContext { scenario }).await;
        let reward = result.total.value().unwrap_or(0.0);
        let state = trajectory.final_state.as_ref().expect("it fits");
        let reached = state.metadata["goal_reached"].as_bool().expect("it fits");
        all.push((reward, reached, trajectory));
    }
    all
}

fn transcript(trajectory: &Trajectory) -> String {
    let who = |role| if role == Role::User { "user" } else { "agent" };
    let mut lines: Vec<String> = trajectory
        .turns
        .iter()
        .map(|turn| format!("{}: {}", who(turn.message.role), turn.message.content))
        .collect();
    let metadata = &trajectory.final_state.as_ref().expect("it fits").metadata;
    if let Some(closing) = metadata.get("closing_words").and_then(Value::as_str) {
        lines.push(format!("user: {closing}"));
    }
    lines.join("\n")
}

#[tokio::test]
async fn a_competent_agent_reaches_every_goal() {
    for (name, oracle) in WORLDS {
        for split in Split::ALL {
            let all = rewards(name, *split, oracle).await;
            for (reward, reached, trajectory) in &all {
                let shown =
                    format!("{} {reward}\n{}", trajectory.scenario_id, transcript(trajectory));
                assert!(*reached, "{shown}");
                assert!(*reward >= 0.85, "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn short_cuts_earn_less_than_half() {
    for (name, _) in WORLDS {
        for (cheat, says) in CHEATS {
            let all = rewards(name, Split::HeldOut, says).await;
            let mean = all.iter().map(|(reward, _, _)| reward).sum::<f64>() / all.len() as f64;
            let n_reached = all.iter().filter(|(_, reached, _)| *reached).count();
            let shown = transcript(&all[0].2);
            assert!(mean < 0.5 && n_reached == 0, "{name} {cheat}: {mean}, {n_reached}\n{shown}");
        }
    }
}

/// One episode of each world, and one of each persona with a script, as text.
#[tokio::test]
async fn episodes_are_as_they_were() {
    let mut text = String::new();
    for (name, oracle) in WORLDS {
        let world = world(name).unwrap();
        let environment = world.environment(world.max_turns());
        for scenario in world.scenarios(Split::Train).iter().take(3) {
            let trajectory = play(environment.as_ref(), scenario, oracle, 7).await;
            let again = play(environment.as_ref(), scenario, oracle, 7).await;
            assert_eq!(trajectory, again, "{}", scenario.id);
            text.push_str(&format!("--- {}\n{}\n", scenario.id, transcript(&trajectory)));
        }
    }
    for persona in [None, Some("frustrated_novice"), Some("curious_learner")] {
        let environment = ConversationEnvironment {
            order: ResponseOrder::Reactive,
            persona: persona.map(|name| Persona::named(name).unwrap()),
            ..Default::default()
        };
        let says: Says = |_, _, turn| {
            [
                "What is your order number?",
                "When did it arrive?",
                "Shall I send a new one?",
                "I have sent it.",
            ][turn.min(3)]
            .to_owned()
        };
        let trajectory = play(&environment, &lamp(), says, 3).await;
        let name = persona.unwrap_or("no persona");
        text.push_str(&format!("--- script, {name}\n{}\n", transcript(&trajectory)));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/episodes.txt");
    if std::env::var_os("STATESET_WRITE_GENERATED").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        text, expected,
        "write it anew with STATESET_WRITE_GENERATED=1 where the change is meant"
    );
}

fn lamp() -> Scenario {
    let lines = [
        "My lamp arrived broken.",
        "It came on Monday.",
        "Yes, please send a new one.",
        "The order number is 4821.",
    ];
    Scenario {
        user_responses: lines.iter().map(|line| (*line).to_owned()).collect(),
        ..Scenario::new("lamp")
    }
}

#[tokio::test]
async fn an_episode_survives_storage_and_replay() {
    for (name, oracle) in WORLDS {
        let world = world(name).unwrap();
        let judge = parse_reward(world.reward()).unwrap();
        let environment = ConversationEnvironment {
            max_turns: world.max_turns(),
            turn_reward: Some(TurnReward::Progress),
            ..Default::default()
        };
        let bits = |turn: &ConversationTurn| turn.reward.map(f64::to_bits);
        for (index, scenario) in world.scenarios(Split::Validation).iter().enumerate() {
            let played = play(&environment, scenario, oracle, index as u64).await;
            let written = serde_json::to_string(&TrajectoryRecord::from(&played)).unwrap();
            let record: TrajectoryRecord = serde_json::from_str(&written).unwrap();
            let recorded = Trajectory::try_from(record).unwrap();
            let replayed = replay(&environment, scenario, &recorded, index as u64).await;
            assert_eq!(replayed.turns, played.turns, "{}", scenario.id);
            assert!(replayed.turns.iter().map(bits).eq(recorded.turns.iter().map(bits)));
            let context = RewardContext { scenario };
            let first = judge.score(&played, context).await.total.value().unwrap();
            let second = judge.score(&replayed, context).await.total.value().unwrap();
            assert_eq!(first.to_bits(), second.to_bits(), "{}", scenario.id);
        }
    }
}

/// The recorded turns of the agent against a fresh user; the state goes through text after every turn.
async fn replay(
    environment: &ConversationEnvironment,
    scenario: &Scenario,
    recorded: &Trajectory,
    seed: u64,
) -> Trajectory {
    let seed = RunSeed(seed);
    let key = StreamKey::default();
    let opening =
        environment.reset(scenario, seed.stream(Purpose::Environment, key)).await.expect("it fits");
    let mut state = opening.state;
    let mut turns: Vec<ConversationTurn> =
        opening.messages.into_iter().map(ConversationTurn::new).collect();
    for action in recorded.turns.iter().filter(|turn| turn.message.role == Role::Assistant) {
        let stored = serde_json::to_string(&state).expect("it fits");
        state = serde_json::from_str::<EnvironmentState>(&stored).expect("it fits");
        let stream = seed.stream(Purpose::Environment, key.at_turn(state.turn_count + 1));
        let outcome =
            environment.step(scenario, &mut state, action, stream).await.expect("it fits");
        turns.push(ConversationTurn { reward: outcome.reward, ..action.clone() });
        turns.extend(outcome.messages.into_iter().map(ConversationTurn::new));
    }
    Trajectory { turns, final_state: Some(state), ..Trajectory::default() }
}

#[tokio::test]
async fn progress_adds_up_to_one() {
    let environment =
        ConversationEnvironment { turn_reward: Some(TurnReward::Progress), ..Default::default() };
    for (name, oracle) in WORLDS {
        for scenario in world(name).unwrap().scenarios(Split::HeldOut) {
            let trajectory = play(&environment, &scenario, oracle, 1).await;
            let sum: f64 = trajectory.turns.iter().filter_map(|turn| turn.reward).sum();
            let metadata = &trajectory.final_state.as_ref().unwrap().metadata;
            let lost = metadata["patience"].as_u64().unwrap()
                - metadata["patience_left"].as_u64().unwrap();
            assert!((sum - 1.0 + 0.1 * lost as f64).abs() < 1e-9, "{} {sum}", scenario.id);
        }
    }
}

#[tokio::test]
async fn a_reactive_user_says_what_fits_and_everything_once() {
    let environment =
        ConversationEnvironment { order: ResponseOrder::Reactive, ..Default::default() };
    let says: Says = |_, _, turn| {
        [
            "What is your order number?",
            "When did it arrive?",
            "Shall I send a new one?",
            "I have sent it.",
        ][turn.min(3)]
        .to_owned()
    };
    let trajectory = play(&environment, &lamp(), says, 1).await;
    let heard: Vec<&str> = trajectory.user_texts().collect();
    assert_eq!(
        heard,
        [
            "My lamp arrived broken.",
            "The order number is 4821.",
            "It came on Monday.",
            "Yes, please send a new one.",
        ]
    );
}

#[tokio::test]
async fn a_script_ends_where_it_is_told_to() {
    let mut scenario = lamp();
    scenario.metadata.insert("goal_keywords".into(), json!(["new lamp", "today"]));
    let ends = |goal, satisfied_at, farewell| ConversationEnvironment {
        ends: EndConditions { farewell, goal, satisfied_at },
        ..Default::default()
    };
    let helps: Says = |_, _, turn| {
        ["Is the lamp broken?", "I will send a new lamp.", "It leaves today.", "Anything else?"]
            [turn.min(3)]
        .into()
    };
    let trajectory = play(&ends(true, None, true), &scenario, helps, 1).await;
    let state = trajectory.final_state.unwrap();
    assert_eq!((state.turn_count, state.status), (3, EpisodeStatus::Completed));
    assert_eq!(state.metadata["goal_reached"], json!(true));

    let trajectory = play(&ends(false, Some(0.65), true), &scenario, helps, 1).await;
    assert_eq!(trajectory.final_state.unwrap().turn_count, 1);
    let empty: Says = |_, _, _| String::new();
    let trajectory = play(&ends(false, Some(0.7), true), &scenario, empty, 1).await;
    let state = trajectory.final_state.unwrap();
    assert_eq!((state.turn_count, state.metadata["satisfaction"].as_f64()), (4, Some(0.0)));

    let leaves: Says = |_, _, _| "Goodbye!".into();
    let trajectory = play(&ends(false, None, false), &scenario, leaves, 1).await;
    assert_eq!(trajectory.final_state.unwrap().turn_count, 4, "nobody minds a goodbye");
}

#[tokio::test]
async fn the_persona_of_the_environment_takes_the_place_of_the_users() {
    let persona = Persona::from_value(&json!({"name": "short", "patience": 1})).unwrap();
    let environment = ConversationEnvironment { persona: Some(persona), ..Default::default() };
    let scenario = world("bookings").unwrap().scenarios(Split::Train).remove(0);
    let trajectory = play(&environment, &scenario, |_, _, _| String::new(), 1).await;
    let report = AgendaReport::read(&trajectory).unwrap();
    assert_eq!((report.patience, report.patience_left, report.goal_reached), (1, 0, false));
    let state = trajectory.final_state.unwrap();
    assert_eq!(state.context["persona"], json!("short"));
    assert_eq!((state.turn_count, state.status), (1, EpisodeStatus::Failed));
}

#[test]
fn files_may_hold_every_kind_of_user() {
    let read = |text: &str| scenarios_from_bytes(text.as_bytes(), Format::Json, "u.json");
    let good = r#"[{"customer": {"kind": "agenda", "task": "book a table", "constraints": [{"slot": "day", "value": "Friday"}]}},
        {"customer": {"kind": "pupil", "misconception": "square_of_sum", "numbers": [2, 3]}},
        {"customer": {"kind": "customer", "issue": "refund", "facts": {"order_number": "4821", "reason": "it broke"}}}]"#;
    assert_eq!(read(good).unwrap().len(), 3);
    let bad = r#"[{"customer": {"kind": "agneda"}},
        {"customer": {"kind": "agenda", "task": "x", "persona": "pateint_expert", "requests": [{"slot": "price"}]}},
        {"customer": {"kind": "pupil", "misconception": "square_of_sum", "numbers": [2]}}]"#;
    let Err(EnvError::Entries { problems, .. }) = read(bad) else { panic!("it was accepted") };
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 3, "{shown:#?}");
    for (line, expected) in shown.iter().zip([
        "u.json entry 0: `customer.kind`: found \"agneda\", allowed is customer, agenda and pupil; did you mean \"agenda\"?",
        "did you mean \"patient_expert\"?",
        "u.json entry 2: `customer.numbers`: found [2], allowed is 2 whole numbers",
    ]) {
        assert!(line.contains(expected), "{line}");
    }
}

#[tokio::test]
async fn a_foreign_memory_is_an_error_of_the_episode() {
    let environment = ConversationEnvironment::default();
    let world = world("bookings").unwrap();
    let first = world.scenarios(Split::Train).remove(0);
    let mut state = environment
        .reset(&first, RunSeed(1).stream(Purpose::Environment, StreamKey::default()))
        .await
        .unwrap()
        .state;
    let mut memory: Value = state.context["customer"].clone();
    memory["told"] = json!([1]);
    state.context.insert("customer".into(), memory);
    let action = ConversationTurn::new(Message::assistant("Which day?"));
    let stream = RunSeed(1).stream(Purpose::Environment, StreamKey::default());
    let error = environment.step(&first, &mut state, &action, stream).await.unwrap_err();
    assert!(error.to_string().contains("another goal"), "{error}");
}

#[test]
fn pupils_remember_in_plain_data() {
    let spec =
        PupilSpec::from_value(&json!({"misconception": "left_to_right", "numbers": [2, 3, 4]}))
            .unwrap();
    let mut stream = RunSeed(1).stream(Purpose::Environment, StreamKey::default());
    let (mut state, _) = stateset_env::pupil::open(&spec, &mut stream);
    stateset_env::pupil::react(&spec, &mut state, "How did you get that?", &mut stream);
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<PupilState>(&text).unwrap(), state);
    assert!(PupilReport::of(&spec, &state).was_probed);
}
