//! Contract of value heads:
//!
//! 1. values and gradients are those of torch with a linear map on transformers' final states, on both
//!    backends, at the ends of rows too; central differences agree;
//! 2. a head that is not asked changes no bit of anything else;
//! 3. a head that stops its gradient leaves the weights below as they are;
//! 4. the head's gradient counts in the norm; it has a learning rate of its own;
//! 5. damaged files are named.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::values::*;
use common::{golden, load};
use serde_json::Value;
use stateset_core::RunSeed;
use stateset_nn::*;

fn backends() -> [Box<dyn Backend>; 2] {
    [Box::new(Plain::default()), Box::new(Cpu::new(Path::best()))]
}

fn floats(list: &Value) -> Vec<f32> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
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
