//! Where a model comes from: a name, resolved to files.
//!
//! A name is `builtin:...`, a folder (of a model, an adapter, a checkpoint or a whole run), or a
//! repository on the model hub. An adapter's configuration names its base, which is resolved the
//! same way.

use std::path::{Path, PathBuf};

use stateset_nn::{AdapterFiles, ModelFiles, TextFiles};

use super::agent_config::AgentConfig;
use super::builtin;
use crate::TrainError;

/// Downloads a repository of the model hub, or finds it in the cache, and returns its folder.
pub type Fetch<'a> = &'a dyn Fn(&str) -> Result<PathBuf, TrainError>;

/// A model whose files have been found and whose configuration has been read.
pub struct ModelSource {
    /// As it was asked for.
    pub name: String,
    /// Weights and configuration.
    pub files: ModelFiles,
    /// Tokenizer and template.
    pub text: TextFiles,
    /// An adapter that belongs onto the weights.
    pub adapter: Option<AdapterFiles>,
    /// How it was used when it was saved.
    pub agent_config: Option<AgentConfig>,
    /// Defaults for training it, as a configuration.
    pub overlay: Option<&'static str>,
}

/// Adapters on adapters end here.
const MAX_DEPTH: usize = 4;

impl ModelSource {
    /// Finds the model called `name`.
    ///
    /// # Errors
    /// [`TrainError`] that says what was looked for and where.
    pub fn open(name: &str, fetch: Fetch<'_>) -> Result<ModelSource, TrainError> {
        ModelSource::open_at(name, fetch, 0)
    }

    fn open_at(name: &str, fetch: Fetch<'_>, depth: usize) -> Result<ModelSource, TrainError> {
        if let Some(builtin) = name.strip_prefix("builtin:") {
            return builtin::open(builtin);
        }
        let path = Path::new(name);
        let folder = if path.is_dir() {
            within_run(path)
        } else if looks_like_a_repository(name) {
            fetch(name)?
        } else {
            return Err(not_found(name));
        };
        if folder.join("adapter_config.json").exists() {
            return ModelSource::with_adapter(name, &folder, fetch, depth);
        }
        if !folder.join("config.json").exists() {
            let message =
                format!("{} holds no config.json and no adapter_config.json", folder.display());
            return Err(invalid(message));
        }
        Ok(ModelSource {
            name: name.to_owned(),
            files: ModelFiles::open(&folder)?,
            text: TextFiles::from_folder(&folder).map_err(stateset_nn::NnError::from)?,
            adapter: None,
            agent_config: AgentConfig::read(&folder)?,
            overlay: None,
        })
    }

    fn with_adapter(
        name: &str,
        folder: &Path,
        fetch: Fetch<'_>,
        depth: usize,
    ) -> Result<ModelSource, TrainError> {
        let adapter = AdapterFiles::open(folder)?;
        let base = adapter.base_model.clone().ok_or_else(|| {
            invalid(format!("the adapter in {} does not name its base model", folder.display()))
        })?;
        if depth == MAX_DEPTH {
            return Err(invalid(format!("{name} is an adapter on an adapter on an adapter ...")));
        }
        let mut source = ModelSource::open_at(&base, fetch, depth + 1)?;
        if source.adapter.is_some() {
            return Err(invalid(format!("the base of the adapter {name} is an adapter itself")));
        }
        source.name = name.to_owned();
        source.adapter = Some(adapter);
        source.agent_config = AgentConfig::read(folder)?.or(source.agent_config);
        Ok(source)
    }

    /// Puts another adapter folder onto the model.
    ///
    /// # Errors
    /// [`TrainError`] where it cannot be read or the model has one already.
    pub fn add_adapter(&mut self, folder: &Path) -> Result<(), TrainError> {
        if self.adapter.is_some() {
            return Err(invalid(format!("{} has an adapter already", self.name)));
        }
        self.adapter = Some(AdapterFiles::open(&within_run(folder))?);
        Ok(())
    }
}

/// The folder of the model inside a run folder; any other folder is itself.
fn within_run(folder: &Path) -> PathBuf {
    let is_model = |folder: &Path| {
        folder.join("config.json").exists() || folder.join("adapter_config.json").exists()
    };
    if is_model(folder) {
        return folder.to_owned();
    }
    let last = folder.join("checkpoint");
    if is_model(&last) {
        return last;
    }
    let newest = std::fs::read_to_string(folder.join("LATEST")).unwrap_or_default();
    let newest = folder.join("checkpoints").join(newest.trim());
    if !newest.as_os_str().is_empty() && is_model(&newest) { newest } else { folder.to_owned() }
}

/// `owner/name` or `owner/name@revision`, in the letters that the hub allows.
fn looks_like_a_repository(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./@".contains(c);
    let plain = name.chars().all(allowed) && !name.starts_with(['.', '/']);
    plain && name.split('@').next().is_some_and(|id| id.split('/').count() == 2)
}

fn not_found(name: &str) -> TrainError {
    invalid(format!(
        "found no folder {name:?}; a model is a folder, the name of a repository on the model hub \
         such as owner/name, or {}",
        builtin::names().join(", ")
    ))
}

fn invalid(message: String) -> TrainError {
    TrainError::Invalid { what: "find the model", message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_and_folders_are_told_apart() {
        for name in ["owner/name", "owner/name@main", "a-b/c.d_e"] {
            assert!(looks_like_a_repository(name), "{name}");
        }
        for name in ["./folder/x", "/a/b", "name", "a/b/c", "../x", "a b/c"] {
            assert!(!looks_like_a_repository(name), "{name}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let fetch = |name: &str| -> Result<PathBuf, TrainError> { panic!("asked for {name}") };
        let error = ModelSource::open("no-such-model", &fetch).err().unwrap().to_string();
        assert!(error.contains("no-such-model") && error.contains("builtin:tiny"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let error = ModelSource::open(path, &fetch).err().unwrap().to_string();
        assert!(error.contains("config.json"), "{error}");
    }
}
