//! Rubric files in YAML and JSON. What is accepted has criteria whose shares add up to one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::judging::Rubric;
use stateset_env::scenarios::Format;

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Yaml, Format::Json] {
        if let Ok(rubric) = Rubric::from_bytes(bytes, format, "fuzz") {
            assert!(!rubric.criteria().is_empty());
            assert!((rubric.shares().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
});
