//! Configuration files: TOML, YAML or JSON, by the first byte. What is accepted has to be written out
//! again as a configuration that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_train::config::{ConfigFile, ConfigSources, Format, Resolved, resolve};

const FORMATS: [Format; 3] = [Format::Toml, Format::Yaml, Format::Json];

fn resolved(format: Format, bytes: &[u8]) -> Option<Resolved> {
    let file = ConfigFile { name: "fuzz".to_owned(), format, bytes: bytes.to_vec() };
    resolve(&ConfigSources { file: Some(file), ..ConfigSources::default() }).ok()
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let Some(found) = resolved(FORMATS[usize::from(*first) % FORMATS.len()], bytes) else { return };
    let again = resolved(Format::Toml, found.to_toml().as_bytes());
    assert!(again.is_some_and(|again| again.config == found.config), "written as it was read");
});
