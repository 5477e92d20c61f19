//! The configuration of a command: its file, environment variables and flags, resolved together with
//! what the model brings along.

use std::path::{Path, PathBuf};

use clap::Args;
use stateset_env::sets::worlds;
use stateset_train::ModelSource;
use stateset_train::config::{
    ConfigFile, ConfigProblem, ConfigSources, ConfigWarning, Flag, ModelOverlay, Resolved,
    model_name, report, resolve,
};

use super::error::{CliError, Outcome};
use super::model::{is_remote, open_model};
use super::output::say;

/// A configuration file and single keys.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ConfigArgs {
    /// Configuration file: .toml, .yaml, .yml or .json
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) config: Option<PathBuf>,
    /// Set any key of the configuration, such as training.learning_rate=1e-4; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting, help_heading = "Configuration")]
    pub(crate) set: Vec<(String, String)>,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write it as KEY=VALUE, such as training.seed=7".to_owned()),
    }
}

/// The help of flags that say what is played: every built-in world, or a file.
pub(crate) fn what_to_play() -> String {
    let names: Vec<&str> = worlds().iter().map(|world| world.name()).collect();
    format!("What to play: a built-in set ({}) or a file of scenarios", names.join(", "))
}

/// Flags of a command on their way into the configuration.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    flags: Vec<Flag>,
}

impl Flags {
    /// Sets the key at `path`, where the flag was given.
    pub(crate) fn add(&mut self, flag: &str, path: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            let (flag, path) = (flag.to_owned(), path.to_owned());
            self.flags.push(Flag { flag, path, value: value.to_string() });
        }
    }

    /// Sets the key at `path` to a path, where the flag was given.
    pub(crate) fn add_path(&mut self, flag: &str, path: &str, value: Option<&Path>) {
        self.add(flag, path, value.map(Path::display));
    }

    /// Sets the key at `path` to true, where the flag was given.
    pub(crate) fn add_switch(&mut self, flag: &str, path: &str, is_on: bool) {
        self.add(flag, path, is_on.then_some(true));
    }
}

/// A configuration that can be run, and its model.
pub(crate) struct Prepared {
    /// The configuration.
    pub(crate) resolved: Resolved,
    /// The model; `None` for a stub.
    pub(crate) model: Option<ModelSource>,
}

impl Prepared {
    /// Says on stderr what can be used and may not be meant.
    pub(crate) fn warn(&self) {
        self.warn_but(&[]);
    }

    /// As [`Prepared::warn`], but for warnings about these keys.
    pub(crate) fn warn_but(&self, keys: &[&str]) {
        let is_about =
            |warning: &&ConfigWarning| !warning.keys.iter().any(|k| keys.contains(&k.as_str()));
        for warning in self.resolved.warnings.iter().filter(is_about) {
            say(format_args!("warning: {warning}"));
        }
    }
}

/// The value of `--env`: a file where it looks like one, else the name of a set.
pub(crate) fn names_a_file(env: &str) -> bool {
    let has_ending = [".json", ".jsonl", ".yaml", ".yml"].iter().any(|end| env.ends_with(end));
    has_ending || env.contains(['/', '\\']) || Path::new(env).is_file()
}

impl ConfigArgs {
    /// True where neither a file nor a key was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.config.is_none() && self.set.is_empty()
    }

    /// Resolves file, variables and `flags` (with `--set` on top), for what needs no model of an agent.
    pub(crate) fn settings(&self, flags: Flags) -> Outcome<Resolved> {
        let mut problems = Vec::new();
        let resolved = resolve(&self.sources(flags, &mut problems));
        problems.extend(resolved.as_ref().err().into_iter().flatten().cloned());
        match resolved {
            Ok(resolved) if problems.is_empty() => Ok(resolved),
            _ => Err(all_problems(&problems, None)),
        }
    }

    /// Resolves file, variables and `flags` (with `--set` on top), and opens the model they name.
    pub(crate) fn prepare(&self, flags: Flags) -> Outcome<Prepared> {
        let mut problems = Vec::new();
        let mut sources = self.sources(flags, &mut problems);
        let name = model_name(&sources);
        let mut resolved = resolve(&sources);
        let is_stub = resolved.as_ref().is_ok_and(|r| r.config.agent.is_stub);
        let is_wanted = !is_stub && !name.starts_with("stub:");
        let is_cheap = resolved.is_ok() && problems.is_empty() || !is_remote(&name);
        let adapter = resolved.as_ref().ok().and_then(|r| r.config.agent.adapter_path.clone());
        let model = match is_wanted && is_cheap {
            true => Some(open_model(&name, adapter.as_deref())),
            false => None,
        };
        if let Some(toml) = model.as_ref().and_then(|m| m.as_ref().ok()?.overlay) {
            sources.overlay = Some(ModelOverlay { model: name, toml: toml.to_owned() });
            resolved = resolve(&sources);
        }
        problems.extend(resolved.as_ref().err().into_iter().flatten().cloned());
        match (resolved, model.transpose()) {
            (Ok(resolved), Ok(model)) if problems.is_empty() => Ok(Prepared { resolved, model }),
            (_, Err(error)) if problems.is_empty() => Err(error),
            (_, model) => Err(all_problems(&problems, model.err())),
        }
    }

    fn sources(&self, flags: Flags, problems: &mut Vec<ConfigProblem>) -> ConfigSources {
        let file = self.config.as_deref().and_then(|path| match ConfigFile::read(path) {
            Ok(file) => Some(file),
            Err(problem) => {
                problems.push(problem);
                None
            }
        });
        let text = |text: std::ffi::OsString| text.into_string().ok();
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
            .collect();
        let set = self.set.iter().map(|(path, value)| Flag {
            flag: "--set".to_owned(),
            path: path.clone(),
            value: value.clone(),
        });
        let flags = flags.flags.into_iter().chain(set).collect();
        ConfigSources { overlay: None, file, environment, flags }
    }
}

fn all_problems(problems: &[ConfigProblem], model: Option<CliError>) -> CliError {
    let mut text = format!("failed to start: {}", report(problems));
    if let Some(CliError::BadInput(message) | CliError::Failed(message)) = model {
        text += &format!("\n\nand {message}");
    }
    CliError::BadInput(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_files_are_told_apart() {
        for file in ["a.json", "b.jsonl", "c.YAML".to_lowercase().as_str(), "dir/sales"] {
            assert!(names_a_file(file), "{file}");
        }
        for set in ["customer_service", "sales"] {
            assert!(!names_a_file(set), "{set}");
        }
    }

    #[test]
    fn settings_are_a_key_and_a_value() {
        let setting = parse_setting("training.lora_target_modules=[\"q=k\"]").unwrap();
        assert_eq!(setting, ("training.lora_target_modules".into(), "[\"q=k\"]".into()));
        assert!(parse_setting("training.seed").is_err());
        assert!(parse_setting("=1").is_err());
    }
}
