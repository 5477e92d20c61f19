//! A field that is a text or something with structure.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A text, or a `T` that is written as a list or an object. Read by a visitor, so that an error inside
/// of `T` still has its path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TextOr<T> {
    /// The text.
    Text(String),
    /// What stands in its place.
    Other(T),
}

impl<T> TextOr<Vec<T>> {
    /// The list; a text is its only item.
    pub(crate) fn into_list(self, item: impl FnOnce(String) -> T) -> Vec<T> {
        match self {
            TextOr::Text(text) => vec![item(text)],
            TextOr::Other(list) => list,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = TextOr<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or its structured form")
    }

    fn visit_str<E>(self, text: &str) -> Result<TextOr<T>, E> {
        Ok(TextOr::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<TextOr<T>, E> {
        Ok(TextOr::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<TextOr<T>, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(items)).map(TextOr::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<TextOr<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(TextOr::Other)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn texts_lists_and_objects_are_told_apart() {
        let list = |value: Value| serde_json::from_value::<TextOr<Vec<u8>>>(value);
        assert_eq!(list(json!("a")).unwrap(), TextOr::Text("a".into()));
        assert_eq!(list(json!([1, 2])).unwrap(), TextOr::Other(vec![1, 2]));
        assert!(list(json!(7)).is_err() && list(json!({"a": 1})).is_err());
        let object = serde_json::from_value::<TextOr<Value>>(json!({"a": 1})).unwrap();
        assert_eq!(object, TextOr::Other(json!({"a": 1})));
    }
}
