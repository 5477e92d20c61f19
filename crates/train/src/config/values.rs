//! The layers laid over each other: for every key the value that counts, and where it is from.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::check::check;
use super::key::Key;
use super::keys::all_keys;
use super::layer::Entry;
use super::origin::Origin;
use super::problem::ConfigProblem;

/// The value that counts for a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The value in its canonical form; null where a layer says "not set".
    pub value: Value,
    /// Where it is from.
    pub origin: Origin,
    /// The path as it was written there, which may be an alias.
    pub spelled: String,
    /// How it was computed, where it was not written as it is.
    pub note: Option<String>,
}

/// The value of every key that has one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    settings: BTreeMap<&'static str, Setting>,
    /// Keys with a value that was refused; what is there instead is a weaker layer's.
    refused: BTreeSet<&'static str>,
}

impl Values {
    /// Lays entries over each other, weakest first. A value that its key does not allow becomes a
    /// problem, and the weaker layer's stays.
    pub(super) fn merge(entries: Vec<Entry>, problems: &mut Vec<ConfigProblem>) -> Values {
        let mut values = Values::default();
        for Entry { key, spelled, value, origin } in entries {
            match check(key, value) {
                Ok(value) => {
                    let setting = Setting { value, origin, spelled, note: None };
                    values.settings.insert(key.path, setting);
                }
                Err(mismatch) => {
                    values.refused.insert(key.path);
                    problems.push(ConfigProblem {
                        keys: vec![spelled],
                        origins: vec![origin],
                        found: mismatch.found,
                        allowed: key.allowed(),
                        hint: mismatch.hint,
                    });
                }
            }
        }
        values
    }

    /// The setting of a key, also where it is "not set"; `None` where no layer speaks of it.
    pub fn get(&self, path: &str) -> Option<&Setting> {
        self.settings.get(path)
    }

    /// Keys and settings in the order of documents.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Key, &Setting)> {
        all_keys().filter_map(|key| Some((key, self.settings.get(key.path)?)))
    }

    /// The setting of a key, if it has a value.
    pub(super) fn set(&self, path: &str) -> Option<&Setting> {
        self.get(path).filter(|setting| !setting.value.is_null())
    }

    /// The setting that counts among keys that say the same in different words: the one from the
    /// strongest layer, by its path. Where that layer gives several, all of them.
    pub(super) fn strongest(&self, paths: &[&'static str]) -> Vec<&'static str> {
        let strength =
            |path: &&'static str| self.set(path).map(|setting| setting.origin.strength());
        let best = paths.iter().filter_map(strength).max();
        paths.iter().copied().filter(|path| best.is_some() && strength(path) == best).collect()
    }

    /// Notes that what stands at a key is not what was asked for.
    pub(super) fn distrust(&mut self, path: &'static str) {
        self.refused.insert(path);
    }

    /// Forgets a key that another one has spoken for.
    pub(super) fn forget(&mut self, path: &str) {
        self.settings.remove(path);
    }

    /// Writes a computed value with the origin of the key it was computed from.
    pub(super) fn derive(
        &mut self,
        path: &'static str,
        value: Value,
        from: &'static str,
        note: Option<String>,
    ) {
        let Some(source) = self.settings.get(from).cloned() else { return };
        let spelled = if path == from { source.spelled } else { path.to_owned() };
        self.settings.insert(path, Setting { value, spelled, note, ..source });
    }

    /// True where none of the keys has a refused value, so that a check across them says something.
    pub(super) fn are_sound(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| !self.refused.contains(path))
    }

    /// A problem about several keys.
    pub(super) fn problem(
        &self,
        paths: &[&str],
        found: impl Into<String>,
        allowed: impl Into<String>,
        hint: impl Into<String>,
    ) -> ConfigProblem {
        let settings: Vec<&Setting> = paths.iter().filter_map(|path| self.get(path)).collect();
        ConfigProblem {
            keys: settings.iter().map(|setting| setting.spelled.clone()).collect(),
            origins: settings.iter().map(|setting| setting.origin.clone()).collect(),
            found: found.into(),
            allowed: allowed.into(),
            hint: Some(hint.into()),
        }
    }
}
