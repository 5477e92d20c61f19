//! A world that the embedded model does not know: it is first shown how, by supervised learning from
//! demonstrations of a scripted agent with scenarios of the training split, and then trains on what it
//! earns itself.
//!
//! Demonstrations are few, so that there is something left to learn. Scripted agents may look at what a
//! model does not see; what they say is written from it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use stateset_core::{
    CallFormat, ConversationTurn, EnvironmentState, Message, Purpose, RunSeed, Sampling, Scenario,
    Stream, StreamKey,
};
use stateset_env::agenda::{AgendaSpec, AgendaState};
use stateset_env::customer::Split;
use stateset_env::sets::{World, world};
use stateset_env::shop::clerk;
use stateset_nn::RealDisk;
use stateset_train::{AgentConfig, CheckpointWriter, ModelSource, SftExample, chat_format};

use super::machine::cpu_secs;
use super::online::{MODEL, no_hub, train_with};
use super::outcome::Outcome;
use super::row::Row;
use super::settings::folder;
use super::taught::{engine_spec, learn};

const RATE: f64 = 1.5e-3;
const LONGEST: usize = 1024;
/// Demonstrations of each training scenario.
const N_DEMONSTRATIONS: u16 = 3;

/// How a world is shown.
struct Lesson {
    /// Steps of the supervised learning: enough to do some cases right, and few enough to leave others.
    n_steps: usize,
    /// How calls are written; without it, as the template shows them.
    calls: Option<CallFormat>,
    /// What the agent is told; without it, as the world has it.
    instructions: Option<&'static str>,
    says: fn(&View<'_>, &mut Stream) -> Result<Message>,
}

/// What a scripted agent may look at.
struct View<'a> {
    scenario: &'a Scenario,
    state: &'a EnvironmentState,
    messages: &'a [Message],
}

fn lesson(name: &str) -> Result<Lesson> {
    match name {
        "bookings" => Ok(Lesson { n_steps: 30, calls: None, instructions: None, says: host }),
        "shop" => Ok(Lesson {
            n_steps: 180,
            calls: Some(SHOP_CALLS),
            instructions: Some(SHOP_INSTRUCTIONS),
            says: trainee,
        }),
        _ => bail!("nobody can show how {name} is done"),
    }
}

/// Shows the model how, then trains `row` with `seed`. The row is named after its world.
pub(super) fn train(row: &Row, seed: u64) -> Result<Outcome> {
    let (start, cpu_before) = (Instant::now(), cpu_secs());
    let place = show(row.name, seed)?;
    let (shown_secs, shown_cpu_secs) = (start.elapsed().as_secs_f64(), cpu_secs() - cpu_before);
    let mut outcome = train_with(row, seed, Some(&place), None)?;
    // Weights are large and can be had again.
    let _ = fs::remove_dir_all(&place);
    outcome.wall_secs += shown_secs;
    outcome.cpu_secs += shown_cpu_secs;
    Ok(outcome)
}

fn show(name: &str, seed: u64) -> Result<PathBuf> {
    let model = ModelSource::open(MODEL, &no_hub)?;
    let lesson = lesson(name)?;
    let mut format = chat_format(&model, None)?;
    if let Some(calls) = lesson.calls {
        format = format.with_call_format(calls);
    }
    let agent = AgentConfig::new(MODEL, None, &Sampling::default());
    let writer = CheckpointWriter::of(&model, agent, Arc::new(RealDisk));
    let seed = RunSeed(seed);
    let runtime = tokio::runtime::Runtime::new().context("failed to start a runtime")?;
    let examples = runtime.block_on(demonstrations(name, &lesson, seed))?;
    let mut rows = Vec::new();
    for example in examples {
        rows.extend(example.rows(&format, LONGEST)?);
    }
    let engine = engine_spec(LONGEST, 1, seed).start(model)?;
    learn(&engine, rows, (lesson.n_steps, RATE), seed)?;
    let place = folder().join("runs").join(format!("{name}-shown-{}", seed.0));
    fs::create_dir_all(&place)?;
    writer.write_model(&engine, &place)?;
    Ok(place)
}

async fn demonstrations(name: &str, lesson: &Lesson, seed: RunSeed) -> Result<Vec<SftExample>> {
    let world = world(name)?;
    let mut examples = Vec::new();
    for (index, scenario) in world.scenarios(Split::Train).iter().enumerate() {
        for sample in 0..N_DEMONSTRATIONS {
            let key = StreamKey { scenario: index as u32, sample, ..StreamKey::default() };
            examples.push(demonstration(world.as_ref(), scenario, lesson, (seed, key)).await?);
        }
    }
    Ok(examples)
}

/// One conversation, with the instructions that a model would read.
async fn demonstration(
    world: &dyn World,
    scenario: &Scenario,
    lesson: &Lesson,
    (seed, key): (RunSeed, StreamKey),
) -> Result<SftExample> {
    let environment = world.environment(world.max_turns());
    let opening = environment.reset(scenario, seed.stream(Purpose::Environment, key)).await?;
    let (mut state, mut messages) = (opening.state, opening.messages);
    while !state.is_done() && state.turn_count < world.max_turns() {
        let turn = state.turn_count;
        let view = View { scenario, state: &state, messages: &messages };
        let said = (lesson.says)(&view, &mut seed.stream(Purpose::Sampling, key.at_turn(turn)))?;
        let action = ConversationTurn::new(said);
        let stream = seed.stream(Purpose::Environment, key.at_turn(turn + 1));
        let outcome = environment.step(scenario, &mut state, &action, stream).await?;
        messages.push(action.message);
        messages.extend(outcome.messages);
    }
    let instructions = lesson.instructions.map(str::to_owned).or(scenario.system_prompt.clone());
    let instructions = instructions.unwrap_or_else(|| world.system_prompt());
    messages.insert(0, Message::system(instructions));
    Ok(SftExample::Chat { messages, tools: opening.tools })
}

/// Answers what was asked, asks for what was not told, and books.
fn host(view: &View<'_>, stream: &mut Stream) -> Result<Message> {
    let customer = view.scenario.customer.as_ref().context("the scenario has no user")?;
    let spec = AgendaSpec::from_value(customer)?;
    let memory = view.state.context.get("customer").cloned().unwrap_or_default();
    let memory: AgendaState = serde_json::from_value(memory)?;
    let mut choose = |texts: &[&str]| stream.choose(texts).copied().unwrap_or_default().to_owned();
    if let Some(index) = memory.unanswered().find(|index| memory.asked[*index] > 0) {
        let request = &spec.goal.requests[index];
        let answer = request.answer.as_deref().context("a question has no answer")?;
        return Ok(Message::assistant(format!("The {} is {answer}.", request.fact.phrase)));
    }
    let text = match memory.untold().next() {
        Some(index) => match spec.goal.constraints[index].fact.slot.as_str() {
            "day" => choose(&["Which day would you like?", "For which day?"]),
            "people" => choose(&["For how many people?", "How many people are you?"]),
            "nights" => choose(&["How many nights will you stay?", "For how many nights?"]),
            "quantity" => choose(&["How many tickets do you need?", "How many tickets?"]),
            "email" => choose(&["What is your email address?", "May I have your email?"]),
            _ => choose(&["May I have your name?", "What is your name?"]),
        },
        None => choose(&["Thank you. I have booked it for you.", "I have booked it for you."]),
    };
    Ok(Message::assistant(text))
}

/// How often somebody new to the shop speaks where a call is due.
const P_SLIP: f64 = 0.3;
/// What they say then.
const SLIPS: &[&str] = &["It is done.", "It is sent.", "It costs 20."];
/// What a clerk is told who was shown the rules. It is read again in every conversation, so it is short.
pub(super) const SHOP_INSTRUCTIONS: &str = "You work in a small shop.";
/// The shortest there are: nobody has shown the embedded model any.
pub(super) const SHOP_CALLS: CallFormat = CallFormat::Pythonic;

/// The clerk of the shop on the first day: knows every call, and now and then answers without making it.
fn trainee(view: &View<'_>, stream: &mut Stream) -> Result<Message> {
    let said = clerk(view.messages, stream);
    if said.tool_calls.is_empty() || !stream.chance(P_SLIP) {
        return Ok(said);
    }
    Ok(Message::assistant(stream.choose(SLIPS).copied().unwrap_or_default()))
}
