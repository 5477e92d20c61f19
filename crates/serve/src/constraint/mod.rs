//! Forms that an answer must have, kept while it is drawn: JSON of a schema, a regular expression, a
//! grammar, calls of tools.
//!
//! The work is done by the `llguidance` crate: before each token it says which tokens may follow. Masks
//! are computed on the engine's thread between two passes, so their cost is bounded
//! ([`Vocabulary::of`] sets the limits), and an answer whose grammar passes them ends with an error
//! instead of holding up the others.

mod calls;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod constraint;
mod filter;
mod grammar;
mod vocabulary;

pub(crate) use constraint::{Constraint, failed, of};
pub(crate) use vocabulary::Vocabulary;
