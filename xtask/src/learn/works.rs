//! Row after row, seed after seed; what is done already is not done again.

use anyhow::{Result, bail};

use super::outcome::Outcome;
use super::row::{Row, Work};
use super::rows::rows;
use super::settings::Settings;
use super::summary::interval;
use super::{online, page, preference, reward_model, rlaif, worlds};

/// `cargo xtask learn`.
pub(crate) fn learn(words: &[String]) -> Result<()> {
    let settings = Settings::read(words)?;
    let mut broken = Vec::new();
    let mut table = Vec::new();
    for row in &settings.rows {
        let outcomes = outcomes(row, &settings)?;
        if outcomes.len() < settings.seeds.len() {
            println!("{}: {} of {} seeds", row.name, outcomes.len(), settings.seeds.len());
            continue;
        }
        for verdict in verdicts(row, &outcomes)? {
            let mark = if verdict.holds { "holds" } else { "BROKEN" };
            println!("  {mark:<6} {}", verdict.text);
            if !verdict.holds {
                broken.push(format!("{}: {}", row.name, verdict.text));
            }
        }
        table.push((row.clone(), outcomes));
    }
    let n_without_data = settings.rows.iter().filter(|row| !row.work.has_data()).count();
    if n_without_data > 0 {
        println!("{n_without_data} rows were skipped, because their data is not on this machine");
    }
    let is_whole = table.len() + n_without_data >= settings.rows.len() && !settings.is_part;
    if !settings.is_trial && (is_whole || settings.only_reports) {
        let path = page::write(&rows(), &table)?;
        println!("{}", path.display());
    }
    if !broken.is_empty() {
        bail!("{} promises are broken:\n  {}", broken.len(), broken.join("\n  "));
    }
    Ok(())
}

/// What the seeds of a row came to; those that are missing are trained unless only a report is wanted.
fn outcomes(row: &Row, settings: &Settings) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for &seed in &settings.seeds {
        let known = if settings.again { None } else { Outcome::read(row, seed)? };
        let outcome = match known {
            Some(outcome) => Some(outcome),
            None if settings.only_reports => None,
            None if !row.work.has_data() => {
                println!("SKIPPED {} seed {seed}: its data is not on this machine", row.name);
                None
            }
            None => Some(train(row, seed, settings)?),
        };
        if let Some(outcome) = outcome {
            println!("{}", line(&outcome)?);
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}

fn train(row: &Row, seed: u64, settings: &Settings) -> Result<Outcome> {
    let outcome = match row.work {
        Work::Online => online::train(row, seed)?,
        Work::Preference => preference::train(row, seed)?,
        Work::RewardModel => reward_model::train_on_pairs(row, seed)?,
        Work::Judgments => reward_model::train_on_judgments(row, seed)?,
        Work::Feedback => rlaif::train(row, seed)?,
        Work::World => worlds::train(row, seed)?,
    };
    if !settings.is_trial {
        outcome.write()?;
    }
    Ok(outcome)
}

/// What is promised of a row, and whether it holds.
pub(super) fn verdicts(row: &Row, outcomes: &[Outcome]) -> Result<Vec<super::claims::Verdict>> {
    row.claims.iter().map(|claim| claim.check(outcomes)).collect()
}

fn line(outcome: &Outcome) -> Result<String> {
    let (before, after) = (interval(&outcome.before)?, interval(&outcome.after)?);
    let mut text = format!(
        "{:<14} seed {}  {:.3} [{:.3}, {:.3}] -> {:.3} [{:.3}, {:.3}]  {:.0} s, processors {:.0} s",
        outcome.row,
        outcome.seed,
        before.estimate,
        before.low,
        before.high,
        after.estimate,
        after.low,
        after.high,
        outcome.wall_secs,
        outcome.cpu_secs
    );
    for name in [
        "goal_after",
        "clip_share",
        "explained_variance",
        "reference_kl",
        "entropy_last",
        "margin_before",
        "margin_after",
        "auroc",
        "judge_agreement_before",
        "judge_agreement",
    ] {
        if let Some(value) = outcome.figures.get(name) {
            text += &format!("  {name} {value:.3}");
        }
    }
    Ok(text)
}
