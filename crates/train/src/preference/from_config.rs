//! A run on preferences from a resolved configuration.
//!
//! What the configuration calls a step of `prompts_per_step` pairs is one of so many examples here.
//! A reward model learns from pairs or from answers judged alone, whichever its file holds; every other
//! method says which kind it needs.

use std::path::Path;

use stateset_algo::{BradleyTerry, PreferenceMethod};

use super::data::PreferenceData;
use super::run::PreferenceRun;
use super::settings::{PreferenceGoal, PreferenceSettings};
use crate::TrainError;
use crate::config::{
    Method, PairEvaluation, PairLength, PairSettings, PreferenceLoss, Resolved, RunConfig,
};
use crate::model::ModelSource;
use crate::online::{check_same_config, lora_spec, new_run_folder, optimiser_step, run_to_resume};

impl PreferenceRun {
    /// The run that a configuration asks for: reads its data, and finds its folder.
    ///
    /// # Errors
    /// [`TrainError`] naming the file and the lines that cannot be used, where the method plays instead
    /// of learning from preferences, or where the run to go on with began with other settings.
    pub fn from_config(
        resolved: &Resolved,
        model: ModelSource,
    ) -> Result<PreferenceRun, TrainError> {
        let config = &resolved.config;
        let (goal, pairs) = method(config)?;
        if config.algorithm.reference_sync.is_some() {
            let name = &config.presets.algorithm;
            let message = format!(
                "training.sync_ref_model is true, but the reference of {name} stays as it was at the \
                 start; leave it out"
            );
            return Err(invalid(message));
        }
        let model = with_template(model, config)?;
        let data = read(&pairs.file, &goal)?;
        let (evaluation, share) = match &pairs.evaluation {
            PairEvaluation::File(file) => (Some(read(file, &goal)?), 0.0),
            PairEvaluation::HeldBack { share } => (None, *share),
        };
        let settings = settings(config, goal, pairs.length, share);
        let checkpoint = &config.checkpoint;
        let (folder, resume) = match &checkpoint.resume_from {
            Some(path) => run_to_resume(path)?,
            None => (new_run_folder(checkpoint)?, None),
        };
        if resume.is_some() {
            check_same_config(&folder, resolved)?;
        }
        Ok(PreferenceRun {
            evaluation,
            resume,
            overwrites: checkpoint.overwrites,
            config_toml: resolved.to_toml(),
            warnings: resolved.warnings.iter().map(ToString::to_string).collect(),
            ..PreferenceRun::new(settings, model, data, folder)
        })
    }
}

/// What is learned, and from what.
fn method(config: &RunConfig) -> Result<(PreferenceGoal, &PairSettings), TrainError> {
    match &config.algorithm.method {
        Method::Preference(settings) => {
            let method = match settings.loss.clone() {
                PreferenceLoss::Dpo(dpo) => PreferenceMethod::Dpo(dpo),
                PreferenceLoss::Cpo(cpo) => PreferenceMethod::Cpo(cpo),
                PreferenceLoss::Orpo(orpo) => PreferenceMethod::Orpo(orpo),
                PreferenceLoss::Kto(kto) => PreferenceMethod::Kto(kto),
            };
            Ok((PreferenceGoal::Policy(method), &settings.pairs))
        }
        Method::RewardModel(settings) => {
            let BradleyTerry { center_coef } = settings.loss;
            Ok((PreferenceGoal::RewardModel(BradleyTerry { center_coef }), &settings.pairs))
        }
        Method::Online(_) => {
            let name = &config.presets.algorithm;
            Err(invalid(format!("{name} learns from rollouts and not from pairs")))
        }
    }
}

fn read(file: &Path, goal: &PreferenceGoal) -> Result<PreferenceData, TrainError> {
    match goal {
        PreferenceGoal::Policy(method) => PreferenceData::read(file, method.takes_pairs()),
        PreferenceGoal::RewardModel(_) => PreferenceData::read_either(file),
    }
}

fn settings(
    config: &RunConfig,
    goal: PreferenceGoal,
    length: PairLength,
    evaluation_share: f64,
) -> PreferenceSettings {
    let head_learning_rate = match &goal {
        PreferenceGoal::RewardModel(_) => config.algorithm.critic.map(|head| head.learning_rate),
        PreferenceGoal::Policy(_) => None,
    };
    let (n_epochs, n_steps) = match length {
        PairLength::Epochs(n) => (n as f64, None),
        PairLength::Steps(n) => (1.0, Some(count(n))),
    };
    let evaluation = &config.evaluation;
    let every = evaluation.every_n_steps;
    let schedule = config.optimiser.schedule;
    // Patience is given in steps and counted in evaluations.
    let patience = config.early_stopping.map(|rule| {
        let per_evaluation = every.unwrap_or(1).max(1);
        count(rule.patience_steps.div_ceil(per_evaluation))
    });
    PreferenceSettings {
        n_epochs,
        n_steps,
        examples_per_step: config.steps.prompts_per_step,
        evaluation_share,
        evaluates_before: evaluation.before_training,
        evaluates_after: evaluation.after_training,
        evaluate_every_n_steps: every.map(count),
        patience,
        save_every_n_steps: config.checkpoint.every_n_steps.map(count),
        n_kept: config.checkpoint.n_kept,
        max_tokens: config.rollout.context_tokens,
        max_tokens_per_microbatch: config.compute.max_tokens_per_microbatch,
        recomputes: config.compute.recomputes_activations,
        adapters: lora_spec(config),
        optimiser: optimiser_step(config),
        head_learning_rate,
        shape: schedule.shape,
        warmup_ratio: config.optimiser.warmup_ratio.unwrap_or(0.0),
        warmup_steps: config.optimiser.warmup_ratio.is_none().then_some(schedule.warmup_steps),
        threads: config.compute.threads,
        seed: config.seed,
        ..PreferenceSettings::new(goal)
    }
}

/// The model with the template that the configuration names, if it names one.
fn with_template(model: ModelSource, config: &RunConfig) -> Result<ModelSource, TrainError> {
    let Some(path) = &config.agent.chat_template_path else { return Ok(model) };
    let template = std::fs::read(path).map_err(|e| TrainError::io("read", path, e))?;
    Ok(ModelSource { text: model.text.with_template(template), ..model })
}

/// Steps beyond what a counter holds are as good as never.
fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn invalid(message: String) -> TrainError {
    TrainError::Invalid { what: "prepare learning from preferences", message }
}
