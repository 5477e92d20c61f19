//! REINFORCE++ (arXiv 2501.03262): PPO's clipped loss on returns that are whitened over the batch.
//!
//! No critic and no group: one sample of each scenario is enough. The KL penalty (k1) is in the
//! reward of each token. The `-baseline` variant takes the group's mean off first; it is the
//! estimator's setting `group_baseline`.

use crate::{AdvantageEstimator, PolicyGradient, ReinforcePlusPlus};

/// REINFORCE++ with verl's whitening and a penalty of 0.01.
pub fn reinforce_pp() -> PolicyGradient {
    PolicyGradient {
        name: "reinforce_pp",
        advantage: AdvantageEstimator::ReinforcePlusPlus {
            settings: ReinforcePlusPlus::default(),
            group_baseline: false,
        },
        reward_kl_coef: 0.01,
        ..PolicyGradient::default()
    }
}
