//! What judges write: a choice, a score, the scores of a group. What cannot be read is an error, and
//! what can be read lies in its range.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::judging::{read_choice, read_group, read_score};

fuzz_target!(|text: &str| {
    let _ = read_choice(text);
    if let Ok(score) = read_score(text, 5) {
        assert!((1.0..=5.0).contains(&score));
    }
    if let Ok(scores) = read_group(text, 3) {
        assert!(scores.len() == 3 && scores.iter().all(|one| (0.0..=1.0).contains(&one.score)));
    }
});
