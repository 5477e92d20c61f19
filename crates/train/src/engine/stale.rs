//! Weights of earlier steps, to sample from while the newest are trained.
//!
//! Snapshots of the last S + 1 steps lie on the host; the one that is sampled from is copied into a
//! weight set of its own on the device. The policy's set may then change under a running rollout, which
//! goes on to the end with the weights it began with.

use std::collections::VecDeque;
use std::sync::Arc;

use stateset_core::PolicyVersion;
use stateset_nn::{Backend, Decoder, WeightSet};

use crate::TrainError;

/// The trained numbers after one step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// Steps done by then.
    pub(crate) step: u32,
    /// Optimiser steps behind them.
    pub(crate) version: PolicyVersion,
    /// The numbers, in the order of the trained set.
    pub(crate) numbers: Arc<Vec<f32>>,
}

/// Snapshots of the newest steps, and the set that holds one of them.
pub(super) struct StaleWeights {
    n_kept: usize,
    /// Oldest first.
    snapshots: VecDeque<Snapshot>,
    set: WeightSet,
    /// What the set holds, where it is sampled from; the policy is sampled from where `None`.
    source: Option<(u32, PolicyVersion)>,
}

impl StaleWeights {
    /// Keeps weights of up to `staleness` steps ago. The present ones are those before the first step.
    pub(super) fn new(
        device: &mut dyn Backend,
        decoder: &Decoder,
        policy: WeightSet,
        staleness: usize,
        version: PolicyVersion,
    ) -> StaleWeights {
        let set = policy.copied(device, decoder);
        let numbers = Arc::new(policy.read(device, decoder));
        let first = Snapshot { step: 0, version, numbers };
        StaleWeights { n_kept: staleness + 1, snapshots: [first].into(), set, source: None }
    }

    /// Steps by which the oldest weights kept may lie back.
    pub(super) fn staleness(&self) -> usize {
        self.n_kept - 1
    }

    /// The set that is sampled from and its version; `None` where that is the policy.
    pub(super) fn sampled(&self) -> Option<(WeightSet, PolicyVersion)> {
        self.source.map(|(_, version)| (self.set, version))
    }

    /// Samples from the weights after `step` steps from now on. True where that is a change.
    pub(super) fn sample_from(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        step: u32,
    ) -> Result<(PolicyVersion, bool), TrainError> {
        let found = self.snapshots.iter().find(|snapshot| snapshot.step == step);
        let found = found.ok_or_else(|| TrainError::Invalid {
            what: "sample from older weights",
            message: format!("those after step {step} are no longer kept"),
        })?;
        let source = Some((step, found.version));
        if self.source == source {
            return Ok((found.version, false));
        }
        self.set.write(device, decoder, &found.numbers)?;
        self.source = source;
        Ok((found.version, true))
    }

    /// Samples from the policy from now on. True where that is a change.
    pub(super) fn sample_newest(&mut self) -> bool {
        self.source.take().is_some()
    }

    /// Adds a snapshot and forgets the oldest beyond those that can still be asked for.
    pub(super) fn remember(&mut self, snapshot: Snapshot) {
        self.snapshots.push_back(snapshot);
        while self.snapshots.len() > self.n_kept {
            self.snapshots.pop_front();
        }
    }

    /// Those of the steps before the newest, oldest first.
    pub(super) fn older(&self) -> Vec<Snapshot> {
        let n = self.snapshots.len().saturating_sub(1);
        self.snapshots.iter().take(n).cloned().collect()
    }

    /// Puts the steps of a checkpoint in place of those known so far, oldest first.
    pub(super) fn restore(&mut self, snapshots: Vec<Snapshot>) {
        self.snapshots = snapshots.into();
    }
}
