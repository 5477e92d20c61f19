//! `tests/golden/steps_trl.json` as types; its script says what each number is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Golden {
    pub(crate) eos: u32,
    pub(crate) rollouts: Vec<Vec<Rollout>>,
    pub(crate) pairs: Vec<PromptPair>,
    pub(crate) samples: BTreeMap<String, Vec<usize>>,
    pub(crate) cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
pub(crate) struct Rollout {
    pub(crate) prompt: Vec<u32>,
    pub(crate) completion: Vec<u32>,
    pub(crate) reward: f64,
}

#[derive(Deserialize)]
pub(crate) struct PromptPair {
    pub(crate) prompt: Vec<u32>,
    pub(crate) chosen: Vec<u32>,
    pub(crate) rejected: Vec<u32>,
}

#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) settings: Settings,
    #[serde(default)]
    pub(crate) old: Vec<Vec<f32>>,
    pub(crate) steps: Vec<Step>,
    pub(crate) tensors: BTreeMap<String, Tensor>,
}

/// Those of the optimiser, and of the method where it has them.
#[derive(Deserialize)]
pub(crate) struct Settings {
    pub(crate) learning_rate: f64,
    pub(crate) beta1: f64,
    pub(crate) beta2: f64,
    pub(crate) eps: f64,
    pub(crate) weight_decay: f64,
    pub(crate) max_grad_norm: f64,
    pub(crate) beta: f64,
    #[serde(default)]
    pub(crate) epsilon: f64,
    #[serde(default)]
    pub(crate) epsilon_high: f64,
    #[serde(default)]
    pub(crate) temperature: f32,
    #[serde(default)]
    pub(crate) mask_truncated_completions: bool,
}

#[derive(Deserialize)]
pub(crate) struct Step {
    pub(crate) loss: f64,
    pub(crate) grad_norm: f64,
    pub(crate) metrics: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
pub(crate) struct Tensor {
    pub(crate) norm: f64,
    pub(crate) values: Vec<f64>,
    pub(crate) moved_norm: f64,
    pub(crate) moved: Vec<f64>,
}

/// Norm and sampled entries of a tensor.
pub(crate) struct TensorNumbers {
    pub(crate) norm: f64,
    pub(crate) values: Vec<f64>,
}

impl Golden {
    pub(crate) fn read() -> Golden {
        let text = std::fs::read_to_string(folder().with_file_name("steps_trl.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

impl TensorNumbers {
    pub(crate) fn of(tensor: &[f32], samples: &[usize]) -> TensorNumbers {
        TensorNumbers {
            norm: tensor.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt(),
            values: samples.iter().map(|&i| f64::from(tensor[i])).collect(),
        }
    }
}

/// The folder of the model that all cases start from.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/steps")
}
