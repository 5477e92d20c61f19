//! Contract of what trust regions and moving references need:
//!
//! 1. logits on the host are those of the scorer, after soft cap and temperature, in order;
//! 2. a gradient given for them reaches the weights as the same gradient given for log-probs does;
//! 3. Fisher-vector products are those of the dense matrix, made of one gradient for each token of
//!    the vocabulary; they measure the KL divergence; the weights come back to the bit;
//! 4. a reference moves by the formula, whole or adapters alone, and by itself not at all.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Model, golden, load};
use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_nn::*;

fn fast(folder: &str) -> Model {
    load(&golden(folder), Box::new(Cpu::new(Path::best())), 224)
}

/// The llama with adapters that are heard: B is not zero.
fn adapted() -> Model {
    let plain = fast("families/llama");
    let files = AdapterFiles::open(&golden("lora/lora")).unwrap();
    let (layout, set) = files.read(&plain.decoder.params).unwrap();
    let mut device = plain.device;
    let (family, config) = (plain.decoder.family, plain.decoder.config.clone());
    let decoder = Decoder::new(device.as_mut(), family, config, Some(layout), 224).unwrap();
    let buf = device.alloc(set.len());
    device.write(Stretch::of(buf, set.len()), &set);
    Model { device, decoder, weights: WeightSet { adapters: Some(buf), ..plain.weights } }
}

fn normals(n: usize, salt: u32) -> Vec<f32> {
    let key = StreamKey { step: salt, ..StreamKey::default() };
    let mut stream = RunSeed(6).stream(Purpose::Data, key);
    (0..n).map(|_| stream.normal() as f32).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn log_softmax(z: &[f32]) -> Vec<f64> {
    let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = z.iter().map(|z| f64::from(z - largest).exp()).sum();
    z.iter().map(|z| f64::from(z - largest) - sum.ln()).collect()
}

/// Two rows, of which some tokens are wanted.
fn some_rows() -> (Vec<Vec<u32>>, Vec<Vec<bool>>) {
    let tokens = vec![vec![3, 14, 15, 9, 26, 53], vec![58, 9, 7, 9]];
    let masks = vec![vec![false, false, true, false, true, true], vec![false, true, false, false]];
    (tokens, masks)
}

macro_rules! rows {
    ($pair:expr) => {
        $pair.0.iter().zip(&$pair.1).map(|(t, m)| TokenRow::new(t, m)).collect::<Vec<_>>()
    };
}

#[test]
fn logits_are_those_of_the_scorer() {
    for folder in ["families/llama", "families/gemma2"] {
        let mut model = fast(folder);
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let (vocab_size, weights) = (decoder.config.vocab_size, model.weights);
        // So small that the rows take a pass each.
        let mut scorer = Scorer::new(device, decoder, PassKind::Forward, 6);
        let pair = some_rows();
        let rows = rows!(pair);
        let mut expected = Vec::new();
        for row in &rows {
            let all = scorer.logits(device, decoder, weights, row.tokens).unwrap();
            for i in (0..row.tokens.len()).filter(|i| row.mask[*i]) {
                expected.extend(all[(i - 1) * vocab_size..][..vocab_size].iter().map(|z| z / 0.5));
            }
        }
        let mut found: Vec<f32> = Vec::new();
        let collect = |first: usize, z: &[f32]| {
            assert_eq!(first * vocab_size, found.len());
            found.extend_from_slice(z);
        };
        scorer.wanted_logits(device, decoder, weights, &rows, 0.5, collect).unwrap();
        assert!(found == expected, "{folder}");
        let scores = scorer.score(device, decoder, weights, &rows, 0.5, Wants::default()).unwrap();
        let targets = rows.iter().flat_map(|row| {
            row.tokens.iter().zip(row.mask).filter(|(_, m)| **m).map(|(t, _)| *t as usize)
        });
        let logprobs = scores.iter().flat_map(|s| &s.logprobs);
        for ((z, target), logprob) in found.chunks_exact(vocab_size).zip(targets).zip(logprobs) {
            assert!((log_softmax(z)[target] - f64::from(*logprob)).abs() < 1e-5);
        }
    }
}

#[test]
fn a_gradient_of_logits_reaches_the_weights() {
    for folder in ["families/llama", "families/gemma2"] {
        let mut model = fast(folder);
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let vocab_size = decoder.config.vocab_size;
        let mut learner = Learner::new(device, decoder, model.weights, 64, false);
        let pair = some_rows();
        let rows = rows!(pair);
        // Sum of the tokens' log-probs, at a temperature that is not 1.
        let ones = |scores: &[RowScores]| {
            let of = |s: &RowScores| RowGradients {
                logprobs: vec![1.0; s.logprobs.len()],
                ..RowGradients::default()
            };
            scores.iter().map(of).collect()
        };
        learner.forward_backward(device, decoder, &rows, 0.7, Wants::default(), ones).unwrap();
        let expected = learner.gradient(device);
        learner.clear_gradient(device);
        let targets: Vec<u32> = rows
            .iter()
            .flat_map(|row| row.tokens.iter().zip(row.mask).filter(|(_, m)| **m).map(|(t, _)| *t))
            .collect();
        let loss = |first: usize, z: &[f32]| {
            let mut d = Vec::new();
            for (i, z) in z.chunks_exact(vocab_size).enumerate() {
                d.extend(log_softmax(z).iter().map(|l| -l.exp() as f32));
                d[i * vocab_size + targets[first + i] as usize] += 1.0;
            }
            d
        };
        learner.forward_backward_logits(device, decoder, &rows, 0.7, loss).unwrap();
        let largest = expected.iter().fold(0f32, |m, x| m.max(x.abs()));
        for (a, b) in learner.gradient(device).iter().zip(&expected) {
            assert!((a - b).abs() < 1e-5 * largest, "{folder}: {a} and {b}");
        }
        let short = |_: usize, z: &[f32]| vec![0.0; z.len() - 1];
        let error = learner.forward_backward_logits(device, decoder, &rows, 0.7, short);
        assert!(error.unwrap_err().to_string().contains("gradient of logits"));
    }
}

/// F v by the definition: mean over tokens of the sum over the vocabulary of p_a g_a (g_a . v), with
/// g_a the gradient of log p_a, one backward pass each.
fn dense_product(
    device: &mut dyn Backend,
    decoder: &Decoder,
    learner: &mut Learner,
    rows: &[TokenRow<'_>],
    temperature: f32,
    v: &[f32],
) -> Vec<f64> {
    let mut product = vec![0.0; v.len()];
    let n: usize = rows.iter().map(TokenRow::n_wanted).sum();
    for row in rows {
        for end in (0..row.tokens.len()).filter(|i| row.mask[*i]) {
            for token in 0..decoder.config.vocab_size as u32 {
                let tokens = [&row.tokens[..end], &[token]].concat();
                let mask: Vec<bool> = (0..=end).map(|i| i == end).collect();
                let mut p = 0.0;
                let one = |scores: &[RowScores]| {
                    p = f64::from(scores[0].logprobs[0]).exp();
                    vec![RowGradients { logprobs: vec![1.0], ..RowGradients::default() }]
                };
                learner.clear_gradient(device);
                let row = [TokenRow::new(&tokens, &mask)];
                let wants = Wants::default();
                learner.forward_backward(device, decoder, &row, temperature, wants, one).unwrap();
                let g = learner.gradient(device);
                let factor = p * dot(&g, v) / n as f64;
                product.iter_mut().zip(&g).for_each(|(x, g)| *x += factor * f64::from(*g));
            }
        }
    }
    product
}

#[test]
fn fisher_products_are_those_of_the_dense_matrix() {
    for (mut model, temperature) in
        [(fast("families/llama"), 1.0), (fast("families/gemma2"), 1.5), (adapted(), 0.8)]
    {
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let mut learner = Learner::new(device, decoder, model.weights, 64, false);
        let pair = some_rows();
        let rows = rows!(pair);
        let v = normals(learner.n_trained(), 1);
        let expected = dense_product(device, decoder, &mut learner, &rows, temperature, &v);
        let before = learner.trained(device);
        let mut product = |v: &[f32], epsilon| {
            let f = learner
                .fisher_vector_product(device, decoder, &rows, temperature, v, epsilon)
                .unwrap();
            assert!(learner.trained(device) == before);
            assert!(learner.gradient(device).iter().all(|x| *x == 0.0));
            f
        };
        let norm = expected.iter().map(|x| x * x).sum::<f64>().sqrt();
        for epsilon in [0.01, 0.1] {
            let found = product(&v, epsilon);
            let pairs = found.iter().zip(&expected);
            let error = pairs.map(|(a, b)| (f64::from(*a) - b).powi(2)).sum::<f64>().sqrt();
            println!("epsilon {epsilon}: {}", error / norm);
            assert!(error < 0.02 * norm, "{} of the norm at {epsilon}", error / norm);
        }
        // Symmetric and positive.
        let w = normals(v.len(), 2);
        let (fv, fw) = (product(&v, 0.03), product(&w, 0.03));
        let (vfv, wfw) = (dot(&v, &fv), dot(&w, &fw));
        assert!(vfv > 0.0 && wfw > 0.0);
        let difference = (dot(&w, &fv) - dot(&v, &fw)).abs();
        assert!(difference < 0.02 * (vfv * wfw).sqrt(), "{difference} beside {vfv} and {wfw}");
        // The length of v does not matter: the product is linear.
        let longer: Vec<f32> = v.iter().map(|x| x * 1024.0).collect();
        for (a, b) in product(&longer, 0.03).iter().zip(&fv) {
            assert!((a / 1024.0 - b).abs() <= 1e-4 * norm as f32);
        }
    }
}

#[test]
fn half_the_quadratic_form_is_the_divergence() {
    let mut model = fast("families/llama");
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let vocab_size = decoder.config.vocab_size;
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    let pair = some_rows();
    let rows = rows!(pair);
    let step: Vec<f32> = normals(learner.n_trained(), 3).iter().map(|x| x * 5e-4).collect();
    let product = learner.fisher_vector_product(device, decoder, &rows, 1.0, &step, 0.03).unwrap();
    let predicted = 0.5 * dot(&step, &product);
    let old = learner.trained(device);
    let mut z: [Vec<f32>; 2] = Default::default();
    let weights = learner.weights();
    let take = |z: &mut Vec<f32>, learner: &mut Learner, device: &mut dyn Backend| {
        let add = |_: usize, more: &[f32]| z.extend_from_slice(more);
        learner.wanted_logits(device, decoder, weights, &rows, 1.0, add).unwrap();
    };
    take(&mut z[0], &mut learner, device);
    learner.add_to_trained(device, &step, 1.0).unwrap();
    take(&mut z[1], &mut learner, device);
    learner.set_trained(device, &old).unwrap();
    let n = z[0].len() / vocab_size;
    let mut divergence = 0.0;
    for (p, q) in z[0].chunks_exact(vocab_size).zip(z[1].chunks_exact(vocab_size)) {
        let (p, q) = (log_softmax(p), log_softmax(q));
        divergence += p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>() / n as f64;
    }
    println!("{predicted} and {divergence}");
    assert!((predicted - divergence).abs() < 0.05 * divergence, "{predicted} and {divergence}");
}

#[test]
fn impossible_products_are_refused() {
    let mut model = fast("families/llama");
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut learner = Learner::new(device, decoder, model.weights, 64, false);
    let pair = some_rows();
    let rows = rows!(pair);
    let n = learner.n_trained();
    let before = learner.trained(device);
    let mut product =
        |v: &[f32], epsilon| learner.fisher_vector_product(device, decoder, &rows, 1.0, v, epsilon);
    assert!(product(&vec![1.0; n], 0.0).is_err());
    assert!(product(&vec![1.0; n], f64::NAN).is_err());
    assert!(product(&vec![1.0; n - 1], 0.1).is_err());
    assert!(product(&vec![0.0; n], 0.1).unwrap().iter().all(|x| *x == 0.0));
    assert!(learner.trained(device) == before);
    assert!(learner.set_trained(device, &before[1..]).is_err());
    assert!(learner.add_to_trained(device, &before[1..], 1.0).is_err());
}

#[test]
fn references_move_by_the_formula() {
    for mut model in [fast("families/llama"), adapted()] {
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let policy = model.weights;
        let reference = policy.copied(device, decoder);
        let start = reference.read(device, decoder);
        assert_eq!(start, policy.read(device, decoder));
        // The policy moves; the copy does not.
        let mut learner = Learner::new(device, decoder, policy, 64, false);
        learner.add_to_trained(device, &normals(start.len(), 4), 0.1).unwrap();
        let moved = policy.read(device, decoder);
        assert_eq!(reference.read(device, decoder), start);

        let pair = some_rows();
        let rows = rows!(pair);
        let score = |device: &mut dyn Backend, learner: &mut Learner, set| {
            learner.score(device, decoder, set, &rows, 1.0, Wants::default()).unwrap()
        };
        // So that copies of the reference in other layouts exist and must be made anew.
        score(device, &mut learner, reference);
        reference.blend(device, decoder, policy, 0.6).unwrap();
        let blended = reference.read(device, decoder);
        for ((x, old), new) in blended.iter().zip(&start).zip(&moved) {
            let expected = 0.6 * f64::from(*new) + 0.4 * f64::from(*old);
            assert!((f64::from(*x) - expected).abs() <= 1e-6 * expected.abs().max(1.0));
        }
        let scores = score(device, &mut learner, reference);
        assert_ne!(scores, score(device, &mut learner, policy));
        let snapshot = policy.read(device, decoder);
        learner.set_trained(device, &blended).unwrap();
        assert!(score(device, &mut learner, policy) == scores);
        policy.write(device, decoder, &snapshot).unwrap();
        assert!(policy.read(device, decoder) == snapshot);

        reference.blend(device, decoder, policy, 0.0).unwrap();
        assert!(reference.read(device, decoder) == blended);
        reference.blend(device, decoder, policy, 1.0).unwrap();
        assert!(reference.read(device, decoder) == moved);
        assert!(score(device, &mut learner, reference) == score(device, &mut learner, policy));

        assert!(reference.blend(device, decoder, policy, 1.1).is_err());
        assert!(reference.blend(device, decoder, reference, 0.5).is_err());
        assert!(policy.write(device, decoder, &snapshot[1..]).is_err());
        if policy.adapters.is_some() {
            let bare = WeightSet { adapters: None, ..policy };
            let error = bare.blend(device, decoder, policy, 0.5).unwrap_err().to_string();
            assert!(error.contains("copy of the adapters"), "{error}");
            assert_eq!(reference.base, policy.base);
        }
        reference.free_copy(device);
    }
}

#[test]
fn one_number_moves_as_the_paper_says() {
    let devices: [Box<dyn Backend>; 2] =
        [Box::new(Plain::default()), Box::new(Cpu::new(Path::best()))];
    for device in devices {
        let mut model = load(&golden("families/llama"), device, 224);
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let reference = model.weights.copied(device, decoder);
        let n = decoder.params.len();
        model.weights.write(device, decoder, &vec![2.0; n]).unwrap();
        reference.write(device, decoder, &vec![1.0; n]).unwrap();
        reference.blend(device, decoder, model.weights, 0.6).unwrap();
        let moved = reference.read(device, decoder);
        assert!(moved.iter().all(|x| (x - 1.6).abs() < 1e-6), "{}", moved[0]);
    }
}
