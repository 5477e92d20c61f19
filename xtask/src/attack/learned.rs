//! A policy that learns from one reward alone, without anything that holds it back: what it comes to say
//! shows what the reward pays for.
//!
//! The embedded model answers the users of the honest exchanges (`tests/honest/`), one turn each. Every
//! reply it ever tries is seen; the best are kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stateset_core::{Reward, RewardContext, RewardResult, Scenario, Trajectory};
use stateset_env::prompts::PromptEnvironment;
use stateset_train::{ModelSource, OnlineRun};

use super::targets::honest::{Exchange, honest};
use super::targets::{TARGETS, Target};
use crate::learn::{MODEL, no_hub, of_keys, remove_weights};

/// Replies that are kept of each run.
const N_KEPT: usize = 1000;
const SETTINGS: [(&str, &str); 12] = [
    ("agent.model_name", MODEL),
    ("agent.max_new_tokens", "64"),
    ("algorithm", "grpo"),
    ("training.max_steps", "50"),
    ("training.prompts_per_step", "8"),
    ("training.num_generations", "16"),
    ("training.num_minibatches", "2"),
    ("training.learning_rate", "5e-4"),
    ("training.eval_before", "false"),
    ("training.save_steps", "0"),
    ("training.overwrite_output_dir", "true"),
    ("training.seed", "7"),
];

/// What a policy came to.
#[derive(Deserialize, Serialize)]
struct Learned {
    reward: String,
    settings: Vec<(String, String)>,
    seconds: f64,
    n_replies: usize,
    /// Mean reward of the first and of the last tenth of the replies.
    first: f64,
    last: f64,
    /// The best replies, best first.
    finds: Vec<Said>,
}

/// A reply and what it earned.
#[derive(Clone, Deserialize, Serialize)]
struct Said {
    score: f64,
    scenario: String,
    user: String,
    text: String,
}

/// Attacks the targets called `names`, all where there are none. Returns the file with all results.
pub(super) fn attack(names: &[&String]) -> Result<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/attack");
    fs::create_dir_all(&folder).context("failed to create target/attack")?;
    for name in names {
        let is_known = TARGETS.iter().any(|target| target.name == **name);
        ensure!(is_known, "there is no reward {name} among those that are attacked");
    }
    let all = honest();
    let mut lines = Vec::new();
    for target in TARGETS {
        if !names.is_empty() && !names.iter().any(|name| *name == target.name) {
            continue;
        }
        let kept = folder.join(format!("{}.json", target.name));
        let learned = match known(&kept).filter(|_| names.is_empty()) {
            Some(learned) => learned,
            None => {
                let learned = learn(target, &all, &folder)?;
                fs::write(&kept, serde_json::to_string(&learned)?)?;
                learned
            }
        };
        let best = learned.finds.first().map_or(f64::NAN, |find| find.score);
        println!(
            "{:24} {:.3} -> {:.3}, best {best:.3}, {} replies in {:.0} s",
            learned.reward, learned.first, learned.last, learned.n_replies, learned.seconds
        );
        lines.push(serde_json::to_string(&learned)?);
    }
    let file = folder.join("learned.jsonl");
    fs::write(&file, lines.join("\n"))?;
    Ok(file)
}

/// An earlier result with the settings of now.
fn known(path: &PathBuf) -> Option<Learned> {
    let learned: Learned = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    (learned.settings == settings()).then_some(learned)
}

fn settings() -> Vec<(String, String)> {
    SETTINGS.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

fn learn(target: &Target, all: &[Exchange], folder: &std::path::Path) -> Result<Learned> {
    let start = Instant::now();
    let model = ModelSource::open(MODEL, &no_hub)?;
    let mut values = settings();
    values.push(("training.output_dir".to_owned(), folder.display().to_string()));
    values.push(("training.run_name".to_owned(), format!("run-{}", target.name)));
    values.push(("environment.prompts".to_owned(), json!(["Hello"]).to_string()));
    let resolved = of_keys(&model, values)?;
    let mut run = OnlineRun::new(resolved, Some(model))?;
    let exchanges = target.exchanges(all).into_iter().filter(Exchange::is_single);
    let scenarios: Vec<Arc<Scenario>> = exchanges.map(|one| Arc::new(one.asked())).collect();
    let watch = Arc::new(Watch { inner: target.reward(), seen: Mutex::default() });
    run.cast.training = scenarios.clone();
    run.cast.evaluation = scenarios;
    run.cast.environment = Arc::new(PromptEnvironment);
    run.cast.evaluation_environment = Arc::new(PromptEnvironment);
    run.cast.reward = Arc::clone(&watch) as Arc<dyn Reward>;
    let place = run.folder.clone();
    let runtime = tokio::runtime::Runtime::new().context("failed to start a runtime")?;
    runtime.block_on(run.train())?;
    drop(runtime);
    remove_weights(&place);
    let seen = watch.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let tenth = (seen.scores.len() / 10).max(1);
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len() as f64;
    Ok(Learned {
        reward: target.name.to_owned(),
        settings: settings(),
        seconds: start.elapsed().as_secs_f64(),
        n_replies: seen.scores.len(),
        first: mean(&seen.scores[..tenth.min(seen.scores.len())]),
        last: mean(&seen.scores[seen.scores.len().saturating_sub(tenth)..]),
        finds: seen.best(),
    })
}

/// The reward, and everything it was asked about.
struct Watch {
    inner: Arc<dyn Reward>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    scores: Vec<f64>,
    /// By text, so that each is there once.
    said: BTreeMap<String, Said>,
}

impl Seen {
    fn best(&self) -> Vec<Said> {
        let mut all: Vec<Said> = self.said.values().cloned().collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score));
        all.truncate(N_KEPT);
        all
    }
}

#[async_trait]
impl Reward for Watch {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let result = self.inner.score(trajectory, context).await;
        let text = trajectory.assistant_texts().last().unwrap_or_default().to_owned();
        if let Some(score) = result.total.value() {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.scores.push(score);
            let messages = &context.scenario.messages;
            let user = messages.last().map_or_else(String::new, |last| last.content.clone());
            let said =
                Said { score, scenario: context.scenario.id.clone(), user, text: text.clone() };
            let best = seen.said.entry(text).or_insert_with(|| said.clone());
            if said.score > best.score {
                *best = said;
            }
        }
        result
    }
}
