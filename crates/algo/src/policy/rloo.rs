//! RLOO (arXiv 2402.14740): each sample against the mean of the others, clipped as one action.
//!
//! As in TRL's `rloo_trainer.py` the importance ratio is that of the whole answer,
//! R_i = exp(sum_t(lc - lo)), and the KL penalty (k1, summed over tokens) is in the reward:
//!
//!   loss = -mean_i min( R_i A_i, clip(R_i, 1 - e, 1 + e) A_i )
//!
//! A ratio that is a product of many leaves the range soon; with one optimiser step for each batch it
//! is 1 and the loss is the paper's.

use super::{Clip, RatioLevel, Surrogate};
use crate::{AdvantageEstimator, Aggregation, LeaveOneOut, PolicyGradient};

/// RLOO with TRL's settings.
pub fn rloo() -> PolicyGradient {
    PolicyGradient {
        name: "rloo",
        advantage: AdvantageEstimator::LeaveOneOut(LeaveOneOut::default()),
        surrogate: Surrogate::Clip { clip: Clip::default(), level: RatioLevel::Product },
        aggregation: Aggregation::Grpo,
        reward_kl_coef: 0.05,
        ..PolicyGradient::default()
    }
}
