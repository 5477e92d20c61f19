//! A run before it begins: everything it needs, put together and checked before anything is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stateset_core::{CallFormat, Policy};
use stateset_nn::{ChatFormat, Date, Disk, RealDisk};

use super::cast::Cast;
use super::checkpoint::CheckpointWriter;
use super::setup::{check_openings, engine_spec};
use super::trainer::Trainer;
use super::{place, setup};
use crate::agent::{MultiTurnAgent, ToolAgent, token_counter};
use crate::config::{JudgeSettings, Resolved, RunConfig};
use crate::engine::Engine;
use crate::judge::{JudgeModel, check_judge, start_judge};
use crate::model::{AgentConfig, EngineSpec, MemoryPart, MemoryPlan, ModelSource};
use crate::policy::{LocalPolicy, StubPolicy};
use crate::{
    Callback, EvaluationSummary, RunFolder, RunStart, RunSummary, Sink, StopSignal, TrainError,
};

/// Everything a run needs. Fields may be replaced before [`OnlineRun::train`].
pub struct OnlineRun {
    /// The configuration.
    pub resolved: Resolved,
    /// The model; canned answers, from which nothing can be learned, where `None`.
    pub model: Option<ModelSource>,
    /// The judge, where the configuration asks for one and the cast has none yet.
    pub judge: Option<JudgeModel>,
    /// Who plays.
    pub cast: Cast,
    /// Where it is written.
    pub folder: RunFolder,
    /// What to go on from; a new run where `None`.
    pub resume: Option<Resume>,
    /// Who is told what happens, beside the files of the run folder.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Who may end it.
    pub callbacks: Vec<Box<dyn Callback>>,
    /// Ends it from outside.
    pub stop: StopSignal,
    /// Where checkpoints go.
    pub disk: Arc<dyn Disk>,
    /// Today, for templates that ask.
    pub date: Option<Date>,
}

/// What a run goes on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The newest whole checkpoint of the run folder.
    Newest,
    /// This checkpoint of it; newer ones are given up.
    From(PathBuf),
}

/// A run that is over.
pub struct TrainedRun {
    /// Where it was written.
    pub folder: RunFolder,
    /// It in figures.
    pub summary: RunSummary,
    /// The evaluation before the first step.
    pub before: Option<EvaluationSummary>,
    /// The evaluation after the last step.
    pub after: Option<EvaluationSummary>,
    /// Every step was done, or a callback or early stopping ended it; false where it was stopped
    /// from outside and can be gone on with.
    pub is_complete: bool,
    /// The agent as it is now.
    pub agent: MultiTurnAgent,
    /// The policy behind it; `None` for canned answers.
    pub policy: Option<LocalPolicy>,
    pub(super) engine: Option<(Engine, CheckpointWriter)>,
}

impl TrainedRun {
    /// Writes the model with its tokenizer and `agent_config.json` into `folder`, which is created.
    /// Adapters are written in PEFT's layout. Must not be called from an asynchronous task.
    ///
    /// # Errors
    /// [`TrainError`] naming the file; canned answers have no model to save.
    pub fn save(&self, folder: &Path) -> Result<(), TrainError> {
        let Some((engine, writer)) = &self.engine else {
            let message = "canned answers have no model".to_owned();
            return Err(TrainError::Invalid { what: "save the model", message });
        };
        std::fs::create_dir_all(folder).map_err(|e| TrainError::io("create", folder, e))?;
        writer.write_model(engine, folder)?;
        Ok(())
    }
}

/// The agent of a run with what is behind it.
pub(super) struct Ready {
    pub(super) agent: MultiTurnAgent,
    pub(super) policy: Option<LocalPolicy>,
    pub(super) engine: Option<(Engine, CheckpointWriter)>,
    pub(super) start: RunStart,
}

impl OnlineRun {
    /// Puts together what the configuration asks for. `model` is `None` for canned answers.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] with every problem of scenarios and reward, or where the method plays
    /// nothing.
    pub fn new(resolved: Resolved, model: Option<ModelSource>) -> Result<OnlineRun, TrainError> {
        setup::algorithm(&resolved.config)?;
        let cast = Cast::new(&resolved.config)?;
        let checkpoint = &resolved.config.checkpoint;
        let (folder, resume) = match &checkpoint.resume_from {
            Some(path) => place::run_to_resume(path)?,
            None => (place::new_run_folder(checkpoint)?, None),
        };
        Ok(OnlineRun {
            resolved,
            model,
            judge: None,
            cast,
            folder,
            resume,
            sinks: Vec::new(),
            callbacks: Vec::new(),
            stop: StopSignal::default(),
            disk: Arc::new(RealDisk),
            date: None,
        })
    }

    /// The engine it asks for; `None` for canned answers.
    pub fn engine_spec(&self) -> Option<EngineSpec> {
        let model = self.model.as_ref()?;
        Some(engine_spec(&self.resolved.config, &self.cast, &model.files.decoder))
    }

    /// Memory it will hold; `None` for canned answers.
    ///
    /// # Errors
    /// [`TrainError`] where the model cannot be trained this way.
    pub fn memory_plan(&self) -> Result<Option<MemoryPlan>, TrainError> {
        let (Some(model), Some(spec)) = (&self.model, self.engine_spec()) else { return Ok(None) };
        let mut plan = spec.memory_plan(model)?;
        if let Some((settings, judge)) = self.judge()?
            && let Some(judge) = check_judge(settings, judge)?
        {
            plan.parts.push(MemoryPart { name: "judge", bytes: judge.total_bytes() });
        }
        Ok(Some(plan))
    }

    /// The judge that is to be started; `None` where there is none or the cast has one.
    fn judge(&self) -> Result<Option<(&JudgeSettings, &JudgeModel)>, TrainError> {
        let Some(settings) = &self.config().reward.judge else { return Ok(None) };
        if self.cast.group_reward.is_some() || self.cast.judge.is_filled() {
            return Ok(None);
        }
        let model = self.judge.as_ref().ok_or_else(|| TrainError::Invalid {
            what: "prepare the judge",
            message: format!("its model {} was not opened", settings.model),
        })?;
        Ok(Some((settings, model)))
    }

    /// Checks what can be checked without an engine: that tokenizer, template and model fit, and that
    /// every opening does. Writes nothing.
    ///
    /// # Errors
    /// [`TrainError`] with all scenarios that do not fit.
    pub fn check(&self) -> impl Future<Output = Result<(), TrainError>> + Send + '_ {
        let prepared = self.check_model();
        // Sinks and callbacks are not to be shared between threads, so only these are held on to.
        let (config, cast) = (self.config(), &self.cast);
        async move {
            if let Some((agent, format, context)) = prepared? {
                check_openings(config, cast, &agent, &format, context).await?;
            }
            Ok(())
        }
    }

    /// What the openings are rendered with; `None` for canned answers.
    fn check_model(&self) -> Result<Option<(MultiTurnAgent, ChatFormat, usize)>, TrainError> {
        if self.cast.training.is_empty() {
            let message = "there are no scenarios to train on".to_owned();
            return Err(TrainError::Invalid { what: "prepare what is played", message });
        }
        self.check_same_run()?;
        if let Some((settings, model)) = self.judge()? {
            check_judge(settings, model)?;
        }
        let (Some(model), Some(spec)) = (&self.model, self.engine_spec()) else { return Ok(None) };
        spec.memory_plan(model)?;
        let format = self.format(model)?;
        let agent = self.agent(Arc::new(StubPolicy::new(Vec::new())), Some(&format));
        Ok(Some((agent, format, spec.context_of(&model.files.decoder))))
    }

    /// Plays, improves, evaluates and saves until the end.
    ///
    /// # Errors
    /// [`TrainError`]; whatever was saved before is whole.
    pub async fn train(self) -> Result<TrainedRun, TrainError> {
        let check = self.check();
        check.await?;
        self.train_checked().await
    }

    /// As [`OnlineRun::train`], for a run that has passed [`OnlineRun::check`].
    ///
    /// # Errors
    /// As [`OnlineRun::train`].
    pub async fn train_checked(mut self) -> Result<TrainedRun, TrainError> {
        let ready = self.ready()?;
        let overwrites = self.resolved.config.checkpoint.overwrites;
        let lock = match &self.resume {
            Some(_) => crate::RunLock::acquire(&self.folder)?,
            None => place::take(&self.folder, overwrites)?,
        };
        if self.resume.is_none() {
            self.write_config()?;
        }
        let trained = Trainer::new(self, ready).await?.run().await;
        drop(lock);
        trained
    }

    pub(super) fn config(&self) -> &RunConfig {
        &self.resolved.config
    }

    pub(super) fn format(&self, model: &ModelSource) -> Result<ChatFormat, TrainError> {
        setup::run_format(self.config(), &self.cast, model, self.date)
    }

    pub(super) fn agent(
        &self,
        policy: Arc<dyn Policy>,
        format: Option<&ChatFormat>,
    ) -> MultiTurnAgent {
        let surroundings = self.config().agent.surroundings.build();
        let of_model = self.model.as_ref().and_then(|model| model.agent_config.as_ref());
        let system_prompt = self.config().agent.system_prompt.clone();
        MultiTurnAgent {
            policy,
            system_prompt: system_prompt
                .or_else(|| self.cast.system_prompt.clone())
                .or_else(|| of_model.and_then(|config| config.system_prompt.clone())),
            surroundings: match format {
                Some(format) => surroundings.with_counter(token_counter(format)),
                None => surroundings,
            },
            sampling: self.config().rollout.sampling.clone(),
        }
    }

    /// The agent as episodes need it: it calls the tools that worlds bring.
    pub(super) fn with_calls(
        &self,
        agent: MultiTurnAgent,
        policy: Option<&LocalPolicy>,
    ) -> ToolAgent {
        let of_policy = policy.map(|policy| policy.format().call_format());
        let format = of_policy.or(self.config().agent.call_format).unwrap_or(CallFormat::Json);
        ToolAgent::new(agent, format)
    }

    /// Starts the judge, if there is one.
    fn start_judge(&mut self) -> Result<(), TrainError> {
        if self.judge()?.is_none() {
            return Ok(());
        }
        let (model, config) = (self.judge.take(), &self.resolved.config);
        if let (Some(model), Some(settings)) = (model, &config.reward.judge) {
            let threads = setup::threads(config);
            let started = start_judge(settings, model, threads, config.seed)?;
            self.cast.judge.fill(started.judge);
            self.cast.group_reward = started.group_reward;
        }
        Ok(())
    }

    /// Starts the engine, if there is one, and puts an agent before it.
    fn ready(&mut self) -> Result<Ready, TrainError> {
        self.cast.check_complete()?;
        self.start_judge()?;
        let mut start = self.start();
        let Some(spec) = self.engine_spec() else {
            let policy = StubPolicy::new(self.config().agent.stub_responses.clone());
            let agent = self.agent(Arc::new(policy), None);
            return Ok(Ready { agent, policy: None, engine: None, start });
        };
        let Some(model) = &self.model else { return Err(TrainError::EngineGone) };
        let format = self.format(model)?;
        let plan = spec.memory_plan(model)?;
        start.memory_plan = plan.to_string();
        start.n_parameters = plan.bytes_of("weights").unwrap_or(0) / 4;
        let adapters = plan.bytes_of("adapters").map(|bytes| bytes / 4);
        start.n_trained_parameters = adapters.unwrap_or(start.n_parameters);
        // Both the agent and the checkpoints need parts of the model, which the engine takes whole.
        let agent = self.agent(Arc::new(StubPolicy::new(Vec::new())), Some(&format));
        let saved = AgentConfig::new(
            &model.name,
            agent.system_prompt.clone(),
            &self.config().rollout.sampling,
        )
        .with_surroundings(&self.config().agent.surroundings);
        let writer = CheckpointWriter::of(model, saved, self.disk.clone());
        let Some(model) = self.model.take() else { return Err(TrainError::EngineGone) };
        let engine = spec.start(model)?;
        let policy = LocalPolicy::new(engine.clone(), format);
        let agent = MultiTurnAgent { policy: Arc::new(policy.clone()), ..agent };
        Ok(Ready { agent, policy: Some(policy), engine: Some((engine, writer)), start })
    }

    fn start(&self) -> RunStart {
        let config = self.config();
        let folder = self.folder.root().file_name();
        RunStart {
            run_name: folder.map_or(String::new(), |name| name.to_string_lossy().into_owned()),
            algorithm: config.presets.algorithm.clone(),
            model: match &self.model {
                Some(model) => model.name.clone(),
                None => "canned answers".to_owned(),
            },
            environment: self.cast.name.clone(),
            n_steps: config.steps.n_steps as u32,
            seed: config.seed.0,
            ..RunStart::default()
        }
    }

    fn write_config(&self) -> Result<(), TrainError> {
        let path = self.folder.config();
        let text = self.resolved.to_toml();
        Ok(crate::files::write_atomically(&path, text.as_bytes())?)
    }

    /// A run that goes on must be told the same as when it began.
    fn check_same_run(&self) -> Result<(), TrainError> {
        match &self.resume {
            Some(_) => place::check_same_config(&self.folder, &self.resolved),
            None => Ok(()),
        }
    }

    pub(super) fn update_settings(&self) -> crate::update::UpdateSettings {
        setup::update_settings(self.config())
    }
}
