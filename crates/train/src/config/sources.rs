//! Where a configuration comes from, and the layers that makes, weakest first.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::check;
use super::layer::{Entry, Flag, layer_of_environment, layer_of_flags, layer_of_tree};
use super::origin::Origin;
use super::presets::{Family, Presets};
use super::problem::ConfigProblem;
use super::read::{ConfigFile, Content, Format, parse_text};

/// The defaults that ship.
pub(super) const DEFAULTS: &str = include_str!("../../../../assets/default.toml");

/// Everything a configuration is made of, beside what ships.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigSources {
    /// What the model brings along.
    pub overlay: Option<ModelOverlay>,
    /// The configuration file.
    pub file: Option<ConfigFile>,
    /// Environment variables; those that are no keys are passed over.
    pub environment: Vec<(String, String)>,
    /// Flags, in the order in which they were given.
    pub flags: Vec<Flag>,
}

/// Values that suit a model: a configuration in TOML, which may also hold tables such as
/// `[profile.aggressive.training]` that are laid over the presets of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelOverlay {
    /// The model, for messages.
    pub model: String,
    /// The values.
    pub toml: String,
}

/// The model that `sources` ask for, so that its overlay can be found. Problems are not reported
/// here; [`super::resolve()`] does.
pub fn model_name(sources: &ConfigSources) -> String {
    let without_overlay = ConfigSources { overlay: None, ..sources.clone() };
    let layers = layers(&without_overlay, &mut Vec::new());
    let named = layers.iter().filter(|entry| entry.key.path == "agent.model_name");
    let mut texts = named.filter_map(|entry| check(entry.key, entry.value.clone()).ok());
    texts.next_back().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Every value that the sources and presets give, weakest layer first.
pub(super) fn layers(sources: &ConfigSources, problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    let mut layers = defaults(problems);
    let (overlay, models_presets) = match &sources.overlay {
        Some(overlay) => read_overlay(overlay, problems),
        None => (Vec::new(), Presets::default()),
    };
    layers.extend(overlay);

    let mut own = sources.file.as_ref().map_or(Vec::new(), |file| read_file(file, problems));
    own.extend(layer_of_environment(&sources.environment, problems));
    own.extend(layer_of_flags(&sources.flags, problems));

    let shipped = Presets::shipped(problems);
    let names = preset_names(layers.iter().chain(&own));
    for (family, name) in &names {
        layers.extend_from_slice(shipped.entries(*family, name));
        layers.extend_from_slice(models_presets.entries(*family, name));
    }
    layers.extend(own);
    layers
}

/// The defaults that ship.
pub(super) fn defaults(problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    entries_of(parse_text(DEFAULTS, Format::Toml, &Origin::Default), &Origin::Default, problems)
}

/// The preset of each family that is asked for, by the strongest layer that names one.
fn preset_names<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeMap<Family, String> {
    let mut names = BTreeMap::new();
    for entry in entries {
        let family = Family::ALL.into_iter().find(|family| family.path() == entry.key.path);
        let (Some(family), Ok(value)) = (family, check(entry.key, entry.value.clone())) else {
            continue;
        };
        match value {
            Value::String(name) => names.insert(family, name),
            _ => names.remove(&family),
        };
    }
    names
}

fn read_overlay(
    overlay: &ModelOverlay,
    problems: &mut Vec<ConfigProblem>,
) -> (Vec<Entry>, Presets) {
    let origin = Origin::Model(overlay.model.clone());
    match parse_text(&overlay.toml, Format::Toml, &origin) {
        Ok(mut content) => {
            let presets = Presets::take(&mut content, Some(&overlay.model), problems);
            (layer_of_tree(content, &origin, problems), presets)
        }
        Err(more) => {
            problems.extend(more);
            (Vec::new(), Presets::default())
        }
    }
}

fn read_file(file: &ConfigFile, problems: &mut Vec<ConfigProblem>) -> Vec<Entry> {
    entries_of(file.parse(), &Origin::File { name: file.name.clone(), line: None }, problems)
}

fn entries_of(
    content: Result<Content, Vec<ConfigProblem>>,
    origin: &Origin,
    problems: &mut Vec<ConfigProblem>,
) -> Vec<Entry> {
    match content {
        Ok(content) => layer_of_tree(content, origin, problems),
        Err(more) => {
            problems.extend(more);
            Vec::new()
        }
    }
}
