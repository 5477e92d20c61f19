//! The reactive simulated customer: seeded, without a model, fast enough to train against.
//!
//! A [`CustomerSpec`] says who writes and what they know. [`open`] gives the first message, [`react`]
//! answers each turn of the agent, [`CustomerReport`] holds what rewards read. A corpus generator can
//! play the same customers against scripted agents: [`Issue::required_slots`],
//! [`Issue::resolution`] and [`CustomerState::missing`] are the rules, [`grammar`] the words,
//! [`Split::of`] the border between what may be trained on and what is held out.
//!
//! # Example
//! ```
//! use stateset_core::{Purpose, RunSeed, StreamKey};
//! use stateset_env::customer::{CustomerSpec, Ending, open, react};
//!
//! let spec = CustomerSpec::from_value(&serde_json::json!({
//!     "issue": "refund",
//!     "facts": {"order_number": "4821", "reason": "it broke"},
//!     "n_opening_facts": 1,
//! }))?;
//! let mut stream = RunSeed(7).stream(Purpose::Environment, StreamKey::default());
//! let (mut state, opening) = open(&spec, &mut stream);
//! assert!(opening.contains("4821"));
//!
//! let reply = react(&spec, &mut state, "I am sorry. Why do you want a refund?", &mut stream);
//! assert!(reply.text.contains("it broke"));
//! let reply = react(&spec, &mut state, "Thank you. I have started your refund.", &mut stream);
//! assert_eq!(reply.ending, Some(Ending::Solved));
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

mod catalogue;
mod combination;
mod domain;
pub mod grammar;
mod issue;
mod mood;
mod react;
mod report;
mod resolution;
mod slot;
mod spec;
mod state;
mod understand;

pub use catalogue::{Product, product_kind, products};
pub(crate) use combination::text_seed;
pub use combination::{Combination, Split};
pub use domain::Domain;
pub use issue::Issue;
pub use mood::{Mood, OpeningStyle};
pub use react::{Reply, open, react};
pub use report::CustomerReport;
pub use resolution::Resolution;
pub use slot::Slot;
pub use spec::{CustomerSpec, MAX_FACT_CHARS, MAX_PATIENCE};
pub use state::{CustomerState, Ending, Fault, Lenience};
pub use understand::{Acts, MAX_TURN_WORDS, Muddle, understand};
pub(crate) use understand::{
    Patterns, Sentence, is_asking, plain, plain_sentences, understand_manners,
};
