//! The worlds of a run: which environment plays a source of scenarios.

use std::sync::Arc;

use stateset_core::{Environment, Sampling};
use stateset_env::Persona;
use stateset_env::conversation::{
    ConversationEnvironment, EndConditions, ResponseOrder as EnvOrder,
};
use stateset_env::database::{DatabaseDomain, DatabaseEnvironment, load_domain};
use stateset_env::model_user::{ModelUser, ModelUserEnvironment};
use stateset_env::prompts::PromptEnvironment;
use stateset_env::sets::{CONVERSATION_CONFIGS, World, world as built_in_world};

use crate::PolicySlot;
use crate::config::{ResponseOrder, RunConfig, ScenarioSource, UserModelSettings};

/// Turns of the agent where neither the configuration nor a scenario set says.
const MAX_TURNS: usize = 10;
/// The same in a domain of tools, where calls count as turns.
const MAX_DOMAIN_TURNS: usize = 20;

/// The domain that the configuration names; what is wrong with it is added to `problems`.
pub(super) fn read_domain(
    config: &RunConfig,
    problems: &mut Vec<String>,
) -> Option<Arc<DatabaseDomain>> {
    let ScenarioSource::Domain(folder) = &config.environment.scenarios else { return None };
    let read = load_domain(folder, &[]);
    read.map(Arc::new).map_err(|error| problems.push(error.to_string())).ok()
}

/// What worlds are made of.
pub(super) struct Worlds<'a> {
    /// How conversations are played.
    pub(super) config: &'a RunConfig,
    /// The domain that it names, if any.
    pub(super) domain: Option<&'a Arc<DatabaseDomain>>,
    /// Who the users of scenarios are.
    pub(super) persona: Option<Persona>,
    /// Where the model will be that plays the users, if one does.
    pub(super) user: &'a PolicySlot,
}

impl Worlds<'_> {
    /// The world that plays a source, and the most turns it gives the agent.
    pub(super) fn of(
        &self,
        source: &ScenarioSource,
        max_turns: Option<usize>,
    ) -> (Arc<dyn Environment>, usize) {
        if source.is_prompts() {
            return (Arc::new(PromptEnvironment), 1);
        }
        if let (ScenarioSource::Domain(_), Some(domain)) = (source, self.domain) {
            let max_turns = max_turns.unwrap_or(MAX_DOMAIN_TURNS);
            let environment = DatabaseEnvironment::new(domain.clone(), max_turns);
            let environment = match self.model_user() {
                Some(user) => environment.with_user(Arc::new(user)),
                None => environment,
            };
            return (Arc::new(environment), max_turns);
        }
        let set = built_in(source);
        let of_set = set.as_ref().map_or(MAX_TURNS, |set| set.max_turns());
        let max_turns = max_turns.unwrap_or(of_set);
        if let Some(user) = self.model_user() {
            return (Arc::new(ModelUserEnvironment::new(user, max_turns)), max_turns);
        }
        if let Some(set) = set {
            return (set.environment(max_turns), max_turns);
        }
        (Arc::new(self.conversations(max_turns)), max_turns)
    }

    /// The user that a model plays, where the configuration names one.
    fn model_user(&self) -> Option<ModelUser> {
        let settings = self.config.environment.user_model.as_ref()?;
        let policy = Arc::new(self.user.clone());
        let user = ModelUser::new(policy, self.persona.clone().unwrap_or_default());
        Some(ModelUser { sampling: sampling(settings), ..user })
    }

    fn conversations(&self, max_turns: usize) -> ConversationEnvironment {
        let settings = &self.config.environment;
        let order = match settings.response_order {
            ResponseOrder::InOrder => EnvOrder::InOrder,
            ResponseOrder::Shuffled => EnvOrder::Shuffled,
            ResponseOrder::Reactive => EnvOrder::Reactive,
        };
        let ends = EndConditions {
            farewell: settings.ends.at_farewell,
            goal: settings.ends.at_goal,
            satisfied_at: settings.ends.at_satisfaction,
        };
        let persona = self.persona.clone();
        ConversationEnvironment { max_turns, order, ends, persona, turn_reward: None }
    }
}

fn sampling(settings: &UserModelSettings) -> Sampling {
    let usual = Sampling { max_new_tokens: settings.max_tokens, ..Sampling::default() };
    match settings.temperature {
        0.0 => Sampling { greedy: true, ..usual },
        temperature => Sampling { temperature, ..usual },
    }
}

/// Why a model cannot play the users of `source`, where it cannot: their own worlds go on without them.
pub(super) fn refuses_model(source: &ScenarioSource) -> Option<String> {
    let ScenarioSource::BuiltIn { name, .. } = source else { return None };
    let sets: Vec<&str> = CONVERSATION_CONFIGS.iter().map(|config| config.name()).collect();
    (!sets.contains(&name.as_str())).then(|| {
        format!(
            "`environment.user_model`: the users of {name} are part of their world; a model plays those of \
             {}, of scenarios of your own and of a domain",
            sets.join(", ")
        )
    })
}

/// The built-in world of a source, where it is one.
pub(super) fn built_in(source: &ScenarioSource) -> Option<Box<dyn World>> {
    match source {
        ScenarioSource::BuiltIn { name, .. } => built_in_world(name).ok(),
        _ => None,
    }
}
