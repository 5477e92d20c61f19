//! The bytes that one token stands for.
//!
//! Text is not made of tokens: a character may be spread over several, and only bytes can be put
//! together. Byte-level vocabularies write bytes as characters (GPT-2's `bytes_to_unicode`), SentencePiece
//! writes what it has no piece for as `<0xE2>`; every other token is its text. The choice a reader would
//! question: what decoders do at the beginning of a text (dropping a space) is not done, because a
//! token's bytes are those it has in the middle of one.

use serde_json::Value;

use super::codec::Tokenizer;

/// How the vocabulary spells bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spelling {
    /// Each character is a byte.
    is_byte_level: bool,
    /// `<0xE2>` is a byte.
    has_byte_fallback: bool,
    /// `▁` is a space.
    has_space_mark: bool,
    /// Some step changes tokens in a way of its own.
    is_other: bool,
}

const SPACE_MARK: char = '▁';

impl Spelling {
    pub(super) fn of(decoder: &Value) -> Spelling {
        let mut spelling = Spelling::default();
        spelling.read(decoder);
        spelling
    }

    fn read(&mut self, decoder: &Value) {
        match decoder["type"].as_str() {
            Some("Sequence") => {
                decoder["decoders"].as_array().into_iter().flatten().for_each(|d| self.read(d));
            }
            Some("ByteLevel") => self.is_byte_level = true,
            Some("ByteFallback") => self.has_byte_fallback = true,
            Some("Metaspace") => self.has_space_mark = true,
            Some("Replace") if decoder["pattern"]["String"] == SPACE_MARK.to_string() => {
                self.has_space_mark = true;
            }
            Some("Fuse" | "Strip") | None => {}
            Some(_) => self.is_other = true,
        }
    }
}

impl Tokenizer {
    /// The bytes of one token in the middle of a text; none for an id without a token. Special tokens
    /// have the bytes of the text they are written as.
    pub fn token_bytes(&self, id: u32) -> Vec<u8> {
        let Some(token) = self.id_to_token(id) else { return Vec::new() };
        if self.is_added(id) {
            return token.into_bytes();
        }
        let spelling = self.spelling();
        if spelling.is_byte_level {
            return token.chars().flat_map(bytes_of_char).collect();
        }
        if spelling.has_byte_fallback
            && let Some(byte) = fallback_byte(&token)
        {
            return vec![byte];
        }
        if spelling.is_other {
            return self.decode_after(&[id], false).unwrap_or_default().into_bytes();
        }
        if spelling.has_space_mark {
            return token.replace(SPACE_MARK, " ").into_bytes();
        }
        token.into_bytes()
    }
}

/// The byte that GPT-2 writes as this character; the character's own bytes where it writes none so.
fn bytes_of_char(c: char) -> Vec<u8> {
    let own = || c.to_string().into_bytes();
    match u32::from(c) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => vec![code as u8],
        code @ 0x100..=0x143 => unwritten(code - 0x100).map_or_else(own, |byte| vec![byte]),
        _ => own(),
    }
}

/// The n-th byte that has no visible character of its own.
fn unwritten(n: u32) -> Option<u8> {
    let byte = match n {
        0..=0x20 => n,
        0x21..=0x42 => n - 0x21 + 0x7f,
        0x43 => 0xad,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        let characters = (0x21..=0x7e).chain(0xa1..=0xac).chain(0xae..=0xff).chain(0x100..=0x143);
        let mut bytes: Vec<u8> =
            characters.filter_map(char::from_u32).flat_map(bytes_of_char).collect();
        assert_eq!(bytes_of_char('Ġ'), b" ");
        assert_eq!(bytes_of_char('Ċ'), b"\n");
        assert_eq!(bytes_of_char('Ń'), [0xad]);
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
    }

    #[test]
    fn bytes_are_read() {
        let cases = [("<0x0A>", Some(10)), ("<0xff>", Some(255)), ("<0x1>", None), ("0A", None)];
        for (token, byte) in cases {
            assert_eq!(fallback_byte(token), byte, "{token}");
        }
    }
}
