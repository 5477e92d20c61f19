//! One layer of a configuration: the keys that one source gives, with their origins.

use serde_json::Value;

use super::check::shown;
use super::key::Key;
use super::lookup::{SECTIONS, hint_for_section, hint_for_unknown, key_of};
use super::origin::Origin;
use super::problem::{ConfigProblem, listed};
use super::read::{Content, Node};
use super::text_value::value_from_text;

/// The beginning of every environment variable that is a key.
const PREFIX: &str = "STATESET_";

/// Unknown and repeated keys that are reported; a file with more is not a configuration.
const MAX_PROBLEMS: usize = 200;

/// Most characters of an unknown name in a message.
const MAX_NAME_CHARS: usize = 80;

/// A flag of the command line that sets a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The flag as it was written, such as `--seed`.
    pub flag: String,
    /// Path of the key, such as `training.seed`.
    pub path: String,
    /// Its value as text.
    pub value: String,
}

/// A value that a source gives to a key.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: &'static Key,
    /// The path as it was written, which may be an alias.
    pub(super) spelled: String,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// What a tree gives. Unknown keys, and keys given twice, become problems.
pub(super) fn layer_of_tree(
    content: Content,
    origin: &Origin,
    problems: &mut Vec<ConfigProblem>,
) -> Vec<Entry> {
    let fields = match content {
        Content::Table(fields) => fields,
        other => {
            let found = shown(&other.into_value());
            problems.push(ConfigProblem::of_source(origin.clone(), found, "a table of sections"));
            return Vec::new();
        }
    };
    let mut entries = Vec::new();
    let mut place = |path: String, node: Node, problems: &mut Vec<ConfigProblem>| {
        let here = origin.at_line(node.line);
        match key_of(&path) {
            Some(key) => entries.push(entry(key, path, node, here)),
            None => note(problems, || unknown(path, &node, here)),
        }
    };
    for (name, node) in fields {
        if !SECTIONS.contains(&name.as_str()) {
            place(name, node, problems);
            continue;
        }
        match node.content {
            Content::Table(fields) => {
                for (field, node) in fields {
                    place(format!("{name}.{field}"), node, problems);
                }
            }
            Content::Scalar(Value::Null) => {}
            other => problems.push(ConfigProblem {
                keys: vec![name],
                origins: vec![origin.at_line(node.line)],
                found: shown(&other.into_value()),
                allowed: "a table of keys".to_owned(),
                hint: None,
            }),
        }
    }
    without_repetitions(entries, problems)
}

/// What environment variables give. Only names that begin with `STATESET_` and a section (or are a
/// top-level key) are keys; all others belong to somebody else.
pub(super) fn layer_of_environment(
    variables: &[(String, String)],
    problems: &mut Vec<ConfigProblem>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (name, text) in variables {
        let Some(path) = path_of_variable(name) else { continue };
        let origin = Origin::Environment(name.clone());
        entries.extend(entry_of_text(path, text, origin, problems));
    }
    without_repetitions(entries, problems)
}

/// What flags give. A flag that is given twice counts as given last, as command lines do.
pub(super) fn layer_of_flags(flags: &[Flag], problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    let entry = |flag: &Flag| {
        let origin = Origin::Flag(flag.flag.clone());
        entry_of_text(flag.path.clone(), &flag.value, origin, problems)
    };
    flags.iter().filter_map(entry).collect()
}

/// The variable that sets a key.
pub fn variable_of_key(key: &Key) -> String {
    format!("{PREFIX}{}", key.path.replace('.', "_").to_uppercase())
}

fn path_of_variable(name: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX)?.to_lowercase();
    let in_section = SECTIONS.into_iter().find_map(|section| {
        let key = rest.strip_prefix(section)?.strip_prefix('_')?;
        Some(format!("{section}.{key}"))
    });
    in_section.or_else(|| key_of(&rest).is_some().then_some(rest))
}

fn entry_of_text(
    path: String,
    text: &str,
    origin: Origin,
    problems: &mut Vec<ConfigProblem>,
) -> Option<Entry> {
    match key_of(&path) {
        Some(key) => {
            Some(Entry { key, spelled: path, value: value_from_text(key.kind, text), origin })
        }
        None => {
            problems.push(unknown_key(path, origin));
            None
        }
    }
}

fn entry(key: &'static Key, spelled: String, node: Node, origin: Origin) -> Entry {
    Entry { key, spelled, value: node.content.into_value(), origin }
}

fn unknown_key(path: String, origin: Origin) -> ConfigProblem {
    let hint = hint_for_unknown(&path);
    ConfigProblem {
        keys: vec![shortened(path)],
        origins: vec![origin],
        found: "an unknown key".to_owned(),
        allowed: "a key of docs/configuration.md".to_owned(),
        hint,
    }
}

/// What is unknown at the top level and holds a table was meant for a section.
fn unknown(path: String, node: &Node, origin: Origin) -> ConfigProblem {
    if path.contains('.') || !matches!(node.content, Content::Table(_)) {
        return unknown_key(path, origin);
    }
    let hint = hint_for_section(&path);
    ConfigProblem {
        keys: vec![shortened(path)],
        origins: vec![origin],
        found: "an unknown section".to_owned(),
        allowed: listed(&SECTIONS.map(str::to_owned)),
        hint,
    }
}

/// Notes a problem, unless there are so many that the source is no configuration at all.
fn note(problems: &mut Vec<ConfigProblem>, problem: impl FnOnce() -> ConfigProblem) {
    if problems.len() < MAX_PROBLEMS {
        problems.push(problem());
    }
}

/// A name for a message; nobody means a key with a name of a page.
fn shortened(name: String) -> String {
    match name.char_indices().nth(MAX_NAME_CHARS) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name,
    }
}

/// Drops what is given twice, under one name or two, and says so, unless two names agree.
fn without_repetitions(entries: Vec<Entry>, problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        let Some(first) = kept.iter().find(|other| other.key.path == entry.key.path) else {
            kept.push(entry);
            continue;
        };
        if first.spelled != entry.spelled && first.value == entry.value {
            continue;
        }
        let is_alias = first.spelled != entry.key.path || entry.spelled != entry.key.path;
        note(problems, || ConfigProblem {
            keys: vec![first.spelled.clone(), entry.spelled],
            origins: vec![first.origin.clone(), entry.origin],
            found: "the same key twice".to_owned(),
            allowed: "once".to_owned(),
            hint: is_alias.then(|| format!("its name is {}", entry.key.path)),
        });
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::read::{Format, parse_text};
    use super::*;

    fn of_yaml(text: &str) -> (Vec<String>, Vec<String>) {
        let origin = Origin::File { name: "a.yaml".to_owned(), line: None };
        let content = parse_text(text, Format::Yaml, &origin).expect("it is YAML");
        let mut problems = Vec::new();
        let entries = layer_of_tree(content, &origin, &mut problems);
        let shown = |entry: &Entry| format!("{}={} {}", entry.key.path, entry.value, entry.origin);
        (entries.iter().map(shown).collect(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn keys_aliases_and_dotted_keys() {
        let text = "profile: speed\ntraining:\n  clip_eps: 0.1\nagent.model: x\nreward:\n";
        let (entries, problems) = of_yaml(text);
        assert_eq!(
            entries,
            [
                "profile=\"speed\" file a.yaml:1",
                "training.clip_ratio=0.1 file a.yaml:3",
                "agent.model_name=\"x\" file a.yaml:4",
            ]
        );
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn what_is_unknown_or_given_twice_is_a_problem() {
        let text = "trainning: {seed: 1}\nseed: 1\ntraining:\n  kl_coef: 1\n  beta: 0\nagent: 5\n";
        let (entries, problems) = of_yaml(text);
        assert_eq!(entries.len(), 1);
        assert_eq!(
            problems,
            [
                "file a.yaml:1: trainning: found an unknown section, allowed is agent, environment, \
                 reward, training and evaluation: did you mean training?",
                "file a.yaml:2: seed: found an unknown key, allowed is a key of \
                 docs/configuration.md: it is training.seed",
                "file a.yaml:6: agent: found 5, allowed is a table of keys",
                "file a.yaml:4 and file a.yaml:5: training.kl_coef and training.beta: found the same \
                 key twice, allowed is once: its name is training.beta",
            ]
        );
        assert_eq!(of_yaml("- 1").1.len(), 1);
    }

    #[test]
    fn a_file_of_something_else_is_answered_soon() {
        let text: String = (0..20_000).map(|i| format!("unknown_key_{i}: 1\n")).collect();
        assert_eq!(of_yaml(&text).1.len(), MAX_PROBLEMS);
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        let variables = [
            ("STATESET_TRAINING_LEARNING_RATE", "1e-4"),
            ("STATESET_PROFILE", "balanced"),
            ("STATESET_TEST_DATA", "/data"),
            ("STATESET_TRAINING_LERNING_RATE", "1"),
            ("TRAINING_SEED", "1"),
        ];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let mut problems = Vec::new();
        let entries = layer_of_environment(&variables, &mut problems);
        assert_eq!(
            entries.iter().map(|entry| entry.key.path).collect::<Vec<_>>(),
            ["training.learning_rate", "profile"]
        );
        assert_eq!(problems.len(), 1);
        assert_eq!(variable_of_key(entries[0].key), "STATESET_TRAINING_LEARNING_RATE");
    }

    #[test]
    fn every_variable_finds_its_key() {
        for key in super::super::keys::all_keys() {
            assert_eq!(path_of_variable(&variable_of_key(key)).as_deref(), Some(key.path));
        }
    }
}
