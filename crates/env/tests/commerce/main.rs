//! The worlds of commerce, played by scripted policies. Pinned here:
//!
//! 1. In every world, over the held-out scenarios, a random policy earns less than a naive one, a naive
//!    one less than a sensible one, and where the best policy can be computed, a sensible one less than
//!    that; the 95 % bootstrap intervals of the means do not overlap.
//! 2. Degenerate policies (always the same decision, price zero, nothing, keywords) earn less than
//!    the sensible one, by the same measure.
//! 3. The fairness figure falls when a policy treats one group worse.
//! 4. The same seed gives the same bytes; an episode that goes through JSON is the same episode.
//! 5. Whatever is called, nothing panics and every figure stays in its range.
//! 6. Mistakes are answered and cost.
//! 7. A whole episode of every world is written down in `crates/env/tests/commerce/episodes/`.

mod cross_sell;
mod fairness;
mod fraud;
mod fulfilment;
mod interval;
mod mistakes;
mod ordering;
mod play;
mod pricing;
mod returns;
mod robust;
mod transcripts;
