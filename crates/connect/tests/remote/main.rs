//! Policies, judges and tools against a server in this process that answers, stalls, refuses and breaks.
#![cfg(feature = "remote")]
#![allow(clippy::unwrap_used, reason = "a server that cannot be set up ends the test")]

mod guards;
mod policy;
mod spending;
mod stand_in;
mod tools;
