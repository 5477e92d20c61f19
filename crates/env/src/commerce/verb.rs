//! What an agent can call in a world, and how its arguments are checked.
//!
//! One table gives both the JSON schema that the agent reads and the check of what it calls, so the two
//! cannot drift apart. A general validator of schemas would do the same in more time than the rest of a
//! turn takes; the texts here also say what to do instead.

use serde_json::{Map, Value, json};
use stateset_core::ToolSpec;

use crate::fields::kind_of;
use crate::names::{listed, nearest};

/// One tool of a world.
pub(super) struct Verb {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does, for the agent.
    pub(super) what: &'static str,
    /// Minutes of work it takes.
    pub(super) minutes: f64,
    /// Its arguments.
    pub(super) params: &'static [Param],
}

/// One argument of a tool.
pub(super) struct Param {
    /// Its key.
    pub(super) name: &'static str,
    /// What it means, for the agent.
    pub(super) what: &'static str,
    /// What it may be.
    pub(super) kind: Kind,
    /// Whether it has to be there.
    pub(super) is_required: bool,
}

/// What an argument may be.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// A number within bounds.
    Number(f64, f64),
    /// A whole number within bounds.
    Whole(u64, u64),
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

impl Param {
    /// An argument that has to be there.
    pub(super) const fn required(name: &'static str, what: &'static str, kind: Kind) -> Param {
        Param { name, what, kind, is_required: true }
    }

    /// An argument that may be left out.
    pub(super) const fn optional(name: &'static str, what: &'static str, kind: Kind) -> Param {
        Param { name, what, kind, is_required: false }
    }

    fn schema(&self) -> Value {
        let what = self.what;
        match self.kind {
            Kind::Text => json!({"type": "string", "description": what}),
            Kind::Number(low, high) => {
                json!({"type": "number", "minimum": low, "maximum": high, "description": what})
            }
            Kind::Whole(low, high) => {
                json!({"type": "integer", "minimum": low, "maximum": high, "description": what})
            }
            Kind::OneOf(names) => json!({"type": "string", "enum": names, "description": what}),
        }
    }

    /// What is wrong with `value`, if anything.
    fn fault(&self, value: &Value) -> Option<String> {
        let name = self.name;
        match self.kind {
            Kind::Text if value.is_string() => None,
            Kind::Text => Some(format!("{name} is {}; it must be a text", kind_of(value))),
            Kind::Number(low, high) => match value.as_f64() {
                Some(number) if (low..=high).contains(&number) => None,
                _ => Some(format!("{name} must be a number from {low} to {high}")),
            },
            Kind::Whole(low, high) => match whole(value) {
                Some(number) if (low..=high).contains(&number) => None,
                _ => Some(format!("{name} must be a whole number from {low} to {high}")),
            },
            Kind::OneOf(names) => match value.as_str() {
                Some(text) if names.contains(&text) => None,
                _ => Some(format!("{name} must be one of {}", listed(names))),
            },
        }
    }
}

/// Checked arguments.
#[derive(Clone, Copy)]
pub(super) struct Args<'a>(&'a Map<String, Value>);

impl<'a> Args<'a> {
    /// The text of `key`; empty where it was left out.
    pub(super) fn text(&self, key: &str) -> &'a str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The number of `key`.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.0.get(key).and_then(Value::as_f64)
    }

    /// The whole number of `key`.
    pub(super) fn whole(&self, key: &str) -> Option<u32> {
        self.0.get(key).and_then(whole).and_then(|number| u32::try_from(number).ok())
    }
}

/// Models write `3.0` for three.
fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|f| f.fract() == 0.0 && (0.0..1e15).contains(f));
    value.as_u64().or_else(|| float().map(|f| f as u64))
}

impl Verb {
    /// What the agent is told.
    pub(super) fn spec(&self) -> ToolSpec {
        let properties: Map<String, Value> =
            self.params.iter().map(|param| (param.name.to_owned(), param.schema())).collect();
        let required: Vec<&str> =
            self.params.iter().filter(|p| p.is_required).map(|p| p.name).collect();
        ToolSpec {
            name: self.name.to_owned(),
            description: self.what.to_owned(),
            parameters: json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            }),
        }
    }

    /// The arguments, once they fit; otherwise what is wrong, for the agent.
    pub(super) fn check<'a>(&self, arguments: &'a Value) -> Result<Args<'a>, String> {
        let Some(object) = arguments.as_object() else {
            return Err(format!(
                "the arguments are {}; they must be an object",
                kind_of(arguments)
            ));
        };
        let known = || self.params.iter().map(|param| param.name).collect::<Vec<_>>();
        if let Some(key) = object.keys().find(|key| !known().contains(&key.as_str())) {
            let hint = nearest(key, &known()).map(|name| format!("; did you mean {name}?"));
            let allowed = listed(&known());
            let key = short(key);
            return Err(format!(
                "unknown argument {key:?}; known are {allowed}{}",
                hint.unwrap_or_default()
            ));
        }
        for param in self.params {
            match object.get(param.name) {
                None if param.is_required => {
                    return Err(format!("{} is missing: {}", param.name, param.what));
                }
                None => {}
                Some(value) => {
                    if let Some(fault) = param.fault(value) {
                        return Err(fault);
                    }
                }
            }
        }
        Ok(Args(object))
    }
}

/// The verb called `name`; otherwise what there is, for the agent.
pub(super) fn find<'v>(verbs: &'v [Verb], name: &str) -> Result<&'v Verb, String> {
    verbs.iter().find(|verb| verb.name == name).ok_or_else(|| {
        let known: Vec<&str> = verbs.iter().map(|verb| verb.name).collect();
        let hint = nearest(name, &known).map(|near| format!("; did you mean {near}?"));
        let name = short(name);
        format!(
            "no tool is called {name:?}; there are {}{}",
            listed(&known),
            hint.unwrap_or_default()
        )
    })
}

/// The beginning of a text that somebody else wrote.
pub(super) fn short(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    match text.char_indices().nth(MAX_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERB: Verb = Verb {
        name: "set_price",
        what: "Sets the price.",
        minutes: 1.0,
        params: &[
            Param::required("price", "the new price", Kind::Number(0.0, 500.0)),
            Param::optional("region", "where", Kind::OneOf(&["north", "south", "both"])),
            Param::optional("weeks", "how long", Kind::Whole(1, 4)),
            Param::optional("note", "anything", Kind::Text),
        ],
    };

    fn fault(arguments: Value) -> String {
        VERB.check(&arguments).err().expect("it does not fit")
    }

    #[test]
    fn what_fits_is_read() {
        let arguments = json!({"price": 12.5, "weeks": 3.0, "note": "x"});
        let args = VERB.check(&arguments).unwrap();
        assert_eq!((args.number("price"), args.whole("weeks")), (Some(12.5), Some(3)));
        assert_eq!((args.text("note"), args.text("region")), ("x", ""));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        assert_eq!(fault(json!([1])), "the arguments are a list; they must be an object");
        assert_eq!(fault(json!({})), "price is missing: the new price");
        assert_eq!(
            fault(json!({"prise": 1})),
            "unknown argument \"prise\"; known are price, region, weeks and note; did you mean price?"
        );
        assert_eq!(fault(json!({"price": "1"})), "price must be a number from 0 to 500");
        assert_eq!(fault(json!({"price": 501})), "price must be a number from 0 to 500");
        assert_eq!(
            fault(json!({"price": 1, "region": "east"})),
            "region must be one of north, south and both"
        );
        assert_eq!(
            fault(json!({"price": 1, "weeks": 1.5})),
            "weeks must be a whole number from 1 to 4"
        );
        assert_eq!(fault(json!({"price": 1, "note": 3})), "note is a number; it must be a text");
        let text = find(&[VERB], "set_prise").err().expect("it is unknown");
        assert_eq!(
            text,
            "no tool is called \"set_prise\"; there are set_price; did you mean set_price?"
        );
    }

    /// The schema and the check are made from one table; this compares them through somebody else's
    /// validator.
    #[test]
    fn the_schema_says_the_same_as_the_check() {
        let schema = VERB.spec().parameters;
        let validator = jsonschema::validator_for(&schema).unwrap();
        for arguments in [
            json!({"price": 12.5}),
            json!({"price": 0, "weeks": 4.0, "region": "both"}),
            json!({}),
            json!(3),
            json!({"price": -1}),
            json!({"price": null}),
            json!({"price": 1, "more": 1}),
            json!({"price": 1, "weeks": 0}),
            json!({"price": 1, "weeks": "2"}),
            json!({"price": 1, "region": "North"}),
            json!({"price": 1, "note": []}),
        ] {
            assert_eq!(
                validator.is_valid(&arguments),
                VERB.check(&arguments).is_ok(),
                "{arguments}"
            );
        }
    }
}
