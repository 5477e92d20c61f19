//! Models on disk: Hugging Face folders, PEFT adapters, and the writing that survives a full disk.

mod adapter;
mod disk;
mod model;
mod optimiser;
mod tensors;
mod write;

pub use adapter::{AdapterFiles, save_adapter};
pub use disk::{Disk, RealDisk, SyncWrite, sync_folder, write_file};
pub use model::{ModelFiles, save_model};
pub use optimiser::{load_optimiser, save_optimiser};
pub use tensors::Tensors;
pub use write::StoreType;
