//! Data files for fine-tuning. Accepted files have at least one example.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_train::read_examples;

fuzz_target!(|text: &str| {
    if let Ok(examples) = read_examples(text) {
        assert!(!examples.is_empty());
    }
});
