//! JSON into a tree.
//!
//! The parser tells no positions while it reads, so the reader below it counts lines: at the moment
//! a key has been read, nothing after the key has.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::tree::{Content, Node, SyntaxError};

/// The tree of a JSON text.
pub(super) fn read_json(text: &str) -> Result<Content, SyntaxError> {
    let line = Cell::new(1);
    let reader = LineReader { bytes: text.as_bytes(), line: &line };
    let mut parser = serde_json::Deserializer::from_reader(reader);
    let read = TreeSeed { line: &line }.deserialize(&mut parser);
    read.and_then(|content| parser.end().map(|()| content)).map_err(|error| SyntaxError {
        line: (error.line() > 0).then(|| error.line()),
        message: error.to_string(),
    })
}

/// One JSON value out of a text; `None` where the text is none.
pub(in super::super) fn json_value(text: &str) -> Option<Value> {
    let content = read_json(text).ok()?;
    content.is_shallow().then(|| content.into_value())
}

/// Hands out one byte after another, as the parser asks, and counts the lines gone by.
struct LineReader<'a> {
    bytes: &'a [u8],
    line: &'a Cell<usize>,
}

impl Read for LineReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Some((first, rest)), Some(slot)) = (self.bytes.split_first(), buffer.first_mut())
        else {
            return Ok(0);
        };
        if *first == b'\n' {
            self.line.set(self.line.get() + 1);
        }
        *slot = *first;
        self.bytes = rest;
        Ok(1)
    }
}

#[derive(Clone, Copy)]
struct TreeSeed<'a> {
    line: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for TreeSeed<'_> {
    type Value = Content;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TreeSeed<'_> {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, is_on: bool) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Bool(is_on)))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::from(whole)))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Content, E> {
        Ok(Content::Scalar(Value::from(whole)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Content, E> {
        Ok(Content::float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Scalar(Value::from(text)))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(content) = items.next_element_seed(self)? {
            list.push(Node { line: Some(self.line.get()), content });
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let line = Some(self.line.get());
            let content = map.next_value_seed(self)?;
            fields.push((key, Node { line, content }));
        }
        Ok(Content::Table(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_those_of_the_keys() {
        let text = "{\n  \"a\": 1, \"b\":\n 2,\n  \"c\": {\n    \"d\": [1,\n 2]}\n}\n";
        let Content::Table(fields) = read_json(text).expect("it is JSON") else {
            panic!("a table")
        };
        let lines: Vec<_> = fields.iter().map(|(_, node)| node.line).collect();
        assert_eq!(lines, [Some(2), Some(2), Some(4)]);
        let Content::Table(inner) = &fields[2].1.content else { panic!("a table") };
        assert_eq!(inner[0].1.line, Some(5));
    }

    #[test]
    fn a_key_given_twice_is_there_twice() {
        let Ok(Content::Table(fields)) = read_json(r#"{"a": 1, "a": 2}"#) else {
            panic!("a table")
        };
        assert_eq!(fields.len(), 2);
    }

    #[test]
    fn errors_have_a_line() {
        assert_eq!(read_json("{\n\"a\": 1,\n}").expect_err("a comma too many").line, Some(3));
        assert!(read_json("{} x").is_err());
        assert!(read_json("").is_err());
        assert!(read_json(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn values_from_text() {
        assert_eq!(json_value("[1, \"\\ud83d\\ude00\"]"), Some(json!([1, "😀"])));
        assert_eq!(json_value("["), None);
        assert_eq!(json_value(&format!("{}{}", "[".repeat(50), "]".repeat(50))), None);
    }
}
