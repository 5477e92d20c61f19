//! Descriptions of simulated users: personas, agenda users, pupils and customers. What is accepted is
//! written and read back the same, and can be played with any words of the agent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_env::Persona;
use stateset_env::agenda::{AgendaSpec, corpora, open, react};
use stateset_env::pupil::{self, PupilSpec};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (description, words) = text.split_once('\0').unwrap_or((&text, "Which day, please?"));
    let _ = corpora::read_multidogo(description);
    let _ = corpora::read_multiwoz(description);
    let _ = corpora::read_taskmaster(description);
    let Ok(value) = serde_json::from_str::<Value>(description) else { return };
    let _ = Persona::from_value(&value);
    let mut stream = RunSeed(1).stream(Purpose::Environment, StreamKey::default());
    if let Ok(spec) = AgendaSpec::from_value(&value) {
        assert_eq!(AgendaSpec::from_value(&spec.to_value()).ok().as_ref(), Some(&spec));
        let (mut state, _) = open(&spec, &mut stream);
        for words in words.split('\n').take(8) {
            react(&spec, &mut state, words, &mut stream);
        }
    }
    if let Ok(spec) = PupilSpec::from_value(&value) {
        let (mut state, _) = pupil::open(&spec, &mut stream);
        for words in words.split('\n').take(8) {
            pupil::react(&spec, &mut state, words, &mut stream);
        }
    }
});
