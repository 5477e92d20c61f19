//! Fraud review: a queue of suspicious orders, each to be approved or blocked, in time.
//!
//! # Model
//! An order of amount A earns a margin of 0.3·A. Three in ten are fraudulent. Four signals are drawn
//! independently, given the truth:
//!
//! | signal | fraud | honest, north | honest, south |
//! |---|---|---|---|
//! | shipped to another address than billed | 0.7 | 0.15 | 0.45 |
//! | account younger than 30 days | 0.7 | 0.2 | 0.2 |
//! | three or more orders that day | 0.5 | 0.08 | 0.08 |
//! | device never seen before | 0.8 | 0.3 | 0.3 |
//!
//! so that the odds of fraud are prior odds times likelihood ratios (naive Bayes), as long as the
//! reviewer knows that parcel lockers make other addresses common in the south.
//!
//! Approving an honest order earns its margin and the later margin of a content customer; blocking it
//! loses both but for the few who come back. Approving fraud costs the amount and a fee of 15.
//! Identity checks are right 19 times in 20, cost 4 and five minutes, and annoy honest customers
//! (1 point). A decision later than 15 minutes after the order came costs 1.5 points. Work makes
//! the clock move, so checking everybody makes the last ones late.
//!
//! # What a greedy choice does not see
//! Chargebacks come three decisions later. And a fraud that got through tries again, two
//! decisions later, with a larger order whose signals look clean: the device is known by now. Only the
//! shared device gives it away.
//!
//! # Figures
//! `net_value` runs from the worse to the better of approving and blocking, for every order.
//! `fairness` is 1 less the gap between the groups in the share of honest orders that were blocked.
//!
//! The likelihoods are round numbers; no shop's data is behind them.

mod order;
mod review;

pub(super) use review::FraudReview;
