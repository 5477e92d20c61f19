//! The template engine set up as `transformers` sets up Jinja, with limits.
//!
//! Source: `_cached_compile_jinja_template` of transformers 5.23 (trimmed blocks, loop controls,
//! `raise_exception`, `strftime_now`, `tojson`, `{% generation %}`). The choice a reader would
//! question: every filter is wrapped once so that what it makes is charged to the meter. Known
//! difference: a loop over `none` is empty here and an error in Python.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Rest, StringInput, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

use super::guard;
use super::meter::{MAX_INSTRUCTIONS, Meter, limit};
use super::methods;
use super::python::{JsonStyle, Metered, is_space};

/// Deepest nesting of macro calls, in the engine's own units (a macro call costs four).
const RECURSION_LIMIT: usize = 400;

/// Widest indentation.
const MAX_INDENT: usize = 256;

/// Marks an error as the template's own refusal.
#[derive(Debug, thiserror::Error)]
#[error("raised by the template")]
pub(super) struct Raised;

/// An engine with everything a chat template may use.
pub(super) fn environment() -> Environment<'static> {
    let mut env = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    // Only delimiters can make this fail, and they are the usual ones.
    if let Ok(syntax) = syntax.trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env.set_debug(false);
    env.set_fuel(Some(MAX_INSTRUCTIONS));
    env.set_recursion_limit(RECURSION_LIMIT);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_unknown_method_callback(methods::call);
    env.set_formatter(|out, state, value| {
        let meter = Meter::of(state)?;
        if let Some(text) = value.as_str() {
            meter.charge(text.len() as u64)?;
            return out.write_str(text).map_err(Error::from);
        }
        let mut text = Metered::new(&meter);
        text.push_str_of(value)?;
        out.write_str(&text.into_text()).map_err(Error::from)
    });
    add_engine_filters(&mut env);
    add_python_filters(&mut env);
    add_guards(&mut env);
    add_functions(&mut env);
    env
}

/// The engine's own filters, charged for what they make.
fn add_engine_filters(env: &mut Environment<'static>) {
    let mut add = |name: &'static str, filter: Value| {
        env.add_filter(
            name,
            move |state: &mut State, args: Rest<ValueOrKwargs>| -> Result<Value, Error> {
                let result = filter.call(state, &args.into_values())?;
                Meter::of(state)?.charge_value(&result, 1)?;
                Ok(result)
            },
        );
    };
    macro_rules! add_all {
        ($($name:ident)*) => { $(add(stringify!($name), Value::from_function(filters::$name));)* };
    }
    add_all!(safe escape lower upper title capitalize length dictsort items reverse split lines default
        round abs int float attr first last min max sort list bool batch slice sum select reject
        selectattr rejectattr map groupby unique chain zip);
    add("e", Value::from_function(filters::escape));
    add("count", Value::from_function(filters::length));
    add("d", Value::from_function(filters::default));
}

/// Filters that write values, as Python writes them.
fn add_python_filters(env: &mut Environment<'static>) {
    env.add_filter("tojson", to_json);
    env.add_filter("string", |state: &State, value: &Value| text_of(state, value));
    env.add_filter("pprint", |state: &State, value: &Value| text_of(state, value));
    env.add_filter("trim", |text: StringInput<'_>, chars: Option<&str>| {
        let is_trimmed = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
        text.as_str().trim_matches(is_trimmed).to_string()
    });
    env.add_filter("join", join);
    env.add_filter("replace", replace);
    env.add_filter("indent", indent);
    env.add_filter("format", |state: &mut State, format: &str, args: Rest<Value>| {
        methods::check_format(format)?;
        let args: Vec<Value> = std::iter::once(Value::from(format)).chain(args.0).collect();
        let result = Value::from_function(filters::format).call(state, &args)?;
        Meter::of(state)?.charge_value(&result, 1)?;
        Ok::<Value, Error>(result)
    });
    env.add_test("iterable", |value: &Value| {
        value.is_undefined() || value.try_iter().is_ok() || value.as_str().is_some()
    });
    env.add_test("sequence", |value: &Value| {
        value.as_str().is_some()
            || value.is_undefined()
            || matches!(value.kind(), ValueKind::Seq | ValueKind::Map)
    });
    env.add_test("callable", |value: &Value| value.kind() == ValueKind::Plain);
}

/// What [`super::guard`] puts into templates.
fn add_guards(env: &mut Environment<'static>) {
    env.add_filter(guard::CHARGE, |state: &State, value: Value| {
        Meter::of(state)?.charge_value(&value, 1).map(|()| value)
    });
    env.add_filter(guard::CHARGE_FACTOR, |state: &State, value: Value| {
        Meter::of(state)?.charge_factor(&value).map(|()| value)
    });
    env.add_filter(guard::CHARGE_TEXT, |state: &State, value: Value| match value.kind() {
        // Other operators may still follow on whole numbers; their text is the same anyway.
        ValueKind::Number if value.is_integer() => Ok(value),
        ValueKind::Undefined => Ok(value),
        _ => text_of(state, &value).map(Value::from),
    });
    env.add_filter(guard::CHECK_DEPTH, |state: &State, value: Value| {
        Meter::of(state)?.check_depth(&value, true).map(|()| value)
    });
    env.add_filter(guard::CHECK_STORED, |state: &State, value: Value| {
        Meter::of(state)?.check_depth(&value, false).map(|()| value)
    });
    env.add_filter(guard::GENERATION, |state: &State, text: &str| {
        let meter = Meter::of(state)?;
        meter.charge(text.len() as u64)?;
        let [start, end] = meter.marks.generated;
        Ok::<String, Error>(if meter.wants_spans {
            format!("{start}{text}{end}")
        } else {
            text.to_string()
        })
    });
    env.add_function(guard::CHARGE_RAW, |state: &State, n_bytes: u64| {
        Meter::of(state)?.charge(n_bytes).map(|()| "")
    });
}

fn add_functions(env: &mut Environment<'static>) {
    // It would print the whole context.
    env.remove_global("debug");
    env.add_function("raise_exception", |message: Rest<Value>| -> Result<Value, Error> {
        let words: Vec<String> = message.iter().map(Value::to_string).collect();
        Err(Error::new(ErrorKind::InvalidOperation, words.join(" ")).with_source(Raised))
    });
    env.add_function("strftime_now", |state: &State, format: &str| {
        let date = Meter::of(state)?.date.ok_or_else(|| {
            let message = "the template asks for the date, and the run gives none";
            Error::new(ErrorKind::InvalidOperation, message)
        })?;
        Ok::<String, Error>(date.format(format))
    });
    env.add_function("cycler", |items: Rest<Value>| minijinja_contrib::globals::cycler(items.0));
    env.add_function("joiner", minijinja_contrib::globals::joiner);
}

fn text_of(state: &State, value: &Value) -> Result<String, Error> {
    let meter = Meter::of(state)?;
    let mut text = Metered::new(&meter);
    text.push_str_of(value)?;
    Ok(text.into_text())
}

/// Arguments that may be given by place or by name.
struct Arguments {
    positional: Vec<Value>,
    named: Kwargs,
}

impl Arguments {
    fn get(&self, place: usize, name: &str) -> Result<Option<Value>, Error> {
        let named: Option<Value> = self.named.get(name)?;
        let value = self.positional.get(place).cloned().or(named);
        Ok(value.filter(|value| !value.is_none() && !value.is_undefined()))
    }

    fn flag(&self, place: usize, name: &str) -> Result<bool, Error> {
        Ok(self.get(place, name)?.is_some_and(|value| value.is_true()))
    }
}

/// `json.dumps` with the arguments of the filter of `transformers`.
fn to_json(
    state: &State,
    value: &Value,
    args: Rest<Value>,
    named: Kwargs,
) -> Result<String, Error> {
    let args = Arguments { positional: args.0, named };
    let ensure_ascii = args.flag(0, "ensure_ascii")?;
    let indent = args.get(1, "indent")?.map(|v| indentation(&v)).transpose()?;
    let separators = args.get(2, "separators")?;
    let sort_keys = args.flag(3, "sort_keys")?;
    args.named.assert_all_used()?;
    let (item_separator, key_separator) = match separators {
        Some(pair) => {
            let text =
                |i: usize| -> Result<String, Error> { Ok(pair.get_item_by_index(i)?.to_string()) };
            (text(0)?, text(1)?)
        }
        None => (if indent.is_some() { "," } else { ", " }.to_string(), ": ".to_string()),
    };
    let meter = Meter::of(state)?;
    let mut out = Metered::new(&meter);
    out.push_json(
        value,
        &JsonStyle { ensure_ascii, indent, item_separator, key_separator, sort_keys },
        0,
    )?;
    Ok(out.into_text())
}

fn indentation(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_string());
    }
    // A negative indentation breaks lines without indenting, as in Python.
    let width = usize::try_from(i64::try_from(value.clone())?).unwrap_or(0);
    if width > MAX_INDENT {
        return Err(limit("the template indents by more than 256"));
    }
    Ok(" ".repeat(width))
}

/// Jinja's `join`, whose items may be anything that prints.
fn join(state: &State, items: &Value, args: Rest<Value>, named: Kwargs) -> Result<String, Error> {
    let args = Arguments { positional: args.0, named };
    let separator = args.get(0, "d")?.unwrap_or_else(|| Value::from(""));
    let attribute = args.get(1, "attribute")?;
    args.named.assert_all_used()?;
    let meter = Meter::of(state)?;
    let mut out = Metered::new(&meter);
    for (i, item) in items.try_iter()?.enumerate() {
        if i > 0 {
            out.push_str_of(&separator)?;
        }
        match &attribute {
            Some(name) => out.push_str_of(&item.get_item(name)?)?,
            None => out.push_str_of(&item)?,
        }
    }
    Ok(out.into_text())
}

fn replace(
    state: &State,
    text: StringInput<'_>,
    old: StringInput<'_>,
    new: StringInput<'_>,
    count: Option<usize>,
) -> Result<String, Error> {
    let most = count.unwrap_or(usize::MAX);
    let (text, old, new) = (text.as_str(), old.as_str(), new.as_str());
    methods::charge_replacement(&*Meter::of(state)?, text, old, new, most)?;
    Ok(text.replacen(old, new, most))
}

fn indent(state: &State, text: &str, args: Rest<Value>, named: Kwargs) -> Result<String, Error> {
    let args = Arguments { positional: args.0, named };
    let width = args.get(0, "width")?.unwrap_or_else(|| Value::from(4));
    let first = args.flag(1, "first")?;
    let blank = args.flag(2, "blank")?;
    args.named.assert_all_used()?;
    let step = indentation(&width)?;
    let n_lines = text.matches('\n').count() as u64 + 1;
    Meter::of(state)?.charge(text.len() as u64 + n_lines * step.len() as u64)?;
    let lines = text.split('\n').enumerate().map(|(i, line)| {
        let is_indented = if i == 0 { first } else { blank || !line.is_empty() };
        if is_indented { format!("{step}{line}") } else { line.to_string() }
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
