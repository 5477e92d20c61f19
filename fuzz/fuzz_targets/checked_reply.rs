//! Replies that are checked: an entry of a prompt file, a line end, a reply.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::prompts::Check;
use stateset_env::scenarios::prompts_from_bytes;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (entry, reply) = data.split_at(end);
    let Ok(scenarios) = prompts_from_bytes(entry, "fuzz.jsonl") else { return };
    for scenario in &scenarios {
        if let Ok(Some(check)) = Check::of(scenario) {
            let _ = check.judge(&String::from_utf8_lossy(reply));
        }
    }
});
