//! Cuts a Jinja template into raw text, tags and tokens: just enough grammar to rewrite it safely.
//!
//! Source: the lexer of Jinja 2.11-3.1 (delimiters, balanced braces inside tags, `raw` blocks). The
//! choice a reader would question: there are two lexers for one language, ours and minijinja's.
//! Ours only finds places to insert text; whatever it cannot read is refused, never passed through
//! unchecked.

use std::ops::Range;

/// Most tokens inside one tag; the longest known have 300.
const MAX_TOKENS: usize = 4096;

/// The complaint about a tag that is over the limit.
pub(super) const TOO_LONG: &str = "the tag has more than 4096 parts";

/// What a token is, as far as rewriting needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Number,
    Text,
    Open,
    Close,
    Operator,
}

/// One token inside a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Bytes of the template.
    pub(super) span: Range<usize>,
}

/// A stretch of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text that is written as it is.
    Raw(Range<usize>),
    /// `{{ .. }}`
    Expression(Vec<Token>),
    /// `{% .. %}`
    Statement(Vec<Token>),
}

/// Where and why a template cannot be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) at: usize,
    pub(super) why: &'static str,
}

/// Cuts `source` into parts, in order. Comments and the inside of `raw` blocks are left out.
pub(super) fn cut(source: &str) -> Result<Vec<Part>, Unreadable> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = next_delimiter(source, at) {
        if open > at {
            parts.push(Part::Raw(at..open));
        }
        let inside = open + 2;
        match &source[open..inside] {
            "{#" => {
                let Some(len) = source[inside..].find("#}") else {
                    return Err(Unreadable { at: open, why: "the comment is not closed" });
                };
                at = inside + len + 2;
            }
            "{{" => {
                let (tokens, end) = tokens(source, inside, "}}")?;
                parts.push(Part::Expression(tokens));
                at = end;
            }
            _ => {
                let (tokens, end) = tokens(source, inside, "%}")?;
                at = end;
                let name = tokens.first().map(|t| &source[t.span.clone()]);
                if name == Some("raw") {
                    at = end_of_raw(source, end)?;
                } else {
                    parts.push(Part::Statement(tokens));
                }
            }
        }
    }
    if at < source.len() {
        parts.push(Part::Raw(at..source.len()));
    }
    Ok(parts)
}

fn next_delimiter(source: &str, from: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    (from..bytes.len().saturating_sub(1))
        .find(|&i| bytes[i] == b'{' && matches!(bytes[i + 1], b'{' | b'%' | b'#'))
}

/// Position after `{% endraw %}`.
fn end_of_raw(source: &str, from: usize) -> Result<usize, Unreadable> {
    let mut at = from;
    while let Some(found) = source[at..].find("{%") {
        let inside = at + found + 2;
        let rest = source[inside..].trim_start_matches(['-', '+']).trim_start();
        if let Some(rest) = rest.strip_prefix("endraw")
            && let Some(end) = rest.trim_start().trim_start_matches(['-', '+']).strip_prefix("%}")
        {
            return Ok(source.len() - end.len());
        }
        at = inside;
    }
    Err(Unreadable { at: from, why: "the raw block is not closed" })
}

/// Tokens from `from` to the delimiter `close`, and the position after it.
fn tokens(source: &str, from: usize, close: &str) -> Result<(Vec<Token>, usize), Unreadable> {
    let bytes = source.as_bytes();
    let mut tokens = Vec::new();
    let mut depth = 0usize;
    let mut at = from;
    if matches!(bytes.get(at), Some(b'-' | b'+')) {
        at += 1;
    }
    while at < bytes.len() {
        let rest = &source[at..];
        if depth == 0 {
            let signed = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            if let Some(after) = rest.strip_prefix(close).or_else(|| signed.strip_prefix(close)) {
                return Ok((tokens, source.len() - after.len()));
            }
        }
        let c = bytes[at];
        let (kind, len) = match c {
            _ if c.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'\'' | b'"' => (
                Kind::Text,
                text_length(rest).ok_or(Unreadable { at, why: "the text is not closed" })?,
            ),
            b'(' | b'[' | b'{' => {
                depth += 1;
                (Kind::Open, 1)
            }
            b')' | b']' | b'}' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or(Unreadable { at, why: "a bracket closes nothing" })?;
                (Kind::Close, 1)
            }
            b'0'..=b'9' => (Kind::Number, number_length(rest)),
            _ => match name_length(rest) {
                0 => (
                    Kind::Operator,
                    operator_length(rest).ok_or(Unreadable { at, why: "unexpected character" })?,
                ),
                len => (Kind::Name, len),
            },
        };
        if tokens.len() == MAX_TOKENS {
            return Err(Unreadable { at: from, why: TOO_LONG });
        }
        tokens.push(Token { kind, span: at..at + len });
        at += len;
    }
    Err(Unreadable { at: from, why: "the tag is not closed" })
}

fn text_length(rest: &str) -> Option<usize> {
    let quote = rest.as_bytes()[0];
    let mut is_escaped = false;
    for (i, &b) in rest.as_bytes().iter().enumerate().skip(1) {
        match b {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if b == quote => return Some(i + 1),
            _ => {}
        }
    }
    None
}

fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut i = 0;
    while i < bytes.len() {
        let is_part = bytes[i].is_ascii_alphanumeric()
            || bytes[i] == b'_'
            || (bytes[i] == b'.' && digit(i + 1))
            || (matches!(bytes[i], b'+' | b'-')
                && matches!(bytes[i - 1], b'e' | b'E')
                && digit(i + 1));
        if !is_part {
            break;
        }
        i += 1;
    }
    i
}

fn name_length(rest: &str) -> usize {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    end.unwrap_or(rest.len())
}

fn operator_length(rest: &str) -> Option<usize> {
    let two = ["**", "//", "==", "!=", "<=", ">="];
    if two.iter().any(|op| rest.starts_with(op)) {
        return Some(2);
    }
    rest.starts_with(['+', '-', '*', '/', '%', '~', '|', '.', ',', ':', '=', '<', '>', '!', ';'])
        .then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        let text = |tokens: &[Token]| {
            tokens.iter().map(|t| &source[t.span.clone()]).collect::<Vec<_>>().join(" ")
        };
        cut(source)
            .unwrap()
            .iter()
            .map(|part| match part {
                Part::Raw(span) => format!("raw {:?}", &source[span.clone()]),
                Part::Expression(tokens) => format!("expr {}", text(tokens)),
                Part::Statement(tokens) => format!("stmt {}", text(tokens)),
            })
            .collect()
    }

    #[test]
    fn cuts_tags_with_strings_braces_and_signs() {
        assert_eq!(
            words("a{{- {'x': {'y': \"}}\"}}['x'] -}}b{%+ if x >= 1.5e-3 +%}{# {{ no }} #}c"),
            [
                "raw \"a\"",
                "expr { 'x' : { 'y' : \"}}\" } } [ 'x' ]",
                "raw \"b\"",
                "stmt if x >= 1.5e-3",
                "raw \"c\""
            ]
        );
    }

    #[test]
    fn raw_blocks_hold_no_tags() {
        assert_eq!(words("{% raw %}{{ x }}{% if %}{%- endraw -%}z"), ["raw \"z\""]);
    }

    #[test]
    fn what_is_not_closed_is_refused() {
        for source in
            ["{{ 'a }}", "{{ x", "{% if (x %}", "{# x", "{% raw %}x", "{{ x) }}", "{{ ` }}"]
        {
            assert!(cut(source).is_err(), "{source}");
        }
    }
}
