//! The language-model engine: kernels, decoder, LoRA, optimiser, sampler, tokenizer, chat template
//! and checkpoint files.

mod backend;
mod kernels;
mod plain;

pub use backend::*;
pub use kernels::{
    Activation, AdamwStep, AttentionSpec, Cpu, NormKind, Path, RowGradient, RowStats,
};
pub use plain::Plain;
