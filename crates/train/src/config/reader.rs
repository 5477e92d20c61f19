//! Typed access to merged values, and the place where problems and warnings are collected.
//!
//! Every value was checked against its key when it was merged, and every key that is not optional
//! has a default (a test holds the defaults against the table), so reading cannot fail.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::problem::{ConfigProblem, ConfigWarning};
use super::values::Values;

/// Reads settings and notes what is wrong across them.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) values: Values,
    pub(super) problems: Vec<ConfigProblem>,
    pub(super) warnings: Vec<ConfigWarning>,
    /// Paths that were read: a key of a method that the method does not read has no effect, and a
    /// test holds all of them against the table, so that no key is decoration.
    pub(super) read: RefCell<BTreeSet<&'static str>>,
}

impl Reader {
    pub(super) fn bool(&self, path: &'static str) -> bool {
        self.optional_bool(path).unwrap_or_else(|| missing(path))
    }

    pub(super) fn count(&self, path: &'static str) -> u64 {
        self.optional_count(path).unwrap_or_else(|| missing(path))
    }

    pub(super) fn size(&self, path: &'static str) -> usize {
        self.optional_size(path).unwrap_or_else(|| missing(path))
    }

    pub(super) fn number(&self, path: &'static str) -> f64 {
        self.optional_number(path).unwrap_or_else(|| missing(path))
    }

    pub(super) fn text(&self, path: &'static str) -> &str {
        self.optional_text(path).unwrap_or_else(|| missing(path))
    }

    pub(super) fn path(&self, path: &'static str) -> PathBuf {
        PathBuf::from(self.text(path))
    }

    pub(super) fn object(&self, path: &'static str) -> Map<String, Value> {
        self.value(path).and_then(Value::as_object).cloned().unwrap_or_default()
    }

    pub(super) fn objects(&self, path: &'static str) -> Vec<Map<String, Value>> {
        let items = self.value(path).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_object).cloned().collect()
    }

    pub(super) fn texts(&self, path: &'static str) -> Vec<String> {
        let items = self.value(path).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(super) fn optional_bool(&self, path: &'static str) -> Option<bool> {
        self.value(path)?.as_bool()
    }

    pub(super) fn optional_count(&self, path: &'static str) -> Option<u64> {
        self.value(path)?.as_u64()
    }

    pub(super) fn optional_size(&self, path: &'static str) -> Option<usize> {
        self.optional_count(path).and_then(|count| usize::try_from(count).ok())
    }

    pub(super) fn optional_number(&self, path: &'static str) -> Option<f64> {
        self.value(path)?.as_f64()
    }

    pub(super) fn optional_text(&self, path: &'static str) -> Option<&str> {
        self.value(path)?.as_str()
    }

    pub(super) fn optional_path(&self, path: &'static str) -> Option<PathBuf> {
        self.optional_text(path).map(PathBuf::from)
    }

    /// True where a person wrote the value for this run.
    pub(super) fn is_own(&self, path: &str) -> bool {
        self.values.set(path).is_some_and(|setting| setting.origin.is_own())
    }

    /// Notes a problem across keys, unless one of them has a problem of its own: what stands in its
    /// place is not what was asked for.
    pub(super) fn refuse(
        &mut self,
        paths: &[&'static str],
        found: impl Into<String>,
        allowed: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if self.values.are_sound(paths) {
            let problem = self.values.problem(paths, found, allowed, hint);
            self.problems.push(problem);
        }
    }

    pub(super) fn warn(&mut self, paths: &[&'static str], message: impl Into<String>) {
        let spelled = |path: &&'static str| {
            self.values.get(path).map_or(path.to_string(), |setting| setting.spelled.clone())
        };
        let keys = paths.iter().map(spelled).collect();
        self.warnings.push(ConfigWarning { keys, message: message.into() });
    }

    /// Forgets those of `keys` that nobody has read. `message` says of the ones that a person wrote
    /// why they have no effect.
    pub(super) fn drop_unread(&mut self, keys: impl Iterator<Item = &'static str>, message: &str) {
        let unread: Vec<&'static str> =
            keys.filter(|path| !self.read.borrow().contains(path)).collect();
        let own: Vec<&'static str> =
            unread.iter().copied().filter(|path| self.is_own(path)).collect();
        if !own.is_empty() {
            self.warn(&own, message);
        }
        unread.iter().for_each(|path| self.values.forget(path));
    }

    fn value(&self, path: &'static str) -> Option<&Value> {
        self.read.borrow_mut().insert(path);
        self.values.set(path).map(|setting| &setting.value)
    }
}

fn missing(path: &str) -> ! {
    panic!("{path} has no value: the defaults, which a test holds against the table, lack it")
}
