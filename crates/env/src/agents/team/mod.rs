//! Several agents as one: who answers, and what is handed over.

mod handover;
mod router;

pub use handover::{BRIEFING, Handover};
pub use router::{HAND_OVER, IntentRouter, Route, Skill};
