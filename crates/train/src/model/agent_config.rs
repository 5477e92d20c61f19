//! `agent_config.json`: how an agent was used when its model was saved, under the documented names.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stateset_core::Sampling;
use stateset_env::agents::compression::{CompressionConfig, CompressionStrategy};
use stateset_env::agents::memory::MemoryConfig;
use stateset_env::agents::planning::PlanningConfig;
use stateset_env::agents::reasoning::ReasoningTags;

use crate::TrainError;
use crate::config::SurroundingsSettings;

const FILE: &str = "agent_config.json";

/// The agent around a saved model. Unknown keys are ignored, so that files of other programs load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentConfig {
    /// The model the agent was made from.
    pub model_name: String,
    /// Instructions.
    #[serde(default)]
    pub system_prompt: Option<String>,
    /// Most tokens of an answer.
    #[serde(default = "default_max_new_tokens")]
    pub max_new_tokens: usize,
    /// Divides the logits.
    #[serde(default = "one")]
    pub temperature: f64,
    /// Keep the most likely tokens up to this probability.
    #[serde(default = "one")]
    pub top_p: f64,
    /// Keep the k most likely tokens; 0 for all.
    #[serde(default)]
    pub top_k: usize,
    /// Penalty on tokens already present.
    #[serde(default = "one")]
    pub repetition_penalty: f64,
    /// Draw tokens instead of taking the most likely.
    #[serde(default = "yes")]
    pub do_sample: bool,
    /// Messages that are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_window: Option<usize>,
    /// Settings of the memory; none where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_config: Option<Map<String, Value>>,
    /// Whether long conversations are made shorter.
    #[serde(default, skip_serializing_if = "is_off")]
    pub enable_context_compression: bool,
    /// Share that is left of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression_ratio: Option<f64>,
    /// How they are made shorter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression_strategy: Option<CompressionStrategy>,
    /// Tokens beyond which they are too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression_max_tokens: Option<usize>,
    /// Whether it plans.
    #[serde(default, skip_serializing_if = "is_off")]
    pub enable_planning: bool,
    /// Settings of planning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planning_config: Option<Map<String, Value>>,
    /// Whether thoughts are kept out of answers.
    #[serde(default, skip_serializing_if = "is_off")]
    pub enable_reasoning: bool,
    /// Name of the tags around thoughts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tag: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_off(flag: &bool) -> bool {
    !*flag
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

fn default_max_new_tokens() -> usize {
    Sampling::default().max_new_tokens
}

impl AgentConfig {
    /// The configuration of an agent.
    pub fn new(model_name: &str, system_prompt: Option<String>, sampling: &Sampling) -> Self {
        AgentConfig {
            model_name: model_name.to_owned(),
            system_prompt,
            max_new_tokens: sampling.max_new_tokens,
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            repetition_penalty: sampling.repetition_penalty,
            do_sample: !sampling.greedy,
            memory_window: None,
            memory_config: None,
            enable_context_compression: false,
            compression_ratio: None,
            compression_strategy: None,
            compression_max_tokens: None,
            enable_planning: false,
            planning_config: None,
            enable_reasoning: false,
            reasoning_tag: None,
        }
    }

    /// The same with these surroundings.
    pub fn with_surroundings(self, settings: &SurroundingsSettings) -> Self {
        let compression = settings.compression.as_ref();
        let planning = &settings.planning;
        let tags = settings.reasoning.as_ref();
        let name = |tags: &ReasoningTags| tags.open.trim_matches(['<', '>']).to_owned();
        AgentConfig {
            memory_window: settings.memory_window,
            memory_config: settings.memory.as_ref().map(MemoryConfig::to_object),
            enable_context_compression: compression.is_some(),
            compression_ratio: compression.map(|config| config.ratio),
            compression_strategy: compression.map(|config| config.strategy),
            compression_max_tokens: compression.map(|config| config.max_tokens),
            enable_planning: planning.enabled,
            planning_config: planning.enabled.then(|| planning.to_object()),
            enable_reasoning: tags.is_some(),
            reasoning_tag: tags.map(name),
            ..self
        }
    }

    /// What stands around its policy.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] with every setting that does not fit.
    pub fn surroundings(&self) -> Result<SurroundingsSettings, TrainError> {
        let invalid = |error: stateset_env::EnvError| TrainError::Invalid {
            what: "read the agent's configuration",
            message: format!("{FILE}: {error}"),
        };
        let memory = self.memory_config.as_ref();
        let memory = memory.map(|object| MemoryConfig::from_object("memory_config", object));
        let base = CompressionConfig::default();
        let compression = self.enable_context_compression.then(|| CompressionConfig {
            strategy: self.compression_strategy.unwrap_or(base.strategy),
            ratio: self.compression_ratio.unwrap_or(base.ratio),
            max_tokens: self.compression_max_tokens.unwrap_or(base.max_tokens),
        });
        if let Some(config) = &compression {
            config.check().map_err(invalid)?;
        }
        let object = self.planning_config.clone().unwrap_or_default();
        let planning = PlanningConfig::from_object("planning_config", &object).map_err(invalid)?;
        let tag = self.reasoning_tag.as_deref().unwrap_or("think");
        let tags = self.enable_reasoning.then(|| ReasoningTags::named(tag));
        Ok(SurroundingsSettings {
            memory_window: self.memory_window,
            memory: memory.transpose().map_err(invalid)?,
            compression,
            planning: PlanningConfig { enabled: self.enable_planning, ..planning },
            reasoning: tags.transpose().map_err(invalid)?,
        })
    }

    /// How it draws tokens.
    pub fn sampling(&self) -> Sampling {
        Sampling {
            temperature: if self.temperature > 0.0 { self.temperature } else { 1.0 },
            top_k: self.top_k,
            top_p: self.top_p,
            repetition_penalty: self.repetition_penalty,
            greedy: !self.do_sample || self.temperature <= 0.0,
            max_new_tokens: self.max_new_tokens,
            ..Sampling::default()
        }
    }

    /// The file in a model folder; `None` where there is none.
    ///
    /// # Errors
    /// [`TrainError`] where it cannot be read.
    pub fn read(folder: &Path) -> Result<Option<AgentConfig>, TrainError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io("read", &path, e))?;
        let parsed = serde_json::from_str(&text).map_err(|error| TrainError::Invalid {
            what: "read the agent's configuration",
            message: format!("{}: {error}", path.display()),
        })?;
        Ok(Some(parsed))
    }

    /// Its name in a folder and its text.
    pub fn file(&self) -> (&'static str, String) {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        (FILE, format!("{text}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surroundings_survive_the_file() {
        let plain = AgentConfig::new("m", None, &Sampling::default());
        assert!(!plain.file().1.contains("planning"));
        assert_eq!(plain.surroundings().unwrap(), SurroundingsSettings::default());
        let settings = SurroundingsSettings {
            memory_window: Some(4),
            memory: Some(MemoryConfig { summary_threshold: 3, ..MemoryConfig::default() }),
            compression: Some(CompressionConfig { ratio: 0.25, ..CompressionConfig::default() }),
            planning: PlanningConfig { enabled: true, max_steps: 3, ..PlanningConfig::default() },
            reasoning: Some(ReasoningTags::named("thought").unwrap()),
        };
        let text = plain.with_surroundings(&settings).file().1;
        let read: AgentConfig = serde_json::from_str(&text).unwrap();
        assert_eq!(read.surroundings().unwrap(), settings);
        let wrong = AgentConfig { compression_ratio: Some(7.0), ..read };
        let error = wrong.surroundings().unwrap_err().to_string();
        assert!(error.contains(FILE) && error.contains("ratio"), "{error}");
    }

    #[test]
    fn files_of_other_programs_load() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(AgentConfig::read(folder.path()).unwrap(), None);
        let text = r#"{"model_name": "gpt2", "temperature": 0.0, "torch_dtype": "bfloat16"}"#;
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let config = AgentConfig::read(folder.path()).unwrap().unwrap();
        assert_eq!(config.model_name, "gpt2");
        assert!(config.sampling().greedy);
        std::fs::write(folder.path().join(FILE), "{}").unwrap();
        let error = AgentConfig::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("model_name") && error.contains(FILE), "{error}");
    }
}
