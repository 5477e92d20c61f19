//! The method of a run: what its name and its keys make.
//!
//! A name is a set of values for the keys (`assets/presets.toml`) and picks nothing by itself, but for
//! its family: rollouts, preferences, or a reward model. So every part of a named method can be
//! exchanged by a key. A key that the method does not read has no effect: where a person wrote it, that
//! is a warning, and it is not among the values of the run.

use std::sync::Arc;

use stateset_algo::{Algorithm, PolicyGradient};

use super::super::keys::{ALGORITHMS, method_keys};
use super::super::reader::Reader;
use super::critic::CriticSettings;
use super::preference::{self, PreferenceMethodSettings, RewardModelSettings};
use super::sampling_rules::{ReferenceSync, RolloutRules};
use super::{method_checks, online};

/// The method.
#[derive(Clone, Debug, PartialEq)]
pub struct AlgorithmSettings {
    /// The method, validated.
    pub method: Method,
    /// Rewards are cut to this distance from 0 first; infinite without rewards.
    pub reward_clip: f64,
    /// The model as it was at the start, where anything is compared with it: the penalty if its
    /// coefficient is above 0, otherwise a measurement.
    pub reference: Option<ReferenceModel>,
    /// How the reference follows the policy, if it does.
    pub reference_sync: Option<ReferenceSync>,
    /// The value function, where the method has one. Of a reward model, whose scores come from a head,
    /// the learning rate alone counts.
    pub critic: Option<CriticSettings>,
    /// Which rollouts are played.
    pub rollouts: RolloutRules,
    /// Settings are changed during the run where its health asks for it.
    pub auto_adjust: bool,
}

/// What is trained by.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a run has one of them")]
pub enum Method {
    /// Rollouts and their rewards.
    Online(PolicyGradient),
    /// Preferences between answers that are there already.
    Preference(PreferenceMethodSettings),
    /// Preferences, for a model that scores answers.
    RewardModel(RewardModelSettings),
}

impl Method {
    /// The method as a trainer of rollouts holds it; `None` where it learns from pairs.
    pub fn algorithm(&self) -> Option<Arc<dyn Algorithm>> {
        match self {
            Method::Online(method) => Some(Arc::new(method.clone())),
            Method::Preference(_) | Method::RewardModel(_) => None,
        }
    }

    /// True where rollouts are played.
    pub fn is_online(&self) -> bool {
        matches!(self, Method::Online(_))
    }
}

/// How the model is had as it was at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceModel {
    /// Adapters are trained, so it is the model without them; no memory.
    WithoutAdapters,
    /// All weights are trained, so it is a frozen copy of them.
    FrozenCopy,
}

const SYNC: &str = "training.sync_ref_model";

impl AlgorithmSettings {
    pub(in super::super) fn resolve(reader: &mut Reader) -> AlgorithmSettings {
        let name = method_name(reader);
        let settings = match name {
            "dpo" | "ipo" | "kto" | "orpo" | "simpo" | "cpo" => of_preferences(reader, name),
            "reward_model" => of_reward_model(reader),
            _ => of_rollouts(reader, name),
        };
        let pairs_file = std::iter::once("evaluation.pairs_file");
        let keys = method_keys().map(|key| key.path).chain(pairs_file);
        let message = match &settings.method {
            Method::Online(_) => format!(
                "no effect beside algorithm {name}, surrogate {} and advantage {}",
                reader.text("training.surrogate"),
                reader.text("training.advantage"),
            ),
            _ => format!("no effect on algorithm {name}"),
        };
        reader.drop_unread(keys, &message);
        settings
    }
}

/// The name as the table of keys has it.
fn method_name(reader: &Reader) -> &'static str {
    let name = reader.text("algorithm");
    // The key's choices are these names, so there always is one.
    ALGORITHMS.into_iter().find(|known| *known == name).unwrap_or(ALGORITHMS[0])
}

fn of_rollouts(reader: &mut Reader, name: &'static str) -> AlgorithmSettings {
    let method = online::resolve(reader, name);
    let critic = method.value.is_some().then(|| CriticSettings::resolve(reader, &method));
    let has_penalty = method.kl.is_on() || method.reward_kl_coef > 0.0;
    let is_compared = reader.bool("training.use_reference_model") || has_penalty;
    let reference = is_compared.then(|| reference(reader));
    let settings = AlgorithmSettings {
        reward_clip: reader.number("training.reward_clip"),
        reference,
        reference_sync: reference_sync(reader, reference),
        critic,
        rollouts: RolloutRules::resolve(reader),
        auto_adjust: reader.bool("training.auto_adjust"),
        method: Method::Online(method),
    };
    method_checks::check(reader, name, &settings);
    settings
}

fn of_preferences(reader: &mut Reader, name: &'static str) -> AlgorithmSettings {
    let settings = PreferenceMethodSettings::resolve(reader, name);
    let reference = settings.loss.wants_reference().then(|| reference(reader));
    let reference_sync = reference_sync(reader, reference);
    without_rollouts(reader, Method::Preference(settings), reference, reference_sync)
}

fn of_reward_model(reader: &mut Reader) -> AlgorithmSettings {
    let settings = RewardModelSettings::resolve(reader);
    let head = CriticSettings {
        learning_rate: reader.number("training.critic_learning_rate"),
        ..CriticSettings::default()
    };
    let settings = without_rollouts(reader, Method::RewardModel(settings), None, None);
    AlgorithmSettings { critic: Some(head), ..settings }
}

fn without_rollouts(
    reader: &mut Reader,
    method: Method,
    reference: Option<ReferenceModel>,
    reference_sync: Option<ReferenceSync>,
) -> AlgorithmSettings {
    preference::warn_of_rollouts(reader);
    AlgorithmSettings {
        method,
        reward_clip: f64::INFINITY,
        reference,
        reference_sync,
        critic: None,
        rollouts: RolloutRules::default(),
        auto_adjust: reader.bool("training.auto_adjust"),
    }
}

fn reference(reader: &Reader) -> ReferenceModel {
    match reader.bool("training.use_lora") {
        true => ReferenceModel::WithoutAdapters,
        false => ReferenceModel::FrozenCopy,
    }
}

fn reference_sync(reader: &mut Reader, reference: Option<ReferenceModel>) -> Option<ReferenceSync> {
    if !reader.bool(SYNC) {
        return None;
    }
    match reference {
        None => {
            let message = "no effect, because nothing is compared with a reference";
            reader.warn(&[SYNC], message);
            return None;
        }
        Some(ReferenceModel::WithoutAdapters) => {
            let paths = [SYNC, "training.use_lora"];
            let hint = "the reference is the model without its adapters and cannot move";
            reader.refuse(&paths, "both true", "sync_ref_model with use_lora false", hint);
        }
        Some(ReferenceModel::FrozenCopy) => {}
    }
    Some(ReferenceSync {
        every_steps: reader.count("training.ref_model_sync_steps"),
        mixup: reader.number("training.ref_model_mixup_alpha"),
    })
}
