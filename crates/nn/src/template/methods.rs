//! Python's methods on text, lists and dictionaries, for templates that call them.
//!
//! minijinja-contrib's `pycompat` brings most of them; this adds those it lacks, those whose
//! keyword arguments or white space it treats otherwise, and charges what they make to the meter
//! before it is made where one call could make a lot. Source: `str` of CPython 3.11. The choice a
//! reader would question: methods that change a list or dictionary are unknown, as in the immutable
//! sandbox of `transformers`.

use minijinja::value::{Kwargs, Rest, Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::meter::{Meter, limit};
use super::python::{Metered, is_space};

/// Widest text that `ljust` and its like, and format strings, may ask for.
const MAX_WIDTH: usize = 4096;

/// Calls a method that the engine does not know.
pub(super) fn call(
    state: &mut State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let meter = Meter::of(state)?;
    let found = match value.as_str() {
        Some(text) => text_method(&meter, text, method, args)?,
        None if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) => {
            list_method(value, method, args)?
        }
        None if value.kind() == ValueKind::Map && method == "copy" => Some(value.clone()),
        None => None,
    };
    let result = match found {
        Some(result) => result,
        None => unknown_method_callback(state, value, method, args)?,
    };
    meter.charge_value(&result, 1)?;
    Ok(result)
}

fn text_method(
    meter: &Meter,
    text: &str,
    method: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    let result = match method {
        "strip" => Value::from(strip(text, args, true, true)?),
        "lstrip" => Value::from(strip(text, args, true, false)?),
        "rstrip" => Value::from(strip(text, args, false, true)?),
        "split" => split(text, args, false)?,
        "rsplit" => split(text, args, true)?,
        "splitlines" => split_lines(text, args)?,
        "replace" => replace(meter, text, args)?,
        "join" => join(meter, text, args)?,
        "format" => return check_format(text).map(|()| None),
        "title" => Value::from(title(text)),
        "swapcase" => text.chars().map(swap_case).collect::<String>().into(),
        "casefold" => Value::from(text.to_lowercase()),
        "isspace" => Value::from(!text.is_empty() && text.chars().all(is_space)),
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "partition" | "rpartition" => partition(text, args, method == "rpartition")?,
        "index" | "rindex" => index(text, args, method == "rindex")?,
        "ljust" | "rjust" | "center" | "zfill" => Value::from(pad(text, method, args)?),
        _ => return Ok(None),
    };
    Ok(Some(result))
}

fn list_method(list: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match method {
        "copy" => Ok(Some(list.clone())),
        "index" => {
            let (wanted,): (&Value,) = from_args(args)?;
            let found = list.try_iter()?.position(|item| item == *wanted);
            found.map(|i| Some(Value::from(i))).ok_or_else(|| wrong("the value is not in the list"))
        }
        _ => Ok(None),
    }
}

fn wrong(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn strip(text: &str, args: &[Value], start: bool, end: bool) -> Result<String, Error> {
    let (chars,): (Option<&str>,) = from_args(args)?;
    let is_stripped = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = if start { text.trim_start_matches(is_stripped) } else { text };
    Ok(if end { text.trim_end_matches(is_stripped) } else { text }.to_string())
}

fn split(text: &str, args: &[Value], from_end: bool) -> Result<Value, Error> {
    let (positional, kwargs): (Rest<Value>, Kwargs) = from_args(args)?;
    let argument = |i: usize, name: &str| -> Result<Option<Value>, Error> {
        let named: Option<Value> = kwargs.get(name)?;
        Ok(positional.get(i).cloned().or(named).filter(|v| !v.is_none()))
    };
    let separator = argument(0, "sep")?;
    let most = argument(1, "maxsplit")?.map(i64::try_from).transpose()?.unwrap_or(-1);
    kwargs.assert_all_used()?;
    let most = usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1));
    let parts: Vec<&str> = match separator
        .as_ref()
        .map(|s| s.as_str().ok_or_else(|| wrong("must be split by a text")))
    {
        Some(separator) => {
            let separator = separator?;
            if separator.is_empty() {
                return Err(wrong("cannot be split by an empty text"));
            }
            if from_end {
                let mut parts: Vec<&str> = text.rsplitn(most, separator).collect();
                parts.reverse();
                parts
            } else {
                text.splitn(most, separator).collect()
            }
        }
        None => words(text, most, from_end),
    };
    Ok(parts.into_iter().map(Value::from).collect())
}

/// Splits at runs of white space into at most `most` parts; the last one is left as it is.
fn words(text: &str, most: usize, from_end: bool) -> Vec<&str> {
    let trim = |text: &'_ str| -> (usize, usize) {
        let start = text.len() - text.trim_start_matches(is_space).len();
        (start, text.trim_end_matches(is_space).len())
    };
    let (mut start, mut end) = (0, text.len());
    let mut parts = Vec::new();
    loop {
        let (skipped, kept) = trim(&text[start..end]);
        (start, end) = if from_end { (start, start + kept) } else { (start + skipped, end) };
        let rest = if start < end { &text[start..end] } else { break };
        let gap = if from_end { rest.rfind(is_space) } else { rest.find(is_space) };
        let Some(gap) = gap.filter(|_| parts.len() + 1 < most) else {
            parts.push(rest);
            break;
        };
        if from_end {
            parts.push(rest[gap..].trim_start_matches(is_space));
            end = start + gap;
        } else {
            parts.push(&rest[..gap]);
            start += gap;
        }
    }
    if from_end {
        parts.reverse();
    }
    parts
}

fn split_lines(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (positional, kwargs): (Option<bool>, Kwargs) = from_args(args)?;
    let keeps_ends = positional.or(kwargs.get("keepends")?).unwrap_or(false);
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(is_end) {
        let sign = &rest[end..];
        let n_sign = if sign.starts_with("\r\n") {
            2
        } else {
            sign.chars().next().map_or(0, char::len_utf8)
        };
        lines.push(Value::from(&rest[..if keeps_ends { end + n_sign } else { end }]));
        rest = &rest[end + n_sign..];
    }
    if !rest.is_empty() {
        lines.push(Value::from(rest));
    }
    Ok(Value::from(lines))
}

fn replace(meter: &Meter, text: &str, args: &[Value]) -> Result<Value, Error> {
    let (old, new, most): (&str, &str, Option<i64>) = from_args(args)?;
    let most = most.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    charge_replacement(meter, text, old, new, most)?;
    Ok(Value::from(text.replacen(old, new, most)))
}

/// Charges the text that replacing makes, before it is made.
pub(super) fn charge_replacement(
    meter: &Meter,
    text: &str,
    old: &str,
    new: &str,
    most: usize,
) -> Result<(), Error> {
    let n_found = text.matches(old).take(most).count() as u64;
    meter.charge(text.len() as u64 + n_found.saturating_mul(new.len() as u64))
}

fn join(meter: &Meter, separator: &str, args: &[Value]) -> Result<Value, Error> {
    let (items,): (&Value,) = from_args(args)?;
    let separator = Value::from(separator);
    let mut out = Metered::new(meter);
    for (i, item) in items.try_iter()?.enumerate() {
        if i > 0 {
            out.push_str_of(&separator)?;
        }
        if item.as_str().is_none() {
            return Err(wrong("only texts can be joined"));
        }
        out.push_str_of(&item)?;
    }
    Ok(Value::from(out.into_text()))
}

/// Refuses format strings with widths that would make a lot of text.
pub(super) fn check_format(format: &str) -> Result<(), Error> {
    let mut width = 0usize;
    for c in format.chars() {
        width = c
            .to_digit(10)
            .map_or(0, |digit| width.saturating_mul(10).saturating_add(digit as usize));
        if width > MAX_WIDTH {
            return Err(limit("the template asks for a width above 4096"));
        }
    }
    Ok(())
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_inside = false;
    for c in text.chars() {
        if is_inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        is_inside = c.is_alphabetic();
    }
    out
}

fn swap_case(c: char) -> char {
    let mut other =
        if c.is_uppercase() { c.to_lowercase().next() } else { c.to_uppercase().next() };
    other.take().unwrap_or(c)
}

fn partition(text: &str, args: &[Value], from_end: bool) -> Result<Value, Error> {
    let (separator,): (&str,) = from_args(args)?;
    if separator.is_empty() {
        return Err(wrong("cannot be split by an empty text"));
    }
    let found = if from_end { text.rsplit_once(separator) } else { text.split_once(separator) };
    let parts = match found {
        Some((before, after)) => [before, separator, after],
        None if from_end => ["", "", text],
        None => [text, "", ""],
    };
    Ok(Value::from(Tuple::new(parts.into_iter().map(Value::from).collect())))
}

fn index(text: &str, args: &[Value], from_end: bool) -> Result<Value, Error> {
    let (wanted,): (&str,) = from_args(args)?;
    let found = if from_end { text.rfind(wanted) } else { text.find(wanted) };
    let at = found.ok_or_else(|| wrong("substring not found"))?;
    Ok(Value::from(text[..at].chars().count()))
}

fn pad(text: &str, method: &str, args: &[Value]) -> Result<String, Error> {
    let (width, fill): (usize, Option<char>) = from_args(args)?;
    if width > MAX_WIDTH {
        return Err(limit("the template asks for a width above 4096"));
    }
    let missing = width.saturating_sub(text.chars().count());
    let fill = fill.unwrap_or(if method == "zfill" { '0' } else { ' ' });
    let times = |n: usize| String::from(fill).repeat(n);
    Ok(match method {
        "ljust" => format!("{text}{}", times(missing)),
        // CPython puts the odd character to the left when the width is odd.
        "center" => {
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", times(left), times(missing - left))
        }
        "zfill" => {
            let sign = text.len() - text.trim_start_matches(['-', '+']).len();
            let (sign, digits) = text.split_at(sign.min(1));
            format!("{sign}{}{digits}", times(missing))
        }
        _ => format!("{}{text}", times(missing)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::chat_template::{ChatTemplate, RenderOptions};

    /// Expressions and what CPython 3.11 prints for them.
    const CASES: [(&str, &str); 26] = [
        ("' a b  c '.split()", "['a', 'b', 'c']"),
        ("' a b  c '.split(none, 1)", "['a', 'b  c ']"),
        ("' a b  c '.rsplit(none, 1)", "[' a b', 'c']"),
        ("' a b  c '.rsplit()", "['a', 'b', 'c']"),
        ("'  '.split()", "[]"),
        ("''.split(',')", "['']"),
        ("'a,b,c'.split(',', maxsplit=1)", "['a', 'b,c']"),
        ("'a,b,c'.rsplit(sep=',', maxsplit=1)", "['a,b', 'c']"),
        ("'a\\r\\nb\\n\\nc\\n'.splitlines()", "['a', 'b', '', 'c']"),
        ("'a\\nb'.splitlines(true)", "['a\\n', 'b']"),
        ("'a=b=c'.rpartition('=')", "('a=b', '=', 'c')"),
        ("'abc'.partition('=')", "('abc', '', '')"),
        ("'-7'.zfill(4)", "-007"),
        ("'ab'.center(5, '*')", "**ab*"),
        ("'abc'.center(6, '*')", "*abc**"),
        ("'it is o\\'clock'.title()", "It Is O'Clock"),
        ("'aBc'.swapcase()", "AbC"),
        ("'abcb'.rindex('b')", "3"),
        ("[1, 2, 3].index(2)", "1"),
        ("'xyx'.strip('xz')", "y"),
        ("'\\x1c a \\u2003'.strip()", "a"),
        ("'aaa'.replace('a', 'b', 2)", "bba"),
        ("'-'.join(['a', 'b'])", "a-b"),
        ("'{} {:>3}'.format('a', 1)", "a   1"),
        ("'a'.isspace() or ' \\t'.isspace()", "True"),
        ("{'a': 1}.copy()", "{'a': 1}"),
    ];

    fn render(expression: &str) -> Result<String, String> {
        let template = ChatTemplate::from_source("t", &format!("{{{{ {expression} }}}}"));
        template
            .and_then(|template| template.render(&[], &RenderOptions::default()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn methods_do_what_python_does() {
        for (expression, expected) in CASES {
            assert_eq!(render(expression).as_deref(), Ok(expected), "{expression}");
        }
    }

    #[test]
    fn what_python_refuses_is_refused() {
        for expression in [
            "'a'.index('b')",
            "[1].index(2)",
            "'a'.split('')",
            "'-'.join([1])",
            "[1].append(2)",
            "{'a': 1}.update({})",
            "'a'.nothing()",
        ] {
            assert!(render(expression).is_err(), "{expression}");
        }
    }
}
