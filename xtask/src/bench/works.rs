//! The pieces of work that both sides do, and what is measured of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::process::measured;
use super::settings::{Settings, big_model, folder, peer, small_model, text};
use crate::command::root;

/// Numbers of one process by name.
pub(super) type Figures = BTreeMap<&'static str, f64>;

/// Which model a piece of work is done with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Model {
    /// The random model of the speed table.
    Big,
    /// The small pretrained one.
    Small,
}

/// A piece of work.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) model: Model,
    pub(super) measures: &'static [Measure],
    kind: Kind,
}

/// A number that both sides measure.
#[derive(Debug)]
pub(super) struct Measure {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    /// More is better; otherwise less is.
    pub(super) is_rate: bool,
}

/// The arguments of a kind of work.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Batch and tokens.
    Train(usize, usize),
    /// Batch, prompt, new tokens; sampling or greedy.
    Decode(usize, usize, usize, bool),
    /// Steps.
    Grpo(usize),
}

const RSS: Measure = Measure { name: "peak_rss_bytes", unit: "MB", is_rate: false };
const TOKENS: Measure = Measure { name: "tokens_per_sec", unit: "tok/s", is_rate: true };

const fn secs(name: &'static str) -> Measure {
    Measure { name, unit: "s", is_rate: false }
}

pub(super) const WORKS: [Work; 4] = [
    Work {
        name: "train",
        about: "llama-512, 8 x 256 tokens, f32",
        model: Model::Big,
        measures: &[secs("forward"), secs("forward_backward"), secs("adamw"), secs("step"), RSS],
        kind: Kind::Train(8, 256),
    },
    Work {
        name: "decode",
        about: "llama-512, 8 rows, prompt 64, 64 new tokens, greedy, f32",
        model: Model::Big,
        measures: &[TOKENS, RSS],
        kind: Kind::Decode(8, 64, 64, false),
    },
    Work {
        name: "small-decode",
        about: "TinyStories-656k, 64 rows, prompt 8, 96 new tokens, sampled, f32",
        model: Model::Small,
        measures: &[TOKENS, RSS],
        kind: Kind::Decode(64, 8, 96, true),
    },
    Work {
        name: "grpo",
        about: "TinyStories-656k, 8 prompts x 8 samples x 96 tokens, 40 steps, beside TRL",
        model: Model::Small,
        measures: &[
            secs("step"),
            secs("until_reward_0.9"),
            Measure { name: "final_reward", unit: "", is_rate: true },
            RSS,
        ],
        kind: Kind::Grpo(40),
    },
];

impl Model {
    /// Its folder; `None` where it is not at hand.
    pub(super) fn folder(self) -> Option<PathBuf> {
        match self {
            Model::Big => Some(big_model()).filter(|folder| folder.exists()),
            Model::Small => small_model(),
        }
    }
}

impl Work {
    /// Runs our side once.
    pub(super) fn ours(&self, model: &Path, settings: &Settings, round: usize) -> Result<Figures> {
        let threads = settings.n_threads;
        match self.kind {
            Kind::Train(batch, tokens) => {
                let words = format!("train {} {batch} {tokens}", text(model));
                engine_figures(&engine_speed(&words, settings, 3)?)
            }
            Kind::Decode(batch, prompt, new, samples) => {
                let sample = if samples { " sample" } else { "" };
                let words = format!("decode {} {batch} {prompt} {new}{sample}", text(model));
                engine_figures(&engine_speed(&words, settings, 3)?)
            }
            Kind::Grpo(n_steps) => {
                let run = folder().join(format!("grpo-run-{round}"));
                let _ = fs::remove_dir_all(&run);
                let config = grpo_config(n_steps, round)?;
                let program = root().join("target/release/stateset-agents");
                let words = format!(
                    "train --config {} --model {} --output {} --threads {threads} --json",
                    text(&config),
                    text(model),
                    text(&run)
                );
                let line = measured(&program, &split(&words), settings)?;
                let steps = read_steps(&run.join("metrics.jsonl"))?;
                grpo_figures(&steps, &line)
            }
        }
    }

    /// Runs the peer once.
    pub(super) fn theirs(
        &self,
        python: &Path,
        model: &Path,
        settings: &Settings,
        round: usize,
    ) -> Result<Figures> {
        let threads = settings.n_threads;
        let model = text(model);
        let (script, words) = match self.kind {
            Kind::Train(batch, tokens) => (
                "torch_train.py",
                format!("{model} --batch {batch} --tokens {tokens} --repeats 3 --warmups 1"),
            ),
            Kind::Decode(batch, prompt, new, samples) => {
                let sample = if samples { " --sample" } else { "" };
                let sizes = format!("--batch {batch} --prompt {prompt} --new {new}{sample}");
                ("transformers_decode.py", format!("{model} {sizes} --repeats 3 --warmups 1"))
            }
            Kind::Grpo(n_steps) => (
                "trl_grpo.py",
                format!("{model} --setting best --repeats {n_steps} --seed {round}"),
            ),
        };
        let words = format!("{} {words} --threads {threads}", text(&peer(script)));
        let line = measured(python, &split(&words), settings)?;
        match self.kind {
            Kind::Grpo(_) => grpo_figures(&peer_steps(&line)?, &line),
            _ => engine_figures(&line),
        }
    }
}

/// Runs `engine_speed` of crates/nn.
pub(super) fn engine_speed(words: &str, settings: &Settings, n_repeats: usize) -> Result<Value> {
    let program = root().join("target/release/examples/engine_speed");
    let threads = settings.n_threads;
    let words = format!("{words} --threads {threads} --repeats {n_repeats} --warmups 1");
    measured(&program, &split(&words), settings)
}

pub(super) fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

/// What `engine_speed` and the peers under the same names print.
fn engine_figures(line: &Value) -> Result<Figures> {
    let mut figures = Figures::new();
    for name in ["forward", "forward_backward", "adamw", "step"] {
        if let Some(secs) = line["median_secs"][name].as_f64() {
            figures.insert(name, secs);
        }
    }
    for name in [TOKENS.name, RSS.name] {
        if let Some(value) = line[name].as_f64() {
            figures.insert(name, value);
        }
    }
    anyhow::ensure!(figures.contains_key(RSS.name), "there is no {} in {line}", RSS.name);
    Ok(figures)
}

/// Configuration of our GRPO run: what `benchmarks/peers/trl_grpo.py` tells TRL.
fn grpo_config(n_steps: usize, round: usize) -> Result<PathBuf> {
    let prompts = text(&root().join("benchmarks/data/openings.jsonl"));
    let config = format!(
        r#"[environment]
prompts_file = {prompts:?}
prompt_style = "text"

[reward]
spec = "contains_text:dog"

[training]
max_steps = {n_steps}
seed = {round}
num_generations = 8
prompts_per_step = 8
max_completion_length = 96
learning_rate = 1e-3
lr_scheduler_type = "constant"
warmup_ratio = 0.0
weight_decay = 0.0
adam_beta2 = 0.999
beta = 0.0
use_lora = false
eval_before = false
run_post_eval = false
eval_steps = 0
save_steps = 0
disable_tqdm = true

[evaluation]
split_size = 0.0
"#
    );
    fs::create_dir_all(folder())?;
    let path = folder().join("grpo.toml");
    fs::write(&path, config).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(path)
}

/// Seconds and mean reward of one training step.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    secs: f64,
    reward: f64,
}

/// Steps of our run, from its metrics.
fn read_steps(path: &Path) -> Result<Vec<Step>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
    let step = |line: &str| -> Option<Step> {
        let line: Value = serde_json::from_str(line).ok()?;
        Some(Step { secs: line["step_secs"].as_f64()?, reward: line["reward/mean"].as_f64()? })
    };
    Ok(text.lines().filter_map(step).collect())
}

/// Steps of TRL's run, from its line.
fn peer_steps(line: &Value) -> Result<Vec<Step>> {
    let numbers = |key: &str| -> Result<Vec<f64>> {
        let list = line[key].as_array().with_context(|| format!("there is no list {key}"))?;
        Ok(list.iter().filter_map(Value::as_f64).collect())
    };
    let (secs, rewards) = (numbers("step_secs")?, numbers("reward_means")?);
    Ok(secs.into_iter().zip(rewards).map(|(secs, reward)| Step { secs, reward }).collect())
}

/// Figures of a run: the median step without the first two, the time until three steps in a row have
/// a mean reward of 0.9 (infinite where they never do), and the mean reward of the last five.
fn grpo_figures(steps: &[Step], line: &Value) -> Result<Figures> {
    anyhow::ensure!(steps.len() > 7, "the run has {} steps, too few to measure", steps.len());
    let mut secs: Vec<f64> = steps[2..].iter().map(|step| step.secs).collect();
    secs.sort_by(f64::total_cmp);
    let reached = steps
        .windows(3)
        .position(|three| three.iter().map(|step| step.reward).sum::<f64>() / 3.0 >= 0.9);
    let until =
        reached.map_or(f64::INFINITY, |at| steps[..at + 3].iter().map(|step| step.secs).sum());
    let last = &steps[steps.len() - 5..];
    let reward = last.iter().map(|step| step.reward).sum::<f64>() / last.len() as f64;
    let rss = line[RSS.name].as_f64().context("there is no peak_rss_bytes")?;
    Ok(Figures::from([
        ("step", secs[secs.len() / 2]),
        ("until_reward_0.9", until),
        ("final_reward", reward),
        (RSS.name, rss),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_of_a_run() {
        let steps: Vec<Step> = (0..10)
            .map(|i| Step { secs: 1.0 + f64::from(i == 0), reward: if i < 4 { 0.1 } else { 0.95 } })
            .collect();
        let figures = grpo_figures(&steps, &json!({"peak_rss_bytes": 5})).expect("it was measured");
        assert_eq!(figures["step"], 1.0);
        assert_eq!(figures["until_reward_0.9"], 8.0, "seven steps, the first one of two seconds");
        assert!((figures["final_reward"] - 0.95).abs() < 1e-12);
        assert!(grpo_figures(&steps[..5], &json!({})).is_err());
    }

    #[test]
    fn a_run_that_never_gets_there_takes_for_ever() {
        let steps = [Step { secs: 1.0, reward: 0.5 }; 9];
        let figures = grpo_figures(&steps, &json!({"peak_rss_bytes": 5})).expect("it was measured");
        assert_eq!(figures["until_reward_0.9"], f64::INFINITY);
    }

    #[test]
    fn every_configuration_key_is_known() {
        let path = grpo_config(40, 1).expect("it can be written");
        let bytes = fs::read(&path).expect("it can be read");
        let file = stateset_train::config::ConfigFile {
            name: "grpo.toml".to_owned(),
            format: stateset_train::config::Format::Toml,
            bytes,
        };
        let sources = stateset_train::config::ConfigSources {
            file: Some(file),
            ..stateset_train::config::ConfigSources::default()
        };
        let resolved = stateset_train::config::resolve(&sources).expect("it has no problems");
        assert_eq!(resolved.config.steps.n_steps, 40);
    }
}
