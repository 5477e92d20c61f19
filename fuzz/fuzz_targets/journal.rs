//! Journals. Half of the inputs are files as they are; the other half become a record with a right
//! length and checksum behind a right header, so that what is inside records is reached too. No content
//! is an error, and what is kept and what is lost add up to the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_core::PolicyVersion;
use stateset_train::{JournalKey, read_journal};

fn key() -> JournalKey {
    JournalKey { run: "fuzz".to_owned(), step: 1, policy_version: PolicyVersion(1) }
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_le_bytes();
    let mut hash = crc32fast::Hasher::new();
    hash.update(&length);
    hash.update(bytes);
    [&length[..], &hash.finalize().to_le_bytes(), bytes].concat()
}

fn file(data: &[u8]) -> Vec<u8> {
    match data.split_first() {
        Some((first, record)) if first % 2 == 1 => {
            let header = serde_json::json!({"schema_version": 1, "key": key()}).to_string();
            [&b"SSJRNL\r\n"[..], &framed(header.as_bytes()), &framed(record)].concat()
        }
        Some((_, bytes)) => bytes.to_vec(),
        None => Vec::new(),
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(temp) = tempfile::NamedTempFile::new() else { return };
    if std::fs::write(temp.path(), file(data)).is_ok() {
        assert!(read_journal(temp.path(), &key()).is_ok(), "damage is content, not an error");
    }
});
