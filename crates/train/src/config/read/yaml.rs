//! YAML into a tree.
//!
//! The parser's budgets bound what anchors can be blown up to; ours is far below its defaults.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::tree::{Content, MAX_DEPTH, Node, SyntaxError};

/// Most parser events of one file; a value is one, a table or list two.
const MAX_EVENTS: usize = 400_000;

/// The tree of a YAML text; an empty text is an empty table.
pub(super) fn read_yaml(text: &str) -> Result<Content, SyntaxError> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! { max_events: MAX_EVENTS, max_depth: 2 * MAX_DEPTH },
    };
    match serde_saphyr::from_str_with_options::<Tree>(text, options) {
        Ok(Tree(Content::Scalar(Value::Null))) => Ok(Content::Table(Vec::new())),
        Ok(Tree(content)) => Ok(content),
        Err(error) => {
            let line = error.location().map(|place| place.line() as usize);
            Err(SyntaxError { line, message: error.without_snippet().to_string() })
        }
    }
}

struct Tree(Content);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Tree)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
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

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Tree>>()? {
            let line = Some(item.referenced.line() as usize);
            list.push(Node { line, content: item.value.0 });
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = Some(key.referenced.line() as usize);
            let content = map.next_value::<Tree>()?.0;
            fields.push((key.value, Node { line, content }));
        }
        Ok(Content::Table(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        read_yaml(text).expect("it is YAML").into_value()
    }

    #[test]
    fn scalars_are_what_people_mean() {
        let text = "a: 5e-6\nb: true\nc: 'true'\nd: ~\ne: 1_000\nf: .inf\ng: hello world\nh: -3\n";
        assert_eq!(
            value(text),
            json!({
                "a": 5e-6, "b": true, "c": "true", "d": null, "e": 1000, "f": "inf",
                "g": "hello world", "h": -3
            })
        );
        assert_eq!(value(""), json!({}));
        assert_eq!(value("# only a comment\n"), json!({}));
    }

    #[test]
    fn lines_are_those_of_the_keys() {
        let text = "a: 1\nb:\n\n  c: 2\n  d:\n    - x: 1\n";
        let Content::Table(fields) = read_yaml(text).expect("it is YAML") else {
            panic!("a table")
        };
        assert_eq!((fields[0].1.line, fields[1].1.line), (Some(1), Some(2)));
        let Content::Table(inner) = &fields[1].1.content else { panic!("a table") };
        assert_eq!((inner[0].1.line, inner[1].1.line), (Some(4), Some(5)));
    }

    #[test]
    fn a_file_that_blows_up_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..12 {
            let before = format!("*a{}", i - 1);
            bomb += &format!("a{i}: &a{i} [{}]\n", vec![before; 9].join(", "));
        }
        assert!(read_yaml(&bomb).is_err());
        assert!(read_yaml(&"[".repeat(100_000)).is_err());
        assert!(read_yaml(&"- ".repeat(100_000)).is_err());
    }

    #[test]
    fn errors_have_a_line() {
        let error = read_yaml("a: 1\na: 2\n").expect_err("a key twice");
        assert_eq!(error.line, Some(2));
        assert!(read_yaml("a: 1\n---\nb: 1\n").is_err());
    }
}
