//! Making long conversations shorter for the model.

mod config;
mod cut;

pub use config::{CompressionConfig, CompressionStrategy};
pub use cut::Compressed;
