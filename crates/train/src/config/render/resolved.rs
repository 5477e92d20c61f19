//! A resolved configuration as a file: every value with its origin beside it.
//!
//! Read back as a configuration file it gives the same settings: every value is there, what a layer
//! unset is unset again, and of keys that say the same only the one that counted is written.

use super::super::key::{Effect, Key};
use super::super::lookup::SECTIONS;
use super::super::resolve::Resolved;
use super::super::values::Setting;
use super::toml_value::toml_value;

const HEAD: &str = "\
# Every setting of a run, with the layer that each value is from. As a configuration file it gives
# the same run again.
";

impl Resolved {
    /// The configuration in TOML, with a comment that says where each value is from.
    pub fn to_toml(&self) -> String {
        let mut text = format!("{HEAD}# Fingerprint {}\n\n", self.values.fingerprint());
        for section in std::iter::once("").chain(SECTIONS) {
            if !section.is_empty() {
                text += &format!("\n[{section}]\n");
            }
            for (key, setting) in self.values.iter().filter(|(key, _)| key.section() == section) {
                text += &line(key, setting);
            }
        }
        text
    }
}

fn line(key: &Key, setting: &Setting) -> String {
    let mut comment = setting.origin.to_string();
    if let Some(note) = &setting.note {
        comment += &format!(": {note}");
    }
    if setting.value.is_null() {
        comment += "; not set";
    }
    if matches!(key.effect, Effect::Accepted | Effect::Unavailable) {
        comment += "; without effect";
    }
    // A flag or a file name may hold anything, and a comment ends with its line.
    let comment: String = comment.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{} = {}  # {comment}\n", key.name(), toml_value(&setting.value))
}
