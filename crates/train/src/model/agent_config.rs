//! `agent_config.json`: how an agent was used when its model was saved, under the documented names.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stateset_core::Sampling;

use crate::TrainError;

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
        }
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
