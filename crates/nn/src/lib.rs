//! The language-model engine: kernels, decoder, LoRA, optimiser, sampler, tokenizer, chat template and checkpoint files.

mod text_error;
mod tokenizer;

pub use text_error::TextError;
pub use tokenizer::*;
