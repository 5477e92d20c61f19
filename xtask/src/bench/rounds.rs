//! Ours, theirs, ours, theirs: what slows the machine down for a while slows both.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result};

use super::parity::parity;
use super::settings::{Settings, big_model, folder, peer, text};
use super::table::Comparison;
use super::works::{Figures, Model, Work};
use crate::command::{cargo, run};

/// Runs the benchmarks that `words` name.
pub(crate) fn bench(words: &[String]) -> Result<()> {
    let settings = Settings::read(words)?;
    build(&settings)?;
    make_model(&settings)?;
    let mut parities = BTreeMap::new();
    for work in &settings.works {
        let Some(model) = work.model.folder() else {
            println!("{}: skipped, its model is not at hand\n", work.name);
            continue;
        };
        let mut comparison = Comparison::new(work, &settings);
        if let Some(python) = &settings.python {
            let found = match parities.get(&model) {
                Some(found) => *found,
                None => parity(python, &model, &settings)?,
            };
            parities.insert(model.clone(), found);
            comparison.parity = Some(found);
        }
        for round in 1..=settings.n_rounds {
            eprintln!("{}: round {round} of {}", work.name, settings.n_rounds);
            comparison.ours.push(ours(work, &model, &settings, round)?);
            if let Some(python) = &settings.python {
                let figures = work.theirs(python, &model, &settings, round);
                comparison.theirs.push(figures.context("failed to measure the peer")?);
            }
        }
        println!("{}", comparison.table());
        let path = comparison.write(&folder())?;
        println!("written to {}\n", path.display());
    }
    Ok(())
}

fn ours(
    work: &Work,
    model: &std::path::Path,
    settings: &Settings,
    round: usize,
) -> Result<Figures> {
    work.ours(model, settings, round).context("failed to measure ours")
}

fn build(settings: &Settings) -> Result<()> {
    let release = ["build", "--release", "--target-dir", "target"];
    run(cargo().args(release).args(["--package", "stateset-nn", "--example", "engine_speed"]))?;
    if settings.works.iter().any(|work| work.name == "grpo") {
        let program = ["--package", "stateset-agents", "--bin", "stateset-agents"];
        run(cargo().args(release).args(program))?;
    }
    Ok(())
}

/// Draws the random model where it is wanted and missing.
fn make_model(settings: &Settings) -> Result<()> {
    let is_wanted = settings.works.iter().any(|work| work.model == Model::Big);
    let Some(python) = settings.python.as_ref().filter(|_| is_wanted && !big_model().exists())
    else {
        return Ok(());
    };
    let out = folder().join("models");
    std::fs::create_dir_all(&out)?;
    run(Command::new(python).arg(peer("make_models.py")).arg(text(&out)))
}
