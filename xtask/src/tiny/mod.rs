//! Makes the embedded model: the text it is trained on, its tokenizer, and its weights.
//!
//! `cargo xtask tiny` writes `assets/tiny/` from nothing but a seed, in under an hour on two cores.
//! `cargo xtask tiny --check` takes the first steps only and compares with what `recipe.json` recorded.

mod blueprint;
pub(crate) mod corpus;
mod pretrain;
mod recipe;
mod vocabulary;

use std::fs;
use std::path::Path as FilePath;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use stateset_core::{Message, RunSeed};
use stateset_nn::{ChatFormat, Path, RealDisk, StoreType, Stretch, save_model};
use stateset_train::EngineState;

use crate::command::root;
use pretrain::{Data, Plan};
use recipe::Recipe;

/// What all of it starts from.
const SEED: RunSeed = RunSeed(20_261_121);
/// Conversations that are learned.
const N_CONVERSATIONS: usize = 220_000;
/// Conversations that the vocabulary is learned from; the first of them.
const N_FOR_VOCABULARY: usize = 20_000;
/// Conversations for the held-out loss, from a seed of their own.
const N_HELD_OUT: usize = 400;
/// Steps of the check.
const N_CHECKED: usize = 50;
const PLAN: Plan = Plan { n_reading: 2_400, n_answering: 1_600, stop_after: usize::MAX };

/// `cargo xtask tiny [--check]`.
pub(crate) fn tiny(arguments: &[String]) -> Result<()> {
    let checks = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("tiny takes nothing or --check"),
    };
    let folder = root().join("assets/tiny");
    if checks { check(&folder) } else { make(&folder) }
}

fn make(folder: &FilePath) -> Result<()> {
    let start = Instant::now();
    println!("{}", corpus::statistics(SEED, N_FOR_VOCABULARY)?);
    let (format, files) = vocabulary()?;
    let data = Data::new(&format, messages(SEED, N_CONVERSATIONS).collect())?;
    println!("{} conversations, {} tokens", N_CONVERSATIONS, data.n_tokens());
    let held_out = Data::new(&format, messages(SEED.child(1), N_HELD_OUT).collect())?;
    let mut first_steps = Vec::new();
    for path in fast_paths() {
        println!("the first {N_CHECKED} steps on {}", path.name());
        first_steps.push((path.name().to_owned(), hash_of_first_steps(&data, path)?));
    }
    let mut engine = pretrain::engine(Path::best(), SEED)?;
    let losses = pretrain::train(&mut engine, &data, &held_out, PLAN, SEED)?;
    fs::create_dir_all(folder)?;
    for (name, text) in &files {
        fs::write(folder.join(name), text).with_context(|| format!("failed to write {name}"))?;
    }
    let model_sha256 = save(&mut engine, folder)?;
    let recipe = Recipe {
        seed: SEED.0,
        n_conversations: N_CONVERSATIONS,
        n_tokens: data.n_tokens(),
        steps: PLAN.n_reading + PLAN.n_answering,
        tokens_per_step: pretrain::TOKENS_PER_STEP,
        learning_rate: pretrain::LEARNING_RATE,
        loss_held_out_all_tokens: losses.reading,
        loss_held_out_agents_tokens: losses.answering,
        kernel_path: Path::best().name().to_owned(),
        model_sha256,
        checked_steps: N_CHECKED,
        checked_sha256: first_steps.into_iter().collect(),
        minutes: (start.elapsed().as_secs_f64() / 6.0).round() / 10.0,
    };
    recipe.write(folder)?;
    println!("{recipe:#?}");
    Ok(())
}

/// Takes the first steps anew, on the best kernels of this machine, and compares with what was recorded.
fn check(folder: &FilePath) -> Result<()> {
    let recipe = Recipe::read(folder)?;
    let (format, files) = vocabulary()?;
    let conversation = |index| corpus::conversation(SEED, index).messages;
    let data = Data::of_first_steps(&format, (N_CONVERSATIONS, conversation), N_CHECKED, SEED)?;
    for (name, text) in &files {
        let stored = fs::read_to_string(folder.join(name))?;
        ensure!(stored == *text, "{name} in assets/tiny is not what the corpus gives");
    }
    let path = Path::best();
    let found = hash_of_first_steps(&data, path)?;
    let name = path.name();
    // All paths give the same bits, so that a path nobody has recorded has its hash too.
    let recorded = &recipe.checked_sha256;
    let recorded = recorded.get(name).or(recorded.values().next());
    let recorded = recorded.context("recipe.json has no hash")?;
    ensure!(
        found == *recorded,
        "after {N_CHECKED} steps on {name} the weights hash to {found}, recorded is {recorded}"
    );
    println!("{N_CHECKED} steps on {name}: as recorded");
    Ok(())
}

/// Every set of instructions of this machine but the one without fused multiplication, which takes an
/// hour for a step.
fn fast_paths() -> Vec<Path> {
    let mut paths = Path::available();
    if paths.len() > 1 {
        paths.remove(0);
    }
    paths
}

type Files = Vec<(&'static str, String)>;

fn vocabulary() -> Result<(ChatFormat, Files)> {
    let for_vocabulary = messages(SEED, N_FOR_VOCABULARY);
    let files = vocabulary::learn(for_vocabulary.flatten().map(|message| message.content))?;
    let text = vocabulary::as_files(&files)?;
    Ok((ChatFormat::load(&text, None, serde_json::Map::new())?, files))
}

fn messages(seed: RunSeed, n: usize) -> impl Iterator<Item = Vec<Message>> + Send {
    corpus::conversations(seed, n).map(|conversation| conversation.messages)
}

fn hash_of_first_steps(data: &Data, path: Path) -> Result<String> {
    let mut engine = pretrain::engine(path, SEED)?;
    let plan = Plan { stop_after: N_CHECKED, ..PLAN };
    pretrain::train(&mut engine, data, &Data::default(), plan, SEED)?;
    let folder = root().join("target").join("tiny-check");
    fs::create_dir_all(&folder)?;
    save(&mut engine, &folder)
}

/// Writes the weights as bf16 and returns their hash.
fn save(engine: &mut EngineState, folder: &FilePath) -> Result<String> {
    let base = engine.policy.base;
    let mut all = vec![0.0; engine.decoder.params.len()];
    engine.device.read(Stretch::of(base, all.len()), &mut all);
    let get = |offset: usize, len: usize| all[offset..offset + len].to_vec();
    let config = blueprint::config();
    let params = &engine.decoder.params;
    Ok(save_model(&RealDisk, folder, &config, params, &get, StoreType::Bf16)?)
}
