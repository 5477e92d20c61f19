//! The judge of a run, from its settings: a model that is opened here, or one behind a server.
//!
//! The key of a server comes from the environment variable that the settings name. Around the server, from
//! the outside in: kept answers, the judge that asks in words, guards, the ledger.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stateset_connect::{
    Breaker, Budget, CachedJudge, ConcurrencyLimit, Guarded, Guards, Ledger, Prices, RateLimit,
    RemotePolicy, RemotePolicySettings, Retry, RetrySettings, Secret,
};
use stateset_core::{Judge, RunSeed, Sampling};
use stateset_train::config::{JudgeSettings, RemoteJudgeSettings};
use stateset_train::{JudgeModel, PolicyJudge, TrainError};

use crate::secret::secret;

/// Most tokens of an answer: a group of sixteen with a sentence on each fits.
const MAX_ANSWER_TOKENS: usize = 2048;

/// The judge at the server that the settings name; `None` where its model is to be opened here.
///
/// # Errors
/// [`TrainError::Invalid`] naming the key of the configuration that cannot be used.
pub(crate) fn remote_judge(settings: &JudgeSettings) -> Result<Option<JudgeModel>, TrainError> {
    let Some(remote) = &settings.remote else { return Ok(None) };
    let api_key = remote.api_key_env.as_deref().map(secret).transpose();
    let api_key = api_key.map_err(|problem| invalid("judge_api_key_env", problem))?;
    judge(&settings.model, remote, api_key).map(|judge| Some(JudgeModel::Ready(judge)))
}

fn judge(
    model: &str,
    remote: &RemoteJudgeSettings,
    api_key: Option<Secret>,
) -> Result<Arc<dyn Judge>, TrainError> {
    let timeout = Duration::try_from_secs_f64(remote.timeout_secs)
        .map_err(|error| invalid("judge_timeout", error))?;
    let policy = RemotePolicy::new(RemotePolicySettings {
        api_key,
        timeout,
        ..RemotePolicySettings::new(&remote.url, model)
    });
    let mut policy = policy.map_err(|error| invalid("judge_url", error))?;
    if let Some(ledger) = ledger(remote)? {
        policy = policy.charged_to(ledger).map_err(|error| invalid("judge_budget", error))?;
    }
    let who = policy.who().to_owned();
    let sampling =
        Sampling { greedy: true, max_new_tokens: MAX_ANSWER_TOKENS, ..Sampling::default() };
    let judge = PolicyJudge {
        policy: Arc::new(Guarded::new(policy, guards(&who, remote))),
        sampling,
        seed: RunSeed(0),
    };
    match &remote.cache {
        None => Ok(Arc::new(judge)),
        Some(folder) => {
            let namespace = format!("{who}, greedy, {MAX_ANSWER_TOKENS} tokens");
            let cached = CachedJudge::new(judge, namespace, folder);
            Ok(Arc::new(cached.map_err(|error| {
                invalid("judge_cache", format!("create {}: {error}", folder.display()))
            })?))
        }
    }
}

fn guards(who: &str, remote: &RemoteJudgeSettings) -> Guards {
    let max_retries = u32::try_from(remote.max_attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let retry = Retry::new(RetrySettings { max_retries, ..RetrySettings::default() });
    let rate = |a_minute: f64| Arc::new(RateLimit::new(a_minute / 60.0, 1));
    Guards {
        retry: Some(Arc::new(retry)),
        breaker: Some(Arc::new(Breaker::default())),
        concurrency: Some(Arc::new(ConcurrencyLimit::new(remote.max_running))),
        rate: remote.requests_per_minute.map(rate),
        ..Guards::none(who)
    }
}

/// `None` where nothing is counted.
fn ledger(remote: &RemoteJudgeSettings) -> Result<Option<Arc<Ledger>>, TrainError> {
    let budget = Budget { max_money: remote.budget, max_tokens: remote.budget_tokens };
    if budget == Budget::default() && remote.ledger.is_none() {
        return Ok(None);
    }
    let prices = |path: &Path| Prices::load(path).map_err(|error| invalid("judge_prices", error));
    let prices = remote.prices.as_deref().map(prices).transpose()?.unwrap_or_default();
    let ledger = match &remote.ledger {
        None => Ledger::new(prices, budget),
        Some(path) => {
            Ledger::open(prices, budget, path).map_err(|error| invalid("judge_ledger", error))?
        }
    };
    Ok(Some(Arc::new(ledger)))
}

fn invalid(key: &str, problem: impl std::fmt::Display) -> TrainError {
    let message = format!("`reward.{key}`: {problem}");
    TrainError::Invalid { what: "prepare the judge", message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote() -> RemoteJudgeSettings {
        RemoteJudgeSettings {
            url: "http://127.0.0.1:9/v1".into(),
            api_key_env: None,
            timeout_secs: 1.0,
            max_attempts: 1,
            max_running: 1,
            requests_per_minute: None,
            cache: None,
            ledger: None,
            prices: None,
            budget: None,
            budget_tokens: None,
        }
    }

    fn refused(remote: &RemoteJudgeSettings) -> String {
        judge("m", remote, None).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_key() {
        assert_eq!(refused(&remote()), "");
        let missing = || Some("/no/such/folder/file".into());
        for (settings, parts) in [
            (RemoteJudgeSettings { url: "h".into(), ..remote() }, ["`reward.judge_url`", "base"]),
            (
                RemoteJudgeSettings { budget: Some(1.0), ..remote() },
                ["`reward.judge_budget`", "no price of \"m\""],
            ),
            (
                RemoteJudgeSettings { budget: Some(1.0), prices: missing(), ..remote() },
                ["`reward.judge_prices`", "/no/such/folder/file"],
            ),
            (
                RemoteJudgeSettings { cache: Some("/dev/null/kept".into()), ..remote() },
                ["`reward.judge_cache`", "/dev/null/kept"],
            ),
        ] {
            let error = refused(&settings);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
        let settings = JudgeSettings {
            model: "m".into(),
            remote: Some(RemoteJudgeSettings {
                api_key_env: Some("STATESET_NO_SUCH_KEY".into()),
                ..remote()
            }),
            kind: stateset_train::config::JudgeKind::AsReward,
            rubric: None,
            n_retries: 0,
            context_tokens: 1,
        };
        let Err(error) = remote_judge(&settings) else { panic!("it was accepted") };
        assert!(error.to_string().contains("STATESET_NO_SUCH_KEY is not set"), "{error}");
    }
}
