//! The engine on the golden model, and what updates make of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use stateset_algo::{Algorithm, Controls, Preference, Schedule, ScheduleShape};
use stateset_core::{
    ConversationTurn, FinishReason, Message, PolicyVersion, RewardResult, RunSeed, Score,
    TokenTrace, Trajectory, TrajectoryGroup,
};
use stateset_nn::{
    OptimiserStep, RealDisk, SamplerSize, StoreType, Stretch, Tensors, TokenRow, Wants, save_model,
};
use stateset_train::config::ReferenceModel;
use stateset_train::{
    Batch, Engine, EngineSpec, EngineState, ModelSource, PreferenceBatch, SftRow, TrainingSpec,
    UpdateLimits, UpdatePlace, UpdateReport, UpdateSettings, preference_step, update,
};

use crate::Weights;
use crate::golden::{Case, Golden, Rollout, folder};

/// What updates did.
pub(crate) struct Trained {
    /// Metrics of each update.
    pub(crate) steps: Vec<BTreeMap<String, f64>>,
    /// Weights before the first.
    pub(crate) start: Weights,
    /// Weights after the last.
    pub(crate) end: Weights,
}

/// Updates on the golden rollouts, the i-th of `n_epochs[i]` passes.
pub(crate) fn train(
    golden: &Golden,
    case: &Case,
    algorithm: Arc<dyn Algorithm>,
    n_epochs: &[usize],
) -> Trained {
    let (reports, start, end) =
        train_within(golden, case, algorithm, n_epochs, UpdateLimits::default());
    Trained { steps: reports.into_iter().map(|report| report.metrics).collect(), start, end }
}

/// The same with limits to what is learned from: reports, weights before, weights after.
pub(crate) fn train_within(
    golden: &Golden,
    case: &Case,
    algorithm: Arc<dyn Algorithm>,
    n_epochs: &[usize],
    limits: UpdateLimits,
) -> (Vec<UpdateReport>, Weights, Weights) {
    let engine = start(case.settings.beta > 0.0);
    let batch = rollout_batch(golden, &case.old);
    let temp = tempfile::tempdir().unwrap();
    let (before, after) = (temp.path().join("before"), temp.path().join("after"));
    let settings: Vec<UpdateSettings> = n_epochs.iter().map(|n| settings(case, *n)).collect();
    let (first, last) = (before.clone(), after.clone());
    let job = move |state: &mut EngineState| {
        save(state, &first);
        let step = |(i, settings)| {
            let place = UpdatePlace {
                seed: RunSeed(7),
                step: i as u32,
                controls: Controls::default(),
                limits,
            };
            update(state, algorithm.as_ref(), &batch, settings, place).unwrap()
        };
        let reports: Vec<UpdateReport> = settings.iter().enumerate().map(step).collect();
        save(state, &last);
        reports
    };
    let reports = engine.run_blocking(job).unwrap();
    (reports, weights(&before), weights(&after))
}

/// Optimiser steps on all golden pairs.
pub(crate) fn train_on_pairs(
    golden: &Golden,
    case: &Case,
    algorithm: Arc<dyn Algorithm>,
    n_steps: usize,
) -> Trained {
    let engine = start(true);
    let row = |prompt: &[u32], completion: &[u32]| SftRow {
        tokens: [prompt, completion].concat(),
        mask: [vec![false; prompt.len()], vec![true; completion.len()]].concat(),
    };
    let mut batch = PreferenceBatch::new(false);
    for (i, pair) in golden.pairs.iter().enumerate() {
        let chosen = Preference::Chosen { margin: 0.0 };
        batch.push(i, chosen, &[row(&pair.prompt, &pair.chosen)]);
        batch.push(i, Preference::Rejected, &[row(&pair.prompt, &pair.rejected)]);
    }
    let optimiser = settings(case, 1).optimiser;
    let temp = tempfile::tempdir().unwrap();
    let (before, after) = (temp.path().join("before"), temp.path().join("after"));
    let (first, last) = (before.clone(), after.clone());
    let job = move |state: &mut EngineState| {
        save(state, &first);
        let mut steps = Vec::new();
        for _ in 0..n_steps {
            let done = preference_step(state, algorithm.as_ref(), &batch, optimiser).unwrap();
            let named = done.diagnostics.finish().into_iter();
            let mut named: BTreeMap<String, f64> =
                named.map(|(name, value)| (name.to_owned(), value)).collect();
            named.insert("gradient/norm".to_owned(), done.report.unwrap().grad_norm);
            steps.push(named);
        }
        save(state, &last);
        steps
    };
    let steps = engine.run_blocking(job).unwrap();
    Trained { steps, start: weights(&before), end: weights(&after) }
}

/// Log-probs of the completions' tokens by the model as it was read, one list a rollout.
pub(crate) fn old_logprobs(golden: &Golden, temperature: f32) -> Vec<Vec<f32>> {
    let ids = |r: &Rollout| [r.prompt.as_slice(), &r.completion].concat();
    let mask = |r: &Rollout| [vec![false; r.prompt.len()], vec![true; r.completion.len()]].concat();
    let rows: Vec<(Vec<u32>, Vec<bool>)> =
        golden.rollouts.iter().flatten().map(|r| (ids(r), mask(r))).collect();
    let job = move |state: &mut EngineState| {
        let rows: Vec<TokenRow<'_>> =
            rows.iter().map(|(tokens, mask)| TokenRow::new(tokens, mask)).collect();
        let EngineState { device, decoder, learner, policy, .. } = state;
        let learner = learner.as_mut().unwrap();
        let wants = Wants::default();
        learner.score(device.as_mut(), decoder, *policy, &rows, temperature, wants).unwrap()
    };
    let scores = start(false).run_blocking(job).unwrap();
    scores.into_iter().map(|row| row.logprobs).collect()
}

fn start(has_reference: bool) -> Engine {
    let fetch = |name: &str| panic!("nothing is to be downloaded, and {name} was asked for");
    let folder = folder();
    let model = ModelSource::open(folder.to_str().unwrap(), &fetch).unwrap();
    let spec = EngineSpec {
        threads: 1,
        path: stateset_nn::Path::best(),
        context: 64,
        sampler: SamplerSize { max_running: 1, max_rows: 16, cache_tokens: 64 },
        training: Some(TrainingSpec {
            // Less than the batch has, so that gradients of several micro-batches add up.
            max_tokens_per_microbatch: 32,
            recomputes: false,
            adapters: None,
            reference: has_reference.then_some(ReferenceModel::FrozenCopy),
            critic: None,
            moves_reference: false,
            seed: RunSeed(7),
            staleness: 0,
        }),
        scorer_tokens: None,
    };
    spec.start(model).unwrap()
}

fn settings(case: &Case, n_epochs: usize) -> UpdateSettings {
    let settings = &case.settings;
    UpdateSettings {
        temperature: settings.temperature,
        n_epochs,
        n_minibatches: 1,
        optimiser: OptimiserStep {
            learning_rate: settings.learning_rate,
            beta1: settings.beta1,
            beta2: settings.beta2,
            eps: settings.eps,
            weight_decay: settings.weight_decay,
            max_grad_norm: settings.max_grad_norm,
        },
        schedule: Schedule { shape: ScheduleShape::Constant, warmup_steps: 0, total_steps: 3 },
        success_reward: 1.0,
        critic: None,
        reference_sync: None,
    }
}

fn rollout_batch(golden: &Golden, old: &[Vec<f32>]) -> Batch {
    let mut old = old.iter();
    let mut trajectory = |rollout: &Rollout| {
        let mut trace = TokenTrace::new();
        trace.append_given(&rollout.prompt);
        let old = old.next().unwrap();
        trace.append_sampled(&rollout.completion, old, PolicyVersion(0)).unwrap();
        let is_whole = rollout.completion.last() == Some(&golden.eos);
        let finish = if is_whole { FinishReason::Stop } else { FinishReason::Length };
        let mut turn = ConversationTurn::new(Message::assistant("words"));
        turn.finish = Some(finish);
        Trajectory {
            trace,
            turns: vec![turn],
            reward: Some(RewardResult::single(Score::of(rollout.reward))),
            ..Trajectory::default()
        }
    };
    let mut group = |(i, rollouts): (usize, &Vec<Rollout>)| TrajectoryGroup {
        scenario_id: i.to_string(),
        trajectories: rollouts.iter().map(&mut trajectory).collect(),
    };
    let groups: Vec<TrajectoryGroup> = golden.rollouts.iter().enumerate().map(&mut group).collect();
    Batch::new(&groups)
}

fn save(state: &mut EngineState, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let base = state.policy.base;
    let device = RefCell::new(state.device.as_mut());
    let get = |offset, len| {
        let mut numbers = vec![0.0; len];
        device.borrow_mut().read(Stretch { buf: base, offset, len }, &mut numbers);
        numbers
    };
    let config = serde_json::json!({});
    save_model(&RealDisk, to, &config, &state.decoder.params, &get, StoreType::F32).unwrap();
}

fn weights(folder: &Path) -> Weights {
    let tensors = Tensors::open_folder(folder).unwrap();
    tensors.names().map(|name| (name.to_owned(), tensors.read(name).unwrap())).collect()
}
