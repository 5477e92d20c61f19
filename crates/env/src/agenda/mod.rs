//! Agenda users: people with a goal, a persona and a way of writing; seeded, without a model.
//!
//! An [`AgendaSpec`] says what the user wants and who they are. [`open`] gives the first message,
//! [`react`] answers each turn of the agent, [`AgendaReport`] holds what rewards read. [`corpora`]
//! makes goals and styles out of real dialogues.
//!
//! # Example
//! ```
//! use stateset_core::{Purpose, RunSeed, StreamKey};
//! use stateset_env::agenda::{AgendaSpec, Item, open, react};
//! use stateset_env::customer::Ending;
//!
//! let spec = AgendaSpec::from_value(&serde_json::json!({
//!     "kind": "agenda", "task": "book a table", "n_opening": 1,
//!     "constraints": [{"slot": "food", "value": "thai"}, {"slot": "people", "value": 4}],
//!     "requests": [{"slot": "phone", "answer": "55 01"}],
//! }))?;
//! let mut stream = RunSeed(7).stream(Purpose::Environment, StreamKey::default());
//! let (mut state, opening) = open(&spec, &mut stream);
//! assert!(opening.text.to_lowercase().contains("thai"));
//!
//! let reply = react(&spec, &mut state, "For how many people?", &mut stream);
//! assert_eq!(reply.said, [Item::Tell(1)]);
//! let reply = react(&spec, &mut state, "Thank you. I have booked a table.", &mut stream);
//! assert_eq!(reply.said, [Item::Ask(0)]);
//! let reply = react(&spec, &mut state, "The phone number is 55 01.", &mut stream);
//! assert_eq!(reply.ending, Some(Ending::Solved));
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

pub mod corpora;
mod goal;
mod hear;
mod lexicon;
mod noise;
mod react;
mod report;
mod speak;
mod spec;
mod state;
mod style;

pub use goal::{Constraint, Fact, Goal, Request};
pub(crate) use hear::holds;
pub use react::{AgendaReply, open, react};
pub use report::AgendaReport;
pub use spec::{AgendaSpec, MAX_FACTS};
pub use state::{AgendaState, Item};
pub use style::{Style, UserTurn};
