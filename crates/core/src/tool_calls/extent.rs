//! How far a bracketed text reaches, found while it is still arriving.
//!
//! Counts brackets outside of strings and nothing else: whether the text means anything is decided
//! when it is whole. The choice a reader would question: kinds of brackets are not told apart, so
//! `{]` counts as closed, and is then refused when it is read.

/// Which quotes and brackets count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `"` and `[]{}`.
    Json,
    /// `"`, `'` and `()[]{}`.
    Python,
}

/// The extent of one bracketed text; goes on where it stopped.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    syntax: Syntax,
    at: usize,
    depth: usize,
    quote: Option<u8>,
    is_escaped: bool,
}

impl Extent {
    /// An extent that begins with the first byte of the texts it is asked about.
    pub(super) fn new(syntax: Syntax) -> Self {
        Extent { syntax, at: 0, depth: 0, quote: None, is_escaped: false }
    }

    /// The byte after the closing bracket; `None` where it is not there yet. `text` begins with the
    /// opening bracket and must grow from call to call.
    pub(super) fn end(&mut self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            if self.step(byte) {
                return Some(self.at);
            }
        }
        None
    }

    /// True where `byte` closes the first bracket.
    fn step(&mut self, byte: u8) -> bool {
        let is_python = self.syntax == Syntax::Python;
        if let Some(quote) = self.quote {
            if self.is_escaped {
                self.is_escaped = false;
            } else if byte == b'\\' {
                self.is_escaped = true;
            } else if byte == quote {
                self.quote = None;
            }
            return false;
        }
        match byte {
            b'"' => self.quote = Some(byte),
            b'\'' if is_python => self.quote = Some(byte),
            b'[' | b'{' => self.depth += 1,
            b'(' if is_python => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            b')' if is_python => self.depth = self.depth.saturating_sub(1),
            _ => return false,
        }
        self.depth == 0 && self.quote.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_count() {
        let cases = [
            (Syntax::Json, r#"{"a": "}"} b"#, Some(10)),
            (Syntax::Json, r#"{"a": "\"}"} b"#, Some(12)),
            (Syntax::Json, r#"[1, {"a": []}]]"#, Some(14)),
            (Syntax::Json, r#"{"a": 1"#, None),
            (Syntax::Json, r#"{"it's": 1}"#, Some(11)),
            (Syntax::Python, "[f(a=')]')] ", Some(11)),
            (Syntax::Python, "[f(a=(1, 2)", None),
        ];
        for (syntax, text, end) in cases {
            assert_eq!(Extent::new(syntax).end(text), end, "{text}");
            let mut slow = Extent::new(syntax);
            let found = (0..=text.len()).find_map(|n| slow.end(&text[..n]));
            assert_eq!(found, end, "{text}");
        }
    }
}
