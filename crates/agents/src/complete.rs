//! What a run's worlds are still without when they are made: remote tools, and the model that plays users.

use std::sync::Arc;
use std::time::Duration;

use stateset_connect::{
    Breaker, Guarded, Guards, RemotePolicy, RemotePolicySettings, Retry, Secret,
};
use stateset_core::Policy;
use stateset_train::config::{RemoteUserSettings, RunConfig};
use stateset_train::{Cast, TrainError, start_user_model};

use crate::facade::open_model;
use crate::tools::RemoteTools;

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
            None => Arc::new(start_user_model(config, open_model(&settings.model)?)?),
        };
        cast.user.fill(user);
    }
    Ok(())
}

/// `model` at the server that the settings name.
fn remote_user(model: &str, remote: &RemoteUserSettings) -> Result<Arc<dyn Policy>, TrainError> {
    let api_key = remote.api_key_env.as_deref().map(secret).transpose()?;
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

fn secret(name: &str) -> Result<Secret, TrainError> {
    match std::env::var(name) {
        Ok(key) if !key.trim().is_empty() => Ok(Secret::new(key.trim())),
        _ => {
            let problem = format!("the environment variable {name} is not set");
            Err(invalid("user_api_key_env", problem))
        }
    }
}

fn invalid(key: &str, problem: impl std::fmt::Display) -> TrainError {
    let message = format!("`environment.{key}`: {problem}");
    TrainError::Invalid { what: "prepare the users' model", message }
}
