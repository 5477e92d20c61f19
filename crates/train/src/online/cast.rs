//! Who plays in a run: scenarios, world and judge, from their settings.
//!
//! Every problem is reported together, before anything is computed.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value};
use stateset_core::{
    Environment, GroupReward, Message, Purpose, Reward, RunSeed, Scenario, StreamKey,
};
use stateset_env::EnvError;
use stateset_env::conversation::{ConversationEnvironment, ResponseOrder as EnvOrder};
use stateset_env::customer::Split as EnvSplit;
use stateset_env::judging::Asker;
use stateset_env::prompts::PromptEnvironment;
use stateset_env::rewards::{Combine, CompositeReward, WeightedReward, parse_reward};
use stateset_env::scenarios::{Format, load_prompts, load_scenarios, scenarios_from_bytes};
use stateset_env::sets::{World, world as built_in_world};

use crate::TrainError;
use crate::config::{
    EvaluationScenarios, JudgeSettings, ResponseOrder, RewardMethod, RewardSource, RunConfig,
    ScenarioSource, Split,
};
use crate::judge::{JudgeModel, JudgeSlot, start_judge};
use crate::rewards::reward_with_judge;

/// Turns of the agent where neither the configuration nor a scenario set says.
const MAX_TURNS: usize = 10;

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
        let training = scenarios(&settings.scenarios, &mut problems);
        let (training, evaluation) = divide(config, training, &mut problems);
        let judge = JudgeSlot::default();
        let reward = reward(config, &judge).map_err(|error| problems.push(error.to_string()));
        let (Ok(reward), true) = (reward, problems.is_empty()) else {
            // Training and evaluation may share a bad source.
            problems.dedup();
            let message = problems.join("\n");
            return Err(TrainError::Invalid { what: "prepare what is played", message });
        };
        let evaluation_source = match &config.evaluation.scenarios {
            EvaluationScenarios::Own(source) => source,
            EvaluationScenarios::HeldBack { .. } => &settings.scenarios,
        };
        let (environment, max_turns) = world(config, &settings.scenarios, settings.max_turns);
        let (evaluation_environment, evaluation_max_turns) =
            world(config, evaluation_source, config.evaluation.max_turns);
        Ok(Cast {
            training: training.into_iter().map(Arc::new).collect(),
            evaluation: evaluation.into_iter().map(Arc::new).collect(),
            environment,
            evaluation_environment,
            reward,
            group_reward: None,
            judge,
            system_prompt: built_in(&settings.scenarios).map(|set| set.system_prompt()),
            is_prompts: is_prompts(&settings.scenarios) && is_prompts(evaluation_source),
            name: name_of(&settings.scenarios),
            max_turns,
            evaluation_max_turns,
        })
    }
}

impl Cast {
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
    problems: &mut Vec<String>,
) -> (Vec<Scenario>, Vec<Scenario>) {
    let (training, mut evaluation) = match &config.evaluation.scenarios {
        EvaluationScenarios::Own(source) => (training, scenarios(source, problems)),
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
fn scenarios(source: &ScenarioSource, problems: &mut Vec<String>) -> Vec<Scenario> {
    let read = match source {
        ScenarioSource::BuiltIn { name, split } => {
            built_in_world(name).map(|set| set.scenarios(env_split(*split)))
        }
        ScenarioSource::File(path) => load_scenarios(path),
        ScenarioSource::PromptsFile(path) => load_prompts(path),
        ScenarioSource::Inline(list) => inline(list),
        ScenarioSource::Prompts(texts) => Ok(prompts(texts)),
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

fn is_prompts(source: &ScenarioSource) -> bool {
    matches!(source, ScenarioSource::Prompts(_) | ScenarioSource::PromptsFile(_))
}

fn built_in(source: &ScenarioSource) -> Option<Box<dyn World>> {
    match source {
        ScenarioSource::BuiltIn { name, .. } => built_in_world(name).ok(),
        _ => None,
    }
}

/// The world that plays a source, and the most turns it gives the agent.
fn world(
    config: &RunConfig,
    source: &ScenarioSource,
    max_turns: Option<usize>,
) -> (Arc<dyn Environment>, usize) {
    if is_prompts(source) {
        return (Arc::new(PromptEnvironment), 1);
    }
    let set = built_in(source);
    let of_set = set.as_ref().map_or(MAX_TURNS, |set| set.max_turns());
    let max_turns = max_turns.unwrap_or(of_set);
    if let Some(set) = set {
        return (set.environment(max_turns), max_turns);
    }
    let order = match config.environment.response_order {
        ResponseOrder::InOrder => EnvOrder::InOrder,
        ResponseOrder::Shuffled => EnvOrder::Shuffled,
        ResponseOrder::Reactive => EnvOrder::Reactive,
    };
    let world = ConversationEnvironment { max_turns, order, ..ConversationEnvironment::default() };
    (Arc::new(world), max_turns)
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
        ScenarioSource::File(path) | ScenarioSource::PromptsFile(path) => stem(path),
        ScenarioSource::Inline(_) => "scenarios".to_owned(),
        ScenarioSource::Prompts(_) => "prompts".to_owned(),
    }
}
