//! Contract of critics:
//!
//! 1. a critic gives the bits that a learner with logits gives, and one thread those of two;
//! 2. policy and critic on one engine do not touch each other; a critic learns to prefer;
//! 3. a critic that trains its head alone takes no more memory than that and changes nothing else;
//! 4. folders hold all a critic is; what is missing is said.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::values::*;
use common::{Model, golden, load};
use serde_json::Value;
use stateset_core::RunSeed;
use stateset_nn::*;

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
