//! The model that is part of the program: a small decoder that talks like a support desk.
//!
//! `cargo xtask tiny` makes its files; `assets/tiny/recipe.json` says from what.

use std::borrow::Cow;

use stateset_core::Sampling;
use stateset_nn::{ModelFiles, NnError, Tensors, TextFiles};

use super::agent_config::AgentConfig;
use super::source::ModelSource;
use crate::TrainError;

const NAME: &str = "builtin:tiny";
const CONFIG: &[u8] = include_bytes!("../../../../assets/tiny/config.json");
const WEIGHTS: &[u8] = include_bytes!("../../../../assets/tiny/model.safetensors");
/// Settings that suit it.
const OVERLAY: &str = include_str!("../../../../assets/tiny.toml");
const TEXT: [(&str, &[u8]); 4] = [
    ("tokenizer.json", include_bytes!("../../../../assets/tiny/tokenizer.json")),
    ("tokenizer_config.json", include_bytes!("../../../../assets/tiny/tokenizer_config.json")),
    ("chat_template.jinja", include_bytes!("../../../../assets/tiny/chat_template.jinja")),
    ("generation_config.json", include_bytes!("../../../../assets/tiny/generation_config.json")),
];

/// Names of all of them, as they are asked for.
pub fn names() -> Vec<&'static str> {
    vec![NAME]
}

/// The model called `name` after the colon.
pub(super) fn open(name: &str) -> Result<ModelSource, TrainError> {
    if name != "tiny" {
        let message =
            format!("there is no built-in model {name:?}; there is {}", names().join(", "));
        return Err(TrainError::Invalid { what: "find the model", message });
    }
    let config = serde_json::from_slice(CONFIG).map_err(|error| NnError::Damaged {
        path: format!("{NAME}/config.json").into(),
        message: error.to_string(),
    })?;
    let text = TEXT.map(|(name, bytes)| (name, Cow::Borrowed(bytes)));
    let text = TextFiles::from_memory(NAME, text).map_err(NnError::from)?;
    let label = format!("{NAME}/model.safetensors");
    Ok(ModelSource {
        name: NAME.to_owned(),
        files: ModelFiles::new(config, Tensors::from_static(&label, WEIGHTS)?)?,
        text,
        adapter: None,
        agent_config: Some(AgentConfig::new(
            NAME,
            Some("You are a friendly customer service agent.".to_owned()),
            &Sampling { temperature: 0.7, max_new_tokens: 64, ..Sampling::default() },
        )),
        overlay: Some(OVERLAY),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat_format;
    use crate::config::{ConfigSources, ModelOverlay, resolve};

    #[test]
    fn tokenizer_template_and_weights_fit() {
        let model = open("tiny").unwrap();
        assert!(chat_format(&model, None).is_ok());
        assert!(!chat_format(&model, None).unwrap().template().is_plain());
        let stored = WEIGHTS.len() + TEXT.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        assert!(stored < 6_000_000, "{stored} bytes");
    }

    #[test]
    fn its_settings_are_sound() {
        let overlay = ModelOverlay { model: NAME.to_owned(), toml: OVERLAY.to_owned() };
        let sources = ConfigSources { overlay: Some(overlay), ..ConfigSources::default() };
        assert!(resolve(&sources).is_ok());
    }

    #[test]
    fn others_are_unknown() {
        let error = open("huge").err().unwrap().to_string();
        assert!(error.contains("builtin:tiny"), "{error}");
    }
}
