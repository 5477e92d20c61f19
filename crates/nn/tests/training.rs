//! Contract of the learner:
//!
//! 1. adapters as PEFT has them: logits, gradients, folders in and out; switched off they leave the
//!    base untouched, with B = 0 they change no bit;
//! 2. partition into micro-batches changes the gradient by rounding only; chunks of the head and
//!    recomputation change nothing;
//! 3. a gradient that is not finite changes no weight and is reported;
//! 4. a stored trainer state continues exactly; one of another model is refused.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Golden, Model, golden, load};
use stateset_core::RunSeed;
use stateset_nn::*;

fn fast() -> Box<dyn Backend> {
    Box::new(Cpu::new(Path::best()))
}

/// A model with adapters on it.
fn adapted(folder: &str, layout_of: impl Fn(&ParamLayout) -> (AdapterLayout, Vec<f32>)) -> Model {
    let plain = load(&golden("families/llama"), fast(), 224);
    let (layout, set) = layout_of(&plain.decoder.params);
    let mut device = plain.device;
    let decoder = Decoder::new(
        device.as_mut(),
        plain.decoder.family,
        plain.decoder.config.clone(),
        Some(layout),
        224,
    )
    .unwrap_or_else(|error| panic!("{folder}: {error}"));
    let buf = device.alloc(set.len());
    device.write(Stretch::of(buf, set.len()), &set);
    Model { device, decoder, weights: WeightSet { adapters: Some(buf), ..plain.weights } }
}

fn all_masks(sequences: &[Vec<u32>]) -> Vec<Vec<bool>> {
    sequences.iter().map(|s| (0..s.len()).map(|i| i > 0).collect()).collect()
}

fn rows<'a>(sequences: &'a [Vec<u32>], masks: &'a [Vec<bool>]) -> Vec<TokenRow<'a>> {
    sequences.iter().zip(masks).map(|(tokens, mask)| TokenRow::new(tokens, mask)).collect()
}

/// Gradient of minus the mean log-prob, over `n` tokens.
fn mean_nll(n: usize) -> impl Fn(&[RowScores]) -> Vec<RowGradients> + Copy {
    move |scores| {
        let of = |score: &RowScores| RowGradients {
            logprobs: vec![-1.0 / n as f32; score.logprobs.len()],
            ..RowGradients::default()
        };
        scores.iter().map(of).collect()
    }
}

fn n_next(sequences: &[Vec<u32>]) -> usize {
    sequences.iter().map(|s| s.len() - 1).sum()
}

#[test]
fn adapters_are_those_of_peft() {
    for name in ["lora", "rslora"] {
        let folder = golden("lora").join(name);
        let golden = Golden::open(&folder.join("golden.safetensors"));
        let files = AdapterFiles::open(&folder).unwrap();
        let mut model = adapted(name, |params| files.read(params).unwrap());
        let sequences = golden.sequences();
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let mut learner = Learner::new(device, decoder, model.weights, 64, false);
        let mut scorer = Scorer::new(device, decoder, PassKind::Forward, 64);
        let mut logits = Vec::new();
        for sequence in &sequences {
            logits.extend(scorer.logits(device, decoder, model.weights, sequence).unwrap());
        }
        for (a, b) in logits.iter().zip(golden.floats("logits")) {
            assert!((a - b).abs() < 1e-4, "{name}: {a} and {b}");
        }
        let masks = all_masks(&sequences);
        let loss = mean_nll(n_next(&sequences));
        let rows = rows(&sequences, &masks);
        learner.forward_backward(device, decoder, &rows, 1.0, Wants::default(), loss).unwrap();
        let gradient = learner.gradient(device);

        // The gradient has the adapters' layout, so saving it names each part as PEFT does.
        let layout = decoder.adapters.as_ref().unwrap();
        let out = tempfile::tempdir().unwrap();
        save_adapter(&RealDisk, out.path(), "base", layout, &gradient).unwrap();
        let ours = Golden::open(&out.path().join("adapter_model.safetensors"));
        let names: Vec<String> = ours.tensors().names().iter().map(|n| n.to_string()).collect();
        assert!(names.len() >= 6);
        for tensor in names {
            let theirs = golden.floats(&format!("grad.{tensor}"));
            let largest = theirs.iter().fold(0f32, |m, x| m.max(x.abs()));
            for (a, b) in ours.floats(&tensor).iter().zip(&theirs) {
                assert!((a - b).abs() <= 1e-3 * largest, "{name}, {tensor}: {a} and {b}");
            }
        }
    }
}

#[test]
fn adapter_folders_survive_the_disk() {
    let files = AdapterFiles::open(&golden("lora/rslora")).unwrap();
    let model = load(&golden("families/llama"), fast(), 224);
    let (layout, set) = files.read(&model.decoder.params).unwrap();
    let out = tempfile::tempdir().unwrap();
    let hash = save_adapter(&RealDisk, out.path(), "base", &layout, &set).unwrap();
    let again = AdapterFiles::open(out.path()).unwrap();
    assert_eq!(again.base_model.as_deref(), Some("base"));
    let (layout_again, set_again) = again.read(&model.decoder.params).unwrap();
    assert_eq!(layout_again.adapters(), layout.adapters());
    assert_eq!(layout_again.spec.scale(), layout.spec.scale());
    assert_eq!(set_again, set);
    assert_eq!(save_adapter(&RealDisk, out.path(), "base", &layout, &set).unwrap(), hash);
}

#[test]
fn fresh_adapters_change_no_bit_and_the_base_is_never_trained() {
    let spec = LoraSpec { rank: 4, alpha: 8.0, is_rank_stabilised: false, targets: Vec::new() };
    let mut model = adapted("fresh", |params| {
        let layout = AdapterLayout::new(params, spec.clone()).unwrap();
        let set = layout.initial(RunSeed(1));
        (layout, set)
    });
    let sequences = vec![(0..40).collect::<Vec<u32>>(), vec![3, 1, 4, 1, 5, 9, 2, 6]];
    let masks = all_masks(&sequences);
    let rows = rows(&sequences, &masks);
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut learner = Learner::new(device, decoder, model.weights, 64, true);
    let off = WeightSet { adapters: None, ..model.weights };
    let score = |device: &mut dyn Backend, learner: &mut Learner, set| {
        learner.score(device, decoder, set, &rows, 1.0, Wants::default()).unwrap()
    };
    let before = score(device, &mut learner, off);
    assert_eq!(score(device, &mut learner, model.weights), before);
    for _ in 0..5 {
        let loss = mean_nll(n_next(&sequences));
        learner.forward_backward(device, decoder, &rows, 1.0, Wants::default(), loss).unwrap();
        let report = learner.step(device, decoder, settings(1e-2));
        assert!(report.grad_norm > 0.0 && !report.is_skipped);
    }
    assert_eq!(score(device, &mut learner, off), before);
    let sum = |scores: &[RowScores]| scores.iter().flat_map(|s| &s.logprobs).sum::<f32>();
    let after = score(device, &mut learner, model.weights);
    assert!(sum(&after) > sum(&before) + 1.0, "{} {}", sum(&after), sum(&before));
}

fn settings(learning_rate: f64) -> OptimiserStep {
    OptimiserStep {
        learning_rate,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.0,
        max_grad_norm: 1.0,
    }
}

#[test]
fn unknown_targets_are_named() {
    let model = load(&golden("families/llama"), fast(), 224);
    let spec = |targets: &[&str]| LoraSpec {
        rank: 4,
        alpha: 8.0,
        is_rank_stabilised: false,
        targets: targets.iter().map(|t| t.to_string()).collect(),
    };
    let error =
        AdapterLayout::new(&model.decoder.params, spec(&["q_prj"])).unwrap_err().to_string();
    assert!(error.contains("q_prj") && error.contains("q_proj"), "{error}");
    let zero = LoraSpec { rank: 0, ..spec(&["q_proj"]) };
    assert!(AdapterLayout::new(&model.decoder.params, zero).is_err());
}

#[test]
fn partition_changes_the_gradient_by_rounding_only() {
    let mut model = load(&golden("families/gemma3"), fast(), 224);
    let sequences: Vec<Vec<u32>> =
        (0..6).map(|i| (0..10 + 5 * i).map(|t| (t * 11 + i) % 60 + 1).collect()).collect();
    let masks = all_masks(&sequences);
    let rows = rows(&sequences, &masks);
    let loss = mean_nll(n_next(&sequences));
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut gradient = |parts: &[(usize, usize)], recomputes| {
        let mut learner = Learner::new(device, decoder, model.weights, 512, recomputes);
        for part in parts {
            let rows = &rows[part.0..part.1];
            learner.forward_backward(device, decoder, rows, 0.8, Wants::default(), loss).unwrap();
        }
        learner.gradient(device)
    };
    let all = [(0, rows.len())];
    let whole = gradient(&all, false);
    assert_eq!(whole, gradient(&all, true));
    let largest = whole.iter().fold(0f32, |m, x| m.max(x.abs()));
    for parts in [vec![(0, 2), (2, 6)], (0..6).map(|i| (i, i + 1)).collect()] {
        for (a, b) in whole.iter().zip(gradient(&parts, false)) {
            assert!((a - b).abs() < 1e-5 * largest, "{a} and {b}");
        }
    }
}

#[test]
fn a_gradient_that_is_not_finite_is_dropped() {
    let mut model = load(&golden("families/llama"), fast(), 224);
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    let sequences = vec![(1..20).collect::<Vec<u32>>()];
    let masks = all_masks(&sequences);
    let rows = rows(&sequences, &masks);
    let before = learner.trained(device);
    let spoiled = |scores: &[RowScores]| {
        let mut gradients = mean_nll(19)(scores);
        gradients[0].logprobs[3] = f32::NAN;
        gradients
    };
    learner.forward_backward(device, decoder, &rows, 1.0, Wants::default(), spoiled).unwrap();
    let report = learner.step(device, decoder, settings(1e-2));
    assert!(report.is_skipped && report.grad_norm.is_nan());
    assert_eq!(learner.trained(device), before);
    assert_eq!(learner.n_steps(), 0);
    // What was dropped does not come back with the next step.
    learner.forward_backward(device, decoder, &rows, 1.0, Wants::default(), mean_nll(19)).unwrap();
    assert!(!learner.step(device, decoder, settings(1e-2)).is_skipped);
    assert_ne!(learner.trained(device), before);
}

#[test]
fn a_stored_state_continues_exactly() {
    let sequences = vec![(1..30).collect::<Vec<u32>>(), vec![7; 12]];
    let masks = all_masks(&sequences);
    let step = |model: &mut Model, learner: &mut Learner| {
        let rows = rows(&sequences, &masks);
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let loss = mean_nll(n_next(&sequences));
        learner.forward_backward(device, decoder, &rows, 1.0, Wants::default(), loss).unwrap();
        learner.step(device, decoder, settings(3e-3));
    };
    let start = || {
        let mut model = load(&golden("families/qwen2"), fast(), 224);
        let learner = Learner::new(model.device.as_mut(), &model.decoder, model.weights, 64, false);
        (model, learner)
    };
    let (mut model, mut learner) = start();
    (0..3).for_each(|_| step(&mut model, &mut learner));
    let weights = learner.trained(model.device.as_mut());
    let state = OptimiserState {
        step: learner.n_steps(),
        m: learner.moment(model.device.as_mut(), Moment::First),
        v: learner.moment(model.device.as_mut(), Moment::Second),
    };
    (0..3).for_each(|_| step(&mut model, &mut learner));
    let expected = learner.trained(model.device.as_mut());

    let (mut model, mut learner) = start();
    learner.restore(model.device.as_mut(), &weights, &state).unwrap();
    (0..3).for_each(|_| step(&mut model, &mut learner));
    assert!(learner.trained(model.device.as_mut()) == expected);
    assert_eq!(learner.n_steps(), 6);

    let error = learner.restore(model.device.as_mut(), &weights[1..], &state).unwrap_err();
    assert!(error.to_string().contains("numbers"), "{error}");
}

#[test]
fn malformed_rows_are_refused() {
    let mut model = load(&golden("families/llama"), fast(), 64);
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut scorer = Scorer::new(device, decoder, PassKind::Forward, 50);
    let mut error = |tokens: &[u32], mask: &[bool]| {
        let row = TokenRow::new(tokens, mask);
        let result = scorer.score(device, decoder, model.weights, &[row], 1.0, Wants::default());
        result.unwrap_err().to_string()
    };
    assert!(error(&[1, 2], &[false]).contains("marks"));
    assert!(error(&[1, 2], &[true, true]).contains("first token"));
    assert!(error(&[1, 97], &[false, true]).contains("97"));
    let (long, mask) = (vec![1; 60], [vec![false], vec![true; 59]].concat());
    assert!(error(&long, &mask).contains("50"));
    let (long, mask) = (vec![1; 70], [vec![false], vec![true; 69]].concat());
    assert!(error(&long, &mask).contains("64"));
    let row = TokenRow::new(&[1, 2], &[false, false]);
    let empty =
        scorer.score(device, decoder, model.weights, &[row], 1.0, Wants::default()).unwrap();
    assert_eq!(empty, [RowScores::default()]);
}
