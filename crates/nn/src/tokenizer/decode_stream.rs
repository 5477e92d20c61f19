//! Text out of tokens as they come, for streaming.
//!
//! Gives out only what no later token can change: never half a character, and bytes of a
//! byte-fallback run only when the run has ended, because that decoder turns a whole run into
//! replacement characters if one byte of it is wrong. The pieces joined are exactly what decoding
//! at once gives. The choice a reader would question: the stream keeps a short window of tokens and
//! decodes it anew for every token, because a token's text depends on its neighbours; the window is
//! what makes that cheap.

use serde_json::Value;

use super::codec::Tokenizer;
use crate::text_error::TextError;

/// The window is shortened when it has more tokens than this ..
const MAX_WINDOW: usize = 24;

/// .. to this many, enough to hold any unfinished character.
const KEPT_WINDOW: usize = 8;

/// What decoding may do to text that has already been given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Streaming {
    /// Byte tokens are joined by run.
    pub(super) has_byte_fallback: bool,
    /// Some step looks further ahead than one character, so nothing is certain before the end.
    pub(super) looks_ahead: bool,
}

impl Streaming {
    pub(super) fn of(decoder: &Value) -> Streaming {
        match decoder["type"].as_str() {
            Some("Sequence") => decoder["decoders"].as_array().into_iter().flatten().fold(
                Streaming::default(),
                |all, step| {
                    let one = Streaming::of(step);
                    Streaming {
                        has_byte_fallback: all.has_byte_fallback || one.has_byte_fallback,
                        looks_ahead: all.looks_ahead || one.looks_ahead,
                    }
                },
            ),
            Some("ByteFallback") => Streaming { has_byte_fallback: true, looks_ahead: false },
            Some("ByteLevel" | "Metaspace" | "Fuse") => Streaming::default(),
            Some("Replace") => Streaming {
                looks_ahead: !decoder["pattern"]["String"].is_string(),
                ..Streaming::default()
            },
            Some("Strip") => {
                Streaming { looks_ahead: decoder["stop"] != 0, ..Streaming::default() }
            }
            _ => Streaming { looks_ahead: true, ..Streaming::default() },
        }
    }
}

/// Decodes one sequence token by token.
///
/// Holds no reference to its tokenizer, so that a sampler can keep many; every call must be given
/// the same one.
#[derive(Clone, Debug)]
pub struct DecodeStream {
    skip_special: bool,
    window: Vec<u32>,
    /// Bytes of the window's text that have been given out.
    n_shown: usize,
}

impl DecodeStream {
    /// A stream whose pieces add up to [`Tokenizer::decode`].
    pub fn new(skip_special: bool) -> DecodeStream {
        DecodeStream { skip_special, window: Vec::new(), n_shown: 0 }
    }

    /// A stream whose pieces add up to [`Tokenizer::decode_after`]: the tokens continue a text.
    ///
    /// # Errors
    /// [`TextError::Decode`].
    pub fn after(tokenizer: &Tokenizer, skip_special: bool) -> Result<DecodeStream, TextError> {
        let window: Vec<u32> = tokenizer.context_id().into_iter().collect();
        let n_shown = tokenizer.decode(&window, skip_special)?.len();
        Ok(DecodeStream { skip_special, window, n_shown })
    }

    /// Takes one token; returns the text that has become certain, if any.
    ///
    /// # Errors
    /// [`TextError::Decode`].
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> Result<Option<String>, TextError> {
        let Some(token) = tokenizer.id_to_token(id) else { return Ok(None) };
        if self.skip_special && tokenizer.is_special(id) {
            return Ok(None);
        }
        self.window.push(id);
        let how = tokenizer.streaming();
        if how.looks_ahead || (how.has_byte_fallback && is_byte_token(&token)) {
            return Ok(None);
        }
        let text = tokenizer.decode(&self.window, self.skip_special)?;
        // The last replacement character may stand for the first bytes of a character to come.
        let certain = text.strip_suffix(char::REPLACEMENT_CHARACTER).unwrap_or(&text);
        let piece = certain.get(self.n_shown..).unwrap_or_default().to_string();
        self.n_shown = self.n_shown.max(certain.len());
        self.shorten(tokenizer, &text)?;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    /// Ends the sequence; returns what was held back.
    ///
    /// # Errors
    /// [`TextError::Decode`].
    pub fn finish(&mut self, tokenizer: &Tokenizer) -> Result<String, TextError> {
        let text = tokenizer.decode(&self.window, self.skip_special)?;
        let rest = text.get(self.n_shown..).unwrap_or_default().to_string();
        self.window.clear();
        self.n_shown = 0;
        Ok(rest)
    }

    /// Forgets tokens that no longer matter, where the rest of the window decodes to the same
    /// ending.
    fn shorten(&mut self, tokenizer: &Tokenizer, text: &str) -> Result<(), TextError> {
        if self.window.len() <= MAX_WINDOW {
            return Ok(());
        }
        let held_back = text.get(self.n_shown..).unwrap_or_default();
        let kept = &self.window[self.window.len() - KEPT_WINDOW..];
        let kept_text = tokenizer.decode(kept, self.skip_special)?;
        if let Some(shown) = kept_text.strip_suffix(held_back) {
            self.n_shown = shown.len();
            self.window = kept.to_vec();
        }
        Ok(())
    }
}

fn is_byte_token(token: &str) -> bool {
    token.len() == 6 && token.starts_with("<0x") && token.ends_with('>')
}
