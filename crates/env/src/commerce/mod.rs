//! Commerce: small shops in which decisions have consequences, judged by business figures.
//!
//! | world | what is decided |
//! |---|---|
//! | `returns_desk` | what happens with returned goods, customer by customer |
//! | `dynamic_pricing` | the price of a season's stock, week by week |
//! | `fulfilment` | which order is served from where, and what is bought again |
//! | `cross_sell` | what shoppers are shown, when a discount helps, when silence does |
//! | `fraud_review` | which orders go through |
//!
//! Each is a simulator: its scenario says what is true (in the metadata, under `commerce`), the
//! agent reads texts and acts by tool calls, and after every turn the state's metadata holds the
//! business figures ([`Kpi`]) as if the episode ended there. Each folder's head gives the economic model.
//!
//! What they share is here once: [`Kpi`] and its readings, the tools and their arguments, the effort
//! that calls, messages and mistakes cost, the groups of customers between whom fairness is measured,
//! and the environment that plays any of them.
//!
//! A turn without calls is a message to whoever is on the other side. Calls are answered one by one,
//! in order; a call that is malformed or makes no sense is answered with what is wrong with it and
//! costs two minutes. Text beside calls is read by nobody.

mod cross_sell;
mod effort;
mod environment;
mod fraud;
mod fulfilment;
mod group;
mod kpi;
mod pricing;
mod returns;
mod simulator;
mod tally;
mod verb;
mod words;
mod world;

pub use kpi::{Kpi, Reading};
pub use world::{commerce_preset, commerce_worlds};
