//! `train`: improves an agent by playing, judging and learning.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::BoolishValueParser;
use serde_json::{Map, Value, json};
use stateset_nn::Date;
use stateset_train::config::Resolved;
use stateset_train::{
    BaselineSize, MemoryPlan, OnlineRun, Progress, ProgressStyle, RunError, RunFolder, TrainError,
};

use super::engine::runtime;
use super::error::{CliError, Outcome};
use super::harness::HarnessArgs;
use super::model::{open_judge, parse_date};
use super::output::{Output, say};
use super::result::RunResult;
use super::signals::stop_on_signal;
use super::sources::{ConfigArgs, Flags, Prepared, names_a_file, what_to_play};
use super::today::today;
use super::train_on_pairs;
use crate::complete::complete;
use crate::facade::{AutoTrainer, choice_text};
use crate::tools::RemoteTools;

/// Train an agent
///
/// Without flags it trains the embedded model on the built-in customer-service scenarios.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// The model to start from: builtin:tiny, a folder (of a model, an adapter, a checkpoint or a run),
    /// or a name on the model hub
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    #[arg(long, visible_alias = "scenarios", value_name = "SET|FILE", help = what_to_play())]
    pub(crate) env: Option<String>,
    /// File of prompts to answer in one turn, JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) prompts: Option<PathBuf>,
    /// The reward, such as helpfulness=0.6,safety=0.4 or contains:dog
    #[arg(long, value_name = "SPEC")]
    pub(crate) reward: Option<String>,
    /// A model that judges samples beside each other, to train on its word: names as for --model
    #[arg(long, value_name = "MODEL")]
    pub(crate) judge: Option<String>,
    /// The algorithm, such as grpo; dpo, ipo, kto, orpo, simpo, cpo and reward_model learn from --pairs
    #[arg(long, value_name = "NAME")]
    pub(crate) algorithm: Option<String>,
    /// File of preferences, JSON lines with prompt, chosen and rejected; for kto prompt, completion and
    /// label
    #[arg(long, value_name = "FILE")]
    pub(crate) pairs: Option<PathBuf>,
    /// File of preferences to measure on; a share of --pairs is held back where absent
    #[arg(long, value_name = "FILE")]
    pub(crate) eval_pairs: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) harness: HarnessArgs,
    /// How boldly to train: conservative, balanced, aggressive or experimental
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Let the untrained agent play first, and choose a profile that fits what it does; with settings
    /// that change where the run's health asks for it, and an end where it no longer gets better
    #[arg(long, conflicts_with = "resume")]
    pub(crate) auto: bool,
    /// Episodes to train on
    #[arg(long, value_name = "N")]
    pub(crate) episodes: Option<u64>,
    /// Steps to train; the same as --episodes in other units
    #[arg(long, value_name = "N")]
    pub(crate) steps: Option<u64>,
    /// What all randomness starts from
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Threads to compute with; all of the machine where absent
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// The date that chat templates are told when they ask; today in UTC where absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    pub(crate) date: Option<Date>,
    /// Folder for the trained model alone, in Hugging Face's layout
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
    /// The run folder; a new one under training.output_dir where absent
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the run that --output holds
    #[arg(long)]
    pub(crate) force: bool,
    /// Go on with a run folder or checkpoint; without a value, with the run in --output
    #[arg(long, value_name = "PATH", num_args = 0..=1)]
    pub(crate) resume: Option<Option<PathBuf>>,
    /// Check everything and show what would be done; writes nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          default_value = "false", hide_default_value = true, value_parser = BoolishValueParser::new())]
    pub(crate) dry_run: bool,
    #[arg(long, hide = true, conflicts_with = "dry_run")]
    no_dry_run: bool,
    /// Answer with canned sentences and load no model; nothing is learned
    #[arg(long)]
    pub(crate) stub: bool,
    /// Print the summary as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Flags of other programs that share this command.
    #[arg(skip)]
    pub(crate) more: Vec<(&'static str, &'static str, String)>,
}

/// Trains, or shows what training would do.
pub(crate) fn run(args: TrainArgs) -> Outcome {
    let prepared = prepare(&args, &[])?;
    match prepared.resolved.config.algorithm.method.is_online() {
        true => run_online(prepared, &args),
        false => train_on_pairs::run(prepared, &args),
    }
}

fn run_online(prepared: Prepared, args: &TrainArgs) -> Outcome {
    let mut run = described(prepared, args)?;
    match (args.auto, args.dry_run) {
        (true, true) => say("auto: a dry run plays nothing, so no profile is chosen"),
        (true, false) => run = chosen(run, args)?,
        _ => {}
    }
    if run.model.is_none() && args.save.is_some() {
        return Err(CliError::bad("use --save: a stub has no model to save"));
    }
    runtime()?.block_on(run.check()).map_err(CliError::loading)?;
    if args.dry_run {
        return show(&run, args.json);
    }
    train(run, args)
}

/// The run that was prepared, with its judge.
fn described(prepared: Prepared, args: &TrainArgs) -> Outcome<OnlineRun> {
    let Prepared { resolved, model } = prepared;
    let judge = resolved.config.reward.judge.as_ref();
    let judge = judge.map(open_judge).transpose()?;
    let mut run = OnlineRun::new(resolved, model).map_err(CliError::loading)?;
    run.judge = judge;
    run.date = args.date.or_else(today);
    if let Some(path) = &run.cast.missing_tools {
        RemoteTools::read(path).map_err(CliError::loading)?;
    }
    Ok(run)
}

/// The run again, with the profile that fits what its agent does before training.
fn chosen(mut run: OnlineRun, args: &TrainArgs) -> Outcome<OnlineRun> {
    let auto = AutoTrainer::default();
    let BaselineSize { n_scenarios, n_samples } = auto.baseline;
    say(format_args!(
        "auto: playing up to {n_scenarios} scenarios {n_samples} times before training"
    ));
    let resolved = run.resolved.clone();
    let choice = runtime()?.block_on(async {
        complete(&mut run.cast, &run.resolved.config).await?;
        auto.choose(run).await
    });
    let choice = choice.map_err(CliError::loading)?;
    say(choice_text(&choice));
    described(prepare(args, &auto.settings(&choice, &resolved))?, args)
}

/// The run itself: trains until the end or until somebody asks it to stop, and says what came out.
fn train(mut run: OnlineRun, args: &TrainArgs) -> Outcome {
    run.sinks.push(Box::new(Progress::new(progress_style(&run.resolved))));
    let stop = run.stop.clone();
    let trained = runtime()?.block_on(async {
        stop_on_signal(stop);
        complete(&mut run.cast, &run.resolved.config).await.map_err(during_run)?;
        let _server = args.harness.take_over(&mut run).await?;
        run.train_checked().await.map_err(during_run)
    })?;
    if let Some(folder) = &args.save {
        trained.save(folder).map_err(CliError::failed)?;
    }
    let mut output = Output::new();
    match args.json {
        true => output.line(trained.summary.to_json())?,
        false => output.text(&RunResult::from(&trained).text(args.save.as_deref()))?,
    }
    output.flush()
}

/// A bar on a terminal, unless the configuration does not want one.
pub(crate) fn progress_style(resolved: &Resolved) -> ProgressStyle {
    match resolved.config.logging.shows_progress {
        true => ProgressStyle::Auto,
        false => ProgressStyle::Plain,
    }
}

/// What was wrong from the start is the caller's; what broke on the way is not.
pub(crate) fn during_run(error: TrainError) -> CliError {
    match error {
        TrainError::Invalid { .. } | TrainError::Run(RunError::Locked { .. }) => {
            CliError::bad(error)
        }
        other => CliError::failed(other),
    }
}

/// Resolves everything that a run needs.
fn prepare(args: &TrainArgs, weaker: &[(String, String)]) -> Outcome<Prepared> {
    let resumed = resumed_path(args)?;
    let run = resumed.as_deref().and_then(run_folder_of);
    let mut config = args.config.clone();
    if config.config.is_none() {
        // A run goes on with the configuration it began with.
        config.config = run.as_ref().map(|run| run.join("config.toml"));
    }
    let output = args.output.clone().or(run);
    let mut flags = flags(args, weaker);
    if let Some(path) = &resumed {
        flags.add_path("--resume", "training.resume_from_checkpoint", Some(path));
        if !args.force {
            // The run may have begun by replacing another; that is over.
            flags.add("--resume", "training.overwrite_output_dir", Some(false));
        }
    }
    if let Some(output) = &output {
        let (parent, name) = split_folder(output)?;
        flags.add_path("--output", "training.output_dir", Some(&parent));
        flags.add("--output", "training.run_name", Some(name));
    }
    let prepared = config.prepare(flags)?;
    if args.dry_run {
        // A run tells its warnings itself, to its log as well.
        prepared.warn();
    }
    if let Some(save) = args.save.as_deref().filter(|path| path.exists() && !path.is_dir()) {
        return Err(CliError::bad(format!("use --save: {} is not a folder", save.display())));
    }
    Ok(prepared)
}

fn flags(args: &TrainArgs, weaker: &[(String, String)]) -> Flags {
    let mut flags = Flags::default();
    for (path, value) in weaker {
        flags.add("--auto", path, Some(value));
    }
    for (flag, path, value) in &args.more {
        flags.add(flag, path, Some(value));
    }
    args.harness.flags(&mut flags);
    flags.add("--model", "agent.model_name", args.model.as_ref());
    if let Some(env) = &args.env {
        let is_file = names_a_file(env);
        let path = if is_file { "environment.scenarios_file" } else { "environment.scenario_set" };
        flags.add("--env", path, Some(env));
    }
    flags.add_path("--prompts", "environment.prompts_file", args.prompts.as_deref());
    flags.add("--reward", "reward.spec", args.reward.as_ref());
    flags.add("--judge", "reward.judge_model", args.judge.as_ref());
    flags.add("--algorithm", "algorithm", args.algorithm.as_ref());
    flags.add_path("--pairs", "training.pairs_file", args.pairs.as_deref());
    flags.add_path("--eval-pairs", "evaluation.pairs_file", args.eval_pairs.as_deref());
    flags.add("--profile", "profile", args.profile.as_ref());
    flags.add("--episodes", "training.num_episodes", args.episodes);
    flags.add("--steps", "training.max_steps", args.steps);
    flags.add("--seed", "training.seed", args.seed);
    flags.add("--threads", "training.threads", args.threads);
    flags.add_switch("--force", "training.overwrite_output_dir", args.force);
    flags.add_switch("--stub", "agent.use_stub_model", args.stub);
    flags
}

/// What `--resume` names: its value, or the run folder.
fn resumed_path(args: &TrainArgs) -> Outcome<Option<PathBuf>> {
    let path = match &args.resume {
        None => return Ok(None),
        Some(Some(path)) => path.clone(),
        Some(None) => args.output.clone().ok_or_else(|| {
            CliError::bad("resume: no run is named; write --resume PATH, or add --output DIR")
        })?,
    };
    if path.exists() {
        return Ok(Some(path));
    }
    Err(CliError::bad(format!("resume: there is no {}", path.display())))
}

/// The run folder that `path` is or lies in.
fn run_folder_of(path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    // A checkpoint lies at most two levels below its run.
    let found = path.ancestors().take(3).find(|folder| is_run_folder(folder));
    found.map(Path::to_owned)
}

fn is_run_folder(folder: &Path) -> bool {
    folder.join("config.toml").is_file()
        && (folder.join("metrics.jsonl").exists() || folder.join("checkpoints").is_dir())
}

/// The folder of runs and the run's own name in it.
fn split_folder(output: &Path) -> Outcome<(PathBuf, String)> {
    let name = output.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        let found = output.display();
        CliError::bad(format!(
            "use --output: {found} names no folder; write one such as runs/first"
        ))
    })?;
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((parent.unwrap_or(Path::new(".")).to_owned(), name.to_owned()))
}

/// What a run would do and take.
fn show(run: &OnlineRun, as_json: bool) -> Outcome {
    let memory = run.memory_plan().map_err(CliError::loading)?;
    let steps = &run.resolved.config.steps;
    let figures = [("steps", steps.n_steps.into()), ("episodes", Value::from(steps.n_episodes()))];
    let plan = DryRun {
        resolved: &run.resolved,
        folder: &run.folder,
        what: what_it_does(run),
        figures: figures.into_iter().map(|(name, n)| (name.to_owned(), n)).collect(),
        memory: memory.as_ref(),
    };
    plan.show(as_json)
}

/// What a run would do and take.
pub(crate) struct DryRun<'a> {
    pub(crate) resolved: &'a Resolved,
    pub(crate) folder: &'a RunFolder,
    /// A sentence.
    pub(crate) what: String,
    /// How much of what, for programs.
    pub(crate) figures: Map<String, Value>,
    pub(crate) memory: Option<&'a MemoryPlan>,
}

impl DryRun<'_> {
    /// Says it on stdout.
    pub(crate) fn show(&self, as_json: bool) -> Outcome {
        let mut output = Output::new();
        match as_json {
            true => output.json(&self.json())?,
            false => self.write(&mut output)?,
        }
        output.flush()
    }

    fn json(&self) -> Value {
        let parts = self.memory.iter().flat_map(|memory| &memory.parts);
        let parts: Map<String, Value> =
            parts.map(|part| (part.name.to_owned(), part.bytes.into())).collect();
        let mut object = json!({
            "dry_run": true,
            "run_dir": self.folder.root().display().to_string(),
            "memory_bytes": self.memory.map(MemoryPlan::total_bytes),
            "memory_parts_bytes": parts,
            "config": config_json(self.resolved),
        });
        if let Some(object) = object.as_object_mut() {
            object.extend(self.figures.clone());
        }
        object
    }

    fn write(&self, output: &mut Output) -> Outcome {
        output.text(&self.resolved.to_toml())?;
        output.line(format_args!("\n# {}", self.what))?;
        let Some(memory) = self.memory else { return output.line(LAST_LINE) };
        output.line("# Memory of the engine:")?;
        for line in memory.to_string().lines() {
            output.line(format_args!("# {line}"))?;
        }
        output.line(LAST_LINE)
    }
}

/// What a dry run ends with.
const LAST_LINE: &str = "# A dry run: nothing was trained and nothing was written.";

fn what_it_does(run: &OnlineRun) -> String {
    let steps = &run.resolved.config.steps;
    let model = match &run.model {
        Some(model) => model.name.clone(),
        None => "a stub, which learns nothing,".to_owned(),
    };
    format!(
        "{} steps with {model} on {}, each of {} scenarios (of {}) played {} times: {} episodes. \
         Written to {}.",
        steps.n_steps,
        run.cast.name,
        steps.prompts_per_step,
        run.cast.training.len(),
        steps.group_size,
        steps.n_episodes(),
        run.folder.root().display()
    )
}

fn config_json(resolved: &Resolved) -> Value {
    let settings = resolved.values.iter();
    Value::Object(
        settings.map(|(key, setting)| (key.path.to_owned(), setting.value.clone())).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_folder_is_split() {
        let (parent, name) = split_folder(Path::new("runs/first/")).unwrap();
        assert_eq!((parent, name.as_str()), (PathBuf::from("runs"), "first"));
        assert_eq!(split_folder(Path::new("first")).unwrap().0, PathBuf::from("."));
        assert!(split_folder(Path::new("/")).is_err());
    }

    #[test]
    fn checkpoints_know_their_run() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().canonicalize().unwrap();
        let checkpoint = root.join("checkpoints/000010");
        std::fs::create_dir_all(&checkpoint).unwrap();
        assert_eq!(run_folder_of(&checkpoint), None);
        std::fs::write(root.join("config.toml"), "").unwrap();
        assert_eq!(run_folder_of(&checkpoint), Some(root.clone()));
        assert_eq!(run_folder_of(&root), Some(root));
    }
}
