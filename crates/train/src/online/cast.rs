//! Who plays in a run: scenarios, world and judge, from their settings.
//!
//! Every problem is reported together, before anything is computed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};
use stateset_core::{
    Environment, GroupReward, Message, Purpose, Reward, RunSeed, Scenario, StreamKey,
};
use stateset_env::customer::Split as EnvSplit;
use stateset_env::database::DatabaseDomain;
use stateset_env::judging::Asker;
use stateset_env::rewards::{Combine, CompositeReward, WeightedReward, parse_reward};
use stateset_env::scenarios::{Format, load_prompts, load_scenarios, scenarios_from_bytes};
use stateset_env::sets::world as built_in_world;
use stateset_env::tools::{ToolRegistry, WithTools};
use stateset_env::{EnvError, Persona};

use crate::config::{
    EvaluationScenarios, JudgeSettings, RewardMethod, RewardSource, RunConfig, ScenarioSource,
    Split, UserModelSettings,
};
use crate::judge::{JudgeModel, start_judge};
use crate::rewards::reward_with_judge;
use crate::{JudgeSlot, PolicySlot, TrainError};

use super::worlds::{Worlds, built_in, read_domain, refuses_model};

/// What fits a domain: the task is done, or how much of it.
const DOMAIN_REWARD: &str = "database=0.7,tool_progress=0.3";

/// Scenarios, world and judge of a run.
#[derive(Clone)]
pub struct Cast {
    /// What is trained on.
    pub training: Vec<Arc<Scenario>>,
    /// What evaluations play.
    pub evaluation: Vec<Arc<Scenario>>,
    /// The world of training.
    pub environment: Arc<dyn Environment>,
    /// The world of evaluations.
    pub evaluation_environment: Arc<dyn Environment>,
    /// The judge of both.
    pub reward: Arc<dyn Reward>,
    /// Judges the samples of a training group beside each other; its word is trained on then, and the
    /// reward above is kept beside it. Evaluations know the reward above only.
    pub group_reward: Option<Arc<dyn GroupReward>>,
    /// Whom rewards ask that need a judge; filled when the run begins.
    pub judge: JudgeSlot,
    /// What plays the users, where [`Cast::user_model`] says that a model does; to be filled before
    /// anything is played.
    pub user: PolicySlot,
    /// The model that plays the users, if one does.
    pub user_model: Option<UserModelSettings>,
    /// A file of tools that the worlds are still without; [`Cast::add_tools`] puts them in.
    pub missing_tools: Option<PathBuf>,
    /// Instructions that go with the scenarios, where the agent has none of its own.
    pub system_prompt: Option<String>,
    /// Every conversation is one prompt and one answer.
    pub is_prompts: bool,
    /// What is played, for people.
    pub name: String,
    /// Most turns of the agent in an episode of training.
    pub max_turns: usize,
    /// The same for evaluations.
    pub evaluation_max_turns: usize,
}

impl Cast {
    /// Makes what the configuration asks for.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] with every problem of scenarios and reward.
    pub fn new(config: &RunConfig) -> Result<Cast, TrainError> {
        let mut problems = Vec::new();
        let settings = &config.environment;
        let domain = read_domain(config, &mut problems);
        let domain = domain.as_ref();
        let training = scenarios(&settings.scenarios, domain, &mut problems);
        let (training, evaluation) = divide(config, training, domain, &mut problems);
        let persona = settings.persona.as_deref().map(Persona::named).transpose();
        let persona = persona.unwrap_or_else(|error| {
            problems.push(format!("read `environment.persona`: {error}"));
            None
        });
        let evaluation_source = match &config.evaluation.scenarios {
            EvaluationScenarios::Own(source) => source,
            EvaluationScenarios::HeldBack { .. } => &settings.scenarios,
        };
        if settings.user_model.is_some() {
            let sources = [&settings.scenarios, evaluation_source];
            problems.extend(sources.into_iter().filter_map(refuses_model));
        }
        let judge = JudgeSlot::default();
        let reward = reward(config, &judge).map_err(|error| problems.push(error.to_string()));
        let (Ok(reward), true) = (reward, problems.is_empty()) else {
            // Training and evaluation may share a bad source.
            problems.dedup();
            let message = problems.join("\n");
            return Err(TrainError::Invalid { what: "prepare what is played", message });
        };
        let user = PolicySlot::default();
        let worlds = Worlds { config, domain, persona, user: &user };
        let (environment, max_turns) = worlds.of(&settings.scenarios, settings.max_turns);
        let (evaluation_environment, evaluation_max_turns) =
            worlds.of(evaluation_source, config.evaluation.max_turns);
        Ok(Cast {
            training: training.into_iter().map(Arc::new).collect(),
            evaluation: evaluation.into_iter().map(Arc::new).collect(),
            environment,
            evaluation_environment,
            reward,
            group_reward: None,
            judge,
            user,
            user_model: settings.user_model.clone(),
            missing_tools: settings.tools_file.clone(),
            system_prompt: system_prompt(&settings.scenarios, domain),
            is_prompts: settings.scenarios.is_prompts() && evaluation_source.is_prompts(),
            name: name_of(&settings.scenarios),
            max_turns,
            evaluation_max_turns,
        })
    }
}

impl Cast {
    /// Puts `tools` before both worlds.
    pub fn add_tools(&mut self, tools: &ToolRegistry) {
        for world in [&mut self.environment, &mut self.evaluation_environment] {
            *world = Arc::new(WithTools::new(world.clone(), tools.clone()));
        }
        self.missing_tools = None;
    }

    /// Fails where tools or a users' model are missing that the configuration names.
    pub(super) fn check_complete(&self) -> Result<(), TrainError> {
        if let (Some(user), false) = (&self.user_model, self.user.is_filled()) {
            let message =
                format!("that of `environment.user_model`, {}, was not opened", user.model);
            return Err(TrainError::Invalid { what: "play with the users' model", message });
        }
        let Some(path) = &self.missing_tools else { return Ok(()) };
        Err(TrainError::Invalid {
            what: "play with tools",
            message: format!(
                "those of `environment.tools_file`, {}, were not opened",
                path.display()
            ),
        })
    }

    /// Starts the judge that rewards ask, for playing without training.
    ///
    /// # Errors
    /// [`TrainError`] where its model does not fit, or the rubric cannot be read.
    pub fn start_judge(
        &self,
        settings: &JudgeSettings,
        model: JudgeModel,
        threads: usize,
        seed: RunSeed,
    ) -> Result<(), TrainError> {
        self.judge.fill(start_judge(settings, model, threads, seed)?.judge);
        Ok(())
    }
}

/// Training and evaluation scenarios.
fn divide(
    config: &RunConfig,
    training: Vec<Scenario>,
    domain: Option<&Arc<DatabaseDomain>>,
    problems: &mut Vec<String>,
) -> (Vec<Scenario>, Vec<Scenario>) {
    let (training, mut evaluation) = match &config.evaluation.scenarios {
        EvaluationScenarios::Own(source) => (training, scenarios(source, domain, problems)),
        EvaluationScenarios::HeldBack { share } => hold_back(training, *share, config.seed),
    };
    if let Some(n) = config.evaluation.n_scenarios {
        evaluation.truncate(n);
    }
    (training, evaluation)
}

/// Keeps a share of the scenarios from training, drawn by the run's seed; where that share holds
/// none, all serve for both.
fn hold_back(all: Vec<Scenario>, share: f64, seed: RunSeed) -> (Vec<Scenario>, Vec<Scenario>) {
    let n_held = (all.len() as f64 * share) as usize;
    if n_held == 0 {
        return (all.clone(), all);
    }
    let key = StreamKey { step: u32::MAX, ..StreamKey::default() };
    let mut order: Vec<usize> = (0..all.len()).collect();
    seed.stream(Purpose::Scenarios, key).shuffle(&mut order);
    let mut held = order[..n_held].to_vec();
    held.sort_unstable();
    let part = |keep: bool| {
        let chosen = all.iter().enumerate().filter(|(i, _)| held.binary_search(i).is_ok() == keep);
        chosen.map(|(_, scenario)| scenario.clone()).collect()
    };
    (part(false), part(true))
}

/// The scenarios of a source; problems are added to `problems`.
fn scenarios(
    source: &ScenarioSource,
    domain: Option<&Arc<DatabaseDomain>>,
    problems: &mut Vec<String>,
) -> Vec<Scenario> {
    let read = match source {
        ScenarioSource::BuiltIn { name, split } => {
            built_in_world(name).map(|set| set.scenarios(env_split(*split)))
        }
        ScenarioSource::File(path) => load_scenarios(path),
        ScenarioSource::PromptsFile(path) => load_prompts(path),
        ScenarioSource::Inline(list) => inline(list),
        ScenarioSource::Prompts(texts) => Ok(prompts(texts)),
        // One that could not be read has been reported.
        ScenarioSource::Domain(_) => Ok(domain.map_or_else(Vec::new, |domain| domain.scenarios())),
    };
    read.unwrap_or_else(|error| {
        problems.push(error.to_string());
        Vec::new()
    })
}

fn inline(list: &[Map<String, Value>]) -> Result<Vec<Scenario>, EnvError> {
    let value = Value::from(list.iter().cloned().map(Value::Object).collect::<Vec<_>>());
    scenarios_from_bytes(value.to_string().as_bytes(), Format::Json, "environment.scenarios")
}

fn prompts(texts: &[String]) -> Vec<Scenario> {
    let prompt = |(i, text): (usize, &String)| Scenario {
        messages: vec![Message::user(text)],
        ..Scenario::new(format!("prompt-{}", i + 1))
    };
    texts.iter().enumerate().map(prompt).collect()
}

fn system_prompt(source: &ScenarioSource, domain: Option<&Arc<DatabaseDomain>>) -> Option<String> {
    match domain {
        Some(domain) => Some(domain.policy().to_owned()).filter(|policy| !policy.is_empty()),
        None => built_in(source).map(|set| set.system_prompt()),
    }
}

fn reward(config: &RunConfig, judge: &JudgeSlot) -> Result<Arc<dyn Reward>, EnvError> {
    let threads = config.compute.threads.unwrap_or(1);
    let asker = config
        .reward
        .judge
        .as_ref()
        .map(|settings| Asker { judge: Arc::new(judge.clone()), max_retries: settings.n_retries });
    match &config.reward.source {
        RewardSource::Spec(spec) => reward_with_judge(spec, threads, asker.as_ref()),
        RewardSource::Fitting => match &config.environment.scenarios {
            ScenarioSource::BuiltIn { name, .. } => parse_reward(built_in_world(name)?.reward()),
            ScenarioSource::Domain(_) => parse_reward(DOMAIN_REWARD),
            _ => parse_reward("helpful"),
        },
        RewardSource::Weighted { parts, method } => {
            let member = |(name, weight): &(String, f64)| -> Result<WeightedReward, EnvError> {
                let reward = reward_with_judge(name, threads, asker.as_ref())?;
                Ok(WeightedReward { name: name.clone(), weight: *weight, reward })
            };
            let members: Result<Vec<_>, _> = parts.iter().map(member).collect();
            let combine = match method {
                RewardMethod::WeightedSum => Combine::WeightedMean,
                RewardMethod::Average => Combine::Average,
                RewardMethod::Min => Combine::Min,
                RewardMethod::Max => Combine::Max,
                RewardMethod::Product => Combine::Product,
                RewardMethod::GeometricMean => Combine::GeometricMean,
            };
            Ok(Arc::new(CompositeReward::new(members?)?.combined_by(combine)))
        }
    }
}

fn env_split(split: Split) -> EnvSplit {
    match split {
        Split::Train => EnvSplit::Train,
        Split::Validation => EnvSplit::Validation,
        Split::HeldOut => EnvSplit::HeldOut,
    }
}

fn name_of(source: &ScenarioSource) -> String {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match source {
        ScenarioSource::BuiltIn { name, .. } => name.clone(),
        ScenarioSource::File(path)
        | ScenarioSource::PromptsFile(path)
        | ScenarioSource::Domain(path) => stem(path),
        ScenarioSource::Inline(_) => "scenarios".to_owned(),
        ScenarioSource::Prompts(_) => "prompts".to_owned(),
    }
}
