//! `config.json` of a model: every family either describes a decoder or says which key is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_nn::Family;

fuzz_target!(|data: &[u8]| {
    if let Ok(config) = serde_json::from_slice(data) {
        let _ = Family::read(&config);
    }
});
