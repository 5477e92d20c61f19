//! The hub against a stand-in server on loopback.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as the tests do")]

mod answers;
mod cache;
mod interruptions;
mod limits;
mod stand_in;
mod success;
