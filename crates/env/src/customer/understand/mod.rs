//! Reading what an agent wrote: from text to [`Acts`], without knowing who the customer is.

mod acts;
mod asking;
mod helping;
mod manners;
mod patterns;
mod plain;
mod quoting;

pub use acts::{Acts, MAX_TURN_WORDS, Muddle, understand};
pub(crate) use plain::plain;
pub(crate) use quoting::{confirmed_facts, mistaken_facts};
