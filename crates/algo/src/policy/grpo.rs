//! GRPO (arXiv 2402.03300) and the methods that differ from it by settings alone.
//!
//! | name | differs in | source |
//! |---|---|---|
//! | `grpo` | | equation 3 of DeepSeekMath; the token-level mean is TRL's default |
//! | `dr_grpo` | no deviation under the advantage, no length under the loss | arXiv 2503.20783 |
//! | `bnpo` | mean over the tokens of a micro-batch | TRL |
//! | `dapo` | a wider range above than below; truncated trajectories teach nothing | arXiv 2503.14476 |
//!
//! DAPO's dynamic sampling and its soft punishment of long answers act on rollouts, not on the loss:
//! they are settings of the trainer.

use super::{Clip, Surrogate};
use crate::{Aggregation, GroupAdvantage, PolicyGradient, RewardScaling};

/// GRPO as in TRL 1.16.
pub fn grpo() -> PolicyGradient {
    PolicyGradient::default()
}

/// Dr. GRPO for completions of at most `max_completion_tokens`.
pub fn dr_grpo(max_completion_tokens: usize) -> PolicyGradient {
    let advantage = GroupAdvantage { scaling: RewardScaling::None, ..GroupAdvantage::default() };
    PolicyGradient {
        name: "dr_grpo",
        advantage: advantage.into(),
        aggregation: Aggregation::DrGrpo { max_completion_tokens },
        ..PolicyGradient::default()
    }
}

/// BNPO.
pub fn bnpo() -> PolicyGradient {
    PolicyGradient { name: "bnpo", aggregation: Aggregation::Bnpo, ..PolicyGradient::default() }
}

/// DAPO's loss with the paper's range.
pub fn dapo() -> PolicyGradient {
    PolicyGradient {
        name: "dapo",
        surrogate: Surrogate::clip(Clip { high: 0.28, ..Clip::default() }),
        mask_truncated: true,
        ..PolicyGradient::default()
    }
}
