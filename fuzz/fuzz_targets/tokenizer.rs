//! Tokenizer files: `tokenizer.json`, or a SentencePiece model, by the first byte. What loads has to
//! survive text in and tokens out.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use stateset_nn::{TextFiles, Tokenizer};

const NAMES: [&str; 2] = ["tokenizer.json", "tokenizer.model"];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let files = [(name, Cow::Owned(bytes.to_vec()))];
    let Ok(files) = TextFiles::from_memory("fuzz", files) else { return };
    let Ok(tokenizer) = Tokenizer::load(&files) else { return };
    if let Ok(tokens) = tokenizer.encode("Hello, w\u{f6}rld! 12", true) {
        let _ = tokenizer.decode(&tokens, false);
    }
});
