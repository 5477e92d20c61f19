//! What a judge wrote, by every reader there is. What is read is in range; the rest has a reason.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stateset_env::judging::{Rubric, read_choice, read_group, read_rubric, read_score};

static RUBRIC: LazyLock<Rubric> =
    LazyLock::new(|| Rubric::named("customer_service").expect("it is built in"));

fuzz_target!(|text: &str| {
    let _ = read_choice(text);
    if let Ok(score) = read_score(text, 10) {
        assert!((1.0..=10.0).contains(&score));
    }
    if let Ok(scores) = read_group(text, 3) {
        assert!(scores.len() == 3 && scores.iter().all(|s| (0.0..=1.0).contains(&s.score)));
    }
    if let Ok(scores) = read_rubric(text, &RUBRIC) {
        assert_eq!(scores.len(), RUBRIC.criteria().len());
        assert!(scores.iter().all(|s| (1.0..=5.0).contains(&s.score)));
    }
});
