//! Policies: the engine in this process, and canned sentences.

mod local;
mod stub;

pub use local::LocalPolicy;
pub use stub::StubPolicy;
