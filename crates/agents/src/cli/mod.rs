//! The command line: one file for each command, and what commands share.
//!
//! | part | what |
//! |---|---|
//! | `train`, `evaluate`, ... | one command each: its flags, and what it does |
//! | `program` | from arguments to a command and an exit code |
//! | `alias` | `grpo-train`, `grpo-evaluate` and `grpo-serve`: other names and flags for three of them |
//! | `result`, `signals` | how a run ends: the table, and being asked to stop |
//! | `sources` | files, variables and flags into a resolved configuration |
//! | `model`, `engine` | finding a model, sizing an engine for it |
//! | `lines`, `sampling` | what `score` and `generate` read, and how text is drawn |
//! | `conversations`, `spread` | what `reward` reads, and what it shows |
//! | `serve`, `keys` | the HTTP service, and its API keys |
//! | `output`, `error`, `logging` | data on stdout, everything else on stderr, and exit codes |

mod alias;
mod chat;
mod conversations;
mod doctor;
pub(crate) mod engine;
mod error;
mod evaluate;
mod generate;
mod harness;
mod init;
mod keys;
mod lines;
mod logging;
mod machine;
mod model;
mod output;
mod program;
mod report;
mod result;
mod reward;
mod sampling;
mod score;
mod serve;
mod serve_conversations;
mod serve_guard;
mod serve_keys;
mod serve_state;
mod serve_watch;
mod sft;
mod signals;
mod sources;
mod spread;
mod stops;
mod today;
mod train;
mod train_on_pairs;
mod version;

pub use program::{command, commands, grpo_evaluate_main, grpo_train_main, main};
