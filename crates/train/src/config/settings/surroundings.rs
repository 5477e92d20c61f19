//! What stands around the agent's policy.

use stateset_env::EnvError;
use stateset_env::agents::Surroundings;
use stateset_env::agents::compression::{CompressionConfig, CompressionStrategy};
use stateset_env::agents::memory::{ConversationMemory, MemoryConfig};
use stateset_env::agents::planning::{PlanningConfig, PlanningManager};
use stateset_env::agents::reasoning::ReasoningTags;

use super::super::reader::Reader;

const MEMORY: [&str; 2] = ["agent.enable_memory", "agent.memory_config"];
const PLANNING: [&str; 2] = ["agent.enable_planning", "agent.planning_config"];
const COMPRESSION: [&str; 4] = [
    "agent.enable_context_compression",
    "agent.compression_ratio",
    "agent.compression_strategy",
    "agent.compression_max_tokens",
];

/// Memory, plans, compression and thoughts; all off by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SurroundingsSettings {
    /// Messages beside instructions that are read; all where absent.
    pub memory_window: Option<usize>,
    /// The memory; none where absent.
    pub memory: Option<MemoryConfig>,
    /// Compression; none where absent.
    pub compression: Option<CompressionConfig>,
    /// Planning.
    pub planning: PlanningConfig,
    /// Tags of thoughts; answers are left as they are where absent.
    pub reasoning: Option<ReasoningTags>,
}

impl SurroundingsSettings {
    pub(in super::super) fn resolve(reader: &mut Reader) -> SurroundingsSettings {
        SurroundingsSettings {
            memory_window: reader.optional_size("agent.memory_window"),
            memory: memory(reader),
            compression: compression(reader),
            planning: planning(reader),
            reasoning: reasoning(reader),
        }
    }

    /// The surroundings that these settings ask for.
    pub fn build(&self) -> Surroundings {
        Surroundings {
            memory_window: self.memory_window,
            // Settings were checked when they were read.
            memory: self.memory.clone().and_then(|config| ConversationMemory::new(config).ok()),
            compression: self.compression,
            planning: PlanningManager::new(self.planning.clone()),
            reasoning: self.reasoning.clone(),
            ..Surroundings::default()
        }
    }
}

fn memory(reader: &mut Reader) -> Option<MemoryConfig> {
    let [switch, settings] = MEMORY;
    let is_on = is_on(reader, switch, &[settings]);
    let read = MemoryConfig::from_object(settings, &reader.object(settings));
    let config = accepted(reader, settings, read);
    is_on.then_some(config)
}

fn planning(reader: &mut Reader) -> PlanningConfig {
    let [switch, settings] = PLANNING;
    let is_on = is_on(reader, switch, &[settings]);
    let object = reader.object(settings);
    let read = PlanningConfig::from_object(settings, &object);
    let config = accepted(reader, settings, read);
    PlanningConfig { enabled: is_on && (config.enabled || object.is_empty()), ..config }
}

fn compression(reader: &mut Reader) -> Option<CompressionConfig> {
    let [switch, rest @ ..] = COMPRESSION;
    let is_on = is_on(reader, switch, &rest);
    let [ratio, strategy, max_tokens] = rest;
    let base = CompressionConfig::default();
    let strategy = CompressionStrategy::from_name(reader.text(strategy));
    let config = CompressionConfig {
        ratio: reader.number(ratio),
        strategy: strategy.unwrap_or(base.strategy),
        max_tokens: reader.size(max_tokens),
    };
    is_on.then_some(config)
}

fn reasoning(reader: &mut Reader) -> Option<ReasoningTags> {
    let (switch, tag) = ("agent.enable_reasoning", "agent.reasoning_tag");
    let is_on = is_on(reader, switch, &[tag]);
    match ReasoningTags::named(reader.text(tag)) {
        Ok(tags) => is_on.then_some(tags),
        Err(error) => {
            refuse(reader, tag, &error);
            None
        }
    }
}

/// Whether a part is on; settings that somebody wrote for a part that is off are told to do nothing.
fn is_on(reader: &mut Reader, switch: &'static str, settings: &[&'static str]) -> bool {
    let is_on = reader.bool(switch);
    let own: Vec<&'static str> =
        settings.iter().copied().filter(|path| !is_on && reader.is_own(path)).collect();
    if !own.is_empty() && !reader.is_own(switch) {
        reader.warn(&own, format!("has no effect without {switch}"));
    }
    is_on
}

fn accepted<T: Default>(reader: &mut Reader, path: &'static str, read: Result<T, EnvError>) -> T {
    read.unwrap_or_else(|error| {
        refuse(reader, path, &error);
        T::default()
    })
}

fn refuse(reader: &mut Reader, path: &'static str, error: &EnvError) {
    let EnvError::Agent { problems } = error else { return };
    for problem in problems {
        let inner = if problem.key.is_empty() || path.ends_with(&problem.key) {
            String::new()
        } else {
            format!("{}: ", problem.key)
        };
        let hint = problem.hint.clone().unwrap_or_else(|| "see the guide to agents".to_owned());
        reader.refuse(&[path], format!("{inner}{}", problem.found), problem.allowed.clone(), hint);
    }
}
