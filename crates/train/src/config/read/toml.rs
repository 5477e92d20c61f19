//! TOML into a tree.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::tree::{Content, Node, SyntaxError};

/// Most syntax errors of one file that are reported.
const MAX_ERRORS: usize = 5;

/// The tree of a TOML text, or its first few errors.
pub(super) fn read_toml(text: &str) -> Result<Content, Vec<SyntaxError>> {
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(content_of_table(table.into_inner(), &lines));
    }
    let mut errors: Vec<SyntaxError> = errors
        .iter()
        .map(|error| SyntaxError {
            line: error.span().map(|span| lines.line_at(span.start)),
            message: error.message().to_owned(),
        })
        .collect();
    errors.sort_by_key(|error| error.line);
    errors.truncate(MAX_ERRORS);
    Err(errors)
}

fn content_of_table(table: DeTable<'_>, lines: &Lines) -> Content {
    let mut fields: Vec<(usize, String, Node)> = Vec::new();
    for (key, value) in table {
        let start = key.span().start;
        let line = Some(lines.line_at(start));
        let content = content_of(value.into_inner(), lines);
        fields.push((start, key.into_inner().into_owned(), Node { line, content }));
    }
    fields.sort_by_key(|(start, ..)| *start);
    Content::Table(fields.into_iter().map(|(_, name, node)| (name, node)).collect())
}

fn content_of(value: DeValue<'_>, lines: &Lines) -> Content {
    match value {
        DeValue::String(text) => Content::Scalar(Value::from(text.into_owned())),
        DeValue::Integer(digits) => integer(&digits),
        DeValue::Float(digits) => Content::float(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(is_on) => Content::Scalar(Value::Bool(is_on)),
        DeValue::Datetime(moment) => Content::Scalar(Value::from(moment.to_string())),
        DeValue::Array(items) => {
            let node = |item: Spanned<DeValue<'_>>| {
                let line = Some(lines.line_at(item.span().start));
                Node { line, content: content_of(item.into_inner(), lines) }
            };
            Content::List(items.into_iter().map(node).collect())
        }
        DeValue::Table(table) => content_of_table(table, lines),
    }
}

/// A whole number beyond 64 bits becomes the nearest float, as in JSON.
fn integer(digits: &DeInteger<'_>) -> Content {
    match i64::from_str_radix(digits.as_str(), digits.radix()) {
        Ok(whole) => Content::Scalar(Value::from(whole)),
        Err(_) => Content::float(digits.as_str().parse().unwrap_or(f64::NAN)),
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Lines(std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect())
    }

    fn line_at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_keys() {
        let text = "a = 1\n\n[b]\nc = [\n  1,\n]\nd = { e = 0x10 }\n";
        let Content::Table(fields) = read_toml(text).expect("it is TOML") else {
            panic!("a table")
        };
        let lines: Vec<_> = fields.iter().map(|(name, node)| (name.as_str(), node.line)).collect();
        assert_eq!(lines, [("a", Some(1)), ("b", Some(3))]);
        let Content::Table(inner) = &fields[1].1.content else { panic!("a table") };
        assert_eq!((inner[0].1.line, inner[1].1.line), (Some(4), Some(7)));
    }

    #[test]
    fn numbers_of_every_writing() {
        let text =
            "a = 0x1F\nb = 1_000\nc = 5e-6\nd = -inf\ne = 99999999999999999999\nf = 1979-05-27";
        let value = read_toml(text).map(Content::into_value);
        assert_eq!(
            value.ok(),
            Some(serde_json::json!({
                "a": 31, "b": 1000, "c": 5e-6, "d": "-inf", "e": 1e20, "f": "1979-05-27"
            }))
        );
    }

    #[test]
    fn every_syntax_error_has_its_line() {
        let errors = read_toml("a = 1\nb = \na = 2\n").expect_err("it is no TOML");
        let lines: Vec<_> = errors.iter().map(|error| error.line).collect();
        assert_eq!(lines, [Some(2), Some(3)]);
    }
}
