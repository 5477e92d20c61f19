//! What the tests of value heads and critics share: rows of which some tokens and ends are wanted, and
//! losses over values.

use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_nn::*;

use super::{Model, golden, load};

pub fn llama() -> Model {
    load(&golden("families/llama"), Box::new(Cpu::new(Path::best())), 224)
}

pub fn normals(n: usize, salt: u32) -> Vec<f32> {
    let key = StreamKey { step: salt, ..StreamKey::default() };
    let mut stream = RunSeed(5).stream(Purpose::Data, key);
    (0..n).map(|_| stream.normal() as f32).collect()
}

pub fn settings(learning_rate: f64) -> OptimiserStep {
    OptimiserStep {
        learning_rate,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.0,
        max_grad_norm: f64::INFINITY,
    }
}

pub const SHARED: ValueHeadSpec =
    ValueHeadSpec { init_std: 0.1, seed: RunSeed(4), stops_gradient: false };
pub const BOTH: Wants = Wants { logprobs: true, moments: false, values: true };

pub struct Rows {
    pub tokens: Vec<Vec<u32>>,
    pub masks: Vec<Vec<bool>>,
}

impl Rows {
    /// Three sequences of which some tokens are wanted.
    pub fn new() -> Rows {
        let tokens: Vec<Vec<u32>> =
            (0..3u32).map(|i| (0..9 + 4 * i).map(|t| (t * 7 + i * 3) % 60 + 1).collect()).collect();
        let masks =
            tokens.iter().map(|s| (0..s.len()).map(|i| i > 2 && i % 4 != 1).collect()).collect();
        Rows { tokens, masks }
    }

    pub fn get(&self) -> Vec<TokenRow<'_>> {
        let pairs = self.tokens.iter().zip(&self.masks).enumerate();
        pairs.map(|(i, (tokens, mask))| TokenRow { tokens, mask, wants_end: i != 1 }).collect()
    }
}

/// A linear loss with fixed random coefficients: its value, and its gradients.
pub fn linear_loss(scores: &[RowScores]) -> (f64, Vec<RowGradients>) {
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

pub fn gradients_only(scores: &[RowScores]) -> Vec<RowGradients> {
    linear_loss(scores).1
}

/// Gradient of -log sigmoid(end of the first - end of the second), for rows in pairs.
pub fn bradley_terry(scores: &[RowScores]) -> Vec<RowGradients> {
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
