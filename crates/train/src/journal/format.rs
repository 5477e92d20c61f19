//! The bytes of a journal.
//!
//! ```text
//! magic      8 bytes   b"SSJRNL\r\n"
//! record     header    JSON of the key and the schema version
//! record     trajectory, and so on
//!
//! record:    length    u32, little-endian, 1 or more
//!            checksum  u32, little-endian: CRC-32 over the four bytes of the length and the bytes
//!            bytes     JSON
//! ```
//!
//! The checksum covers the length too. A length of 0 is refused, because file systems leave runs of zeros
//! behind after a power failure.

use serde::{Deserialize, Serialize};
use stateset_core::PolicyVersion;

use super::JournalDamage;

/// Version of the layout written here. Readers refuse a newer one.
pub const JOURNAL_SCHEMA_VERSION: u32 = 1;
/// Longest record in bytes: about two million sampled tokens with their log-probs.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// The line break shows a transfer that changed line ends.
pub(super) const MAGIC: &[u8; 8] = b"SSJRNL\r\n";
/// Bytes before those of a record.
pub(super) const PREFIX_BYTES: usize = 8;

/// What a journal belongs to. Trajectories are taken over only where all of it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalKey {
    /// Identifies the run and its configuration: name or id, and a hash of what decides its results.
    pub run: String,
    /// The step.
    pub step: u32,
    /// Whose weights sample.
    pub policy_version: PolicyVersion,
}

/// First record of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) schema_version: u32,
    pub(super) key: JournalKey,
}

/// `bytes` as a record; `None` where there are none or too many.
pub(super) fn frame(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.is_empty() || bytes.len() > MAX_RECORD_BYTES {
        return None;
    }
    let length = u32::try_from(bytes.len()).ok()?.to_le_bytes();
    let mut framed = Vec::with_capacity(PREFIX_BYTES + bytes.len());
    framed.extend_from_slice(&length);
    framed.extend_from_slice(&checksum(length, bytes).to_le_bytes());
    framed.extend_from_slice(bytes);
    Some(framed)
}

/// The record at the start of `rest`, and what follows it.
pub(super) fn unframe(rest: &[u8]) -> Result<(&[u8], &[u8]), JournalDamage> {
    let Some((&prefix, rest)) = rest.split_first_chunk::<PREFIX_BYTES>() else {
        return Err(JournalDamage::Torn);
    };
    let [a, b, c, d, e, f, g, h] = prefix;
    let length_bytes = [a, b, c, d];
    let length = u32::from_le_bytes(length_bytes) as usize;
    if length == 0 || length > MAX_RECORD_BYTES {
        return Err(JournalDamage::Length { found: length });
    }
    let (bytes, rest) = rest.split_at_checked(length).ok_or(JournalDamage::Torn)?;
    if checksum(length_bytes, bytes) != u32::from_le_bytes([e, f, g, h]) {
        return Err(JournalDamage::Checksum);
    }
    Ok((bytes, rest))
}

fn checksum(length: [u8; 4], bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_unframes() {
        let framed = [frame(b"one").unwrap(), frame(b"three").unwrap()].concat();
        let (one, rest) = unframe(&framed).unwrap();
        let (three, rest) = unframe(rest).unwrap();
        assert_eq!((one, three, rest), (&b"one"[..], &b"three"[..], &b""[..]));
        assert_eq!(frame(b""), None);
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(unframe(&[0; 64]), Err(JournalDamage::Length { found: 0 }));
        assert_eq!(unframe(&[0; 4]), Err(JournalDamage::Torn));
        assert_eq!(unframe(&[0xff; 64]), Err(JournalDamage::Length { found: 0xffff_ffff }));
    }
}
