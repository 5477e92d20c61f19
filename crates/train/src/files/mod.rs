//! Writing files so that a crash leaves either the old or the new state.

mod append;
mod atomic;

pub(crate) use append::AppendFile;
pub(crate) use atomic::{sync_folder, write_atomically};
