//! Contract of what moves a completion away from the model's distribution:
//!
//! 1. bias, repetition penalty, penalties on drawn tokens, mask and temperature act in this order, as
//!    the formulas say;
//! 2. reported log-probs, and those of the likeliest tokens, are those of the model at the temperature,
//!    whatever steers;
//! 3. penalties count drawn tokens and not the prompt;
//! 4. a filter hears every token, and only end tokens follow where it allows none;
//! 5. what is no number or no token is refused.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::{Arc, Mutex};

use common::{Model, SIZE, golden, load, request, sample};
use stateset_nn::*;

fn model() -> Model {
    load(&golden("families").join("llama"), Box::new(Cpu::new(Path::best())), 224)
}

/// The distribution a row is drawn from, found by asking at many numbers of the unit interval.
fn shares(logits: &[f32], row: &DrawRow) -> Vec<f64> {
    const N: usize = 20_000;
    let mut cpu = Cpu::new(Path::best());
    let buf = cpu.alloc(logits.len());
    let mut shares = vec![0.0; logits.len()];
    for i in 0..N {
        cpu.write(Stretch::of(buf, logits.len()), logits);
        let row = DrawRow { unit: (i as f64 + 0.5) / N as f64, ..row.clone() };
        let drawn = cpu.draw(Mat::dense(buf, 1, logits.len()), None, &[row]);
        shares[drawn[0].token as usize] += 1.0 / N as f64;
    }
    shares
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|z| (z - largest).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

#[test]
fn draws_follow_the_formulas() {
    let logits = [1.5, -0.5, 0.25, 2.0, -1.0, 0.0];
    let mask = TokenMask::of(&[0, 1, 2, 4, 5]);
    let row = DrawRow {
        temperature: 0.8,
        repetition_penalty: 1.5,
        seen: vec![0, 1, 1],
        bias: vec![(1, 2.0), (4, -1.0), (4, 3.0)],
        penalties: vec![(0, 0.5), (2, -1.0)],
        mask: Some(mask),
        ..DrawRow::plain(0.5)
    };
    // By hand: token 1 becomes 1.5 by its bias and is then divided, token 0 is divided, then reduced.
    let moved = [1.0 - 0.5, 1.0, 1.25, f64::NEG_INFINITY, 1.0, 0.0];
    let expected = softmax(&moved.map(|z| z / 0.8));
    for (token, (share, expected)) in shares(&logits, &row).iter().zip(&expected).enumerate() {
        assert!((share - expected).abs() < 1e-3, "{token}: {share} and {expected}");
    }
}

#[test]
fn reported_logprobs_are_the_models_own() {
    let mut model = model();
    let temperature = 0.7;
    let prompt: Vec<u32> = (0..9).collect();
    let steering = Steering {
        bias: vec![(3, 4.0), (5, -100.0)],
        presence_penalty: 1.0,
        frequency_penalty: 0.5,
        filter: Some(Box::new(TokenMask::of(&(0..40).collect::<Vec<_>>()))),
    };
    let steered =
        SampleRequest { temperature, steering, n_top: 7, ..request(1, prompt.clone(), 30) };
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, SIZE);
    sampler.submit(steered).unwrap();
    let mut events = Vec::new();
    while !sampler.is_idle() {
        events.extend(sampler.step(model.device.as_mut(), &model.decoder, model.weights));
    }
    let drawn: Vec<u32> = events.iter().map(|event| event.token).collect();
    assert!(drawn.iter().all(|token| *token < 40 && *token != 5), "{drawn:?}");

    let tokens = [prompt.clone(), drawn].concat();
    let mask: Vec<bool> = (0..tokens.len()).map(|i| i >= prompt.len()).collect();
    let mut scorer = Scorer::new(model.device.as_mut(), &model.decoder, PassKind::Forward, 256);
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let row = TokenRow::new(&tokens, &mask);
    let scored = scorer
        .score(device, decoder, model.weights, &[row], temperature as f32, Wants::default())
        .unwrap();
    let ours: Vec<f32> = events.iter().map(|event| event.logprob).collect();
    assert_eq!(ours, scored[0].logprobs);

    let logits = scorer.logits(device, decoder, model.weights, &tokens).unwrap();
    let vocab = decoder.config.vocab_size;
    for (i, event) in events.iter().enumerate() {
        let row = &logits[(prompt.len() - 1 + i) * vocab..][..vocab];
        let hot: Vec<f64> = row.iter().map(|z| f64::from(*z) / temperature).collect();
        let logprobs: Vec<f64> = softmax(&hot).iter().map(|p| p.ln()).collect();
        let mut order: Vec<usize> = (0..vocab).collect();
        order.sort_by(|&a, &b| logprobs[b].total_cmp(&logprobs[a]));
        assert_eq!(event.top.len(), 7);
        for ((token, logprob), expected) in event.top.iter().zip(order) {
            assert_eq!(*token as usize, expected);
            assert!((f64::from(*logprob) - logprobs[expected]).abs() < 1e-4);
        }
    }
}

#[test]
fn drawn_tokens_are_penalised_and_prompts_are_not() {
    let mut model = model();
    let greedy = |prompt: Vec<u32>, steering| SampleRequest {
        greedy: true,
        steering,
        ..request(1, prompt, 40)
    };
    let prompt: Vec<u32> = (0..97).collect();
    let penalty = || Steering { presence_penalty: 1e4, ..Steering::default() };
    let (first, _) =
        sample(&mut model, vec![greedy(prompt.clone(), Steering::default())]).remove(0);
    let (drawn, _) = sample(&mut model, vec![greedy(prompt, penalty())]).remove(0);
    // The whole vocabulary stands in the prompt, so a penalty on it would change nothing at first.
    assert_eq!(drawn[0], first[0]);
    let distinct: std::collections::BTreeSet<u32> = drawn.iter().copied().collect();
    assert_eq!(distinct.len(), drawn.len(), "a token came twice: {drawn:?}");
}

/// Allows one token after the other, then none.
struct Script(Vec<u32>, Arc<Mutex<Vec<u32>>>);

impl TokenFilter for Script {
    fn allowed(&mut self) -> Option<TokenMask> {
        let n = self.1.lock().unwrap().len();
        Some(TokenMask::of(&self.0[n.min(self.0.len())..][..usize::from(n < self.0.len())]))
    }

    fn drawn(&mut self, token: u32) {
        self.1.lock().unwrap().push(token);
    }
}

#[test]
fn a_filter_hears_and_decides() {
    let mut model = model();
    let heard = Arc::default();
    let script = Script(vec![8, 8, 60, 2], Arc::clone(&heard));
    let steering = Steering { filter: Some(Box::new(script)), ..Steering::default() };
    assert!(steering.is_on() && !Steering::default().is_on());
    let one = SampleRequest { end_tokens: vec![77], steering, ..request(1, vec![5, 6], 30) };
    let (tokens, _) = sample(&mut model, vec![one]).remove(0);
    assert_eq!(tokens, [8, 8, 60, 2, 77]);
    assert_eq!(*heard.lock().unwrap(), tokens);
}

#[test]
fn what_cannot_be_is_refused() {
    let mut model = model();
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, SIZE);
    let mut refused = |steering: Steering| {
        let request = SampleRequest { steering, ..request(1, vec![1], 5) };
        sampler.submit(request).unwrap_err().to_string()
    };
    let bias = |token, bias| Steering { bias: vec![(token, bias)], ..Steering::default() };
    assert!(refused(bias(97, 1.0)).contains("token 97"));
    assert!(refused(bias(9, f32::NAN)).contains("no number"));
    let nan = Steering { frequency_penalty: f64::NAN, ..Steering::default() };
    assert!(refused(nan).contains("penalty"));
}
