//! JSON in what a judge wrote: with prose before it, behind it, or a code fence around it.

use serde_json::Value;

/// Bytes of an answer that are looked at.
const MAX_BYTES: usize = 1 << 18;

/// Places at which a value is looked for.
const MAX_PLACES: usize = 64;

/// The lists and objects in `text`, in the order in which they begin.
pub(super) fn json_values(text: &str) -> impl Iterator<Item = Value> + '_ {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let places = text.match_indices(['[', '{']).take(MAX_PLACES);
    places.filter_map(|(place, _)| value_at(&text[place..]))
}

fn value_at(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}
