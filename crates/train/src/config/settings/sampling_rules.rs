//! Rules about which rollouts are played and what their length costs.

use stateset_algo::SoftOverlong;

use super::super::reader::Reader;

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

const CACHE: &str = "training.overlong_cache_length";
const COMPLETION: &str = "training.max_completion_length";

impl RolloutRules {
    pub(in super::super) fn resolve(reader: &mut Reader) -> RolloutRules {
        let refills = reader.bool("training.use_dynamic_sampling");
        let punishes = reader.bool("training.use_overlong_shaping");
        RolloutRules {
            refill_rounds: if refills {
                reader.size("training.dynamic_sampling_rounds")
            } else {
                0
            },
            overlong: punishes.then(|| overlong(reader)),
            staleness: reader.size("training.staleness"),
        }
    }
}

fn overlong(reader: &mut Reader) -> SoftOverlong {
    let max_tokens = reader.size(COMPLETION);
    let named = reader.optional_size(CACHE);
    if let Some(found) = named.filter(|cache| *cache > max_tokens) {
        let allowed = format!("at most max_completion_length, which is {max_tokens}");
        let hint = "the paper has a fifth of it";
        reader.refuse(&[CACHE, COMPLETION], format!("{found} tokens"), allowed, hint);
    }
    SoftOverlong {
        max_tokens,
        cache_tokens: named.unwrap_or((max_tokens / 5).max(1)),
        // The key is what is added to a reward; the factor its size.
        factor: reader.number("training.overlong_penalty").abs(),
        floor: reader.bool("training.overlong_floor"),
    }
}
