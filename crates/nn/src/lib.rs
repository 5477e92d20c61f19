//! The language-model engine: kernels, decoder, LoRA, optimiser, sampler, tokenizer, chat template and checkpoint files.

mod template;
mod text_error;
mod tokenizer;

pub use template::*;
pub use text_error::TextError;
pub use tokenizer::*;
