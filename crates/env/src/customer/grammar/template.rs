//! A small language for sentences with variants.
//!
//! `[a|b|]` is one of its parts (possibly the empty one), parts may hold choices again, and `{name}`
//! is a value. Expansion is total: a bracket without its partner is text, an unknown name stays as it
//! is written. What comes out begins every sentence with a capital and has single spaces.

use stateset_core::Stream;

/// One sentence of `template`, its choices drawn from `stream`.
pub fn expand(template: &str, values: &[(&str, &str)], stream: &mut Stream) -> String {
    let mut raw = String::with_capacity(template.len());
    expand_into(template, values, stream, &mut raw);
    tidy(&raw)
}

/// How many texts `template` can become, values aside.
pub fn n_variants(template: &str) -> usize {
    let mut n = 1;
    let mut rest = template;
    while let Some((_, inner, after)) = next_choice(rest) {
        n *= options(inner).map(n_variants).sum::<usize>();
        rest = after;
    }
    n
}

fn expand_into(template: &str, values: &[(&str, &str)], stream: &mut Stream, out: &mut String) {
    let mut rest = template;
    while let Some((before, inner, after)) = next_choice(rest) {
        push_filled(before, values, out);
        let n = options(inner).count();
        if let Some(option) = options(inner).nth(stream.index(n)) {
            expand_into(option, values, stream, out);
        }
        rest = after;
    }
    push_filled(rest, values, out);
}

/// The first choice of `text`: what is before it, inside it and after it.
fn next_choice(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find('[')?;
    let mut depth = 0;
    for (index, c) in text[start..].char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let end = start + index;
            return Some((&text[..start], &text[start + 1..end], &text[end + 1..]));
        }
    }
    None
}

/// The parts of a choice; bars inside nested choices belong to those.
fn options(inner: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(inner);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut depth = 0;
        let bar = text.char_indices().find(|(_, c)| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0 && *c == '|'
        });
        rest = bar.map(|(index, _)| &text[index + 1..]);
        Some(bar.map_or(text, |(index, _)| &text[..index]))
    })
}

fn push_filled(text: &str, values: &[(&str, &str)], out: &mut String) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let found = after.split_once('}').and_then(|(name, after)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, after))
        });
        match found {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

/// Single spaces, none before a mark, and a capital after the end of a sentence.
pub(crate) fn tidy(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for word in raw.split_whitespace() {
        let is_mark = word.starts_with(['.', ',', '!', '?']) && !word.starts_with("..");
        if !text.is_empty() && !is_mark {
            text.push(' ');
        }
        let begins_sentence = text.is_empty() || text.ends_with([' ']) && ends_sentence(&text);
        let mut chars = word.chars();
        match chars.next().filter(|_| begins_sentence && !word.contains('@')) {
            Some(first) => {
                text.extend(first.to_uppercase());
                text.push_str(chars.as_str());
            }
            None => text.push_str(word),
        }
    }
    text
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};
    use std::collections::BTreeSet;

    fn stream(sample: u16) -> Stream {
        RunSeed(1).stream(Purpose::Data, StreamKey { sample, ..StreamKey::default() })
    }

    #[test]
    fn every_variant_comes_out_and_no_other() {
        let template = "[hi|hello [there|you]|] , it is {n} . [really|]";
        let texts: BTreeSet<String> =
            (0..200).map(|sample| expand(template, &[("n", "42")], &mut stream(sample))).collect();
        assert_eq!(texts.len(), n_variants(template));
        assert!(texts.contains("Hello there, it is 42. Really"), "{texts:?}");
        assert!(texts.contains(", it is 42."), "{texts:?}");
    }

    #[test]
    fn what_is_not_well_formed_stays_text() {
        let expand = |template| expand(template, &[("a", "x")], &mut stream(0));
        assert_eq!(expand("Open [a|b"), "Open [a|b");
        assert_eq!(expand("{b} {a} {"), "{b} x {");
        assert_eq!(expand(""), "");
    }

    #[test]
    fn addresses_keep_their_case() {
        assert_eq!(tidy("it is this. a@b.com is mine"), "It is this. a@b.com is mine");
    }

    proptest! {
        #[test]
        fn expansion_never_panics(template in "[a-c{}\\[\\]| .é]{0,40}") {
            let text = expand(&template, &[("a", "x")], &mut stream(3));
            prop_assert!(text.len() <= 4 * template.len());
            let _ = n_variants(&template);
        }
    }
}
