//! Contract of loss masks:
//!
//! 1. What a loss says of tokens that were given (prompt, user, tool results) never reaches the weights:
//!    the gradient is that of a loss written over *all* logits whose derivative is 0 at given tokens,
//!    and any loss on those, however large, would change it.
//! 2. A token that was given after the last sampled one is not even read: another one changes no bit.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Model, golden, load};
use stateset_nn::*;

const TOKENS: [u32; 9] = [3, 14, 15, 9, 26, 53, 58, 9, 7];
/// Two replies, with what the user said between and after them.
const SAMPLED: [bool; 9] = [false, false, true, true, false, false, true, true, false];

fn model() -> Model {
    load(&golden("families/llama"), Box::new(Cpu::new(Path::best())), 224)
}

fn softmax(z: &[f32]) -> Vec<f32> {
    let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let e: Vec<f32> = z.iter().map(|z| (z - largest).exp()).collect();
    let sum: f32 = e.iter().sum();
    e.iter().map(|e| e / sum).collect()
}

/// Gradient of minus the sum of the sampled tokens' log-probs, through the mask.
fn through_the_mask(tokens: &[u32]) -> Vec<f32> {
    let mut model = model();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let mut learner = Learner::new(device, decoder, model.weights, 32, false);
    let loss = |scores: &[RowScores]| {
        assert_eq!(scores[0].logprobs.len(), 4, "only sampled tokens are scored");
        vec![RowGradients { logprobs: vec![-1.0; 4], ..RowGradients::default() }]
    };
    let row = TokenRow::new(tokens, &SAMPLED);
    learner.forward_backward(device, decoder, &[row], 1.0, Wants::default(), loss).unwrap();
    learner.gradient(device)
}

/// The same over the logits of every token; `at_given` is added to their derivative at given tokens.
fn over_all_logits(at_given: f32) -> Vec<f32> {
    let mut model = model();
    let (device, decoder) = (model.device.as_mut(), &model.decoder);
    let vocab_size = decoder.config.vocab_size;
    let mut learner = Learner::new(device, decoder, model.weights, 32, false);
    let every = [false, true, true, true, true, true, true, true, false];
    let row = TokenRow::new(&TOKENS, &every);
    let derivative = |first: usize, z: &[f32]| {
        let of_token = |(i, z): (usize, &[f32])| {
            let token = first + i + 1;
            let mut d = softmax(z);
            d[TOKENS[token] as usize] -= 1.0;
            if !SAMPLED[token] {
                d.fill(0.0);
                d[5] = at_given;
            }
            d
        };
        z.chunks_exact(vocab_size).enumerate().flat_map(of_token).collect()
    };
    learner.forward_backward_logits(device, decoder, &[row], 1.0, derivative).unwrap();
    learner.gradient(device)
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    let off = |x: f64| x.powi(2);
    let far: f64 = a.iter().zip(b).map(|(a, b)| off(f64::from(a - b))).sum();
    let long: f64 = b.iter().map(|b| off(f64::from(*b))).sum();
    (far / long).sqrt()
}

#[test]
fn logits_of_given_tokens_have_no_part() {
    let masked = through_the_mask(&TOKENS);
    assert!(distance(&masked, &over_all_logits(0.0)) < 1e-5);
    assert!(distance(&masked, &over_all_logits(1.0)) > 1e-2, "the comparison sees given tokens");
}

#[test]
fn what_follows_the_last_reply_is_not_read() {
    let mut other = TOKENS;
    other[8] = 41;
    assert!(through_the_mask(&TOKENS) == through_the_mask(&other));
}
