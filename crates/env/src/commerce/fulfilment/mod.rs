//! Inventory and fulfilment: serve the orders of a week from two warehouses, and buy again in time.
//!
//! # Model
//! Three products, the second of which can stand in for the first and the other way round; a
//! warehouse in the north and one in the south; orders of one product each, express (due the day they come) or
//! standard (due two days later). A parcel costs 4 within a region, 7 between regions, and half a unit of money
//! for each unit in it; a split shipment is two parcels. Goods bought again come two days later and
//! cost 8 for each delivery. Keeping a unit costs 0.1 a day, and a unit that is left at the end is
//! written down by 0.15 of its margin.
//!
//! That is periodic review with fixed ordering cost and lead time, for which an (s, S) rule is optimal for
//! a single product with stationary demand (Scarf, in: Mathematical Methods in the Social Sciences,
//! 1959; Zipkin, Foundations of Inventory Management, 2000, chapter 9): order up to S when stock on
//! hand and on order falls to s. Here several decisions about every order come on top.
//!
//! Satisfaction is 5 for an order sent in time, a point less for each day late (half a point where the customer was
//! told by a backorder), 0.3 less for two parcels, 0.5 less for a substitute or for one they were asked
//! about and declined; 2 where it was cancelled and 1 where nothing happened. It decides about the
//! customer's later margin.
//!
//! # What a greedy choice does not see
//! Stock that goes to the first standard order lacks for tomorrow's express order; stock sent across
//! the country lacks there; goods that are bought when the shelf is empty come two days too late;
//! and three deliveries of five cost more than one of fifteen.
//!
//! # Figures
//! `net_value` runs from every order left alone to every order sent in time from the nearer warehouse.
//! `inventory_age` is stock on hand over units sent, which is the mean time a unit spends in stock
//! (Little, Operations Research 9(3), 1961). `fairness` is 1 less the gap between the regions in the share of
//! orders sent in time.

mod orders;
mod stock;
mod warehouse;

pub(super) use warehouse::Fulfilment;
