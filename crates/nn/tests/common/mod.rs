//! What the engine's tests share: golden files, models on a device, and plain sampling.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "tests")]

pub mod values;

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use safetensors::{Dtype, SafeTensors};
use stateset_core::{Purpose, RunSeed, Sampling, StreamKey};
use stateset_nn::*;

/// A file under `tests/golden`.
pub fn golden(path: &str) -> PathBuf {
    FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(path)
}

/// Tensors of a golden file.
pub struct Golden(Vec<u8>);

impl Golden {
    pub fn open(path: &FilePath) -> Golden {
        Golden(std::fs::read(path).unwrap())
    }

    pub fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.0).unwrap()
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        let tensors = self.tensors();
        let view = tensors.tensor(name).unwrap();
        assert_eq!(view.dtype(), Dtype::F32);
        view.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    pub fn ids(&self, name: &str) -> Vec<u32> {
        let tensors = self.tensors();
        let view = tensors.tensor(name).unwrap();
        view.data().as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as u32).collect()
    }

    pub fn sequences(&self) -> Vec<Vec<u32>> {
        let ids = self.ids("input_ids");
        let mut rest = &ids[..];
        let cut = |len: u32| {
            let (one, others) = rest.split_at(len as usize);
            rest = others;
            one.to_vec()
        };
        self.ids("lengths").into_iter().map(cut).collect()
    }
}

/// A model on a device.
pub struct Model {
    pub device: Box<dyn Backend>,
    pub decoder: Decoder,
    pub weights: WeightSet,
}

/// Loads a folder for sequences of at most `context` tokens.
pub fn load(folder: &FilePath, mut device: Box<dyn Backend>, context: usize) -> Model {
    let files = ModelFiles::open(folder).unwrap();
    let context = context.min(files.decoder.max_positions);
    let decoder =
        Decoder::new(device.as_mut(), files.family, files.decoder.clone(), None, context).unwrap();
    let base = device.alloc(decoder.params.len());
    let ignored = files
        .read_params(&decoder.params, |offset, numbers| {
            device.write(Stretch { buf: base, offset, len: numbers.len() }, numbers);
        })
        .unwrap();
    assert!(ignored.is_empty(), "{ignored:?}");
    Model { device, decoder, weights: WeightSet { base, adapters: None } }
}

/// A request with plain settings and a stream of its own.
pub fn request(id: u64, prompt: Vec<u32>, max_new_tokens: usize) -> SampleRequest {
    let key = StreamKey { scenario: id as u32, ..StreamKey::default() };
    let stream = RunSeed(3).stream(Purpose::Sampling, key);
    let sampling = Sampling { max_new_tokens, ..Sampling::default() };
    SampleRequest { id, ..SampleRequest::new(prompt, &sampling, stream) }
}

/// Sizes that fit the tiny models.
pub const SIZE: SamplerSize = SamplerSize { max_running: 8, max_rows: 40, cache_tokens: 4096 };

/// Tokens and log-probs of each request, in order of their ids.
pub fn sample(model: &mut Model, requests: Vec<SampleRequest>) -> Vec<(Vec<u32>, Vec<f32>)> {
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, SIZE);
    sample_with(&mut sampler, model, requests)
}

/// The same with a sampler that may have served before.
pub fn sample_with(
    sampler: &mut Sampler,
    model: &mut Model,
    requests: Vec<SampleRequest>,
) -> Vec<(Vec<u32>, Vec<f32>)> {
    let device = model.device.as_mut();
    let mut all: BTreeMap<u64, (Vec<u32>, Vec<f32>)> = Default::default();
    for request in requests {
        all.insert(request.id, Default::default());
        sampler.submit(request).unwrap();
    }
    while !sampler.is_idle() {
        for event in sampler.step(device, &model.decoder, model.weights) {
            let entry = all.get_mut(&event.id).unwrap();
            entry.0.push(event.token);
            entry.1.push(event.logprob);
        }
    }
    all.into_values().collect()
}
