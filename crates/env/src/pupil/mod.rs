//! Pupils with a misconception: they learn from questions and hints, and not from being told the answer.
//!
//! A [`PupilSpec`] says what the pupil believes, about which numbers, and who they are. [`open`] gives the
//! first message, [`react`] answers each turn of the tutor, [`PupilReport`] holds what rewards read.
//!
//! # Example
//! ```
//! use stateset_core::{Purpose, RunSeed, StreamKey};
//! use stateset_env::pupil::{PupilSpec, open, react};
//!
//! let spec = PupilSpec::from_value(&serde_json::json!({
//!     "kind": "pupil", "misconception": "left_to_right", "numbers": [2, 3, 4],
//! }))?;
//! let mut stream = RunSeed(7).stream(Purpose::Environment, StreamKey::default());
//! let (mut state, opening) = open(&spec, &mut stream);
//! assert!(opening.contains("2 + 3 x 4") && opening.contains("20"));
//!
//! react(&spec, &mut state, "Good try! How did you get that?", &mut stream);
//! let reply = react(&spec, &mut state, "Which part comes first, plus or times?", &mut stream);
//! assert!(reply.text.contains("14") && reply.ending.is_some());
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

mod misconception;
mod react;
mod report;
mod spec;
mod state;

pub use misconception::{Misconception, Problem};
pub use react::{PupilReply, open, react};
pub use report::PupilReport;
pub use spec::PupilSpec;
pub use state::PupilState;
