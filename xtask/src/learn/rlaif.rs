//! Feedback of a model: the embedded model is taught to rate conversations, and then trains another copy.
//!
//! The judge learns by supervised learning from conversations that the untrained model itself held with
//! customers of the training split, each with the task's reward as a mark from 1 to [`N_MARKS`]. It is
//! measured on conversations with customers of the held-out split, whose truth is known by rule. The
//! policy then sees the judge's word alone; evaluations know the task's own reward alone, so that a gain
//! cannot come from flattering the judge.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::json;
use stateset_core::{Reward, RewardContext, RunSeed, Sampling, Scenario, Score, Trajectory};
use stateset_env::customer::Split;
use stateset_env::judging::{Asker, ScorePrompt};
use stateset_env::rewards::parse_reward;
use stateset_env::sets::{World, world};
use stateset_nn::RealDisk;
use stateset_train::{
    AgentConfig, CheckpointWriter, DirectJudging, EpisodeLimits, GroupPlan, LocalJudge,
    LocalPolicy, ModelSource, MultiTurnAgent, SftRow, Stage, chat_format, play_groups,
    read_examples,
};

use super::machine::cpu_secs;
use super::online::{MODEL, no_hub, train_with};
use super::outcome::Outcome;
use super::row::Row;
use super::settings::folder;
use super::taught::{engine_spec, learn};

/// Marks that the judge may give.
pub(super) const N_MARKS: usize = 5;
/// What the judge is told. Training gives it the same words.
pub(super) const RUBRIC: &str = "Rate how well the agent serves the customer.";

const N_STEPS: usize = 40;
const RATE: f64 = 1e-3;
const LONGEST: usize = 1024;
/// Customers, and conversations with each, that the judge learns from and is measured on.
const LEARNED: (usize, usize) = (120, 2);
const MEASURED: (usize, usize) = (63, 1);
/// Conversations that are less apart than this are not compared.
const MIN_MARGIN: f64 = 0.15;
const AT_ONCE: usize = 32;

/// Trains `row` with `seed`: judge, then policy.
pub(super) fn train(row: &Row, seed: u64) -> Result<Outcome> {
    let (start, cpu_before) = (Instant::now(), cpu_secs());
    let judge = teach(seed)?;
    let taught_secs = start.elapsed().as_secs_f64();
    let taught_cpu_secs = cpu_secs() - cpu_before;
    let mut outcome = train_with(row, seed, None, Some(&judge.place))?;
    // Weights are large and can be had again.
    let _ = fs::remove_dir_all(&judge.place);
    outcome.wall_secs += taught_secs;
    outcome.cpu_secs += taught_cpu_secs;
    let figures = [
        ("judge_agreement_before", judge.before),
        ("judge_agreement", judge.after),
        ("judge_secs", taught_secs.min(taught_cpu_secs)),
    ];
    outcome.figures.extend(figures.map(|(name, value)| (name.to_owned(), value)));
    Ok(outcome)
}

/// A judge on disk, and how often it was right about two conversations, before and after.
struct Taught {
    place: PathBuf,
    before: f64,
    after: f64,
}

/// A conversation and what it was worth by rule.
struct Marked {
    /// As a judge sees it.
    shown: String,
    reward: f64,
    scenario: Arc<Scenario>,
    trajectory: Trajectory,
}

fn teach(seed: u64) -> Result<Taught> {
    let model = ModelSource::open(MODEL, &no_hub)?;
    let format = chat_format(&model, None)?;
    let agent = AgentConfig::new(MODEL, None, &Sampling::default());
    let writer = CheckpointWriter::of(&model, agent, Arc::new(RealDisk));
    let seed = RunSeed(seed);
    let engine = engine_spec(LONGEST, AT_ONCE, seed).start(model)?;
    let prompt = prompt();
    let judge = LocalJudge::on(engine.clone(), format.clone(), Sampling::default(), seed);
    let judge = DirectJudging { asker: Asker::new(Arc::new(judge)), prompt: prompt.clone() };
    let runtime = tokio::runtime::Runtime::new().context("failed to start a runtime")?;
    let policy = LocalPolicy::new(engine.clone(), format.clone());
    let (learned, measured) = runtime.block_on(async {
        // The same held-out conversations for every seed.
        let measured = conversations(&policy, Split::HeldOut, MEASURED, RunSeed(1)).await?;
        anyhow::Ok((conversations(&policy, Split::Train, LEARNED, seed).await?, measured))
    })?;
    let before = runtime.block_on(agreement(&judge, &measured))?;
    let mut rows: Vec<SftRow> = Vec::new();
    let jsonl = to_sft(&learned, &prompt);
    for example in read_examples(&jsonl).map_err(|problems| anyhow!(problems.join("\n")))? {
        rows.extend(example.rows(&format, LONGEST)?);
    }
    learn(&engine, rows, (N_STEPS, RATE), seed)?;
    let after = runtime.block_on(agreement(&judge, &measured))?;
    let place = folder().join("runs").join(format!("judge-{}", seed.0));
    fs::create_dir_all(&place)?;
    writer.write_model(&engine, &place)?;
    Ok(Taught { place, before, after })
}

fn prompt() -> ScorePrompt {
    ScorePrompt { preamble: RUBRIC.to_owned(), n_scores: N_MARKS, ..ScorePrompt::default() }
}

/// `n` conversations of `policy` with each of the first customers of `split`.
async fn conversations(
    policy: &LocalPolicy,
    split: Split,
    (n_customers, n): (usize, usize),
    seed: RunSeed,
) -> Result<Vec<Marked>> {
    let world = world("customer_service")?;
    let scenarios: Vec<Arc<Scenario>> =
        world.scenarios(split).into_iter().take(n_customers).map(Arc::new).collect();
    let plan = |(index, scenario): (usize, &Arc<Scenario>)| GroupPlan {
        scenario: scenario.clone(),
        index: index as u32,
        n_samples: n,
    };
    let plans: Vec<GroupPlan> = scenarios.iter().enumerate().map(plan).collect();
    let stage = stage(policy, world.as_ref(), seed)?;
    let groups = play_groups(&stage, 0, &plans, Vec::new(), |_| anyhow::Ok(())).await?;
    let mut marked = Vec::new();
    for trajectory in groups.into_iter().flat_map(|group| group.trajectories) {
        let scenario = scenarios[trajectory.id.scenario as usize].clone();
        let reward = trajectory.reward().context("a conversation could not be scored")?;
        let shown = DirectJudging::shown(&trajectory, &scenario);
        marked.push(Marked { shown, reward, scenario, trajectory });
    }
    Ok(marked)
}

fn stage(policy: &LocalPolicy, world: &dyn World, seed: RunSeed) -> Result<Stage> {
    let max_turns = world.max_turns();
    Ok(Stage {
        agent: Arc::new(MultiTurnAgent {
            system_prompt: Some(world.system_prompt()),
            ..MultiTurnAgent::new(Arc::new(policy.clone()))
        }),
        environment: world.environment(max_turns),
        reward: parse_reward(world.reward())?,
        limits: EpisodeLimits {
            max_turns,
            turn_timeout: std::time::Duration::from_secs(60),
            reward_timeout: std::time::Duration::from_secs(60),
        },
        sampling: None,
        seed,
        concurrency: AT_ONCE,
    })
}

/// The conversations with their marks as lines of supervised data.
fn to_sft(marked: &[Marked], prompt: &ScorePrompt) -> String {
    let line = |one: &Marked| {
        let asked = prompt.request(&one.shown);
        let mark = 1 + (one.reward * (N_MARKS - 1) as f64).round() as usize;
        json!({"messages": [
            {"role": "system", "content": asked.instructions},
            {"role": "user", "content": asked.question},
            {"role": "assistant", "content": mark.to_string()},
        ]})
        .to_string()
    };
    marked.iter().map(|one| line(one) + "\n").collect()
}

/// Share of the pairs of conversations clearly apart that the judge orders rightly, ties counting half.
async fn agreement(judge: &DirectJudging, marked: &[Marked]) -> Result<f64> {
    let mut scores = Vec::with_capacity(marked.len());
    for one in marked {
        let context = RewardContext { scenario: &one.scenario };
        match judge.score(&one.trajectory, context).await.total {
            Score::Scored { value, .. } => scores.push(value),
            Score::Unscorable { why } => bail!("the judge gave no answer: {why}"),
        }
    }
    let (mut n_right, mut n_pairs) = (0.0, 0.0);
    for (i, better) in marked.iter().enumerate() {
        for (j, worse) in marked.iter().enumerate() {
            if better.reward - worse.reward >= MIN_MARGIN {
                n_pairs += 1.0;
                n_right += match scores[i].total_cmp(&scores[j]) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
    }
    ensure!(n_pairs > 0.0, "no two conversations are clearly apart");
    Ok(n_right / n_pairs)
}
