//! Methods that learn from preferences: the loss, and where the pairs are.
//!
//! A step is `prompts_per_step` pairs ([`super::StepSettings`]); how many steps a run has is known once
//! the file has been read, unless `max_steps` says it.

use std::path::PathBuf;

use stateset_algo::{
    BradleyTerry, Cpo, CpoLoss, Dpo, DpoLoss, FDivergence, Kto, KtoLoss, Orpo, Problem,
    WeightedLoss,
};

use super::super::reader::Reader;

/// A preference method.
#[derive(Clone, Debug, PartialEq)]
pub struct PreferenceMethodSettings {
    /// The loss, validated.
    pub loss: PreferenceLoss,
    /// What it learns from.
    pub pairs: PairSettings,
}

/// A reward model's method.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardModelSettings {
    /// The loss, validated.
    pub loss: BradleyTerry,
    /// What it learns from.
    pub pairs: PairSettings,
}

/// The families of preference losses.
#[derive(Clone, Debug, PartialEq)]
pub enum PreferenceLoss {
    /// Pairs, against a reference.
    Dpo(Dpo),
    /// Pairs, without a reference: CPO and SimPO.
    Cpo(Cpo),
    /// Pairs, by their odds.
    Orpo(Orpo),
    /// Answers that are judged alone.
    Kto(Kto),
}

/// Pairs to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct PairSettings {
    /// The file.
    pub file: PathBuf,
    /// What is evaluated on.
    pub evaluation: PairEvaluation,
    /// How long the run is.
    pub length: PairLength,
}

/// Pairs to evaluate on.
#[derive(Clone, Debug, PartialEq)]
pub enum PairEvaluation {
    /// A file of their own.
    File(PathBuf),
    /// Those that are kept back from training.
    HeldBack {
        /// Share of the pairs, 0 to 0.9.
        share: f64,
    },
}

/// How long a run on pairs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairLength {
    /// Passes over the pairs, 1 or more.
    Epochs(u64),
    /// Optimiser steps, 1 or more.
    Steps(u64),
}

const FILE: &str = "training.pairs_file";
const OWN_FILE: &str = "evaluation.pairs_file";
const LOSS: &str = "training.preference_loss";
const WEIGHTS: &str = "training.preference_loss_weights";
const BETA: &str = "training.beta";
const SMOOTHING: &str = "training.label_smoothing";
const STEPS: &str = "training.max_steps";
const EPOCHS: &str = "training.num_train_epochs";

/// Keys that say what is played and rewarded; their defaults do no harm here.
const PLAYED: [&str; 17] = [
    "environment.scenario_set",
    "environment.scenarios",
    "environment.scenarios_file",
    "environment.prompts",
    "environment.prompts_file",
    "environment.domain",
    "environment.tools_file",
    "environment.persona",
    "environment.end_at_farewell",
    "environment.end_at_goal",
    "environment.end_at_satisfaction",
    "reward.spec",
    "reward.weights",
    "reward.write_preferences",
    "evaluation.num_episodes",
    "evaluation.num_generations",
    "training.temperature",
];

/// Keys of the steps of rollouts.
const STEPPED: [&str; 4] = [
    "training.num_episodes",
    "training.num_generations",
    "training.num_iterations",
    "training.num_minibatches",
];

impl PreferenceLoss {
    /// True where log-probs are compared with those of a reference.
    pub fn wants_reference(&self) -> bool {
        match self {
            PreferenceLoss::Dpo(dpo) => !dpo.reference_free,
            PreferenceLoss::Kto(_) => true,
            PreferenceLoss::Cpo(_) | PreferenceLoss::Orpo(_) => false,
        }
    }

    fn validate(&self) -> Vec<Problem> {
        match self {
            PreferenceLoss::Dpo(dpo) => dpo.validate(),
            PreferenceLoss::Cpo(cpo) => cpo.validate(),
            PreferenceLoss::Orpo(orpo) => orpo.validate(),
            PreferenceLoss::Kto(kto) => kto.validate(),
        }
    }
}

impl PreferenceMethodSettings {
    pub(super) fn resolve(reader: &mut Reader, name: &str) -> PreferenceMethodSettings {
        let loss = match name {
            "kto" => PreferenceLoss::Kto(kto(reader)),
            "orpo" => PreferenceLoss::Orpo(Orpo { beta: reader.number(BETA) }),
            "simpo" | "cpo" => PreferenceLoss::Cpo(cpo(reader)),
            _ => PreferenceLoss::Dpo(dpo(reader)),
        };
        for problem in loss.validate() {
            refuse(reader, &problem);
        }
        PreferenceMethodSettings { loss, pairs: PairSettings::resolve(reader) }
    }
}

impl RewardModelSettings {
    pub(super) fn resolve(reader: &mut Reader) -> RewardModelSettings {
        let center_coef = reader.number("training.center_rewards_coefficient");
        RewardModelSettings {
            loss: BradleyTerry { center_coef },
            pairs: PairSettings::resolve(reader),
        }
    }
}

impl PairSettings {
    fn resolve(reader: &mut Reader) -> PairSettings {
        let file = reader.optional_path(FILE);
        if file.is_none() {
            let name = reader.text("algorithm").to_owned();
            let found = format!("{name} without pairs");
            let allowed = format!("{FILE} with {name}");
            let hint = "it learns from a file of preferences and plays nothing";
            reader.refuse(&["algorithm"], found, allowed, hint);
        }
        let evaluation = match reader.optional_path(OWN_FILE) {
            Some(file) => PairEvaluation::File(file),
            None => PairEvaluation::HeldBack { share: reader.number("evaluation.split_size") },
        };
        PairSettings { file: file.unwrap_or_default(), evaluation, length: length(reader) }
    }
}

/// Passes or steps, whichever the stronger layer gives.
fn length(reader: &mut Reader) -> PairLength {
    let strongest = reader.values.strongest(&[STEPS, EPOCHS]);
    let (n_steps, n_epochs) = (reader.optional_count(STEPS), reader.count(EPOCHS));
    if strongest.len() > 1 {
        let hint = "leave one of them out";
        reader.refuse(&strongest, "both", "one of them", hint);
    }
    match n_steps.filter(|_| strongest.contains(&STEPS)) {
        Some(n_steps) => {
            reader.values.forget(EPOCHS);
            PairLength::Steps(n_steps)
        }
        None => {
            reader.values.forget(STEPS);
            PairLength::Epochs(n_epochs)
        }
    }
}

/// Warns of what belongs to rollouts, and forgets what only they would read.
pub(super) fn warn_of_rollouts(reader: &mut Reader) {
    let message = "no effect on a method that learns from pairs";
    let played: Vec<&'static str> = PLAYED.into_iter().filter(|path| reader.is_own(path)).collect();
    if !played.is_empty() {
        reader.warn(&played, message);
    }
    reader.drop_unread(STEPPED.into_iter(), message);
}

fn dpo(reader: &mut Reader) -> Dpo {
    let mut losses = Vec::new();
    let mut weights = reader.object(WEIGHTS);
    for name in names(reader, "sigmoid") {
        match name.parse::<DpoLoss>() {
            Ok(loss) => {
                let weight = weights.remove(&name).and_then(|weight| weight.as_f64());
                losses.push(WeightedLoss { loss, weight: weight.unwrap_or(1.0) });
            }
            Err(problem) => refuse(reader, &problem),
        }
    }
    if let Some(name) = weights.keys().next() {
        let hint = "give weights by the names in preference_loss";
        reader.refuse(&[WEIGHTS, LOSS], name.clone(), "losses of preference_loss", hint);
    }
    if losses.is_empty() {
        // The list was empty, or every name is a problem already.
        losses = Dpo::default().losses;
    }
    let is_blend = losses.iter().any(|weighted| weighted.loss == DpoLoss::Discopop);
    let default = Dpo::default();
    Dpo {
        losses,
        beta: reader.number(BETA),
        label_smoothing: reader.number(SMOOTHING),
        f_divergence: f_divergence(reader),
        ld_alpha: reader.optional_number("training.ld_alpha"),
        use_weighting: reader.bool("training.use_weighting"),
        discopop_tau: match is_blend {
            true => reader.number("training.discopop_tau"),
            false => default.discopop_tau,
        },
        reference_free: reader.bool("training.reference_free"),
    }
}

fn f_divergence(reader: &Reader) -> FDivergence {
    match reader.text("training.f_divergence_type") {
        "forward_kl" => FDivergence::ForwardKl,
        "js_divergence" => FDivergence::JensenShannon,
        "alpha_divergence" => {
            FDivergence::Alpha { coef: reader.number("training.f_alpha_divergence_coef") }
        }
        _ => FDivergence::ReverseKl,
    }
}

fn cpo(reader: &mut Reader) -> Cpo {
    let default = Cpo::default();
    let loss = only_name(reader, "sigmoid").parse::<CpoLoss>();
    let loss = loss.unwrap_or_else(|problem| {
        refuse(reader, &problem);
        CpoLoss::default()
    });
    Cpo {
        loss,
        beta: reader.number(BETA),
        label_smoothing: reader.number(SMOOTHING),
        cpo_alpha: reader.number("training.cpo_alpha"),
        simpo_gamma: match loss {
            CpoLoss::Simpo => reader.number("training.simpo_gamma"),
            _ => default.simpo_gamma,
        },
        alpha: reader.number("training.alphapo_alpha"),
    }
}

fn kto(reader: &mut Reader) -> Kto {
    let loss = only_name(reader, "kto").parse::<KtoLoss>();
    let loss = loss.unwrap_or_else(|problem| {
        refuse(reader, &problem);
        KtoLoss::default()
    });
    Kto {
        loss,
        beta: reader.number(BETA),
        desirable_weight: reader.number("training.desirable_weight"),
        undesirable_weight: reader.number("training.undesirable_weight"),
    }
}

fn names(reader: &Reader, usual: &str) -> Vec<String> {
    let names = reader.texts(LOSS);
    if names.is_empty() { vec![usual.to_owned()] } else { names }
}

fn only_name(reader: &mut Reader, usual: &str) -> String {
    let names = names(reader, usual);
    if names.len() > 1 {
        let hint = "only dpo adds losses up";
        reader.refuse(&[LOSS, "algorithm"], names.join(", "), "one loss", hint);
    }
    names.into_iter().next().unwrap_or_default()
}

/// A problem of the loss's own check, in words of the configuration.
fn refuse(reader: &mut Reader, problem: &Problem) {
    let paths: &[&'static str] = match problem.key {
        "loss_type" | "losses" => &[LOSS, "algorithm"],
        "loss_weights" => &[WEIGHTS],
        "beta" => &[BETA, "algorithm"],
        "label_smoothing" => &[SMOOTHING, LOSS],
        "f_divergence" => &["training.f_divergence_type", LOSS],
        "reference_free" => &["training.reference_free", "training.f_divergence_type"],
        "use_weighting" => &["training.use_weighting", LOSS],
        "desirable_weight" => &["training.desirable_weight", "training.undesirable_weight"],
        _ => &["algorithm"],
    };
    reader.refuse(paths, problem.found.to_lowercase(), problem.allowed, problem.hint);
}
