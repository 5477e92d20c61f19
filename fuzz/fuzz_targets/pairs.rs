//! Preference data: lines of pairs and of answers judged alone, and people's judgments of replies. Bad
//! lines are told of; none may panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_train::{read_judged, read_judgments, read_pairs};

fuzz_target!(|text: &str| {
    let _ = read_pairs(text);
    let _ = read_judged(text);
    let _ = read_judgments(text, 4);
});
