//! Text to tokens and back, for the tokenizer files of Hugging Face models.

mod assemble;
mod byte_level;
mod charsmap;
mod codec;
mod config;
mod decode_stream;
mod fidelity;
mod files;
mod llama;
mod save;
mod sentence_piece;
mod template_files;
mod token_bytes;

pub(crate) use codec::KnownToken;
pub use codec::{MAX_TEXT_BYTES, Tokenizer};
pub use config::SpecialTokens;
pub use decode_stream::DecodeStream;
pub(crate) use fidelity::SpaceLoss;
pub use files::{MAX_CONFIG_BYTES, MAX_TOKENIZER_BYTES, TextFiles};
