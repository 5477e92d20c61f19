//! One run on synthetic pairs, measured on pairs it has not seen.
//!
//! Pairs follow a hidden truth without noise ([`SyntheticPairs`]), so that a perfect ranking is right on
//! all of them. Every seed learns from pairs of its own; the held-out ones are the same for all. Rewards
//! are the method's own. A held-out item is worth 1 where the better answer has the larger reward and 0.5
//! where both have the same, as all do that are relative to the policy itself before the first step; for
//! answers judged alone it is a good answer, worth the share of bad ones below it.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use stateset_algo::auroc;
use stateset_core::{Message, MessageRecord, RunSeed};
use stateset_train::{
    AnswerRewards, Dialogue, MetricsRow, ModelSource, PreferenceData, PreferenceRun,
    SyntheticPairs, read_metrics,
};

use super::machine::{cpu_secs, machine, today};
use super::online::{MODEL, no_hub, remove_weights, resolved};
use super::outcome::{Outcome, keys};
use super::row::Row;
use super::settings::folder;

/// Examples that a run may learn from; its steps say how many it does.
const N_LEARNED: usize = 512;
const N_HELD_OUT: usize = 128;
/// No run has this seed.
const HELD_OUT_SEED: u64 = 1000;

/// What is learned from and what is measured.
pub(super) struct Data {
    pub(super) learned: PreferenceData,
    pub(super) held_out: PreferenceData,
}

/// Trains `row` with `seed`.
pub(super) fn train(row: &Row, seed: u64) -> Result<Outcome> {
    train_on(row, seed, &synthetic(seed, row.name != "kto"))
}

/// Pairs, or answers judged alone.
pub(super) fn synthetic(seed: u64, of_pairs: bool) -> Data {
    let made = |seed: u64, n: usize| {
        let source = SyntheticPairs { seed: RunSeed(seed), noise: 0.0 };
        if of_pairs { source.pairs(n) } else { source.judged(n) }
    };
    Data { learned: made(seed, N_LEARNED), held_out: made(HELD_OUT_SEED, N_HELD_OUT) }
}

/// Trains `row` with `seed` on some data, by way of the files that the program reads.
pub(super) fn train_on(row: &Row, seed: u64, data: &Data) -> Result<Outcome> {
    let (start, cpu_before) = (Instant::now(), cpu_secs());
    let name = format!("{}-{seed}", row.name);
    let common = [
        ("agent.model_name", MODEL.to_owned()),
        ("training.pairs_file", file(&data.learned, &format!("{name}-learned"))?),
        ("evaluation.pairs_file", file(&data.held_out, &format!("{name}-held_out"))?),
        ("training.eval_before", "true".to_owned()),
        ("training.run_post_eval", "true".to_owned()),
        ("training.save_steps", "0".to_owned()),
        ("training.overwrite_output_dir", "true".to_owned()),
    ];
    let model = ModelSource::open(MODEL, &no_hub)?;
    let resolved = resolved(row, seed, &model, &common)?;
    let trained = PreferenceRun::from_config(&resolved, model)?.train()?;
    let (wall_secs, cpu_secs) = (start.elapsed().as_secs_f64(), cpu_secs() - cpu_before);
    let steps = read_metrics(&trained.folder.metrics())?;
    remove_weights(&trained.folder);
    let (before, after) = (&trained.rewards_before, &trained.rewards_after);
    let mut outcome = Outcome {
        row: row.name.to_owned(),
        seed,
        keys: keys(row),
        machine: machine(),
        day: today(),
        wall_secs,
        cpu_secs,
        before: items(before)?,
        after: items(after)?,
        curve: curve(&steps),
        ..Outcome::default()
    };
    let accuracy = |items: &[f64]| items.iter().sum::<f64>() / items.len() as f64;
    let figures = [
        ("accuracy_before", accuracy(&outcome.before)),
        ("accuracy", accuracy(&outcome.after)),
        ("margin_before", margin(before)),
        ("margin_after", margin(after)),
        ("n_steps", steps.len() as f64),
    ];
    let known = figures.into_iter().filter(|(_, value)| value.is_finite());
    outcome.figures.extend(known.map(|(name, value)| (name.to_owned(), value)));
    Ok(outcome)
}

/// What every held-out item is worth.
fn items(rewards: &[AnswerRewards]) -> Result<Vec<f64>> {
    ensure!(!rewards.is_empty(), "nothing was evaluated");
    let pair = |one: &AnswerRewards| Some(auroc(&[one.chosen?], &[one.rejected?])).flatten();
    let pairs: Vec<f64> = rewards.iter().filter_map(pair).collect();
    if pairs.len() == rewards.len() {
        return Ok(pairs);
    }
    let bad: Vec<f64> = rewards.iter().filter_map(|one| one.rejected).collect();
    let good = rewards.iter().filter_map(|one| one.chosen);
    let items: Vec<f64> = good.filter_map(|reward| auroc(&[reward], &bad)).collect();
    ensure!(!items.is_empty(), "the held-out answers are all good or all bad");
    Ok(items)
}

/// Difference of the mean rewards of better and of worse answers.
fn margin(rewards: &[AnswerRewards]) -> f64 {
    let mean = |of: fn(&AnswerRewards) -> Option<f64>| {
        let all: Vec<f64> = rewards.iter().filter_map(of).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    mean(|one| one.chosen) - mean(|one| one.rejected)
}

/// Pairs of each step that were told apart; the margin where answers are judged alone.
fn curve(steps: &[MetricsRow]) -> Vec<f64> {
    let of = |step: &MetricsRow, name: &str| step.metrics.get(name).copied();
    let told = |step: &MetricsRow| {
        of(step, "preference/accuracy").or_else(|| of(step, "preference/margin"))
    };
    steps.iter().map(|step| told(step).unwrap_or(f64::NAN)).collect()
}

/// Writes a file of JSON lines; gives its path.
fn file(data: &PreferenceData, name: &str) -> Result<String> {
    let mut text = String::new();
    match data {
        PreferenceData::Pairs(pairs) => {
            for pair in pairs {
                let (prompt, chosen) = said(&pair.chosen)?;
                let (_, rejected) = said(&pair.rejected)?;
                let line = json!({"prompt": prompt, "chosen": chosen, "rejected": rejected});
                writeln!(text, "{line}")?;
            }
        }
        PreferenceData::Judged(judged) => {
            for one in judged {
                let (prompt, answer) = said(&Dialogue::Chat(one.chat.clone()))?;
                let label = one.desirable;
                let line = json!({"prompt": prompt, "completion": answer, "label": label});
                writeln!(text, "{line}")?;
            }
        }
    }
    let folder: PathBuf = folder().join("data");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}.jsonl"));
    fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    Ok(path.display().to_string())
}

/// Prompt and answer as messages of OpenAI's layout.
fn said(dialogue: &Dialogue) -> Result<(Value, Value)> {
    let Dialogue::Chat(chat) = dialogue else { bail!("a conversation was expected") };
    let list = |messages: &[Message]| {
        serde_json::to_value(messages.iter().map(MessageRecord::from).collect::<Vec<_>>())
    };
    Ok((list(&chat.messages[..chat.n_prompt])?, list(chat.answer())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewards(chosen: impl Into<Option<f64>>, rejected: impl Into<Option<f64>>) -> AnswerRewards {
        AnswerRewards { chosen: chosen.into(), rejected: rejected.into() }
    }

    #[test]
    fn a_pair_that_is_not_told_apart_is_worth_a_half() {
        let pairs = [rewards(1.0, 0.0), rewards(0.5, 0.5), rewards(0.0, 2.0)];
        assert_eq!(items(&pairs).expect("items"), [1.0, 0.5, 0.0]);
        assert!((margin(&pairs) + 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn answers_judged_alone_are_compared_with_all_of_the_other_kind() {
        let alone =
            [rewards(1.0, None), rewards(None, 0.0), rewards(0.0, None), rewards(None, 2.0)];
        assert_eq!(items(&alone).expect("items"), [0.5, 0.25]);
        assert_eq!(margin(&alone), -0.5);
        assert!(items(&alone[..1]).is_err() && items(&[]).is_err());
    }
}
