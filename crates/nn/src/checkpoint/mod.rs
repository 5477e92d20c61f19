//! Models on disk: Hugging Face folders, PEFT adapters, and the writing that survives a full disk.

mod adapter;
mod critic;
mod disk;
mod model;
mod optimiser;
mod snapshot;
mod tensors;
mod value_head;
mod write;

pub use adapter::{AdapterFiles, save_adapter};
pub use critic::{restore_critic, save_critic};
pub use disk::{Disk, RealDisk, SyncWrite, sync_folder, write_file};
pub use model::{ModelFiles, save_model};
pub use optimiser::{load_optimiser, save_optimiser};
pub use snapshot::{load_snapshot, save_snapshot};
pub use tensors::Tensors;
pub use value_head::{
    VALUE_HEAD_FILE, VALUE_HEAD_OPTIMISER_FILE, load_value_head, restore_value_head,
    save_value_head, save_value_head_of,
};
pub use write::StoreType;
