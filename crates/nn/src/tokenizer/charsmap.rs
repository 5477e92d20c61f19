//! SentencePiece's precompiled normalisation map: base64 both ways, and a check that it is sound.
//!
//! The map is a double-array trie over UTF-8 bytes whose leaves are offsets into a blob of
//! zero-terminated replacements (format: `normalizer.cc` of SentencePiece). The choice a reader
//! would question: we walk the whole trie once at load, because the crate that applies it indexes
//! without looking, and a damaged file would then stop the program at some later text.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Most units of a trie; real maps have under 100,000.
const MAX_UNITS: usize = 4 << 20;

/// Standard base64 with padding, as `tokenizer.json` holds the map.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut word = 0u32;
        for i in 0..3 {
            word = word << 8 | u32::from(chunk.get(i).copied().unwrap_or(0));
        }
        for i in 0..4 {
            if i <= chunk.len() {
                out.push(char::from(ALPHABET[(word >> (18 - 6 * i)) as usize & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

/// The bytes of a standard base64 text; `None` where it is none.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut word = 0u32;
        for i in 0..4 {
            let digit = match chunk.get(i) {
                Some(c) => ALPHABET.iter().position(|a| a == c)?,
                None => 0,
            };
            word = word << 6 | digit as u32;
        }
        let n_bytes = (chunk.len() * 6) / 8;
        out.extend_from_slice(&word.to_be_bytes()[1..1 + n_bytes]);
    }
    Some(out)
}

/// Checks that no text can lead the trie or its replacements out of bounds.
pub(super) fn check(map: &[u8]) -> Result<(), &'static str> {
    let Some((head, rest)) = map.split_first_chunk::<4>() else {
        return Err("has no length");
    };
    let n_bytes = u32::from_le_bytes(*head) as usize;
    if n_bytes == 0 || !n_bytes.is_multiple_of(4) || n_bytes > rest.len() {
        return Err("has a trie of impossible length");
    }
    if n_bytes / 4 > MAX_UNITS {
        return Err("has a trie that is too large");
    }
    let (trie, blob) = rest.split_at(n_bytes);
    let Ok(blob) = std::str::from_utf8(blob) else {
        return Err("has replacements that are not UTF-8");
    };
    let units: Vec<u32> =
        trie.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    walk(&units, blob)
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) as usize) << ((unit & (1 << 9)) >> 6)
}

/// Visits every block of children that some byte sequence reaches.
fn walk(units: &[u32], blob: &str) -> Result<(), &'static str> {
    let mut is_seen = vec![false; units.len()];
    let mut blocks = vec![offset(units[0])];
    while let Some(block) = blocks.pop() {
        if block | 0xff >= units.len() {
            return Err("has a trie that points outside itself");
        }
        if std::mem::replace(&mut is_seen[block], true) {
            continue;
        }
        for byte in 1..=255usize {
            let child = block ^ byte;
            let unit = units[child];
            if (unit & (1 << 31 | 0xff)) as usize != byte {
                continue;
            }
            let next = child ^ offset(unit);
            if unit >> 8 & 1 == 1 {
                let Some(leaf) = units.get(next) else {
                    return Err("has a leaf outside its trie");
                };
                if !blob.is_char_boundary((leaf & ((1 << 31) - 1)) as usize) {
                    return Err("has a replacement outside its text");
                }
            }
            blocks.push(next);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_would_read_out_of_bounds() {
        assert!(check(&[]).is_err());
        assert!(check(&[0, 0, 0, 0]).is_err());
        assert!(check(&u32::MAX.to_le_bytes()).is_err());
        let mut map = 4u32.to_le_bytes().to_vec();
        map.extend(0u32.to_le_bytes());
        assert_eq!(check(&map), Err("has a trie that points outside itself"));
    }

    proptest! {
        #[test]
        fn base64_there_and_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(from_base64(&to_base64(&bytes)), Some(bytes));
        }

        #[test]
        fn any_bytes_are_checked_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = check(&bytes);
        }
    }
}
