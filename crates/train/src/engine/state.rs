//! What the engine's thread owns: the device, the model and everything allocated on it.

use std::collections::HashMap;

use stateset_core::PolicyVersion;
use stateset_nn::{
    Backend, Critic, Decoder, Learner, NnError, SampleEvent, Sampler, SamplerSize, Scorer,
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
    /// The reference follows the policy and is a copy of its own.
    pub reference_moves: bool,
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
            reference_moves: false,
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
    /// are adapters, else a copy. One that is to follow the policy is a copy in any case.
    pub fn freeze_reference(&mut self, moves: bool) {
        let reference = if self.policy.adapters.is_some() && !moves {
            WeightSet { adapters: None, ..self.policy }
        } else {
            self.policy.copied(self.device.as_mut(), &self.decoder)
        };
        self.reference = Some(reference);
        self.reference_moves = moves;
    }

    /// Moves the reference towards the policy by `share`.
    ///
    /// # Errors
    /// [`NnError`] where there is no reference that can move.
    pub fn move_reference(&mut self, share: f64) -> Result<(), NnError> {
        let Some(reference) = self.reference.filter(|_| self.reference_moves) else {
            let message = "there is none that can move".to_owned();
            return Err(NnError::Setting { what: "a moving reference", message });
        };
        reference.blend(self.device.as_mut(), &self.decoder, self.policy, share)
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
