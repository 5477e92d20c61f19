//! Counting tokens with a model's own tokenizer.

use stateset_env::agents::context::TokenCounter;
use stateset_nn::ChatFormat;

/// Counts as the tokenizer of `format` does. A text that it refuses counts its bytes: more than any tokenizer makes.
pub fn token_counter(format: &ChatFormat) -> TokenCounter {
    let tokenizer = format.tokenizer().clone();
    TokenCounter::new(move |text| tokenizer.encode(text, false).map_or(text.len(), |ids| ids.len()))
}
