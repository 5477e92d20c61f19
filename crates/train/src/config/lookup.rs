//! Finding keys: by path, by alias, and by what somebody probably meant.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::key::Key;
use super::keys::all_keys;

/// Sections, in the order of documents.
pub const SECTIONS: [&str; 5] = ["agent", "environment", "reward", "training", "evaluation"];

/// Least similarity (Jaro-Winkler, 0 to 1) of a name that is suggested.
const SIMILAR: f64 = 0.85;

/// Longest name that is compared with the known ones; longer ones are no slips of the keyboard.
const MAX_NAME_BYTES: usize = 64;

/// The key with this path or alias.
pub fn key_of(path: &str) -> Option<&'static Key> {
    static PATHS: OnceLock<HashMap<&'static str, &'static Key>> = OnceLock::new();
    let paths = PATHS.get_or_init(|| {
        let names = |key: &'static Key| {
            std::iter::once(key.path)
                .chain(key.aliases.iter().copied())
                .map(move |name| (name, key))
        };
        all_keys().flat_map(names).collect()
    });
    paths.get(path).copied()
}

/// What somebody who wrote `path`, which is no key, probably meant.
pub(super) fn hint_for_unknown(path: &str) -> Option<String> {
    let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
    if let Some(elsewhere) = paths().find(|known| name_of(known) == name) {
        return Some(format!("it is {elsewhere}"));
    }
    let in_section = paths().filter(|known| section_of(known) == section).map(name_of);
    if let Some(near) = nearest(name, in_section) {
        return Some(format!("did you mean {near}?"));
    }
    nearest(name, paths().map(name_of))
        .and_then(|near| paths().find(|known| name_of(known) == near))
        .map(|near| format!("did you mean {near}?"))
}

/// What somebody who wrote `section`, which is no section, probably meant.
pub(super) fn hint_for_section(section: &str) -> Option<String> {
    nearest(section, SECTIONS.into_iter()).map(|near| format!("did you mean {near}?"))
}

/// The name nearest to `found`, where one is near enough to be a slip of the keyboard.
pub(super) fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if found.len() > MAX_NAME_BYTES {
        return None;
    }
    let found = found.to_lowercase();
    known
        .map(|name| (strsim::jaro_winkler(&found, name), name))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// Paths first, aliases after them, so that a suggestion is a path where both are as near.
fn paths() -> impl Iterator<Item = &'static str> {
    let aliases = all_keys().flat_map(|key| key.aliases.iter().copied());
    all_keys().map(|key| key.path).chain(aliases)
}

fn name_of(path: &'static str) -> &'static str {
    path.split_once('.').map_or(path, |(_, name)| name)
}

fn section_of(path: &'static str) -> &'static str {
    path.split_once('.').map_or("", |(section, _)| section)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_path_is_there_once_and_in_a_section() {
        let mut seen = HashSet::new();
        for path in paths() {
            assert!(seen.insert(path), "{path} is there twice");
            let section = section_of(path);
            assert!(section.is_empty() || SECTIONS.contains(&section), "{path}");
        }
    }

    #[test]
    fn docs_are_whole_sentences() {
        for key in all_keys() {
            assert!(key.doc.ends_with('.') && key.doc.len() > 10, "{}: {:?}", key.path, key.doc);
            assert!(
                !key.doc.contains("  ") && !key.doc.contains('|'),
                "{}: {:?}",
                key.path,
                key.doc
            );
        }
    }

    #[test]
    fn aliases_find_their_key() {
        assert_eq!(
            key_of("training.clip_range_left").map(|key| key.path),
            Some("training.clip_ratio")
        );
        assert!(key_of("training.lerning_rate").is_none());
    }

    #[test]
    fn misspelt_keys_find_what_was_meant() {
        let hint = |path| hint_for_unknown(path).unwrap_or_default();
        assert_eq!(hint("training.lerning_rate"), "did you mean learning_rate?");
        assert_eq!(hint("learning_rate"), "it is training.learning_rate");
        assert_eq!(hint("agent.lora_r"), "it is training.lora_r");
        assert_eq!(hint("agent.lora_alhpa"), "did you mean training.lora_alpha?");
        assert_eq!(hint("training.colour"), "");
        assert_eq!(hint_for_section("trainning").as_deref(), Some("did you mean training?"));
    }
}
