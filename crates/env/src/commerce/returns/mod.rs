//! Returns and what comes after a purchase: a queue of customers who want to send something back.
//!
//! # Model
//! An order of price p came with a parcel of cost s and goods of cost p/2. The goods that come back
//! bring r·p: the share r that is shown for unused goods, 0.15 where they are faulty, 0.1 where they
//! are worn. Each customer settles for one decision:
//!
//! | decision | money | satisfaction, by what the customer is due and wants |
//! |---|---|---|
//! | `refund` | −p + r·p − s | 5; 4 where a replacement was wanted |
//! | `exchange` | −p/2 − 2s + r·p | 5; 3 where money was wanted |
//! | `store_credit` | −0.55p − s + r·p | 3; 4 where nothing was due |
//! | `refund_without_return` | −p | 5 |
//! | `refuse` | 0 | 1; 2 where nothing was due |
//!
//! Photos cost 0.4 points and each turn of a case beyond the third 0.25. The chance that a customer
//! comes back rises with satisfaction from 5 to 95 %, and a customer who does brings their yearly
//! margin.
//!
//! # What a greedy choice does not see
//! Refusing everybody saves money today and loses the customers; refunding everybody is loved, and some
//! of the goods were worn: who gets away with that comes again at once. Who is due something and gets
//! less comes back too, with probability 0.6, as a second contact that costs time, money and the
//! resolution at first contact. A loyal customer beyond the 30 days may be worth a credit.
//!
//! # Figures
//! `net_value` runs from the worst to the best decision for every case. `csat` is that of the honest
//! customers. `fairness` is 1 less the gap between the groups in satisfaction, over 4 points.
//!
//! The amounts are round numbers that make these trade-offs matter; no shop's data is behind them.

mod case;
mod desk;
mod worth;

pub(super) use desk::ReturnsDesk;
