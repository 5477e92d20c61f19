//! What of a text does not survive encoding and decoding.
//!
//! Continuing a conversation compares text that was read as tokens with text that is rendered now,
//! so it must know which differences come from the tokenizer: normalised characters, spaces at the
//! start of a stretch, white space that a special token swallows. The choice a reader would
//! question: this is read off the pipeline's parts, not tried out on sample texts, because no
//! sample shows everything.

use serde_json::Value;
use tokenizers::{NormalizedString, Normalizer, NormalizerWrapper};

/// White space that decoding may lose or add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SpaceLoss {
    /// None: every byte comes back.
    Nothing,
    /// Single spaces at the borders of special tokens.
    Spaces,
    /// Any white space.
    Any,
}

/// What encoding and decoding do to a text.
#[derive(Debug)]
pub(super) struct Fidelity {
    /// The steps that change characters; `None` where none does.
    characters: Option<NormalizerWrapper>,
    pub(super) space_loss: SpaceLoss,
}

impl Fidelity {
    /// Reads a `tokenizer.json` value's parts. `start_matters` as in the tokenizer.
    pub(super) fn of(inner: &tokenizers::Tokenizer, start_matters: bool) -> Fidelity {
        let normalizer = serde_json::to_value(inner.get_normalizer()).unwrap_or_default();
        let steps = steps_of(&normalizer);
        let strips =
            inner.get_added_tokens_decoder().values().any(|token| token.lstrip || token.rstrip);
        let is_step = |step: &&Value, names: &[&str]| {
            step["type"].as_str().is_some_and(|t| names.contains(&t))
        };
        let loses = strips
            || steps.iter().any(|step| {
                is_step(step, &["Strip", "BertNormalizer", "Precompiled"])
                    || step["pattern"]["Regex"].is_string()
            });
        let kept: Vec<Value> = steps
            .iter()
            .filter(|step| {
                is_step(
                    step,
                    &[
                        "NFC",
                        "NFD",
                        "NFKC",
                        "NFKD",
                        "Lowercase",
                        "StripAccents",
                        "Nmt",
                        "Precompiled",
                        "BertNormalizer",
                    ],
                )
            })
            .map(|step| (*step).clone())
            .collect();
        let characters = serde_json::json!({"type": "Sequence", "normalizers": kept});
        Fidelity {
            characters: if kept.is_empty() {
                None
            } else {
                serde_json::from_value(characters).ok()
            },
            space_loss: match (loses, start_matters) {
                (true, _) => SpaceLoss::Any,
                (false, true) => SpaceLoss::Spaces,
                (false, false) => SpaceLoss::Nothing,
            },
        }
    }

    /// `text` with its characters changed as encoding changes them; `None` where it changes none.
    pub(super) fn characters_of(&self, text: &str) -> Option<String> {
        let mut normalized = NormalizedString::from(text);
        self.characters.as_ref()?.normalize(&mut normalized).ok()?;
        Some(normalized.get().to_string())
    }
}

fn steps_of(normalizer: &Value) -> Vec<&Value> {
    match normalizer["normalizers"].as_array() {
        Some(steps) => steps.iter().flat_map(steps_of).collect(),
        None => vec![normalizer],
    }
}
