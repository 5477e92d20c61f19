//! Rules about which rollouts are played and what their length costs.

use stateset_algo::SoftOverlong;

/// What is done beside playing the scenarios of a step once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RolloutRules {
    /// Groups without any difference in reward are replaced by groups of other scenarios, in at most
    /// so many further rounds (DAPO, arXiv 2503.14476, equation 11). 0 for never.
    pub refill_rounds: usize,
    /// Punishment of long conversations, added to the reward.
    pub overlong: Option<SoftOverlong>,
    /// Steps by which the weights that sample are older than those that are trained; 0 for none.
    pub staleness: usize,
}

/// The reference policy follows the policy (TR-DPO, arXiv 2404.09656).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceSync {
    /// Optimiser steps between moves, 1 or more. 512.
    pub every_steps: u64,
    /// Share of the policy in the new reference, above 0 to 1. 0.6.
    pub mixup: f64,
}
