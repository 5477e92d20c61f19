//! A policy behind an OpenAI-compatible server (`POST {base}/chat/completions`).
//!
//! It works on text alone: there are no tokens, so nothing can be trained on what it says. It makes one
//! attempt; [`crate::Guarded`] gives it retries and limits. What the server counts is charged to a
//! [`Ledger`], here and not in a wrapper, because only the answer says what it cost.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde_json::{Map, Value};
use stateset_core::{Completion, GenerateRequest, Policy, PolicyError};

use super::answer::read_text;
use super::call_error::RemoteError;
use super::chat_wire::{Usage, body, read};
use super::client::{checked_url, http_client, no_answer, without_secrets};
use super::secret::Secret;
use crate::ledger::Ledger;

/// Bytes of text that stand for a token where a server does not count; few, so that a budget is
/// reached too early rather than too late.
const BYTES_PER_TOKEN: u64 = 3;

/// Where a remote policy is and how it is asked.
#[derive(Clone, Debug)]
pub struct RemotePolicySettings {
    /// Address up to and without `/chat/completions`, such as `https://api.example/v1`.
    pub base_url: String,
    /// Name of the model there.
    pub model: String,
    /// Sent as a bearer token.
    pub api_key: Option<Secret>,
    /// Limit of connecting.
    pub connect_timeout: Duration,
    /// Limit of a whole request.
    pub timeout: Duration,
    /// Fields that are added to every request, or taken away where null.
    pub extra: Map<String, Value>,
}

impl RemotePolicySettings {
    /// The model `model` at `base_url`: 10 s to connect, 120 s for an answer, no key.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> RemotePolicySettings {
        RemotePolicySettings {
            base_url: base_url.into(),
            model: model.into(),
            api_key: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(120),
            extra: Map::new(),
        }
    }
}

/// A model on an OpenAI-compatible server.
#[derive(Clone)]
pub struct RemotePolicy {
    settings: RemotePolicySettings,
    who: String,
    url: Url,
    client: Client,
    ledger: Option<Arc<Ledger>>,
}

impl RemotePolicy {
    /// Checks the settings; opens no connection.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`].
    pub fn new(settings: RemotePolicySettings) -> Result<RemotePolicy, RemoteError> {
        let who = format!("the model {:?}", settings.model);
        if settings.model.trim().is_empty() {
            return Err(RemoteError::setting("a remote model", "model", "it is empty"));
        }
        let mut url = checked_url(&who, "base_url", &settings.base_url)?;
        let path = format!("{}/chat/completions", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let who = format!("{who} at {}", without_secrets(&url));
        let client = http_client(&who, settings.connect_timeout)?;
        Ok(RemotePolicy { settings, who, url, client, ledger: None })
    }

    /// Charges what is used to `ledger`, and asks nothing once its budget is spent.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`] where the ledger limits money and has no price of this model.
    pub fn charged_to(mut self, ledger: Arc<Ledger>) -> Result<RemotePolicy, RemoteError> {
        ledger.check_model(&self.settings.model)?;
        self.ledger = Some(ledger);
        Ok(self)
    }

    /// Model and address, without secrets.
    pub fn who(&self) -> &str {
        &self.who
    }

    async fn ask(&self, body: &Value) -> Result<String, RemoteError> {
        let limit = self.settings.timeout;
        let mut request = self.client.post(self.url.clone()).timeout(limit).json(body);
        if let Some(key) = &self.settings.api_key {
            request = request.bearer_auth(key.reveal());
        }
        let response = request.send().await.map_err(|error| no_answer(&self.who, limit, error))?;
        read_text(&self.who, limit, response).await
    }
}

#[async_trait]
impl Policy for RemotePolicy {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        let who = self.who.as_str();
        if let Some(ledger) = &self.ledger {
            ledger.admit().map_err(|spent| PolicyError::Refused {
                who: who.to_owned(),
                message: spent.to_string(),
            })?;
        }
        let body = body(&self.settings.model, &request, &self.settings.extra);
        let text = self.ask(&body).await.map_err(RemoteError::into_policy_error)?;
        let (completion, usage) = read(&text).map_err(|problem| {
            RemoteError::BadAnswer { who: who.to_owned(), problem }.into_policy_error()
        })?;
        if let Some(ledger) = &self.ledger {
            let is_counted = usage.is_some();
            let usage = usage.unwrap_or_else(|| estimated(&body, &completion));
            let charged = ledger.charge(&self.settings.model, usage, is_counted);
            // The answer is paid for. A ledger that cannot be written must end the spending all the same.
            charged.map_err(|error| PolicyError::Refused {
                who: who.to_owned(),
                message: format!("failed to {error}"),
            })?;
        }
        Ok(completion)
    }
}

/// What a request probably used, where the server does not say.
fn estimated(body: &Value, completion: &Completion) -> Usage {
    let tokens = |bytes: usize| (bytes as u64).div_ceil(BYTES_PER_TOKEN);
    let calls: usize =
        completion.message.tool_calls.iter().map(|call| call.arguments.to_string().len()).sum();
    let reasoning = completion.message.reasoning.as_ref().map_or(0, String::len);
    Usage {
        input_tokens: tokens(body["messages"].to_string().len()),
        cached_tokens: 0,
        output_tokens: tokens(completion.message.content.len() + calls + reasoning),
    }
}
