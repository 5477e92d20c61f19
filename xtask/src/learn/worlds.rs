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
    ConversationTurn, EnvironmentState, Message, Purpose, RunSeed, Sampling, Scenario, Stream,
    StreamKey,
};
use stateset_env::agenda::{AgendaSpec, AgendaState};
use stateset_env::customer::Split;
use stateset_env::sets::{World, world};
use stateset_nn::RealDisk;
use stateset_train::{AgentConfig, CheckpointWriter, ModelSource, SftExample, chat_format};

use super::machine::cpu_secs;
use super::online::{MODEL, no_hub, train_with};
use super::outcome::Outcome;
use super::row::Row;
use super::settings::folder;
use super::taught::{engine_spec, learn};

/// Steps of the supervised learning: enough to do some cases right, and few enough to leave others.
const N_STEPS: usize = 30;
const RATE: f64 = 1.5e-3;
const LONGEST: usize = 1024;
/// Demonstrations of each training scenario.
const N_DEMONSTRATIONS: u16 = 3;

/// What a scripted agent may look at.
struct View<'a> {
    scenario: &'a Scenario,
    state: &'a EnvironmentState,
}

type Says = fn(&View<'_>, &mut Stream) -> Result<Message>;

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
    let format = chat_format(&model, None)?;
    let agent = AgentConfig::new(MODEL, None, &Sampling::default());
    let writer = CheckpointWriter::of(&model, agent, Arc::new(RealDisk));
    let seed = RunSeed(seed);
    let runtime = tokio::runtime::Runtime::new().context("failed to start a runtime")?;
    let examples = runtime.block_on(demonstrations(name, seed))?;
    let mut rows = Vec::new();
    for example in examples {
        rows.extend(example.rows(&format, LONGEST)?);
    }
    let engine = engine_spec(LONGEST, 1, seed).start(model)?;
    learn(&engine, rows, (N_STEPS, RATE), seed)?;
    let place = folder().join("runs").join(format!("{name}-shown-{}", seed.0));
    fs::create_dir_all(&place)?;
    writer.write_model(&engine, &place)?;
    Ok(place)
}

async fn demonstrations(name: &str, seed: RunSeed) -> Result<Vec<SftExample>> {
    let says: Says = match name {
        "bookings" => host,
        _ => bail!("nobody can show how {name} is done"),
    };
    let world = world(name)?;
    let mut examples = Vec::new();
    for (index, scenario) in world.scenarios(Split::Train).iter().enumerate() {
        for sample in 0..N_DEMONSTRATIONS {
            let key = StreamKey { scenario: index as u32, sample, ..StreamKey::default() };
            examples.push(demonstration(world.as_ref(), scenario, says, (seed, key)).await?);
        }
    }
    Ok(examples)
}

/// One conversation, with the instructions that a model would read.
async fn demonstration(
    world: &dyn World,
    scenario: &Scenario,
    says: Says,
    (seed, key): (RunSeed, StreamKey),
) -> Result<SftExample> {
    let environment = world.environment(world.max_turns());
    let opening = environment.reset(scenario, seed.stream(Purpose::Environment, key)).await?;
    let (mut state, mut messages) = (opening.state, opening.messages);
    while !state.is_done() && state.turn_count < world.max_turns() {
        let turn = state.turn_count;
        let view = View { scenario, state: &state };
        let said = says(&view, &mut seed.stream(Purpose::Sampling, key.at_turn(turn)))?;
        let action = ConversationTurn::new(said);
        let stream = seed.stream(Purpose::Environment, key.at_turn(turn + 1));
        let outcome = environment.step(scenario, &mut state, &action, stream).await?;
        messages.push(action.message);
        messages.extend(outcome.messages);
    }
    let instructions = scenario.system_prompt.clone().unwrap_or_else(|| world.system_prompt());
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
