//! What all three formats become: a tree of values that knows its lines.

use serde_json::{Map, Value};

/// Deepest nesting of a configuration; anything deeper is a mistake or an attack.
pub(super) const MAX_DEPTH: usize = 32;

/// One value and the line of its key.
#[derive(Debug)]
pub(in super::super) struct Node {
    pub(in super::super) line: Option<usize>,
    pub(in super::super) content: Content,
}

/// What a value is.
#[derive(Debug)]
pub(in super::super) enum Content {
    /// No list and no table.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A table in the order of the file; a key that is given twice is there twice.
    Table(Vec<(String, Node)>),
}

/// Why a source cannot be read.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

impl Content {
    /// A float; one that is not finite becomes its name, which no key takes for a number.
    pub(super) fn float(number: f64) -> Content {
        Content::Scalar(if number.is_nan() {
            Value::from("nan")
        } else if number.is_infinite() {
            Value::from(if number > 0.0 { "inf" } else { "-inf" })
        } else {
            Value::from(number)
        })
    }

    /// The value without its lines. Of a key that is there twice the last is kept.
    pub(in super::super) fn into_value(self) -> Value {
        match self {
            Content::Scalar(value) => value,
            Content::List(items) => {
                items.into_iter().map(|item| item.content.into_value()).collect()
            }
            Content::Table(fields) => {
                let plain = |(name, node): (String, Node)| (name, node.content.into_value());
                Value::Object(fields.into_iter().map(plain).collect::<Map<_, _>>())
            }
        }
    }

    /// True where lists and tables are nested no deeper than [`MAX_DEPTH`].
    pub(super) fn is_shallow(&self) -> bool {
        self.is_within(MAX_DEPTH)
    }

    fn is_within(&self, depth: usize) -> bool {
        let fits = |node: &Node| depth > 0 && node.content.is_within(depth - 1);
        match self {
            Content::Scalar(_) => true,
            Content::List(items) => items.iter().all(fits),
            Content::Table(fields) => fields.iter().all(|(_, node)| fits(node)),
        }
    }
}
