//! Training an agent from a program: the same runs as `stateset-agents train`, with one's own world and
//! judge.

use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use stateset_algo::Choice;
use stateset_core::{Environment, Reward, Scenario};
use stateset_env::scenarios::scenario_to_object;
use stateset_train::config::{
    ConfigSources, Flag, JudgeSettings, ModelOverlay, Resolved, RewardSource, report, resolve,
};
use stateset_train::{
    Callback, EvaluationSummary, JudgeModel, ModelSource, OnlineRun, Progress, ProgressStyle,
    RunFolder, RunSummary, StopSignal, TrainError,
};

use super::agent::{ChatAgent, open_model, split_folder};
use super::auto_trainer::{AutoTrainer, choice_text};
use crate::complete::complete;
use crate::judge::remote_judge;

/// A run that has been described. `.await` starts it; until then nothing happens.
///
/// Every key of the configuration can be set by [`Training::set`]; what is not set has the defaults of
/// the model, as on the command line.
#[must_use = "a training does nothing until it is awaited"]
pub struct Training {
    agent: ChatAgent,
    environment: Option<Arc<dyn Environment>>,
    reward: Arc<dyn Reward>,
    flags: Vec<Flag>,
    save: Option<PathBuf>,
    progress: ProgressStyle,
    callbacks: Vec<Box<dyn Callback>>,
    stop: StopSignal,
    auto: Option<AutoTrainer>,
}

/// What a training came to.
pub struct Trained {
    /// The agent as it is now.
    pub agent: ChatAgent,
    /// The run in figures.
    pub summary: RunSummary,
    /// The evaluation before the first step.
    pub before: Option<EvaluationSummary>,
    /// The evaluation after the last step.
    pub after: Option<EvaluationSummary>,
    /// Where everything was written.
    pub folder: RunFolder,
    /// False where the run was stopped from outside.
    pub is_complete: bool,
    /// The profile that was chosen and why, where an [`AutoTrainer`] chose.
    pub choice: Option<Choice>,
}

/// Trains `agent` on conversations: `environment` plays `scenarios`, `reward` judges.
pub fn train(
    agent: &ChatAgent,
    environment: impl Environment + 'static,
    scenarios: &[Scenario],
    reward: impl Reward + 'static,
) -> Training {
    let objects = scenarios.iter().map(|scenario| scenario_to_object(scenario).into());
    let scenarios = Value::Array(objects.collect()).to_string();
    let training = Training::new(agent, Arc::new(reward));
    let training = Training { environment: Some(Arc::new(environment)), ..training };
    training.set("environment.scenarios", scenarios)
}

/// Trains `agent` on single answers to `prompts`.
pub fn train_on_prompts<T: Into<String>>(
    agent: &ChatAgent,
    prompts: impl IntoIterator<Item = T>,
    reward: impl Reward + 'static,
) -> Training {
    let prompts: Vec<String> = prompts.into_iter().map(Into::into).collect();
    let prompts = Value::from(prompts).to_string();
    Training::new(agent, Arc::new(reward)).set("environment.prompts", prompts)
}

impl Training {
    fn new(agent: &ChatAgent, reward: Arc<dyn Reward>) -> Training {
        Training {
            agent: agent.clone(),
            environment: None,
            reward,
            flags: Vec::new(),
            save: None,
            progress: ProgressStyle::Auto,
            callbacks: Vec::new(),
            stop: StopSignal::default(),
            auto: None,
        }
    }

    /// Sets a key of the configuration, such as `training.learning_rate`.
    pub fn set(mut self, key: &str, value: impl ToString) -> Training {
        self.flags.push(flag(key, &value.to_string()));
        self
    }

    /// The method, such as `gspo`: one of those that learn from rollouts. For pairs there is
    /// [`crate::train_on_pairs`].
    pub fn algorithm(self, name: &str) -> Training {
        self.set("algorithm", name)
    }

    /// A model that judges the samples of a scenario beside each other; its word is trained on, and the
    /// reward is kept beside it. Names as those of agents.
    pub fn judge(self, model: &str) -> Training {
        self.set("reward.judge_model", model)
    }

    /// Episodes to train on, rounded up to whole steps.
    pub fn num_episodes(self, n: u64) -> Training {
        self.set("training.num_episodes", n)
    }

    /// Steps to train.
    pub fn steps(self, n: u64) -> Training {
        self.set("training.max_steps", n)
    }

    /// How boldly: `conservative`, `balanced`, `aggressive` or `experimental`.
    pub fn profile(self, name: &str) -> Training {
        self.set("profile", name)
    }

    /// What all randomness starts from.
    pub fn seed(self, seed: u64) -> Training {
        self.set("training.seed", seed)
    }

    /// The run folder; a new one under `training.output_dir` where it is not set.
    pub fn output(self, folder: impl Into<PathBuf>) -> Training {
        let (parent, name) = split_folder(&folder.into());
        self.set("training.output_dir", parent.display()).set("training.run_name", name)
    }

    /// Goes on with this run folder or checkpoint. The settings have to be those it began with.
    pub fn resume(self, path: impl Into<PathBuf>) -> Training {
        self.set("training.resume_from_checkpoint", path.into().display())
    }

    /// A folder for the trained model alone, in Hugging Face's layout.
    pub fn save_path(mut self, folder: impl Into<PathBuf>) -> Training {
        self.save = Some(folder.into());
        self
    }

    /// How progress is shown; a bar on a terminal where it is not set.
    pub fn progress(mut self, style: ProgressStyle) -> Training {
        self.progress = style;
        self
    }

    /// Adds somebody who hears what happens and may end the run.
    pub fn callback(mut self, callback: impl Callback + 'static) -> Training {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Lets `stop` end the run after the step under way.
    pub fn stop_signal(mut self, stop: StopSignal) -> Training {
        self.stop = stop;
        self
    }

    /// Lets the untrained agent play first, and trains with the profile that fits what it does. A run that
    /// goes on keeps the settings that it began with.
    pub fn auto(mut self, auto: AutoTrainer) -> Training {
        self.auto = Some(auto);
        self
    }

    async fn run(self) -> Result<Trained, TrainError> {
        let mut flags = self.flags.clone();
        if let Some(prompt) = self.agent.system_prompt() {
            flags.insert(0, flag("agent.system_prompt", prompt));
        }
        let subject = Subject {
            model: self.agent.model.clone(),
            environment: self.environment.clone().map(|world| self.agent.tool_agent().world(world)),
            reward: self.reward.clone(),
        };
        let mut run = subject.run(flags.clone()).await?;
        let mut choice = None;
        if let Some(auto) = self.auto.filter(|_| run.resume.is_none()) {
            let resolved = run.resolved.clone();
            let chosen = auto.choose(run).await?;
            tracing::info!("{}", choice_text(&chosen));
            let settings = auto.settings(&chosen, &resolved);
            flags.splice(0..0, settings.iter().map(|(path, value)| flag(path, value)));
            run = subject.run(flags).await?;
            choice = Some(chosen);
        }
        run.sinks.push(Box::new(Progress::new(self.progress)));
        run.callbacks = self.callbacks;
        run.stop = self.stop;
        let trained = run.train().await?;
        let model = self.agent.model.is_some();
        let folder = trained.folder.clone();
        let trained = match self.save {
            Some(save) => {
                tokio::task::spawn_blocking(move || trained.save(&save).map(|()| trained))
                    .await
                    .map_err(|error| TrainError::Invalid {
                    what: "save the model",
                    message: error.to_string(),
                })??
            }
            None => trained,
        };
        let name = model.then(|| folder.root().display().to_string());
        let mut agent = ChatAgent::of(name, trained.agent, trained.policy);
        agent.inner.sampling = self.agent.inner.sampling.clone();
        agent.tools = self.agent.tools.clone();
        Ok(Trained {
            agent,
            summary: trained.summary,
            before: trained.before,
            after: trained.after,
            folder,
            is_complete: trained.is_complete,
            choice,
        })
    }
}

/// What a run is about, apart from its settings.
struct Subject {
    model: Option<String>,
    environment: Option<Arc<dyn Environment>>,
    reward: Arc<dyn Reward>,
}

impl Subject {
    /// The run that these keys of the configuration describe.
    async fn run(&self, flags: Vec<Flag>) -> Result<OnlineRun, TrainError> {
        let name = self.model.clone();
        let prepared = tokio::task::spawn_blocking(move || prepare(flags, name.as_deref())).await;
        let (resolved, model, judge) = prepared.map_err(|error| TrainError::Invalid {
            what: "prepare the training",
            message: error.to_string(),
        })??;
        let mut run = OnlineRun::new(resolved, model)?;
        run.judge = judge;
        if let Some(environment) = &self.environment {
            run.cast.environment = environment.clone();
            run.cast.evaluation_environment = environment.clone();
        }
        run.cast.reward = self.reward.clone();
        complete(&mut run.cast, &run.resolved.config).await?;
        Ok(run)
    }
}

/// A key of the configuration that the caller has set.
fn flag(path: &str, value: &str) -> Flag {
    Flag { flag: path.to_owned(), path: path.to_owned(), value: value.to_owned() }
}

/// The configuration, the model and that of the judge. The reward is the caller's, so the configuration's is not read.
fn prepare(
    mut flags: Vec<Flag>,
    name: Option<&str>,
) -> Result<(Resolved, Option<ModelSource>, Option<JudgeModel>), TrainError> {
    flags.insert(
        0,
        match name {
            Some(name) => flag("agent.model_name", name),
            None => flag("agent.use_stub_model", "true"),
        },
    );
    let model = name.map(open_model).transpose()?;
    let overlay = model.as_ref().and_then(|model| {
        let toml = model.overlay?.to_owned();
        Some(ModelOverlay { model: model.name.clone(), toml })
    });
    let sources = ConfigSources { overlay, flags, ..ConfigSources::default() };
    let mut resolved = resolve(&sources).map_err(|problems| TrainError::Invalid {
        what: "prepare the training",
        message: report(&problems),
    })?;
    resolved.config.reward.source = RewardSource::Fitting;
    let judge = resolved.config.reward.judge.as_ref();
    let judge = judge.map(open_judge).transpose()?;
    Ok((resolved, model, judge))
}

fn open_judge(settings: &JudgeSettings) -> Result<JudgeModel, TrainError> {
    match remote_judge(settings)? {
        Some(judge) => Ok(judge),
        None => Ok(JudgeModel::Local(Box::new(open_model(&settings.model)?))),
    }
}

impl IntoFuture for Training {
    type Output = Result<Trained, TrainError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
