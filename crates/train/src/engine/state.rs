//! What the engine's thread owns: the device, the model and everything allocated on it.

use std::collections::HashMap;

use stateset_core::PolicyVersion;
use stateset_nn::{
    Backend, Critic, Decoder, Learner, SampleEvent, Sampler, SamplerSize, Scorer, Stretch,
    WeightSet,
};

/// The engine's parts. Jobs see it whole; nobody else touches the device.
pub struct EngineState {
    /// The machine.
    pub device: Box<dyn Backend>,
    /// The model.
    pub decoder: Decoder,
    /// The weights that are sampled from and trained.
    pub policy: WeightSet,
    /// Frozen weights, where an algorithm compares with them.
    pub reference: Option<WeightSet>,
    /// Optimiser steps behind the policy's weights.
    pub version: PolicyVersion,
    /// Trains the policy, once it has been set up.
    pub learner: Option<Learner>,
    /// A value function with weights of its own, where the run has one; one that shares the policy's
    /// weights is a head of the learner.
    pub critic: Option<Critic>,
    /// Scores without training, once it has been set up.
    pub scorer: Option<Scorer>,
    pub(super) sampler: Sampler,
    pub(super) listeners: HashMap<u64, super::handle::Listener>,
    pub(super) next_id: u64,
}

impl EngineState {
    /// Puts the parts together and allocates the sampler.
    pub fn new(
        mut device: Box<dyn Backend>,
        decoder: Decoder,
        policy: WeightSet,
        size: SamplerSize,
    ) -> EngineState {
        let sampler = Sampler::new(device.as_mut(), &decoder, size);
        EngineState {
            device,
            decoder,
            policy,
            reference: None,
            version: PolicyVersion(0),
            learner: None,
            critic: None,
            scorer: None,
            sampler,
            listeners: HashMap::new(),
            next_id: 0,
        }
    }

    /// Keeps the policy's present weights as the reference: the base without adapters where there
    /// are adapters, else a copy.
    pub fn freeze_reference(&mut self) {
        let reference = if self.policy.adapters.is_some() {
            WeightSet { adapters: None, ..self.policy }
        } else {
            let len = self.decoder.params.len();
            let base = self.device.alloc(len);
            let all = |buf| Stretch::of(buf, len).as_mat(1, len);
            self.device.copy(all(base), all(self.policy.base));
            WeightSet { base, adapters: None }
        };
        self.reference = Some(reference);
    }

    /// To be called after the policy's weights have changed.
    ///
    /// # Panics
    /// Where requests are being sampled: a rollout's tokens would come from two policies.
    pub fn weights_changed(&mut self, version: PolicyVersion) {
        self.sampler.weights_changed();
        self.version = version;
    }

    /// One pass of the sampler.
    pub(super) fn sample(&mut self) -> Vec<SampleEvent> {
        self.sampler.step(self.device.as_mut(), &self.decoder, self.policy)
    }

    /// Requests running and waiting, and the share of cache pages in use.
    pub fn sampler_load(&self) -> (usize, usize, f64) {
        self.sampler.load()
    }
}
