//! Rewards in words, as on the command line and in configuration files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::rewards::parse_reward;

fuzz_target!(|spec: &str| {
    if let Ok(reward) = parse_reward(spec) {
        assert!(!reward.name().is_empty());
    }
});
