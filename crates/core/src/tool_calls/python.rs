//! Python literals and calls with keyword arguments, as far as models write them for tools.
//!
//! Source: the grammar of Python's literals. Numbers, strings with their escapes, `True`, `False`,
//! `None`, lists, tuples and dicts; also JSON's `true`, `false` and `null`, since models mix them up.
//! The choice a reader would question: positional arguments are refused, because the order of a JSON
//! object's keys is no contract.

use serde_json::{Map, Number, Value};

use super::scan::Spoken;

/// Deepest nesting of literals.
const MAX_DEPTH: usize = 64;

/// The calls of a text such as `[f(a=1), g()]`.
///
/// # Errors
/// What was expected, and where.
pub(super) fn calls(text: &str) -> Result<Vec<Spoken>, String> {
    let mut reader = Reader { text, at: 0 };
    reader.expect('[')?;
    let mut calls = Vec::new();
    while !reader.take(']') {
        calls.push(reader.call()?);
        if !reader.take(',') {
            reader.expect(']')?;
            break;
        }
    }
    reader.blank();
    if reader.rest().is_empty() { Ok(calls) } else { Err(reader.expected("the end")) }
}

/// A JSON value as Python writes it.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(n) => n.to_string(),
        // JSON's escapes mean the same in Python, except for those of surrogates, which are not written.
        Value::String(text) => Value::from(text.as_str()).to_string(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let item = |(key, value): (&String, &Value)| {
                format!("{}: {}", Value::from(key.as_str()), literal(value))
            };
            format!("{{{}}}", map.iter().map(item).collect::<Vec<_>>().join(", "))
        }
    }
}

/// `name(key=value, ..)`; keys that are no Python names go into `**{..}`.
pub(super) fn call_text(name: &str, arguments: &Value) -> String {
    let mut parts = Vec::new();
    let mut others = Map::new();
    for (key, value) in arguments.as_object().into_iter().flatten() {
        if is_name(key) {
            parts.push(format!("{key}={}", literal(value)));
        } else {
            others.insert(key.clone(), value.clone());
        }
    }
    if !others.is_empty() {
        parts.push(format!("**{}", literal(&Value::Object(others))));
    }
    format!("{name}({})", parts.join(", "))
}

/// Length of the dotted name that `text` begins with; 0 where it begins with none.
pub(super) fn name_len(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let len = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let first = text.chars().next();
    if first.is_some_and(|c| c.is_alphabetic() || c == '_') { len } else { 0 }
}

fn is_name(key: &str) -> bool {
    const WORDS: [&str; 6] = ["True", "False", "None", "true", "false", "null"];
    !key.is_empty()
        && name_len(key) == key.len()
        && !key.contains(['.', '-'])
        && !WORDS.contains(&key)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, c: char) -> bool {
        self.take_str(c.encode_utf8(&mut [0; 4]))
    }

    fn take_str(&mut self, text: &str) -> bool {
        self.blank();
        let is_there = self.rest().starts_with(text);
        self.at += if is_there { text.len() } else { 0 };
        is_there
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.take(c) { Ok(()) } else { Err(self.expected(&format!("`{c}`"))) }
    }

    fn expected(&self, what: &str) -> String {
        match self.rest().chars().next() {
            Some(found) => format!("expected {what} at byte {}, found `{found}`", self.at),
            None => format!("expected {what} at the end"),
        }
    }

    fn name(&mut self) -> Result<&'a str, String> {
        self.blank();
        let name = &self.rest()[..name_len(self.rest())];
        self.at += name.len();
        if name.is_empty() { Err(self.expected("a name")) } else { Ok(name) }
    }

    fn call(&mut self) -> Result<Spoken, String> {
        let name = self.name()?.to_owned();
        self.expect('(')?;
        let mut arguments = Map::new();
        while !self.take(')') {
            if self.take_str("**") {
                match self.value(0)? {
                    Value::Object(map) => arguments.extend(map),
                    _ => return Err("`**` must be followed by a dict".to_owned()),
                }
            } else {
                let key = self.name()?.to_owned();
                if !self.take('=') {
                    return Err(self.expected("`=`, since arguments are given by name,"));
                }
                arguments.insert(key, self.value(0)?);
            }
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(Spoken { name, arguments: Value::Object(arguments) })
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("values nest deeper than {MAX_DEPTH}"));
        }
        self.blank();
        match self.rest().chars().next() {
            Some('"' | '\'') => self.strings(),
            Some('[') => self.items(']', depth),
            Some('(') => self.tuple(depth),
            Some('{') => self.dict(depth),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value, String> {
        let start = self.at;
        match self.name()? {
            "True" | "true" => Ok(Value::Bool(true)),
            "False" | "false" => Ok(Value::Bool(false)),
            "None" | "null" => Ok(Value::Null),
            word => Err(format!("expected a value at byte {start}, found the name `{word}`")),
        }
    }

    fn number(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
        let text = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.at += text.len();
        let plain = text.trim_start_matches('+').replace('_', "");
        let whole = plain.parse::<i64>().map(Value::from);
        let number = whole.or_else(|_| plain.parse::<u64>().map(Value::from));
        let is_decimal = plain.contains(|c: char| c.is_ascii_digit())
            && plain
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
        number.or_else(|_| {
            let float = plain.parse::<f64>().ok().filter(|_| is_decimal);
            let number = float.and_then(Number::from_f64).map(Value::Number);
            number.ok_or_else(|| format!("`{text}` is no number"))
        })
    }

    fn items(&mut self, close: char, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.value(depth + 1)?);
            if !self.take(',') {
                self.expect(close)?;
                break;
            }
        }
        Ok(Value::Array(items))
    }

    /// A tuple becomes a list; brackets around one value are just brackets.
    fn tuple(&mut self, depth: usize) -> Result<Value, String> {
        let start = self.at;
        let value = self.items(')', depth)?;
        let is_single = value.as_array().is_some_and(|items| items.len() == 1);
        let inside = self.text[start..self.at - 1].trim_end();
        match value {
            Value::Array(mut items) if is_single && !inside.ends_with(',') => {
                Ok(items.pop().unwrap_or_default())
            }
            value => Ok(value),
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut map = Map::new();
        while !self.take('}') {
            let key = match self.value(depth + 1)? {
                Value::String(key) => key,
                Value::Array(_) | Value::Object(_) => return Err("a key is a string".to_owned()),
                other => other.to_string(),
            };
            self.expect(':')?;
            map.insert(key, self.value(depth + 1)?);
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        Ok(Value::Object(map))
    }

    /// Strings that stand beside each other are one.
    fn strings(&mut self) -> Result<Value, String> {
        let mut text = self.string()?;
        self.blank();
        while self.rest().starts_with(['"', '\'']) {
            text += &self.string()?;
            self.blank();
        }
        Ok(Value::String(text))
    }

    fn string(&mut self) -> Result<String, String> {
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map_or('"', |(_, quote)| quote);
        let start = self.at;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at = start + at + 1;
                return Ok(text);
            }
            if c == '\\' { escape(&mut chars, &mut text)? } else { text.push(c) }
        }
        Err(format!("the string at byte {start} is not closed"))
    }
}

fn escape(chars: &mut std::str::CharIndices<'_>, text: &mut String) -> Result<(), String> {
    let Some((_, c)) = chars.next() else { return Err("nothing follows `\\`".to_owned()) };
    let n_digits = match c {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\n' => return Ok(()),
        _ => {
            match short_escape(c) {
                Some(meant) => text.push(meant),
                // Python keeps what it does not know.
                None => text.extend(['\\', c]),
            }
            return Ok(());
        }
    };
    let mut code = code_point(chars, n_digits)?;
    if (0xd800..0xdc00).contains(&code)
        && let Some(low) = low_surrogate(chars)
    {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    Ok(())
}

fn short_escape(c: char) -> Option<char> {
    Some(match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'a' => '\u{7}',
        'v' => '\u{b}',
        '0' => '\0',
        '\\' | '\'' | '"' | '/' => c,
        _ => return None,
    })
}

/// The second half of a pair as JSON escapes it, where it follows; it is taken then.
fn low_surrogate(chars: &mut std::str::CharIndices<'_>) -> Option<u32> {
    let mut ahead = chars.clone();
    let is_escape = ahead.next()?.1 == '\\' && ahead.next()?.1 == 'u';
    let low = code_point(&mut ahead, 4).ok().filter(|_| is_escape)?;
    let is_low = (0xdc00..0xe000).contains(&low);
    if is_low {
        *chars = ahead;
    }
    is_low.then_some(low)
}

fn code_point(chars: &mut std::str::CharIndices<'_>, n_digits: usize) -> Result<u32, String> {
    let mut code = 0_u32;
    for _ in 0..n_digits {
        let digit = chars.next().and_then(|(_, c)| c.to_digit(16));
        let digit =
            digit.ok_or_else(|| format!("an escape needs {n_digits} hexadecimal digits"))?;
        code = code.wrapping_mul(16).wrapping_add(digit);
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value_of(text: &str) -> Result<Value, String> {
        calls(&format!("[f(a={text})]")).map(|calls| calls[0].arguments["a"].clone())
    }

    #[test]
    fn literals_are_read() {
        for (text, expected) in [
            ("1", json!(1)),
            ("-1_000", json!(-1000)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.", json!(1.0)),
            (".5e-3", json!(0.0005)),
            ("True", json!(true)),
            ("null", json!(null)),
            ("'it\\'s'", json!("it's")),
            (r#""a\n\x41\u00e9\U0001F600\ud83d\ude00\q""#, json!("a\nAé😀😀\\q")),
            ("'a' \"b\"", json!("ab")),
            ("[1, 'x', ]", json!([1, "x"])),
            ("(1, 2)", json!([1, 2])),
            ("(1,)", json!([1])),
            ("(1)", json!(1)),
            ("()", json!([])),
            ("{'a': {1: None}}", json!({"a": {"1": null}})),
        ] {
            assert_eq!(value_of(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_literal_says_where() {
        for (text, why) in [
            ("x", "expected a value at byte 5, found the name `x`"),
            ("1x", "`1x` is no number"),
            ("inf", "expected a value at byte 5, found the name `inf`"),
            ("1e999", "`1e999` is no number"),
            ("'a", "the string at byte 5 is not closed"),
            ("'\\x4'", "an escape needs 2 hexadecimal digits"),
            ("[1", "expected `]` at byte 7, found `)`"),
        ] {
            assert_eq!(value_of(text), Err(why.to_owned()), "{text}");
        }
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(value_of(&deep), Err("values nest deeper than 64".to_owned()));
        let positional = "expected `=`, since arguments are given by name, at byte 4, found `)`";
        assert_eq!(calls("[f(a)]"), Err(positional.to_owned()));
    }

    #[test]
    fn keys_that_are_no_names_are_kept() {
        let arguments = json!({"a": 1, "b c": [null, true], "True": "x"});
        let text = call_text("m.f", &arguments);
        assert_eq!(text, r#"m.f(a=1, **{"b c": [None, True], "True": "x"})"#);
        let read = calls(&format!("[{text}]")).unwrap();
        assert_eq!(read, [Spoken { name: "m.f".into(), arguments }]);
    }
}
