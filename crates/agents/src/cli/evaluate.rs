//! `evaluate`: one answer, a set of scenarios or prompts played and judged, or a conversation.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use clap::builder::BoolishValueParser;
use serde_json::{Value, json};
use stateset_algo::{Bootstrap, Interval};
use stateset_core::{CallFormat, Policy, Purpose, StreamKey, Trajectory, TrajectoryRecord};
use stateset_train::config::{EvaluationScenarios, RunConfig};
use stateset_train::{
    Cast, EpisodeLimits, EvaluationRecord, EvaluationSummary, GroupPlan, LocalPolicy, ModelSource,
    MultiTurnAgent, Stage, StubPolicy, ToolAgent, TrainError, play_groups, run_format,
};

use super::chat::{AgentArgs, Talk, TalkArgs, converse};
use super::engine::{runtime, sampling_spec};
use super::error::{CliError, Outcome};
use super::model::{open_judge, open_model};
use super::output::{Output, progress_bar, table};
use super::sources::{Flags, Prepared, names_a_file, what_to_play};
use crate::complete::complete;
use crate::tools::RemoteTools;

/// Evaluate an agent
///
/// With --message it answers once; with --prompts or --env (or a --config) it plays scenarios and
/// judges them; otherwise it is a conversation, like chat.
#[derive(Args, Clone, Debug)]
pub(crate) struct EvaluateArgs {
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    /// A message to answer
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["prompts", "env", "interactive"])]
    pub(crate) message: Option<String>,
    /// File of prompts to answer in one turn: JSON lines, or a JSON list of texts
    #[arg(long, alias = "input", value_name = "FILE", conflicts_with = "env")]
    pub(crate) prompts: Option<PathBuf>,
    #[arg(long, visible_alias = "scenarios", value_name = "SET|FILE", help = what_to_play())]
    pub(crate) env: Option<String>,
    /// The part of a built-in set: train, validation or held_out
    #[arg(long, value_name = "NAME", default_value = "held_out")]
    pub(crate) split: String,
    /// Talk with the agent
    #[arg(long, conflicts_with_all = ["prompts", "env"])]
    pub(crate) interactive: bool,
    /// The reward, such as helpfulness=0.6,safety=0.4 or contains:dog
    #[arg(long, value_name = "SPEC")]
    pub(crate) reward: Option<String>,
    /// Scenarios to play, the first of the set; 0 plays all
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) episodes: u64,
    /// Samples of each scenario
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) samples: u64,
    /// Reward from which on a conversation counts as a success
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) threshold: Option<f64>,
    /// A second model to play the same with and compare
    #[arg(long, value_name = "MODEL")]
    pub(crate) compare_with: Option<String>,
    /// File for the summary and all conversations, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Check everything and play nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true",
          default_value = "false", hide_default_value = true, value_parser = BoolishValueParser::new())]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
    /// Print these figures only; all where empty.
    #[arg(skip)]
    pub(crate) metrics: Vec<String>,
}

/// Evaluates as the flags ask.
pub(crate) fn run(args: EvaluateArgs) -> Outcome {
    let plays = args.prompts.is_some()
        || args.env.is_some()
        || (args.agent.config.config.is_some() && args.message.is_none() && !args.interactive);
    if plays {
        return play_set(&args);
    }
    let prepared = args.agent.config.prepare(args.agent.flags())?;
    prepared.warn();
    if args.dry_run {
        return say_checked(&prepared, None);
    }
    let talk = Talk::new(prepared, &args.agent, &args.talk)?;
    match &args.message {
        Some(message) => answer_once(talk, message, args.json),
        None => converse(talk),
    }
}

fn answer_once(mut talk: Talk, message: &str, as_json: bool) -> Outcome {
    let completion = runtime()?.block_on(talk.reply(message, |_| {}));
    let completion = completion.map_err(CliError::failed)?;
    let text = &completion.message.content;
    let mut output = Output::new();
    if as_json {
        let n_tokens = completion.sampled.as_ref().map(|sampled| sampled.tokens.len());
        output.json(&json!({ "message": message, "response": text, "tokens": n_tokens }))?;
    } else {
        output.line(format_args!("Response: {text}"))?;
    }
    output.flush()
}

fn say_checked(prepared: &Prepared, cast: Option<&Cast>) -> Outcome {
    let mut output = Output::new();
    let model = prepared.model.as_ref().map_or("a stub", |model| model.name.as_str());
    output.line(format_args!("model: {model}"))?;
    if let Some(cast) = cast {
        let n = cast.evaluation.len();
        output.line(format_args!("to play: {n} scenarios of {}", cast.name))?;
    }
    output.line("A dry run: nothing was played.")?;
    output.flush()
}

/// One agent's evaluation.
struct Played {
    model: String,
    trajectories: Vec<Trajectory>,
    summary: EvaluationSummary,
}

fn play_set(args: &EvaluateArgs) -> Outcome {
    let prepared = args.agent.config.prepare(flags(args)?)?;
    let cast = Cast::new(&prepared.resolved.config).map_err(CliError::bad)?;
    if cast.evaluation.is_empty() {
        return Err(CliError::bad("evaluate: there are no scenarios to play"));
    }
    // That evaluations play what training would is meant here.
    prepared.warn_but(&["evaluation.split", "evaluation.num_episodes"]);
    if let Some(path) = &cast.missing_tools {
        RemoteTools::read(path).map_err(CliError::loading)?;
    }
    if args.dry_run {
        return say_checked(&prepared, Some(&cast));
    }
    let config = &prepared.resolved.config;
    if let Some(judge) = config.reward.judge.as_ref().filter(|judge| judge.is_asked_by_reward()) {
        let threads = config.compute.threads.unwrap_or(1);
        let started = cast.start_judge(judge, open_judge(judge)?, threads, config.seed);
        started.map_err(CliError::loading)?;
    }
    let is_plain = args.agent.config.config.is_none();
    let player = Player { config, cast: &cast, args, is_plain };
    let first = player.play(prepared.model)?;
    let second = match &args.compare_with {
        Some(name) => Some(player.play(Some(open_model(name, None)?))?),
        None => None,
    };
    let difference = second.as_ref().map(|second| player.difference(&first, second)).transpose()?;
    let report = Report { player: &player, first: &first, second: second.as_ref(), difference };
    if let Some(path) = &args.output {
        report.save(path)?;
    }
    report.print()
}

/// What is played is what a run would train on, too, so that the reward that fits is found.
fn flags(args: &EvaluateArgs) -> Outcome<Flags> {
    let mut flags = args.agent.flags();
    let mut both = |name: &str, flag: &str, value: &str| {
        flags.add(flag, &format!("environment.{name}"), Some(value));
        flags.add(flag, &format!("evaluation.{name}"), Some(value));
    };
    let mut texts = None;
    match (&args.env, &args.prompts) {
        (Some(env), _) if names_a_file(env) => both("scenarios_file", "--env", env),
        (Some(env), _) => both("scenario_set", "--env", env),
        (None, Some(path)) => {
            let shown = path.display().to_string();
            texts = list_of_texts(path)?;
            let is_lines = path.extension().is_some_and(|ending| ending == "jsonl");
            match &texts {
                Some(_) => {}
                None if is_lines => both("prompts_file", "--prompts", &shown),
                None => both("scenarios_file", "--prompts", &shown),
            }
        }
        (None, None) => {}
    }
    if let Some(texts) = texts {
        flags.add("--prompts", "environment.prompts", Some(texts));
        flags.add("--prompts", "evaluation.split_size", Some(0));
    }
    if args.env.is_some() || args.prompts.is_some() || args.episodes > 0 {
        flags.add("--episodes", "evaluation.num_episodes", Some(args.episodes));
    }
    if args.env.is_some() {
        flags.add("--split", "evaluation.split", Some(&args.split));
    }
    flags.add("--reward", "reward.spec", args.reward.as_ref());
    flags.add("--threshold", "reward.success_threshold", args.threshold);
    flags.add("--samples", "evaluation.num_generations", Some(args.samples));
    flags.add("--seed", "evaluation.seed", Some(args.talk.seed));
    Ok(flags)
}

/// A `.json` file that holds nothing but a list of texts, as JSON.
fn list_of_texts(path: &Path) -> Outcome<Option<String>> {
    if path.extension().is_none_or(|ending| ending != "json") {
        return Ok(None);
    }
    let text = fs::read_to_string(path)
        .map_err(|error| CliError::bad(format!("read {}: {error}", path.display())))?;
    let texts: Option<Vec<String>> = serde_json::from_str(&text).ok();
    Ok(texts.map(|texts| Value::from(texts).to_string()))
}

/// Plays the evaluation of a configuration.
struct Player<'a> {
    config: &'a RunConfig,
    cast: &'a Cast,
    args: &'a EvaluateArgs,
    /// No configuration file says how to draw tokens.
    is_plain: bool,
}

impl Player<'_> {
    fn play(&self, model: Option<ModelSource>) -> Outcome<Played> {
        let name = model.as_ref().map_or("stub".to_owned(), |model| model.name.clone());
        let mut stage = self.stage(model)?;
        let trajectories = runtime()?.block_on(async {
            let mut cast = self.cast.clone();
            complete(&mut cast, self.config).await.map_err(CliError::loading)?;
            stage.environment = cast.evaluation_environment;
            self.episodes(&stage).await
        })?;
        let mut stream =
            self.config.evaluation.seed.stream(Purpose::Bootstrap, StreamKey::default());
        let summary = EvaluationSummary::of(&trajectories, &Bootstrap::default(), &mut stream);
        let summary = summary.map_err(CliError::failed)?;
        Ok(Played { model: name, trajectories, summary })
    }

    fn stage(&self, model: Option<ModelSource>) -> Outcome<Stage> {
        let (config, cast) = (self.config, self.cast);
        let saved = model.as_ref().and_then(|model| model.agent_config.clone());
        let mut base = config.evaluation.sampling.clone();
        if let Some(saved) = saved.as_ref().filter(|_| self.is_plain) {
            base.max_new_tokens = saved.max_new_tokens;
        }
        let sampling = self.args.talk.sampling.over(base)?;
        let settings = match saved.as_ref().filter(|_| self.is_plain) {
            Some(saved) => saved.surroundings().map_err(CliError::loading)?,
            None => config.agent.surroundings.clone(),
        };
        let system_prompt = config.agent.system_prompt.clone();
        let of_model = saved.and_then(|saved| saved.system_prompt);
        let n = cast.evaluation.len() * config.evaluation.samples_per_scenario;
        let concurrency = config.evaluation.concurrency.min(n).max(1);
        let (policy, format): (Arc<dyn Policy>, _) = match model {
            Some(model) => {
                let policy = self.policy(model, concurrency, sampling.max_new_tokens)?;
                let format = policy.format().call_format();
                (Arc::new(policy), format)
            }
            None => {
                let format = config.agent.call_format.unwrap_or(CallFormat::Json);
                (Arc::new(StubPolicy::new(config.agent.stub_responses.clone())), format)
            }
        };
        let agent = MultiTurnAgent {
            policy,
            system_prompt: system_prompt.or_else(|| cast.system_prompt.clone()).or(of_model),
            surroundings: settings.build(),
            sampling,
        };
        Ok(Stage {
            agent: Arc::new(ToolAgent::new(agent, format)),
            environment: cast.evaluation_environment.clone(),
            reward: cast.reward.clone(),
            limits: EpisodeLimits {
                max_turns: cast.evaluation_max_turns,
                turn_timeout: config.rollout.turn_timeout,
                reward_timeout: config.rollout.reward_timeout,
            },
            sampling: None,
            seed: config.evaluation.seed,
            concurrency,
        })
    }

    fn policy(&self, model: ModelSource, n: usize, n_new: usize) -> Outcome<LocalPolicy> {
        let rollout = &self.config.rollout;
        let limit = model.files.decoder.max_positions;
        let wanted = match self.cast.evaluation_max_turns {
            1 => rollout.max_prompt_tokens + n_new,
            _ => limit,
        };
        let context = rollout.context_tokens.unwrap_or(wanted).min(limit);
        let date = self.args.agent.machine.date();
        let format = run_format(self.config, self.cast, &model, date).map_err(CliError::loading)?;
        let spec = sampling_spec(self.config.compute.threads, n, context);
        let engine = spec.start(model).map_err(CliError::loading)?;
        Ok(LocalPolicy::new(engine, format))
    }

    async fn episodes(&self, stage: &Stage) -> Outcome<Vec<Trajectory>> {
        let n_samples = self.config.evaluation.samples_per_scenario;
        let group = |(index, scenario): (usize, &Arc<stateset_core::Scenario>)| GroupPlan {
            scenario: scenario.clone(),
            index: index as u32,
            n_samples,
        };
        let groups: Vec<GroupPlan> = self.cast.evaluation.iter().enumerate().map(group).collect();
        let bar = progress_bar(groups.len() * n_samples, "playing {bar:30} {pos}/{len} {eta}");
        let finished = |_: &Trajectory| {
            bar.inc(1);
            Ok::<(), TrainError>(())
        };
        let played = play_groups(stage, 0, &groups, Vec::new(), finished).await;
        bar.finish_and_clear();
        let played = played.map_err(CliError::failed)?;
        Ok(played.into_iter().flat_map(|group| group.trajectories).collect())
    }

    /// How much better the second is, over the conversations that both have a reward for.
    fn difference(&self, first: &Played, second: &Played) -> Outcome<Option<Interval>> {
        let pairs = first.trajectories.iter().zip(&second.trajectories);
        let gains: Vec<f64> = pairs.filter_map(|(a, b)| Some(b.reward()? - a.reward()?)).collect();
        if gains.is_empty() {
            return Ok(None);
        }
        let mut stream =
            self.config.evaluation.seed.stream(Purpose::Bootstrap, StreamKey::default());
        Bootstrap::default().mean(&gains, &mut stream).map(Some).map_err(CliError::failed)
    }
}

/// What came out.
struct Report<'a> {
    player: &'a Player<'a>,
    first: &'a Played,
    second: Option<&'a Played>,
    /// Second minus first.
    difference: Option<Option<Interval>>,
}

impl Report<'_> {
    fn print(&self) -> Outcome {
        let mut output = Output::new();
        if self.player.args.json {
            output.json(&self.value(false)?)?;
            return output.flush();
        }
        output.text(&table(&self.rows(self.first)))?;
        if let Some(second) = self.second {
            output.line("")?;
            output.text(&table(&self.rows(second)))?;
        }
        if let Some(difference) = self.difference {
            let text = difference.map_or("none in common".to_owned(), shown);
            output.line(format_args!("\nreward of the second minus the first: {text}"))?;
        }
        output.flush()
    }

    fn rows(&self, played: &Played) -> Vec<(String, String)> {
        let summary = &played.summary;
        let wants = |metric: &str| {
            let metrics = &self.player.args.metrics;
            metrics.is_empty() || metrics.iter().any(|wanted| wanted == metric)
        };
        let mut rows = vec![
            ("model".to_owned(), played.model.clone()),
            ("scenarios".to_owned(), self.scenarios()),
            ("episodes".to_owned(), summary.n_episodes.to_string()),
        ];
        let mut add = |name: String, value: String| rows.push((name, value));
        if wants("reward") {
            add("reward".to_owned(), summary.reward.map_or("none".to_owned(), shown));
            for (name, value) in &summary.components {
                add(format!("  {name}"), shown(*value));
            }
        }
        if wants("success_rate") {
            if let Some(goal) = summary.goal {
                add("goal reached".to_owned(), shown(goal));
            }
            let threshold = self.player.config.reward.success_threshold;
            let rate = success_rate(played, threshold);
            add(format!("reward of {threshold} or more"), format!("{:.0} %", 100.0 * rate));
        }
        if wants("length") {
            add("turns".to_owned(), format!("{:.1}", summary.mean_turns));
            add("tokens".to_owned(), format!("{:.1}", summary.mean_tokens));
        }
        if summary.n_failed + summary.n_unscorable > 0 {
            add("failed".to_owned(), summary.n_failed.to_string());
            add("not scorable".to_owned(), summary.n_unscorable.to_string());
        }
        rows
    }

    fn scenarios(&self) -> String {
        let cast = self.player.cast;
        let part = match &self.player.config.evaluation.scenarios {
            EvaluationScenarios::Own(stateset_train::config::ScenarioSource::BuiltIn {
                split,
                ..
            }) => format!(", {}", split.name()),
            _ => String::new(),
        };
        format!("{} of {}{part}", cast.evaluation.len(), cast.name)
    }

    fn value(&self, has_conversations: bool) -> Outcome<Value> {
        let mut value = self.value_of(self.first, has_conversations)?;
        if let (Some(second), Some(object)) = (self.second, value.as_object_mut()) {
            object.insert("compared_with".to_owned(), self.value_of(second, has_conversations)?);
            let gain = self.difference.flatten();
            let gain = gain.map(|i| json!({ "mean": i.estimate, "low": i.low, "high": i.high }));
            object.insert("reward_gain_of_second".to_owned(), gain.into());
        }
        Ok(value)
    }

    fn value_of(&self, played: &Played, has_conversations: bool) -> Outcome<Value> {
        let json = |error: serde_json::Error| CliError::failed(format!("write JSON: {error}"));
        let record = EvaluationRecord::from(&played.summary);
        let mut value = serde_json::to_value(record).map_err(json)?;
        let Some(object) = value.as_object_mut() else { return Ok(value) };
        object.insert("model".to_owned(), played.model.clone().into());
        object.insert("scenarios".to_owned(), self.player.cast.name.clone().into());
        let rate = success_rate(played, self.player.config.reward.success_threshold);
        object.insert("success_rate".to_owned(), rate.into());
        if has_conversations {
            let records = played.trajectories.iter().map(TrajectoryRecord::from);
            let records: Result<Vec<Value>, _> = records.map(serde_json::to_value).collect();
            object.insert("conversations".to_owned(), records.map_err(json)?.into());
        }
        Ok(value)
    }

    fn save(&self, path: &Path) -> Outcome {
        let text = format!("{:#}\n", self.value(true)?);
        fs::write(path, text)
            .map_err(|error| CliError::failed(format!("write {}: {error}", path.display())))
    }
}

/// Share of the episodes whose reward reaches the threshold; failed ones have none.
fn success_rate(played: &Played, threshold: f64) -> f64 {
    let is_success = |t: &&Trajectory| t.reward().is_some_and(|reward| reward >= threshold);
    let n = played.trajectories.iter().filter(is_success).count();
    n as f64 / played.trajectories.len().max(1) as f64
}

fn shown(interval: Interval) -> String {
    let Interval { low, estimate, high } = interval;
    format!("{estimate:.3}  (95 % of means: {low:.3} to {high:.3})")
}
