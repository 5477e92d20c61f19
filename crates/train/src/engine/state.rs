//! What the engine's thread owns: the device, the model and everything allocated on it.

use std::collections::HashMap;
use std::sync::Arc;

use stateset_core::PolicyVersion;
use stateset_nn::{
    Backend, Critic, Decoder, Learner, NnError, SampleEvent, SampleStart, Sampler, SamplerSize,
    Scorer, WeightSet,
};

use super::stale::{Snapshot, StaleWeights};
use crate::TrainError;

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
    /// Weights of earlier steps, where rollouts are sampled from such.
    pub(super) stale: Option<StaleWeights>,
    pub(super) sampler: Sampler,
    pub(super) listeners: HashMap<u64, super::ongoing::Listener>,
    pub(super) next_id: u64,
    /// Jobs that wait until nothing is sampled.
    pub(super) put_off: Vec<super::handle::Job>,
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
            stale: None,
            sampler,
            listeners: HashMap::new(),
            next_id: 0,
            put_off: Vec::new(),
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
    /// Where requests are being sampled from these weights: a rollout's tokens would come from two
    /// policies.
    pub fn weights_changed(&mut self, version: PolicyVersion) {
        if self.sampled().0 == self.policy {
            self.sampler.weights_changed();
        }
        self.version = version;
    }

    /// Keeps weights of up to `staleness` steps ago from now on; the present ones are those before the
    /// first step.
    pub fn keep_stale(&mut self, staleness: usize) {
        let (device, decoder) = (self.device.as_mut(), &self.decoder);
        let stale = StaleWeights::new(device, decoder, self.policy, staleness, self.version);
        self.stale = Some(stale);
    }

    /// Samples from the weights after `step` steps from now on, and gives their version. Without older
    /// weights these are the policy's.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] where those weights are no longer kept.
    ///
    /// # Panics
    /// Where requests are being sampled from other weights.
    pub fn sample_from(&mut self, step: u32) -> Result<PolicyVersion, TrainError> {
        let Some(stale) = &mut self.stale else { return Ok(self.version) };
        let (version, is_other) = stale.sample_from(self.device.as_mut(), &self.decoder, step)?;
        if is_other {
            self.sampler.weights_changed();
        }
        Ok(version)
    }

    /// Samples from the policy from now on.
    ///
    /// # Panics
    /// Where requests are being sampled from other weights.
    pub fn sample_newest(&mut self) {
        if self.stale.as_mut().is_some_and(StaleWeights::sample_newest) {
            self.sampler.weights_changed();
        }
    }

    /// Keeps the policy's weights as those after `step` steps, where older weights are kept.
    pub fn remember(&mut self, step: u32) {
        let Some(stale) = &mut self.stale else { return };
        let numbers = Arc::new(self.policy.read(self.device.as_mut(), &self.decoder));
        stale.remember(Snapshot { step, version: self.version, numbers });
    }

    /// Steps by which the weights that are kept may lie back; 0 where there are none.
    pub fn staleness(&self) -> usize {
        self.stale.as_ref().map_or(0, StaleWeights::staleness)
    }

    /// The weights of earlier steps that are kept, oldest first, without the policy's.
    pub(crate) fn older(&self) -> Vec<Snapshot> {
        self.stale.as_ref().map_or(Vec::new(), StaleWeights::older)
    }

    /// Puts `older` weights in place, oldest first; the policy's are those after `step` steps.
    pub(crate) fn restore_stale(&mut self, older: Vec<Snapshot>, step: u32) {
        self.sample_newest();
        let Some(stale) = &mut self.stale else { return };
        stale.restore(older);
        self.remember(step);
    }

    /// The weights that are sampled from, and their version.
    pub(super) fn sampled(&self) -> (WeightSet, PolicyVersion) {
        let stale = self.stale.as_ref().and_then(StaleWeights::sampled);
        stale.unwrap_or((self.policy, self.version))
    }

    /// One pass of the sampler: requests whose prompt it began to read, and what it drew.
    pub(super) fn sample(&mut self) -> (Vec<SampleStart>, Vec<SampleEvent>) {
        let (weights, _) = self.sampled();
        let events = self.sampler.step(self.device.as_mut(), &self.decoder, weights);
        (self.sampler.started().to_vec(), events)
    }

    /// Requests running and waiting, and the share of cache pages in use.
    pub fn sampler_load(&self) -> (usize, usize, f64) {
        self.sampler.load()
    }
}
