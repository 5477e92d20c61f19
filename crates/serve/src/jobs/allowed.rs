//! Which keys of a configuration a client may set: none that names a file, a place, a model or a secret of
//! the server's machine.

use stateset_train::config::{Kind, key_of};

use crate::api_error::ApiError;
use crate::services::unusable;

/// Keys that the server settles itself, or that reach outside.
const REFUSED: &[&str] = &[
    "agent.model_name",
    "agent.use_stub_model",
    "agent.stub_responses",
    "environment.scenario_set_file",
    "reward.judge_model",
    "reward.judge_url",
    "reward.judge_api_key_env",
    "training.run_name",
    "training.overwrite_output_dir",
    "training.threads",
];

/// The path of the key `name`, which may leave out its section.
///
/// # Errors
/// [`ApiError`] 422 where there is no such key or a client may not set it.
pub(super) fn check_key(field: &str, section: &str, name: &str) -> Result<&'static str, ApiError> {
    let of_section = format!("{section}.{name}");
    let found = key_of(&of_section).or_else(|| key_of(name));
    let key = found.ok_or_else(|| {
        let message = format!("the configuration has no key {name}; docs/configuration.md has all");
        unusable("unknown_key", field, message)
    })?;
    if REFUSED.contains(&key.path) || matches!(key.kind, Kind::Path) {
        let message = format!("{} is settled by the server", key.path);
        return Err(unusable("key_not_allowed", field, message));
    }
    Ok(key.path)
}

/// Rewards whose names take a file, a model or a rubric that may be a file.
const REACHING: [&str; 3] = ["neural:", "judge:", "ruler:"];

/// Endings of names that are read as files.
const FILES: [&str; 4] = [".toml", ".yaml", ".yml", ".json"];

/// That a reward in words reads no file of the server.
///
/// # Errors
/// [`ApiError`] 422.
pub(super) fn check_reward(field: &str, spec: &str) -> Result<(), ApiError> {
    let spec = spec.trim().to_ascii_lowercase();
    let names_file = FILES.iter().any(|ending| spec.ends_with(ending));
    let reaches = REACHING.iter().any(|start| spec.contains(start));
    match names_file || reaches {
        true => {
            let message = "rewards that read files or ask models cannot be chosen over HTTP";
            Err(unusable("reward_not_allowed", field, message))
        }
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_machine_are_refused() {
        for name in [
            "output_dir",
            "run_name",
            "resume_from_checkpoint",
            "threads",
            "pairs_file",
            "agent.model_name",
            "agent.peft_path",
            "environment.scenarios_file",
            "reward.judge_url",
            "reward.judge_cache",
            "reward.judge_rubric_file",
            "evaluation.scenarios_file",
        ] {
            let error = check_key("x", "training", name).unwrap_err();
            assert_eq!(error.code, "key_not_allowed", "{name}");
        }
        assert_eq!(check_key("x", "training", "nonsense").unwrap_err().code, "unknown_key");
    }

    #[test]
    fn keys_of_the_method_are_allowed() {
        assert_eq!(check_key("x", "training", "seed").unwrap(), "training.seed");
        assert_eq!(
            check_key("x", "training", "evaluation.num_episodes").unwrap(),
            "evaluation.num_episodes"
        );
        assert_eq!(check_key("x", "agent", "system_prompt").unwrap(), "agent.system_prompt");
    }

    #[test]
    fn rewards_that_reach_outside_are_refused() {
        for spec in ["neural:/etc", "helpfulness=1,judge:general", "a.toml", " B.JSON "] {
            assert!(check_reward("reward", spec).is_err(), "{spec}");
        }
        for spec in ["helpfulness=0.6,safety=0.4", "contains:dog", "length"] {
            assert!(check_reward("reward", spec).is_ok(), "{spec}");
        }
    }
}
