//! Contract of value heads and critics:
//!
//! 1. values and gradients are those of torch with a linear map on transformers' final states, on both
//!    backends, at the ends of rows too; central differences agree;
//! 2. a critic gives the bits that a learner with logits gives, and one thread those of two;
//! 3. a head that is not asked changes no bit of anything else;
//! 4. a head that stops its gradient leaves the weights below as they are;
//! 5. the head's gradient counts in the norm; it has a learning rate of its own;
//! 6. policy and critic on one engine do not touch each other;
//! 7. folders hold all a critic is; damaged ones are named.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Model, golden, load};
use serde_json::Value;
use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_nn::*;

fn backends() -> [Box<dyn Backend>; 2] {
    [Box::new(Plain::default()), Box::new(Cpu::new(Path::best()))]
}

fn llama() -> Model {
    load(&golden("families/llama"), Box::new(Cpu::new(Path::best())), 224)
}

fn floats(list: &Value) -> Vec<f32> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

fn normals(n: usize, salt: u32) -> Vec<f32> {
    let key = StreamKey { step: salt, ..StreamKey::default() };
    let mut stream = RunSeed(5).stream(Purpose::Data, key);
    (0..n).map(|_| stream.normal() as f32).collect()
}

fn settings(learning_rate: f64) -> OptimiserStep {
    OptimiserStep {
        learning_rate,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.0,
        max_grad_norm: f64::INFINITY,
    }
}

const SHARED: ValueHeadSpec =
    ValueHeadSpec { init_std: 0.1, seed: RunSeed(4), stops_gradient: false };
const BOTH: Wants = Wants { logprobs: true, moments: false, values: true };

struct Rows {
    tokens: Vec<Vec<u32>>,
    masks: Vec<Vec<bool>>,
}

impl Rows {
    /// Three sequences of which some tokens are wanted.
    fn new() -> Rows {
        let tokens: Vec<Vec<u32>> =
            (0..3u32).map(|i| (0..9 + 4 * i).map(|t| (t * 7 + i * 3) % 60 + 1).collect()).collect();
        let masks =
            tokens.iter().map(|s| (0..s.len()).map(|i| i > 2 && i % 4 != 1).collect()).collect();
        Rows { tokens, masks }
    }

    fn get(&self) -> Vec<TokenRow<'_>> {
        let pairs = self.tokens.iter().zip(&self.masks).enumerate();
        pairs.map(|(i, (tokens, mask))| TokenRow { tokens, mask, wants_end: i != 1 }).collect()
    }
}

/// A linear loss with fixed random coefficients: its value, and its gradients.
fn linear_loss(scores: &[RowScores]) -> (f64, Vec<RowGradients>) {
    let mut value = 0.0;
    let mut gradients = Vec::new();
    for (i, row) in scores.iter().enumerate() {
        let values = normals(row.values.len(), i as u32);
        let logprobs: Vec<f32> = normals(row.logprobs.len(), 100 + i as u32);
        let pairs = row.values.iter().zip(&values).chain(row.logprobs.iter().zip(&logprobs));
        value += pairs.map(|(x, c)| f64::from(*x) * f64::from(*c)).sum::<f64>();
        gradients.push(RowGradients { values, logprobs, ..RowGradients::default() });
    }
    (value, gradients)
}

fn gradients_only(scores: &[RowScores]) -> Vec<RowGradients> {
    linear_loss(scores).1
}

#[test]
fn values_and_gradients_are_those_of_torch() {
    let file = std::fs::read(golden("value_head.json")).unwrap();
    let all: Value = serde_json::from_slice(&file).unwrap();
    for (name, theirs) in all["variants"].as_object().unwrap() {
        let folder = golden("families").join(name);
        let sequences = common::Golden::open(&folder.join("golden.safetensors")).sequences();
        let targets: Vec<Vec<f32>> =
            theirs["targets"].as_array().unwrap().iter().map(floats).collect();
        for (which, device) in backends().into_iter().enumerate() {
            let what = format!("{name} on backend {which}");
            let mut model = load(&folder, device, 224);
            let (device, decoder) = (model.device.as_mut(), &model.decoder);
            let mut learner = Learner::new(device, decoder, model.weights, 64, which == 1);
            let head = learner.add_value_head(device, decoder, ValueHeadSpec::default());
            head.write(device, &floats(&theirs["head"])).unwrap();
            let masks: Vec<Vec<bool>> =
                sequences.iter().map(|s| (0..s.len()).map(|i| i > 0).collect()).collect();
            let rows: Vec<TokenRow<'_>> =
                sequences.iter().zip(&masks).map(|(t, m)| TokenRow::new(t, m).with_end()).collect();
            let (n_states, n_tokens) = (targets.concat().len() as f32, masks.concat().len() - 3);
            let loss = |scores: &[RowScores]| {
                let of = |(i, row): (usize, &RowScores)| {
                    let expected = floats(&theirs["values"][i]);
                    for (a, b) in row.values.iter().zip(&expected) {
                        assert!((a - b).abs() < 1e-4, "{what}: value {a} and {b}");
                    }
                    assert_eq!(row.values.len(), expected.len());
                    let pairs = row.values.iter().zip(&targets[i]);
                    RowGradients {
                        values: pairs.map(|(v, t)| (v - t) / n_states).collect(),
                        logprobs: vec![-0.3 / n_tokens as f32; row.logprobs.len()],
                        ..RowGradients::default()
                    }
                };
                scores.iter().enumerate().map(of).collect()
            };
            learner.forward_backward(device, decoder, &rows, 1.0, BOTH, loss).unwrap();
            compare(&what, &theirs["shared"], device, decoder, &learner);

            learner.clear_gradient(device);
            let nothing: Vec<Vec<bool>> = sequences.iter().map(|s| vec![false; s.len()]).collect();
            let ends: Vec<TokenRow<'_>> =
                (0..2).map(|i| TokenRow::new(&sequences[i], &nothing[i]).with_end()).collect();
            learner
                .forward_backward(device, decoder, &ends, 1.0, Wants::VALUES, bradley_terry)
                .unwrap();
            compare(&format!("pairs of {what}"), &theirs["pair"], device, decoder, &learner);
        }
    }
}

/// Gradient of -log sigmoid(end of the first - end of the second), for rows in pairs.
fn bradley_terry(scores: &[RowScores]) -> Vec<RowGradients> {
    let mut gradients = Vec::new();
    for pair in scores.chunks_exact(2) {
        let margin = pair[0].values[0] - pair[1].values[0];
        let slope = 1.0 / (1.0 + margin.exp());
        for d in [-slope, slope] {
            gradients.push(RowGradients { values: vec![d], ..RowGradients::default() });
        }
    }
    gradients
}

fn compare(
    what: &str,
    theirs: &Value,
    device: &mut dyn Backend,
    decoder: &Decoder,
    learner: &Learner,
) {
    let head = learner.value_head_gradient(device);
    let expected = floats(&theirs["head"]);
    let largest = expected.iter().fold(0f32, |m, x| m.max(x.abs()));
    assert_eq!(head.len(), expected.len());
    for (a, b) in head.iter().zip(&expected) {
        assert!((a - b).abs() <= 1e-3 * largest, "{what}, head: {a} and {b}");
    }
    let ours = learner.gradient(device);
    let mut compared = 0;
    for param in decoder.params.params() {
        let mut offset = param.offset;
        for piece in &param.pieces {
            let rows = piece.rows.unwrap_or(if param.is_matrix { param.rows } else { param.cols });
            let cols = if param.is_matrix { param.cols } else { 1 };
            let mine = &ours[offset..offset + rows * cols];
            offset += rows * cols;
            let their = &theirs["model"][&piece.name];
            if their.is_null() {
                // The output map, which values do not reach.
                assert_eq!(param.slot, Slot::Head, "{what}: no gradient of {}", piece.name);
                assert!(mine.iter().all(|x| *x == 0.0));
                continue;
            }
            let norm = mine.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
            let expected = their["norm"].as_f64().unwrap();
            let name = &piece.name;
            assert!((norm - expected).abs() <= 1e-3 * expected, "{what}, {name}: {norm}");
            let places = their["places"].as_array().unwrap();
            for (place, b) in places.iter().zip(floats(&their["samples"])) {
                let i = place.as_u64().unwrap() as usize;
                let i = if piece.is_turned { (i % rows) * cols + i / rows } else { i };
                let error = f64::from((mine[i] - b).abs());
                assert!(error <= 1e-3 * expected, "{what}, {name}: {} and {b}", mine[i]);
            }
            compared += 1;
        }
    }
    assert!(compared > 10, "{what}: {compared}");
}

#[test]
fn central_differences_agree() {
    for device in backends() {
        let mut model = load(&golden("families/llama"), device, 224);
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let mut learner = Learner::new(device, decoder, model.weights, 64, false);
        let head = learner.add_value_head(device, decoder, SHARED);
        let rows = Rows::new();
        let rows = rows.get();
        let loss = gradients_only;
        learner.forward_backward(device, decoder, &rows, 0.8, BOTH, loss).unwrap();
        let (gradient, head_gradient) =
            (learner.gradient(device), learner.value_head_gradient(device));
        let (trained, numbers) = (learner.trained(device), head.read(device));
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        for salt in 0..3 {
            let direction = normals(trained.len(), 500 + salt);
            let head_direction = normals(numbers.len(), 600 + salt);
            let mut at = |step: f32| {
                learner.add_to_trained(device, &direction, step).unwrap();
                let moved = numbers.iter().zip(&head_direction).map(|(x, d)| x + step * d);
                head.write(device, &moved.collect::<Vec<_>>()).unwrap();
                let scores = learner.score(device, decoder, model.weights, &rows, 0.8, BOTH);
                learner.set_trained(device, &trained).unwrap();
                linear_loss(&scores.unwrap()).0
            };
            let h = 2e-4;
            let difference = (at(h) - at(-h)) / (2.0 * f64::from(h));
            let slope = dot(&gradient, &direction) + dot(&head_gradient, &head_direction);
            let scale = slope.abs().max(10.0);
            assert!((difference - slope).abs() < 1e-2 * scale, "{difference} and {slope}");
        }
        assert_eq!(learner.trained(device), trained);
    }
}

#[test]
fn the_end_is_the_state_before_one_more_token() {
    let mut model = llama();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut scorer = Scorer::without_logits(device, decoder, PassKind::Forward, 64);
    let head = ValueHead::new(device, decoder, SHARED);
    scorer.set_value_head(device, head);
    let rows = Rows::new();
    let longer: Vec<(Vec<u32>, Vec<bool>)> = rows
        .tokens
        .iter()
        .zip(&rows.masks)
        .map(|(t, m)| ([t.as_slice(), &[9]].concat(), [m.as_slice(), &[true]].concat()))
        .collect();
    let longer: Vec<TokenRow<'_>> = longer.iter().map(|(t, m)| TokenRow::new(t, m)).collect();
    let mut values = |rows: &[TokenRow<'_>]| {
        scorer.score(device, decoder, model.weights, rows, 1.0, Wants::VALUES).unwrap()
    };
    let ends = values(&rows.get());
    let before = values(&longer);
    for ((row, ends), before) in rows.get().iter().zip(&ends).zip(&before) {
        assert_eq!(ends.values.len(), row.n_states());
        assert!(ends.logprobs.is_empty());
        assert_eq!(ends.values, before.values[..row.n_states()]);
    }
    // Alone, a row has the values that it has among others.
    for (row, all) in rows.get().into_iter().zip(&ends) {
        assert_eq!(&values(&[row])[0], all);
    }
}

#[test]
fn a_critic_has_the_bits_of_a_learner_and_one_thread_those_of_two() {
    let run = |threads: usize, full: bool| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = llama();
            let (device, decoder) = (model.device.as_mut(), &model.decoder);
            let weights = model.weights;
            let mut critic = Critic::new(device, decoder, weights, 64, false, SHARED);
            let rows = Rows::new();
            let rows = rows.get();
            if full {
                let mut learner = Learner::new(device, decoder, weights, 64, false);
                let head = learner.add_value_head(device, decoder, SHARED);
                let scores = learner.score(device, decoder, weights, &rows, 1.0, BOTH).unwrap();
                let values: Vec<Vec<f32>> = scores.into_iter().map(|row| row.values).collect();
                for _ in 0..3 {
                    learner
                        .forward_backward(
                            device,
                            decoder,
                            &rows,
                            1.0,
                            Wants::VALUES,
                            gradients_only,
                        )
                        .unwrap();
                    learner.step(device, decoder, settings(1e-2));
                }
                return (values, learner.trained(device), head.read(device));
            }
            let values = critic.values(device, decoder, &rows).unwrap();
            for _ in 0..3 {
                critic.forward_backward(device, decoder, &rows, gradients_only).unwrap();
                critic.step(device, decoder, settings(1e-2));
            }
            let head = critic.learner().value_head().unwrap();
            (values, critic.learner().trained(device), head.read(device))
        })
    };
    let expected = run(2, true);
    assert!(run(2, false) == expected);
    assert!(run(1, false) == expected);
    assert!(run(1, true) == expected);
}

#[test]
fn a_head_that_is_not_asked_changes_no_bit() {
    let run = |has_head: bool| {
        let mut model = llama();
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let mut learner = Learner::new(device, decoder, model.weights, 64, false);
        let head = has_head.then(|| learner.add_value_head(device, decoder, SHARED));
        let rows = Rows::new();
        // Without the ends, which the other learner could not use.
        let rows: Vec<TokenRow<'_>> =
            rows.get().iter().map(|row| TokenRow::new(row.tokens, row.mask)).collect();
        let before = head.map(|head| head.read(device));
        let mut norms = Vec::new();
        for _ in 0..3 {
            let wants = Wants { moments: true, ..Wants::default() };
            learner.forward_backward(device, decoder, &rows, 0.7, wants, gradients_only).unwrap();
            norms.push(learner.step(device, decoder, settings(1e-2)));
        }
        assert_eq!(head.map(|head| head.read(device)), before);
        (learner.trained(device), norms)
    };
    assert!(run(true) == run(false));
}

#[test]
fn a_head_that_stops_its_gradient_teaches_nothing_below() {
    let mut model = llama();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let spec = ValueHeadSpec { stops_gradient: true, ..SHARED };
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    let head = learner.add_value_head(device, decoder, spec);
    let rows = Rows::new();
    let rows = rows.get();
    let before = (learner.trained(device), head.read(device));
    learner.forward_backward(device, decoder, &rows, 1.0, Wants::VALUES, gradients_only).unwrap();
    assert!(learner.gradient(device).iter().all(|x| *x == 0.0));
    // Not even by decay, which would pull at a model that is shared.
    let decaying = OptimiserStep { weight_decay: 0.1, max_grad_norm: 1.0, ..settings(1e-2) };
    let report = learner.step(device, decoder, decaying);
    assert_eq!(report.grad_norm, 0.0);
    assert!(report.value_head_norm > 0.0 && !report.is_skipped);
    assert!(learner.trained(device) == before.0);
    assert_ne!(head.read(device), before.1);

    // Beside log-probs, the weights below get the gradient of these alone.
    let gradient = |learner: &mut Learner, device: &mut dyn Backend, wants| {
        learner.clear_gradient(device);
        learner.forward_backward(device, decoder, &rows, 1.0, wants, gradients_only).unwrap();
        learner.gradient(device)
    };
    let both = gradient(&mut learner, device, BOTH);
    assert!(both == gradient(&mut learner, device, Wants::default()));
    assert!(both.iter().any(|x| *x != 0.0));
}

#[test]
fn the_head_counts_in_the_norm_and_has_its_own_rate() {
    let mut model = llama();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    // From zeros, no gradient reaches the weights below.
    let head = learner.add_value_head(device, decoder, ValueHeadSpec::default());
    assert!(head.read(device).iter().all(|x| *x == 0.0));
    let rows = Rows::new();
    let rows = rows.get();
    let values = Wants::VALUES;
    learner.forward_backward(device, decoder, &rows, 1.0, values, gradients_only).unwrap();
    let report = learner.step_with_head_rate(device, decoder, settings(1e-3), 1e-2);
    assert_eq!(report.grad_norm, report.value_head_norm);
    // The first step of Adam is the rate with the gradient's sign.
    for x in head.read(device) {
        assert!((x.abs() - 1e-2).abs() < 1e-6, "{x}");
    }
    learner.forward_backward(device, decoder, &rows, 1.0, BOTH, gradients_only).unwrap();
    let sum = |x: Vec<f32>| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let (below, of_head) =
        (sum(learner.gradient(device)), sum(learner.value_head_gradient(device)));
    let before = head.read(device);
    let report = learner.step_with_head_rate(device, decoder, settings(1e-3), 0.0);
    assert!((report.grad_norm - (below + of_head).sqrt()).abs() < 1e-5 * report.grad_norm);
    assert!((report.value_head_norm - of_head.sqrt()).abs() < 1e-5 * report.grad_norm);
    assert_eq!(head.read(device), before);
    assert!(learner.value_head_gradient(device).iter().all(|x| *x == 0.0));

    // What is not finite in the head alone still drops the whole step.
    let trained = learner.trained(device);
    let spoiled = |scores: &[RowScores]| {
        let mut gradients = gradients_only(scores);
        gradients[0].values[0] = f32::INFINITY;
        gradients
    };
    learner.forward_backward(device, decoder, &rows, 1.0, values, spoiled).unwrap();
    assert!(learner.step(device, decoder, settings(1e-3)).is_skipped);
    assert!(learner.trained(device) == trained && head.read(device) == before);
}

#[test]
fn first_weights_are_drawn_from_the_seed() {
    let mut model = llama();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut draw = |seed, init_std| {
        let spec = ValueHeadSpec { seed: RunSeed(seed), init_std, stops_gradient: false };
        ValueHead::new(device, decoder, spec).read(device)
    };
    let one = draw(1, 0.2);
    assert_eq!(one, draw(1, 0.2));
    assert_ne!(one, draw(2, 0.2));
    let (bias, weights) = one.split_last().unwrap();
    let mean_square = weights.iter().map(|x| x * x).sum::<f32>() / weights.len() as f32;
    assert!(*bias == 0.0 && (0.1..0.3).contains(&mean_square.sqrt()), "{mean_square}");
}

#[test]
fn what_is_missing_is_said() {
    let mut model = llama();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let rows = Rows::new();
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    let weights = model.weights;
    let error = learner.score(device, decoder, weights, &rows.get(), 1.0, BOTH).unwrap_err();
    assert!(error.to_string().contains("no value head"), "{error}");
    let mut scorer = Scorer::without_logits(device, decoder, PassKind::Forward, 64);
    let error =
        scorer.score(device, decoder, weights, &rows.get(), 1.0, Wants::default()).unwrap_err();
    assert!(error.to_string().contains("critic"), "{error}");
    assert!(scorer.logits(device, decoder, weights, &[1, 2]).is_err());
    let mut critic = Critic::new(device, decoder, weights, 64, false, SHARED);
    let empty = TokenRow::new(&[], &[]).with_end();
    let error = critic.values(device, decoder, &[empty]).unwrap_err();
    assert!(error.to_string().contains("no tokens"), "{error}");
    let one = TokenRow::new(&[7], &[false]).with_end();
    assert_eq!(critic.values(device, decoder, &[one]).unwrap()[0].len(), 1);
    let nothing = TokenRow::new(&[7, 8], &[false, false]);
    assert_eq!(critic.values(device, decoder, &[nothing]).unwrap(), [Vec::<f32>::new()]);
    let long = vec![1; 65];
    let mask = vec![false; 65];
    let error = critic.values(device, decoder, &[TokenRow::new(&long, &mask).with_end()]);
    assert!(error.unwrap_err().to_string().contains("65"));
    let error = Critic::with_adapters(device, decoder, weights, &[0.0], 64, false, SHARED);
    assert!(error.unwrap_err().to_string().contains("adapters"));
}

/// A decoder with adapters on it, and the policy's set of them.
fn adapted() -> (Model, Vec<f32>) {
    let plain = llama();
    let spec = LoraSpec { rank: 4, alpha: 8.0, is_rank_stabilised: false, targets: Vec::new() };
    let layout = AdapterLayout::new(&plain.decoder.params, spec).unwrap();
    let set = layout.initial(RunSeed(1));
    let mut device = plain.device;
    let (family, config) = (plain.decoder.family, plain.decoder.config.clone());
    let decoder = Decoder::new(device.as_mut(), family, config, Some(layout), 224).unwrap();
    let buf = device.alloc(set.len());
    device.write(Stretch::of(buf, set.len()), &set);
    (Model { device, decoder, weights: WeightSet { adapters: Some(buf), ..plain.weights } }, set)
}

#[test]
fn policy_and_critic_leave_each_other_alone_and_the_critic_learns() {
    for has_adapters in [false, true] {
        let (mut model, set) = adapted();
        if !has_adapters {
            model = llama();
        }
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let policy = model.weights;
        let mut learner = Learner::new(device, decoder, policy, 64, false);
        let mut critic = match has_adapters {
            true => Critic::with_adapters(device, decoder, policy, &set, 64, false, SHARED),
            false => Ok(Critic::from_policy(device, decoder, policy, 64, false, SHARED)),
        }
        .unwrap();
        let (weights, passes, optimiser) =
            Critic::numbers(decoder, has_adapters, 64, false, SHARED);
        assert_eq!(weights, critic.learner().n_trained());
        let (with_logits, _) = Learner::numbers(decoder, has_adapters, 64, false);
        assert_eq!(with_logits - passes, 64 * decoder.config.vocab_size);
        assert!(optimiser > 3 * weights);

        // A reward model: what ends with token 5 is better than what ends with 6.
        let pairs: Vec<Vec<u32>> = (0..8)
            .map(|i| [vec![1 + i % 3, 20 + i / 2, 30 + i / 2], vec![5 + i % 2]].concat())
            .collect();
        let mask = [false; 4];
        let rows: Vec<TokenRow<'_>> =
            pairs.iter().map(|tokens| TokenRow::new(tokens, &mask).with_end()).collect();
        let all = Rows::new();
        let score = |device: &mut dyn Backend, learner: &mut Learner| {
            learner.score(device, decoder, policy, &all.get(), 1.0, Wants::default()).unwrap()
        };
        let before = score(device, &mut learner);
        for _ in 0..20 {
            critic.forward_backward(device, decoder, &rows, bradley_terry).unwrap();
            critic.step(device, decoder, settings(1e-2));
        }
        assert!(score(device, &mut learner) == before);
        let values = critic.values(device, decoder, &rows).unwrap();
        for pair in values.chunks_exact(2) {
            assert!(pair[0][0] > pair[1][0] + 1.0, "{pair:?}");
        }
        learner
            .forward_backward(device, decoder, &all.get(), 1.0, Wants::default(), gradients_only)
            .unwrap();
        learner.step(device, decoder, settings(1e-2));
        assert!(score(device, &mut learner) != before);
        assert!(critic.values(device, decoder, &rows).unwrap() == values);
    }
}

#[test]
fn folders_hold_all_a_critic_is() {
    for has_adapters in [false, true] {
        let build = || {
            let (mut model, set) = adapted();
            if !has_adapters {
                model = llama();
            }
            let (device, decoder) = (model.device.as_mut(), &model.decoder);
            let policy = model.weights;
            let critic = match has_adapters {
                true => Critic::with_adapters(device, decoder, policy, &set, 64, false, SHARED),
                false => Ok(Critic::from_policy(device, decoder, policy, 64, false, SHARED)),
            };
            (model, critic.unwrap())
        };
        let rows = Rows::new();
        let train = |model: &mut Model, critic: &mut Critic| {
            let (device, decoder) = (model.device.as_mut(), &model.decoder);
            for _ in 0..3 {
                critic.forward_backward(device, decoder, &rows.get(), gradients_only).unwrap();
                critic.step(device, decoder, settings(1e-2));
            }
            critic.values(device, decoder, &rows.get()).unwrap()
        };
        let (mut model, mut critic) = build();
        let saved_values = train(&mut model, &mut critic);
        let out = tempfile::tempdir().unwrap();
        let config = ModelFiles::open(&golden("families/llama")).unwrap().config;
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        save_critic(&RealDisk, out.path(), &config, "base", device, decoder, &critic).unwrap();
        let expected = train(&mut model, &mut critic);

        let (mut model, mut critic) = build();
        restore_critic(out.path(), model.device.as_mut(), &model.decoder, &mut critic).unwrap();
        let device = model.device.as_mut();
        assert!(critic.values(device, &model.decoder, &rows.get()).unwrap() == saved_values);
        assert!(train(&mut model, &mut critic) == expected);
        assert_eq!(critic.learner().value_head_steps(), 6);

        if !has_adapters {
            // As a reward model: the folder is a model, and a head beside it.
            let mut model = load(out.path(), Box::new(Cpu::new(Path::best())), 224);
            let (device, decoder) = (model.device.as_mut(), &model.decoder);
            let mut scorer = Scorer::without_logits(device, decoder, PassKind::Forward, 64);
            let head = ValueHead::new(device, decoder, ValueHeadSpec::default());
            let hidden_size = decoder.config.hidden_size;
            head.write(device, &load_value_head(out.path(), hidden_size).unwrap()).unwrap();
            scorer.set_value_head(device, head);
            let scores =
                scorer.score(device, decoder, model.weights, &rows.get(), 1.0, Wants::VALUES);
            let values: Vec<Vec<f32>> = scores.unwrap().into_iter().map(|row| row.values).collect();
            assert!(values == saved_values);
        }
    }
}

#[test]
fn a_head_alone_learns_on_weights_that_are_not_its_own() {
    let spec = ValueHeadSpec { stops_gradient: true, ..SHARED };
    let mut model = llama();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    let head = learner.add_value_head(device, decoder, spec);
    let mut critic = Critic::new(device, decoder, model.weights, 64, false, spec);
    let (_, passes, optimiser) = Critic::numbers(decoder, false, 64, false, spec);
    let (_, training_passes, all) = Critic::numbers(decoder, false, 64, false, SHARED);
    assert!(passes < training_passes / 2 && optimiser + 3 * decoder.params.len() == all);
    assert_eq!(critic.learner().n_trained(), 0);
    let before = learner.trained(device);
    let rows = Rows::new();
    let rows = rows.get();
    for _ in 0..3 {
        critic.forward_backward(device, decoder, &rows, gradients_only).unwrap();
        learner
            .forward_backward(device, decoder, &rows, 1.0, Wants::VALUES, gradients_only)
            .unwrap();
        let report = critic.step(device, decoder, settings(1e-2));
        assert_eq!(report, learner.step(device, decoder, settings(1e-2)));
    }
    let trained = critic.learner().value_head().unwrap().read(device);
    assert!(trained == head.read(device));
    assert!(learner.trained(device) == before);

    let out = tempfile::tempdir().unwrap();
    save_critic(&RealDisk, out.path(), &Value::Null, "", device, decoder, &critic).unwrap();
    let mut again = Critic::new(device, decoder, model.weights, 64, false, spec);
    restore_critic(out.path(), device, decoder, &mut again).unwrap();
    assert_eq!(again.learner().value_head_steps(), 3);
    let values = critic.values(device, decoder, &rows).unwrap();
    assert!(again.values(device, decoder, &rows).unwrap() == values);
}

#[test]
fn damaged_heads_are_named() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join(VALUE_HEAD_FILE);
    let error = |hidden_size| load_value_head(out.path(), hidden_size).unwrap_err().to_string();
    assert!(error(3).contains(VALUE_HEAD_FILE));
    let numbers = [0.5, -1.0, 2.0, 7.0];
    let hash = save_value_head(&RealDisk, out.path(), &numbers).unwrap();
    assert_eq!(save_value_head(&RealDisk, out.path(), &numbers).unwrap(), hash);
    assert_eq!(load_value_head(out.path(), 3).unwrap(), numbers);
    assert!(error(4).contains("[1, 3]") && error(4).contains("v_head.summary.weight"));
    assert!(save_value_head(&RealDisk, out.path(), &[1.0]).is_err());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 2]).unwrap();
    assert!(error(3).contains("not a whole safetensors file"));
    let mut model = llama();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    let none = save_value_head_of(&RealDisk, out.path(), device, &learner).unwrap();
    assert_eq!(none, None);
    let state = OptimiserState::default();
    assert!(learner.restore_value_head(device, &numbers, &state).is_err());
    learner.add_value_head(device, decoder, SHARED);
    assert!(learner.restore_value_head(device, &numbers, &state).is_err());
}
