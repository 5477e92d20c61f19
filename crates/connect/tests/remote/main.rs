//! Policies, judges and tools against a server in this process that answers, stalls, refuses and breaks.
#![cfg(feature = "remote")]

mod guards;
mod policy;
mod spending;
mod stand_in;
mod tools;
