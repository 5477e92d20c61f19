//! What a run's worlds are still without when they are made: remote tools, and the model that plays users.

use std::sync::Arc;
use std::time::Duration;

use stateset_connect::{Breaker, Guarded, Guards, RemotePolicy, RemotePolicySettings, Retry};
use stateset_core::Policy;
use stateset_train::config::{RemoteUserSettings, RunConfig};
use stateset_train::{Cast, LocalPolicy, TrainError, chat_format};

use crate::cli::engine::sampling_spec;
use crate::facade::open_model;
use crate::secret::secret;
use crate::tools::RemoteTools;

/// Most tokens of a conversation that a users' model reads; its own limit where that is less.
const USER_CONTEXT: usize = 4096;

/// Puts tools and users into the worlds of `cast`, as `config` names them.
///
/// # Errors
/// [`TrainError::Invalid`] naming the key of the configuration, and what it names.
pub(crate) async fn complete(cast: &mut Cast, config: &RunConfig) -> Result<(), TrainError> {
    if let Some(path) = cast.missing_tools.clone() {
        let tools = RemoteTools::read(&path)?.connect(&path).await?;
        cast.add_tools(&tools);
    }
    if let (Some(settings), false) = (&cast.user_model, cast.user.is_filled()) {
        let user: Arc<dyn Policy> = match &settings.remote {
            Some(remote) => remote_user(&settings.model, remote)?,
            None => Arc::new(local_user(&settings.model, config)?),
        };
        cast.user.fill(user);
    }
    Ok(())
}

/// `model` on an engine of its own: training the agent does not change it.
fn local_user(model: &str, config: &RunConfig) -> Result<LocalPolicy, TrainError> {
    let model = open_model(model)?;
    let format = chat_format(&model, None)?;
    let spec = sampling_spec(config.compute.threads, config.rollout.concurrency, USER_CONTEXT);
    Ok(LocalPolicy::new(spec.start(model)?, format))
}

/// `model` at the server that the settings name.
fn remote_user(model: &str, remote: &RemoteUserSettings) -> Result<Arc<dyn Policy>, TrainError> {
    let api_key = remote.api_key_env.as_deref().map(secret).transpose();
    let api_key = api_key.map_err(|problem| invalid("user_api_key_env", problem))?;
    let timeout = Duration::try_from_secs_f64(remote.timeout_secs)
        .map_err(|error| invalid("user_timeout", error))?;
    let policy = RemotePolicy::new(RemotePolicySettings {
        api_key,
        timeout,
        ..RemotePolicySettings::new(&remote.url, model)
    });
    let policy = policy.map_err(|error| invalid("user_url", error))?;
    let guards = Guards {
        retry: Some(Arc::new(Retry::default())),
        breaker: Some(Arc::new(Breaker::default())),
        ..Guards::none(policy.who().to_owned())
    };
    Ok(Arc::new(Guarded::new(policy, guards)))
}

fn invalid(key: &str, problem: impl std::fmt::Display) -> TrainError {
    let message = format!("`environment.{key}`: {problem}");
    TrainError::Invalid { what: "prepare the users' model", message }
}
