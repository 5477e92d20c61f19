//! The reference of all keys, `docs/configuration.md`, made from the table and the presets.

use super::super::key::{Effect, Key};
use super::super::keys::all_keys;
use super::super::layer::{Entry, variable_of_key};
use super::super::lookup::{SECTIONS, key_of};
use super::super::presets::{Family, Presets};
use super::super::sources::defaults;
use super::super::values::Values;
use super::toml_value::toml_value;

const HEAD: &str = include_str!("reference_head.md");

/// The text of `docs/configuration.md`.
pub fn reference_markdown() -> String {
    let values = Values::merge(defaults(&mut Vec::new()), &mut Vec::new());
    let mut text = HEAD.to_owned();
    text += &presets();
    text += "\n## Keys\n";
    for section in std::iter::once("").chain(SECTIONS) {
        text += &match section {
            "" => "\n### Top level\n".to_owned(),
            section => format!("\n### `{section}`\n"),
        };
        let is_used = |key: &&Key| {
            key.section() == section && matches!(key.effect, Effect::Outcome | Effect::Operation)
        };
        text += "\n| key | default | meaning |\n|---|---|---|\n";
        text.extend(all_keys().filter(is_used).map(|key| row(key, &values)));
    }
    text += ACCEPTED;
    let is_idle = |key: &&Key| matches!(key.effect, Effect::Accepted | Effect::Unavailable);
    text.extend(all_keys().filter(is_idle).map(idle_row));
    text
}

const ACCEPTED: &str = "
## Keys for compatibility

These are read because configurations in circulation have them. *Accepted* keys do nothing here and
are named in one warning; *off only* keys belong to something that is not there, so any value that
would turn it on is refused.

| key | | why |
|---|---|---|
";

fn row(key: &Key, values: &Values) -> String {
    let default = match values.set(key.path) {
        Some(setting) => format!("`{}`", toml_value(&setting.value)),
        None => "not set".to_owned(),
    };
    let mut meaning = format!("{} Allowed: {}.", key.doc, key.allowed());
    if !key.aliases.is_empty() {
        let aliases: Vec<String> = key.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        meaning += &format!(" Also: {}.", aliases.join(", "));
    }
    let resumes = if key.effect == Effect::Operation { "" } else { " \\*" };
    format!("| `{}`{resumes} | {default} | {meaning} |\n", key.name())
}

fn idle_row(key: &Key) -> String {
    let what = if key.effect == Effect::Accepted { "accepted" } else { "off only" };
    format!("| `{}` | {what} | {} |\n", key.path, key.doc)
}

fn presets() -> String {
    let presets = Presets::shipped(&mut Vec::new());
    let mut text = String::new();
    for family in Family::ALL {
        let Some(key) = key_of(family.path()) else { continue };
        let variable = variable_of_key(key);
        text += &format!("\n### `{}`\n\n{} Its variable is `{variable}`.\n", key.path, key.doc);
        text += "\n| name | values |\n|---|---|\n";
        for (name, entries) in presets.of_family(family) {
            let set: Vec<String> = entries.iter().map(assignment).collect();
            let set = if set.is_empty() { "the defaults".to_owned() } else { set.join(", ") };
            text += &format!("| `{name}` | {set} |\n");
        }
    }
    text
}

fn assignment(entry: &Entry) -> String {
    format!("`{} = {}`", entry.key.name(), toml_value(&entry.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_row() {
        let text = reference_markdown();
        let n_rows = text.lines().filter(|line| line.starts_with("| `")).count();
        let presets = Presets::shipped(&mut Vec::new());
        let n_presets: usize =
            Family::ALL.into_iter().map(|family| presets.of_family(family).count()).sum();
        assert_eq!(n_rows, all_keys().count() + n_presets);
    }
}
