//! Reward files: TOML, YAML or JSON, by the first byte. What is accepted has a positive weight.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::rewards::{RewardFile, RewardFileFormat, parse_reward};

const FORMATS: [RewardFileFormat; 3] =
    [RewardFileFormat::Toml, RewardFileFormat::Yaml, RewardFileFormat::Json];

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let format = FORMATS[usize::from(*first) % FORMATS.len()];
    if let Ok(file) = RewardFile::read(bytes, format, "fuzz.any") {
        assert!(file.parts.iter().any(|(_, weight)| *weight > 0.0));
        let _ = file.build(parse_reward);
    }
});
