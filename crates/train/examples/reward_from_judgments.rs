//! A reward model from people's judgments of replies, as Taskmaster-4 has them.
//!
//! `cargo run --release -p stateset-train --example reward_from_judgments -- FOLDER OUTPUT [KEY=NUMBER ..]`
//! with the folder of `reward_*.json` files; keys are epochs, rate, messages, batch, share, decay and seed.
//! Whole dialogues are held out; the AUROC on them is the figure to look at.
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use stateset_algo::{BradleyTerry, ScheduleShape};
use stateset_core::RunSeed;
use stateset_train::{
    Judgments, ModelSource, PreferenceGoal, PreferenceRun, PreferenceSettings, Progress,
    ProgressStyle, RunFolder, TrainError, read_judgments,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, output, keys @ ..] = arguments.as_slice() else {
        return Err("expected FOLDER OUTPUT [KEY=NUMBER ..]".into());
    };
    let mut numbers = BTreeMap::from([
        ("epochs", 2.0),
        ("rate", 2e-4),
        ("messages", 4.0),
        ("batch", 16.0),
        ("share", 0.2),
        ("decay", 0.01),
        ("seed", 1.0),
    ]);
    for key in keys {
        let (name, number) = key.split_once('=').ok_or("expected KEY=NUMBER")?;
        *numbers.get_mut(name).ok_or("an unknown key")? = number.parse()?;
    }
    let judgments = read_all(Path::new(folder), numbers["messages"] as usize)?;
    println!("{} judgments of {} dialogues", judgments.len(), judgments.dialogues.len());
    let seed = RunSeed(numbers["seed"] as u64);
    let (learned, held_out) = judgments.divided(numbers["share"], seed);
    println!("{} to learn from, {} held out", learned.len(), held_out.len());

    let goal = PreferenceGoal::RewardModel(BradleyTerry::default());
    let mut settings = PreferenceSettings::new(goal);
    settings.optimiser.learning_rate = numbers["rate"];
    settings.optimiser.weight_decay = numbers["decay"];
    settings.n_epochs = numbers["epochs"];
    settings.examples_per_step = numbers["batch"] as usize;
    settings.evaluate_every_n_steps = Some(25);
    settings.shape = ScheduleShape::Linear;
    settings.warmup_ratio = 0.1;
    settings.seed = seed;
    let fetch = |name: &str| -> Result<PathBuf, TrainError> {
        let message = format!("{name} is not on this machine");
        Err(TrainError::Invalid { what: "find the model", message })
    };
    let model = ModelSource::open("builtin:tiny", &fetch)?;
    let mut run = PreferenceRun::new(settings, model, learned, RunFolder::new(output));
    run.evaluation = Some(held_out);
    run.overwrites = true;
    run.sinks.push(Box::new(Progress::new(ProgressStyle::Plain)));
    let trained = run.train()?;
    let figure = |evaluation: Option<stateset_train::EvaluationSummary>| {
        evaluation.and_then(|e| e.reward).map(|r| (r.low, r.estimate, r.high))
    };
    println!("AUROC before {:?}, after {:?}", figure(trained.before), figure(trained.after));
    println!("{:.0} s", trained.summary.wall_secs);
    Ok(())
}

fn read_all(folder: &Path, n_messages: usize) -> Result<Judgments, Box<dyn Error>> {
    let mut all = Judgments::default();
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let text = std::fs::read_to_string(path)?;
        let judgments = read_judgments(&text, n_messages);
        all.add(judgments.map_err(|problems| format!("{}: {problems:?}", path.display()))?);
    }
    Ok(all)
}
