//! `grpo-train`, `grpo-evaluate` and `grpo-serve`: three commands under their documented short names and flags.

use std::path::PathBuf;

use clap::{Args, Parser};
use stateset_connect::Secret;

use super::chat::{AgentArgs, TalkArgs};
use super::error::Outcome;
use super::evaluate::{self, EvaluateArgs};
use super::logging::LogArgs;
use super::serve::{self, ServeArgs};
use super::serve_guard::secret;
use super::sources::what_to_play;
use super::train::{self, TrainArgs};

/// Trains an agent: stateset-agents train with other names for some flags.
#[derive(Debug, Parser)]
#[command(name = "grpo-train", version, about)]
pub(crate) struct GrpoTrain {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// Configuration file; the same as --config
    #[arg(value_name = "CONFIG", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The same as --model
    #[arg(long, value_name = "MODEL", conflicts_with = "model")]
    model_name: Option<String>,
    /// Folder in which the run gets a folder
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    output_dir: Option<String>,
    /// The same as --episodes
    #[arg(long, value_name = "N", conflicts_with = "episodes")]
    num_episodes: Option<u64>,
    /// Change settings during the run where its health asks for it
    #[arg(long)]
    auto_adjust: bool,
    /// End the run when evaluations no longer get better
    #[arg(long)]
    early_stopping: bool,
    /// Steps without a new best evaluation after which --early-stopping ends the run
    #[arg(long, value_name = "N")]
    patience: Option<u64>,
    /// Steps between checkpoints
    #[arg(long, value_name = "N")]
    save_every: Option<u64>,
    /// Steps between evaluations
    #[arg(long, value_name = "N")]
    eval_every: Option<u64>,
    /// Accepted for compatibility; metrics are written to the run folder and sent nowhere
    #[arg(long, value_name = "NAME")]
    wandb_project: Option<String>,
    /// Accepted for compatibility; the engine computes on the processor
    #[arg(long)]
    no_gpu: bool,
    #[command(flatten)]
    train: TrainArgs,
}

impl GrpoTrain {
    /// Trains.
    pub(crate) fn run(self) -> Outcome {
        let mut train = self.train;
        train.config.config = train.config.config.or(self.file);
        train.model = train.model.or(self.model_name);
        train.episodes = train.episodes.or(self.num_episodes);
        let switch = |is_on: bool| is_on.then(|| "true".to_owned());
        let count = |n: Option<u64>| n.map(|n| n.to_string());
        let more = [
            ("--output-dir", "training.output_dir", self.output_dir),
            ("--auto-adjust", "training.auto_adjust", switch(self.auto_adjust)),
            ("--early-stopping", "training.early_stopping", switch(self.early_stopping)),
            ("--patience", "training.patience", count(self.patience)),
            ("--save-every", "training.save_steps", count(self.save_every)),
            ("--eval-every", "training.eval_steps", count(self.eval_every)),
            ("--wandb-project", "training.wandb_project", self.wandb_project),
            ("--no-gpu", "training.use_cpu", switch(self.no_gpu)),
        ];
        let given = more.into_iter().filter_map(|(flag, path, value)| Some((flag, path, value?)));
        train.more.extend(given);
        train::run(train)
    }
}

/// Plays an agent and judges it: stateset-agents evaluate with other names for some flags.
#[derive(Debug, Parser)]
#[command(name = "grpo-evaluate", version, about, arg_required_else_help = true)]
pub(crate) struct GrpoEvaluate {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    /// The model: a checkpoint, a run folder, a model folder, or a name on the model hub
    #[arg(value_name = "CHECKPOINT")]
    checkpoint: String,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Scenarios to play, the first of the set; 0 plays all
    #[arg(long, value_name = "N", default_value_t = 100)]
    num_episodes: u64,
    #[arg(long, value_name = "FILE", help = format!("{}; customer_service where absent", what_to_play()))]
    scenarios_file: Option<String>,
    /// File for the summary and all conversations, as JSON
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
    /// Figures to print
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = ["reward", "length", "success_rate"])]
    metrics: Vec<String>,
    /// Write what happens to the log
    #[arg(long)]
    pub(crate) verbose: bool,
    /// A second model to play the same with and compare
    #[arg(long, value_name = "MODEL")]
    compare_with: Option<String>,
    /// The reward, such as helpfulness=0.6,safety=0.4
    #[arg(long, value_name = "SPEC")]
    reward: Option<String>,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    machine: super::model::MachineArgs,
    #[command(flatten)]
    talk: TalkArgs,
}

impl GrpoEvaluate {
    /// Plays.
    pub(crate) fn run(self) -> Outcome {
        let has_config = self.config_file.is_some();
        let default = || (!has_config).then(|| "customer_service".to_owned());
        let config = super::sources::ConfigArgs { config: self.config_file, set: Vec::new() };
        evaluate::run(EvaluateArgs {
            agent: AgentArgs {
                model: Some(self.checkpoint),
                adapter: None,
                system: None,
                config,
                machine: self.machine,
            },
            message: None,
            prompts: None,
            env: self.scenarios_file.or_else(default),
            split: "held_out".to_owned(),
            interactive: false,
            reward: self.reward,
            episodes: self.num_episodes,
            samples: 1,
            threshold: None,
            compare_with: self.compare_with,
            output: self.output_file,
            json: self.json,
            dry_run: false,
            talk: self.talk,
            metrics: self.metrics,
        })
    }
}

/// Serve a model over HTTP: serve with other names for some flags
///
/// Holds 100 conversations at the same time, which end after 30 minutes of silence, unless told otherwise. The
/// program does the same where it is called by this name, such as by a symbolic link.
#[derive(Args, Clone, Debug)]
pub(crate) struct GrpoServeArgs {
    /// The model; the same as --model
    #[arg(value_name = "CHECKPOINT", conflicts_with = "model")]
    checkpoint: Option<String>,
    /// The same as --api-key
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    auth_token: Option<Secret>,
    #[command(flatten)]
    serve: ServeArgs,
}

/// Documented: conversations of `grpo-serve` where nothing is said.
const USUAL_CONVERSATIONS: u32 = 100;

/// Serves until it is asked to stop.
pub(crate) fn grpo_serve(args: GrpoServeArgs) -> Outcome {
    let mut served = args.serve;
    served.model = args.checkpoint.unwrap_or(served.model);
    served.guard.api_key.extend(args.auth_token);
    served.conversations.max_conversations.get_or_insert(USUAL_CONVERSATIONS);
    serve::run(served)
}
