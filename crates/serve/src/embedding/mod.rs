//! Texts to vectors.

mod embed;

pub use embed::{EmbedInput, Embedded, MAX_EMBED_INPUTS, embed};
