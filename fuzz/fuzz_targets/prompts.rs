//! Prompt files. Every accepted prompt has a message to answer.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::scenarios::prompts_from_bytes;

fuzz_target!(|data: &[u8]| {
    if let Ok(prompts) = prompts_from_bytes(data, "fuzz.jsonl") {
        assert!(prompts.iter().all(|prompt| !prompt.messages.is_empty()));
    }
});
