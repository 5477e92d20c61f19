//! Model families: how each one's `config.json` and tensor names map onto the common decoder.

mod gemma2;
mod gemma3;
mod gpt2;
mod json;
mod llama;
mod mistral;
mod phi3;
mod qwen2;
mod qwen3;
mod registry;
mod rotary;

pub use registry::{Family, known};
