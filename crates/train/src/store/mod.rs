//! Checkpoints on disk, whole or not at all.

mod checkpoint_store;
mod disk;
mod manifest;

pub use checkpoint_store::{
    Checkpoint, CheckpointStore, DamagedCheckpoint, NewestCheckpoint, open_checkpoint,
};
pub use manifest::{CHECKPOINT_SCHEMA_VERSION, FileRecord, MANIFEST_NAME, Manifest};
