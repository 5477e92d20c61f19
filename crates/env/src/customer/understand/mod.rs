//! Reading what an agent wrote: from text to [`Acts`], without knowing who the customer is.

mod acts;
mod asking;
mod helping;
mod manners;
mod patterns;
mod plain;
mod quoting;

pub(crate) use acts::understand_manners;
pub use acts::{Acts, MAX_TURN_WORDS, Muddle, understand};
pub(crate) use asking::is_asking;
pub(crate) use patterns::Patterns;
pub(crate) use plain::{Sentence, plain, plain_sentences};
pub(crate) use quoting::{confirmed_facts, mistaken_facts};
