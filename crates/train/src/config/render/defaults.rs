//! The commented defaults, `assets/default.toml`.
//!
//! That file is where default values are written and edited. Its comments come from the table of
//! keys: [`default_toml`] writes the file anew from both, and a test compares.

use super::super::key::{Effect, Key};
use super::super::keys::all_keys;
use super::super::lookup::SECTIONS;
use super::super::sources::defaults;
use super::super::values::Values;
use super::toml_value::toml_value;

/// Columns of a comment.
const WIDTH: usize = 96;

const HEAD: &str = "\
# Every setting of a run with its default. Keys behind a comment sign have none.
# A configuration holds what should be different; `docs/configuration.md` tells how layers of values
# are laid over each other, and which further keys are accepted for compatibility.
";

/// The text of `assets/default.toml`: its values, with the comments that the table of keys has now.
pub fn default_toml() -> String {
    let values = Values::merge(defaults(&mut Vec::new()), &mut Vec::new());
    let mut text = HEAD.to_owned();
    for section in std::iter::once("").chain(SECTIONS) {
        if !section.is_empty() {
            text += &format!("\n[{section}]\n");
        }
        let is_here = |key: &&Key| {
            key.section() == section && matches!(key.effect, Effect::Outcome | Effect::Operation)
        };
        for key in all_keys().filter(is_here) {
            let value = values.set(key.path).map(|setting| toml_value(&setting.value));
            text += &paragraph(key, value);
        }
    }
    text
}

fn paragraph(key: &Key, value: Option<String>) -> String {
    let lines =
        wrapped(key.doc).into_iter().chain(wrapped(&format!("Allowed: {}.", key.allowed())));
    let comment: String = lines.map(|line| format!("# {line}\n")).collect();
    match value {
        Some(value) => format!("\n{comment}{} = {value}\n", key.name()),
        None => format!("\n{comment}# {} =\n", key.name()),
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].is_empty() {
            lines[last] = word.to_owned();
        } else if lines[last].chars().count() + 1 + word.chars().count() <= WIDTH {
            lines[last] += &format!(" {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_every_default_once() {
        let mut problems = Vec::new();
        let values = Values::merge(defaults(&mut problems), &mut problems);
        assert_eq!(problems, []);
        for key in all_keys() {
            let has_default = values.set(key.path).is_some();
            assert!(has_default || key.is_optional, "{} needs a default", key.path);
            let is_idle = matches!(key.effect, Effect::Accepted | Effect::Unavailable);
            assert!(!(has_default && is_idle), "{} does nothing", key.path);
        }
        assert_eq!(default_toml().matches("\ntemperature = ").count(), 2);
    }

    #[test]
    fn comments_are_wrapped() {
        let text = default_toml();
        let mut comments = text.lines().filter(|line| line.starts_with("# "));
        assert!(comments.all(|line| line.chars().count() <= 100));
        assert_eq!(wrapped("a b"), ["a b"]);
        assert_eq!(wrapped(&format!("a {}", "x".repeat(WIDTH))).len(), 2);
    }
}
