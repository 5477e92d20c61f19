//! What somebody wants to be trained.

use serde_json::{Map, Value};

use super::allowed::check_key;
use super::gateway_wish::GatewayWish;
use crate::api_error::ApiError;
use crate::services::{check_text, unusable};
use crate::store::{Once, asked_sha256};

/// A training that is wanted: a model and keys of the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wish {
    /// The model, in the client's words; the server's first where `None`.
    pub(super) model: Option<String>,
    /// Keys with their values; later ones count.
    pub(super) settings: Vec<(String, String)>,
    /// The field of the request that each key was given by, for refusals.
    pub(super) fields: Vec<(String, String)>,
    /// The samples of a prompt are judged beside each other by the model itself.
    pub(super) judges_itself: bool,
    /// Who plays, where that are programs.
    pub(super) gateway: Option<GatewayWish>,
    /// A job whose model is the beginning.
    pub(super) after_job: Option<String>,
    /// Lets the request count once.
    pub(super) idempotency_key: Option<String>,
    /// The request as it was understood.
    pub(super) asked: Value,
}

impl Wish {
    /// Sets a key, on behalf of a field of the request.
    pub(super) fn set(&mut self, path: &str, field: &str, value: impl ToString) {
        self.settings.push((path.to_owned(), value.to_string()));
        self.fields.push((path.to_owned(), field.to_owned()));
    }

    /// What lets it count once, where that was asked for.
    pub(super) fn once(&self) -> Option<Once> {
        let key = self.idempotency_key.clone()?;
        let asked_sha256 = asked_sha256(&self.asked);
        Some(Once { scope: "training".to_owned(), key, asked_sha256 })
    }

    /// The field of the request that set this key.
    pub(super) fn field_of(&self, path: &str) -> Option<&str> {
        let set = self.fields.iter().rev().find(|(key, _)| key == path);
        set.map(|(_, field)| field.as_str())
    }

    /// Takes keys that the client names itself: `{"training.learning_rate": 1e-4}`, or without the
    /// section.
    pub(super) fn set_all(
        &mut self,
        field: &str,
        section: &str,
        overrides: Option<Map<String, Value>>,
    ) -> Result<(), ApiError> {
        for (name, value) in overrides.unwrap_or_default() {
            let place = format!("{field}.{name}");
            let path = check_key(&place, section, &name)?;
            let text = match &value {
                Value::Null => continue,
                Value::String(text) => {
                    check_text(&place, text, 20_000)?;
                    text.clone()
                }
                other => other.to_string(),
            };
            self.set(path, &place, text);
        }
        Ok(())
    }

    /// Takes the method by one of the documented names, or any other that learns from rollouts.
    pub(super) fn set_strategy(&mut self, strategy: Option<&str>) -> Result<(), ApiError> {
        match strategy {
            None => {}
            // The document's name for one process that does all of it, which is what this is.
            Some("computational") => self.set("algorithm", "strategy", "grpo"),
            Some("distributed") => {
                let message = "this server trains in one process; allowed are computational, grpo, \
                               gspo and the other names of `algorithm`";
                return Err(unusable("strategy_not_supported", "strategy", message));
            }
            Some(name) => {
                check_text("strategy", name, 40)?;
                self.set("algorithm", "strategy", name);
            }
        }
        Ok(())
    }
}
