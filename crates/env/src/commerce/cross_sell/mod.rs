//! Cross-selling and personalisation: shoppers who come back, or do not.
//!
//! # Model
//! Four shoppers visit a shop up to three times each, in turn. Every visit has a basket of its own. A
//! shopper takes a suggestion with probability
//!
//! ```text
//! (0.6 where the product's kind is to their taste, else 0.12)
//!   · trust · (1 - thrift · price / 100) · (1 + 2 · discount) · (0.6 once spoilt by discounts, else 1)
//! ```
//!
//! cut off at 0.95. Trust starts at 1 and moves with experience: 0.25 down for a declined suggestion that was not to
//! their taste, 0.06 for one that was; an idle message costs 0.05. Things bought against one's taste are regretted half
//! of the time: they come back before the next visit, the margin is gone and trust is down by 0.2.
//! Things to their taste that were bought raise trust by 0.1. Who has bought at a discount expects one from then on.
//! A shopper comes back to the next visit with probability 0.25 + 0.7·trust, and after the last one is
//! worth their later margin with the probability at which a customer of that satisfaction (1 + 4·trust)
//! comes back.
//!
//! That clicks of today are not what a customer is worth is the point of much work on recommendation as
//! a sequential decision (e.g. Shani, Heckerman and Brafman, JMLR 6, 2005, who model it as a Markov
//! decision process). The numbers here are round and their own.
//!
//! # What a greedy choice does not see
//! The dearest product earns most when it is taken and drives off most when it is not; a large
//! discount sells today and spoils the next visits. Asking costs a minute and tells the taste; the
//! past purchases tell it four times out of five.
//!
//! # Figures
//! `net_value` runs from shoppers whose trust is gone at once to shoppers of full trust who are shown the two best
//! products at every visit. `aov` is the mean value of a visit's order. `fairness` is 1 less the greater of two gaps between
//! the groups: in satisfaction, over 4 points, and in the mean discount offered, over 30 percent.

mod counter;
mod shopper;

pub(super) use counter::CrossSell;
