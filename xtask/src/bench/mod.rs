//! `cargo xtask bench`: our engine and its peers on the same work, in turns.
//!
//! | part | what it does |
//! |---|---|
//! | `settings` | what was asked for, and what there is to run it with |
//! | `process` | one measured process: pinned, and read from its last line of JSON |
//! | `works` | the pieces of work, and what each side measures |
//! | `parity` | both sides compute the same loss, or nothing is compared |
//! | `rounds` | ours, theirs, ours, theirs, and so on |
//! | `statistics`, `table` | medians, spread and ratios, as a table and as JSON |

mod parity;
mod process;
mod rounds;
mod settings;
mod statistics;
mod table;
mod works;

pub(crate) use rounds::bench;
pub(crate) use settings::BENCH_USAGE;
