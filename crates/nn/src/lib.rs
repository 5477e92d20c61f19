//! The language-model engine: kernels, decoder, LoRA, optimiser, sampler, tokenizer, chat template and checkpoint files.

mod template;
mod text_error;
mod tokenizer;

pub use template::{
    ChatFormat, ChatTemplate, Date, MAX_TEMPLATE_BYTES, RenderOptions, Rendered, UserText,
};
pub use text_error::TextError;
pub use tokenizer::{
    DecodeStream, MAX_CONFIG_BYTES, MAX_TEXT_BYTES, MAX_TOKENIZER_BYTES, SpecialTokens, TextFiles,
    Tokenizer,
};
