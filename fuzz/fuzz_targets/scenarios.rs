//! Scenario files: JSON, JSONL or YAML, by the first byte. Ids of what is accepted are unique.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use stateset_env::scenarios::{Format, scenarios_from_bytes};

const FORMATS: [Format; 3] = [Format::Json, Format::Jsonl, Format::Yaml];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let format = FORMATS[usize::from(*first) % FORMATS.len()];
    if let Ok(scenarios) = scenarios_from_bytes(bytes, format, "fuzz.any") {
        let ids: BTreeSet<&String> = scenarios.iter().map(|scenario| &scenario.id).collect();
        assert_eq!(ids.len(), scenarios.len());
    }
});
