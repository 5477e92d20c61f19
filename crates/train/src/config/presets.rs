//! Profiles, tasks and algorithms: named sets of values between the defaults and a person's own.
//!
//! They are data (`assets/presets.toml`). A model's overlay may bring tables of the same form, because
//! a profile's learning rate is right for large models only; they are laid over the general ones.

use std::collections::BTreeMap;

use super::layer::{Entry, layer_of_tree};
use super::origin::Origin;
use super::problem::ConfigProblem;
use super::read::{Content, Format, parse_text};

/// The presets that ship.
pub(super) const PRESETS: &str = include_str!("../../../../assets/presets.toml");

/// Which family a preset belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Profile,
    Task,
    Algorithm,
}

/// Presets by family and name.
#[derive(Debug, Default)]
pub(super) struct Presets(BTreeMap<(Family, String), Vec<Entry>>);

impl Family {
    /// Weakest first.
    pub(super) const ALL: [Family; 3] = [Family::Profile, Family::Task, Family::Algorithm];

    /// The key that names a preset, and the table that holds them.
    pub(super) fn path(self) -> &'static str {
        match self {
            Family::Profile => "profile",
            Family::Task => "task",
            Family::Algorithm => "algorithm",
        }
    }

    fn origin(self, name: String) -> Origin {
        match self {
            Family::Profile => Origin::Profile(name),
            Family::Task => Origin::Task(name),
            Family::Algorithm => Origin::Algorithm(name),
        }
    }
}

impl Presets {
    /// The presets that ship.
    pub(super) fn shipped(problems: &mut Vec<ConfigProblem>) -> Presets {
        let mut content = match parse_text(PRESETS, Format::Toml, &Origin::Default) {
            Ok(content) => content,
            Err(more) => {
                problems.extend(more);
                return Presets::default();
            }
        };
        Presets::take(&mut content, None, problems)
    }

    /// Takes the tables of presets out of a tree; `model` is whose they are.
    pub(super) fn take(
        content: &mut Content,
        model: Option<&str>,
        problems: &mut Vec<ConfigProblem>,
    ) -> Presets {
        let mut presets = Presets::default();
        let Content::Table(fields) = content else { return presets };
        for family in Family::ALL {
            let is_preset = |(name, node): &mut (String, super::read::Node)| {
                name == family.path() && matches!(node.content, Content::Table(_))
            };
            for (_, node) in fields.extract_if(.., is_preset) {
                let Content::Table(sets) = node.content else { continue };
                for (name, set) in sets {
                    let label = match model {
                        Some(model) => format!("{name} of {model}"),
                        None => name.clone(),
                    };
                    let entries = layer_of_tree(set.content, &family.origin(label), problems);
                    presets.0.insert((family, name), entries);
                }
            }
        }
        presets
    }

    /// The entries of one preset; none where there is no such preset.
    pub(super) fn entries(&self, family: Family, name: &str) -> &[Entry] {
        self.0.get(&(family, name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Every preset of a family by name, in alphabetical order.
    pub(super) fn of_family(&self, family: Family) -> impl Iterator<Item = (&str, &[Entry])> {
        let in_family = self.0.iter().filter(move |((other, _), _)| *other == family);
        in_family.map(|((_, name), entries)| (name.as_str(), entries.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{Effect, Kind};
    use super::super::lookup::key_of;
    use super::*;

    #[test]
    fn every_name_has_a_preset_and_every_preset_a_name() {
        let mut problems = Vec::new();
        let presets = Presets::shipped(&mut problems);
        assert_eq!(problems, []);
        for family in Family::ALL {
            let key = key_of(family.path()).expect("a key");
            let Kind::Choice { names, .. } = key.kind else { panic!("a choice") };
            let mut names = names.to_vec();
            names.sort_unstable();
            assert_eq!(presets.of_family(family).map(|(name, _)| name).collect::<Vec<_>>(), names);
        }
    }

    #[test]
    fn presets_hold_values_that_their_keys_allow() {
        let presets = Presets::shipped(&mut Vec::new());
        for entry in presets.0.values().flatten() {
            assert!(
                super::super::check::check(entry.key, entry.value.clone()).is_ok(),
                "{entry:?}"
            );
            assert!(matches!(entry.key.effect, Effect::Outcome | Effect::Operation), "{entry:?}");
        }
    }

    #[test]
    fn a_model_brings_its_own() {
        let text = "training.seed = 1\n[profile.aggressive.training]\nlearning_rate = 0.01\n";
        let mut content = parse_text(text, Format::Toml, &Origin::Default).expect("it is TOML");
        let presets = Presets::take(&mut content, Some("builtin:tiny"), &mut Vec::new());
        let entries = presets.entries(Family::Profile, "aggressive");
        assert_eq!(entries[0].origin.to_string(), "profile aggressive of builtin:tiny");
        let Content::Table(left) = content else { panic!("a table") };
        assert_eq!(left.len(), 1);
    }
}
