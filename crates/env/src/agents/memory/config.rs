//! Settings of a memory, under the documented names.

use serde_json::{Map, Value};

use crate::error::{EnvError, Problem};
use crate::fields::Fields;

const KEYS: &[&str] = &[
    "max_short_term_turns",
    "max_short_term_tokens",
    "enable_summarization",
    "enable_entity_extraction",
    "enable_fact_extraction",
    "summary_threshold",
    "importance_decay",
    "retrieval_top_k",
    "persistence_backend",
];

/// How much is remembered, and what is made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryConfig {
    /// Messages, beside instructions, that are read word by word; 1 to 10,000.
    pub max_short_term_turns: usize,
    /// Tokens of them; 1 to 10,000,000.
    pub max_short_term_tokens: usize,
    /// What is no longer read word by word is summarised.
    pub enable_summarization: bool,
    /// Addresses, numbers, dates, amounts and names are kept.
    pub enable_entity_extraction: bool,
    /// What users say of themselves is kept.
    pub enable_fact_extraction: bool,
    /// Messages that stay once there are too many, with a summary of those before them.
    pub summary_threshold: usize,
    /// What a message weighs compared with the next one, in summaries and in recall; above 0, at most 1.
    pub importance_decay: f64,
    /// Earlier messages that are shown again because they are about the same; 0 shows none.
    pub retrieval_top_k: usize,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        MemoryConfig {
            max_short_term_turns: 20,
            max_short_term_tokens: 4000,
            enable_summarization: true,
            enable_entity_extraction: true,
            enable_fact_extraction: true,
            summary_threshold: 10,
            importance_decay: 0.95,
            retrieval_top_k: 5,
        }
    }
}

impl MemoryConfig {
    /// Reads settings over the defaults. `place` says where they stand.
    ///
    /// # Errors
    /// [`EnvError::Agent`] with everything that does not fit.
    pub fn from_object(place: &str, object: &Map<String, Value>) -> Result<Self, EnvError> {
        let base = MemoryConfig::default();
        let mut fields = Fields::new(place, object, KEYS);
        let config = MemoryConfig {
            max_short_term_turns: fields
                .count("max_short_term_turns", 1..=10_000)
                .unwrap_or(base.max_short_term_turns),
            max_short_term_tokens: fields
                .count("max_short_term_tokens", 1..=10_000_000)
                .unwrap_or(base.max_short_term_tokens),
            enable_summarization: fields
                .flag("enable_summarization")
                .unwrap_or(base.enable_summarization),
            enable_entity_extraction: fields
                .flag("enable_entity_extraction")
                .unwrap_or(base.enable_entity_extraction),
            enable_fact_extraction: fields
                .flag("enable_fact_extraction")
                .unwrap_or(base.enable_fact_extraction),
            summary_threshold: fields
                .count("summary_threshold", 1..=10_000)
                .unwrap_or(base.summary_threshold),
            importance_decay: fields
                .number_above_to("importance_decay", 0.0, 1.0)
                .unwrap_or(base.importance_decay),
            retrieval_top_k: fields
                .count("retrieval_top_k", 0..=100)
                .unwrap_or(base.retrieval_top_k),
        };
        if let Some(found) = fields.value("persistence_backend").filter(|value| *value != "memory")
        {
            let allowed = "\"memory\": nothing is kept beyond the process";
            fields.problem("persistence_backend", found.to_string(), allowed);
        }
        let problems = fields.into_problems();
        if problems.is_empty() { Ok(config) } else { Err(EnvError::Agent { problems }) }
    }

    /// The settings under their names, as [`MemoryConfig::from_object`] reads them.
    pub fn to_object(&self) -> Map<String, Value> {
        let pairs: [(&str, Value); 8] = [
            ("max_short_term_turns", self.max_short_term_turns.into()),
            ("max_short_term_tokens", self.max_short_term_tokens.into()),
            ("enable_summarization", self.enable_summarization.into()),
            ("enable_entity_extraction", self.enable_entity_extraction.into()),
            ("enable_fact_extraction", self.enable_fact_extraction.into()),
            ("summary_threshold", self.summary_threshold.into()),
            ("importance_decay", self.importance_decay.into()),
            ("retrieval_top_k", self.retrieval_top_k.into()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// Everything that is wrong with the values.
    ///
    /// # Errors
    /// [`EnvError::Agent`].
    pub fn check(&self) -> Result<(), EnvError> {
        let mut problems = Vec::new();
        let mut wrong = |key: &str, found: String, allowed: &str| {
            problems.push(Problem {
                place: "memory".into(),
                key: key.into(),
                found,
                allowed: allowed.into(),
                hint: None,
            });
        };
        for (key, found) in [
            ("max_short_term_turns", self.max_short_term_turns),
            ("max_short_term_tokens", self.max_short_term_tokens),
            ("summary_threshold", self.summary_threshold),
        ] {
            if found == 0 {
                wrong(key, "0".into(), "1 or more");
            }
        }
        if !(self.importance_decay > 0.0 && self.importance_decay <= 1.0) {
            let found = self.importance_decay.to_string();
            wrong("importance_decay", found, "a number above 0, at most 1");
        }
        if problems.is_empty() { Ok(()) } else { Err(EnvError::Agent { problems }) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<MemoryConfig, String> {
        let object = value.as_object().cloned().unwrap_or_default();
        MemoryConfig::from_object("memory_config", &object).map_err(|error| error.to_string())
    }

    #[test]
    fn documented_defaults() {
        let config = read(json!({})).unwrap();
        assert_eq!(config, MemoryConfig::default());
        assert_eq!((config.max_short_term_turns, config.max_short_term_tokens), (20, 4000));
        assert_eq!((config.summary_threshold, config.retrieval_top_k), (10, 5));
        assert_eq!(config.importance_decay, 0.95);
        assert!(read(json!({"persistence_backend": "memory"})).is_ok());
        let other = MemoryConfig { retrieval_top_k: 0, importance_decay: 0.5, ..config };
        assert_eq!(read(Value::Object(other.to_object())).unwrap(), other);
    }

    #[test]
    fn all_problems_are_named() {
        let error = read(json!({
            "max_short_term_turn": 3, "importance_decay": 1.5, "summary_threshold": 0,
            "enable_summarization": "yes", "persistence_backend": "redis",
        }))
        .unwrap_err();
        for part in [
            "did you mean `max_short_term_turns`",
            "`importance_decay`: found 1.5",
            "`summary_threshold`: found 0",
            "`enable_summarization`: found a text, allowed is true or false",
            "`persistence_backend`: found \"redis\"",
        ] {
            assert!(error.contains(part), "{part}\n{error}");
        }
        let bad = MemoryConfig { importance_decay: f64::NAN, ..MemoryConfig::default() };
        assert!(bad.check().is_err());
        assert!(MemoryConfig::default().check().is_ok());
    }
}
