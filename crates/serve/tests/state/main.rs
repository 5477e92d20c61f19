//! What a server remembers and trains, through its routes: agents, conversations, jobs, the WebSocket,
//! and both databases. The kill of a real process is tested with the program, in `crates/agents`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on is over")]
#![allow(clippy::print_stderr, reason = "what is skipped is said")]

mod agents;
mod batch;
mod clock;
mod conversations;
mod database;
mod full_disk;
mod gateway;
mod owners;
mod running;
mod scale;
mod socket;
mod training;
