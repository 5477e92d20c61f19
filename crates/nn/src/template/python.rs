//! Values written as Python writes them: `str`, `repr` and `json.dumps`.
//!
//! Jinja templates print with Python's rules (`True`, `None`, `['a']`, `1e+20`), and `transformers`
//! replaces the `tojson` filter by `json.dumps` without escapes for HTML; a prompt is only right if
//! ours are the same bytes. Source: CPython 3.11 `json.encoder`, `float.__repr__`, `str.__repr__`.

use std::fmt::Write;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::meter::{MAX_DEPTH, Meter, limit};

/// How `json.dumps` lays its text out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JsonStyle {
    pub(super) ensure_ascii: bool,
    /// Text of one indentation step; `None` for one line.
    pub(super) indent: Option<String>,
    pub(super) item_separator: String,
    pub(super) key_separator: String,
    pub(super) sort_keys: bool,
}

/// Text that grows under a meter.
pub(super) struct Metered<'m> {
    meter: &'m Meter,
    text: String,
}

impl<'m> Metered<'m> {
    pub(super) fn new(meter: &'m Meter) -> Self {
        Metered { meter, text: String::new() }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn push(&mut self, text: &str) -> Result<(), Error> {
        self.meter.charge(text.len() as u64)?;
        self.text.push_str(text);
        Ok(())
    }

    /// `str(value)`.
    pub(super) fn push_str_of(&mut self, value: &Value) -> Result<(), Error> {
        match value.as_str() {
            Some(text) => self.push(text),
            None if value.is_undefined() => Ok(()),
            None => self.push_repr(value, 0),
        }
    }

    /// `repr(value)`.
    fn push_repr(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(limit("the template writes a value that is too deep"));
        }
        if let Some(text) = value.as_str() {
            return self.push(&repr_of_text(text));
        }
        match value.kind() {
            ValueKind::Undefined => self.push("Undefined"),
            ValueKind::None => self.push("None"),
            ValueKind::Bool => self.push(if value.is_true() { "True" } else { "False" }),
            ValueKind::Number => self.push(&number(value, "nan", "inf")),
            ValueKind::Seq | ValueKind::Iterable => self.push_list_repr(value, depth),
            ValueKind::Map => self.push_map_repr(value, depth),
            _ => self.push(&value.to_string()),
        }
    }

    fn push_list_repr(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let (open, close) = if value.is_tuple() { ("(", ")") } else { ("[", "]") };
        self.push(open)?;
        let mut n_items = 0usize;
        for item in value.try_iter()? {
            if n_items > 0 {
                self.push(", ")?;
            }
            self.push_repr(&item, depth + 1)?;
            n_items += 1;
        }
        if value.is_tuple() && n_items == 1 {
            self.push(",")?;
        }
        self.push(close)
    }

    fn push_map_repr(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.push("{")?;
        for (i, key) in value.try_iter()?.enumerate() {
            if i > 0 {
                self.push(", ")?;
            }
            self.push_repr(&key, depth + 1)?;
            self.push(": ")?;
            self.push_repr(&value.get_item(&key)?, depth + 1)?;
        }
        self.push("}")
    }

    /// `json.dumps(value)`.
    pub(super) fn push_json(
        &mut self,
        value: &Value,
        style: &JsonStyle,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(limit("the template writes a value that is too deep"));
        }
        if let Some(text) = value.as_str() {
            return self.push(&json_text(text, style.ensure_ascii, self.meter));
        }
        match value.kind() {
            ValueKind::None => self.push("null"),
            ValueKind::Bool => self.push(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.push(&number(value, "NaN", "Infinity")),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value.try_iter()?.map(|item| (None, item));
                self.push_json_items(['[', ']'], items, style, depth)
            }
            ValueKind::Map => {
                let mut keys: Vec<(String, Value)> = Vec::new();
                for key in value.try_iter()? {
                    keys.push((json_key(&key)?, key));
                }
                if style.sort_keys {
                    keys.sort_by(|a, b| a.0.cmp(&b.0));
                }
                let items = keys
                    .into_iter()
                    .map(|(name, key)| (Some(name), value.get_item(&key).unwrap_or_default()));
                self.push_json_items(['{', '}'], items, style, depth)
            }
            kind => Err(Error::new(
                ErrorKind::BadSerialization,
                format!("a value of type {kind} cannot be written as JSON"),
            )),
        }
    }

    fn push_json_items(
        &mut self,
        [open, close]: [char; 2],
        items: impl Iterator<Item = (Option<String>, Value)>,
        style: &JsonStyle,
        depth: usize,
    ) -> Result<(), Error> {
        self.push(open.encode_utf8(&mut [0; 4]))?;
        let mut is_empty = true;
        for (key, item) in items {
            if !is_empty {
                self.push(&style.item_separator)?;
            }
            is_empty = false;
            self.push_line(style, depth + 1)?;
            if let Some(key) = key {
                self.push(&json_text(&key, style.ensure_ascii, self.meter))?;
                self.push(&style.key_separator)?;
            }
            self.push_json(&item, style, depth + 1)?;
        }
        if !is_empty {
            self.push_line(style, depth)?;
        }
        self.push(close.encode_utf8(&mut [0; 4]))
    }

    fn push_line(&mut self, style: &JsonStyle, depth: usize) -> Result<(), Error> {
        let Some(indent) = &style.indent else { return Ok(()) };
        self.push("\n")?;
        for _ in 0..depth {
            self.push(indent)?;
        }
        Ok(())
    }
}

/// True where Python's `str.isspace` is.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// `float.__repr__`: the shortest digits that read back, with an exponent from 1e16 on and below
/// 1e-4.
fn float(value: f64, nan: &str, infinity: &str) -> String {
    if value.is_nan() {
        return nan.to_string();
    }
    if value.is_infinite() {
        return format!("{}{infinity}", if value < 0.0 { "-" } else { "" });
    }
    let scientific = format!("{value:e}");
    // Rust's `{:e}` always has an exponent.
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

fn number(value: &Value, nan: &str, infinity: &str) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    f64::try_from(value.clone()).map_or_else(|_| value.to_string(), |x| float(x, nan, infinity))
}

fn json_key(key: &Value) -> Result<String, Error> {
    if let Some(text) = key.as_str() {
        return Ok(text.to_string());
    }
    match key.kind() {
        ValueKind::None => Ok("null".into()),
        ValueKind::Bool => Ok(if key.is_true() { "true" } else { "false" }.into()),
        ValueKind::Number => Ok(number(key, "NaN", "Infinity")),
        kind => Err(Error::new(
            ErrorKind::BadSerialization,
            format!("a value of type {kind} cannot be a key of JSON"),
        )),
    }
}

fn json_text(text: &str, ensure_ascii: bool, meter: &Meter) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\0'..='\x1f' => push_escape(&mut out, u32::from(c)),
            // The marks must survive, or the token between them would come alive.
            _ if ensure_ascii && c > '~' && !meter.marks.control.contains(&c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    push_escape(&mut out, u32::from(*unit));
                }
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn push_escape(out: &mut String, unit: u32) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\\u{unit:04x}");
}

fn repr_of_text(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c == quote => {
                out.push('\\');
                out.push(c);
            }
            _ if c.is_control() && u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_as_in_python() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e16, "1e+16"),
            (123456789012345.0, "123456789012345.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e300, "1.5e+300"),
            (-0.0, "-0.0"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(float(value, "nan", "inf"), expected);
        }
    }

    #[test]
    fn texts_are_quoted_as_in_python() {
        for (text, expected) in
            [("a", "'a'"), ("it's", "\"it's\""), ("'\"", "'\\'\"'"), ("\t\x01", "'\\t\\x01'")]
        {
            assert_eq!(repr_of_text(text), expected);
        }
    }
}
