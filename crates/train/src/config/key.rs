//! What a configuration key is: its path, what it may hold, and what it does.
//!
//! The keys themselves are in [`super::keys`]. A key has no default here: defaults are values, and
//! all values that ship are in `assets/default.toml` and `assets/presets.toml`.

use std::fmt;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Section and name, such as `training.learning_rate`; the name alone at the top level.
    pub path: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What it does here.
    pub effect: Effect,
    /// What it means, with its unit; whole sentences.
    pub doc: &'static str,
    /// Full paths of other names for it.
    pub aliases: &'static [&'static str],
    /// True where it may be left without a value.
    pub is_optional: bool,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It changes what is learnt or measured; a run cannot be resumed with another value.
    Outcome,
    /// It changes how the work is done, not what comes out.
    Operation,
    /// It is read for compatibility and does nothing on this engine.
    Accepted,
    /// It belongs to something that is not there: only its "off" value is taken.
    Unavailable,
}

/// What a key may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number in a closed range.
    Integer {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// A number.
    Number(Range),
    /// A text of so many characters at most.
    Text {
        /// Most characters.
        max_chars: usize,
    },
    /// One of a few names.
    Choice {
        /// The names.
        names: &'static [&'static str],
        /// Other names for them: (other name, name).
        synonyms: &'static [(&'static str, &'static str)],
    },
    /// A list of texts; a single text counts as a list of one.
    TextList,
    /// A path of a file or folder.
    Path,
    /// A table whose keys are free.
    Object,
    /// A list of such tables.
    ObjectList,
    /// A table of numbers.
    Weights,
    /// Anything; for keys that do nothing.
    Any,
}

/// An interval of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Lower end.
    pub low: f64,
    /// The lower end itself is allowed.
    pub includes_low: bool,
    /// Upper end; infinite where there is none.
    pub high: f64,
    /// The upper end itself is allowed.
    pub includes_high: bool,
}

impl Key {
    /// A key that always has a value and changes the result.
    pub(super) const fn new(path: &'static str, kind: Kind, doc: &'static str) -> Key {
        Key { path, kind, effect: Effect::Outcome, doc, aliases: &[], is_optional: false }
    }

    /// A key without a default that changes the result.
    pub(super) const fn optional(path: &'static str, kind: Kind, doc: &'static str) -> Key {
        Key { is_optional: true, ..Key::new(path, kind, doc) }
    }

    /// A key that is read and does nothing; `doc` says what happens instead.
    pub(super) const fn accepted(path: &'static str, doc: &'static str) -> Key {
        Key { effect: Effect::Accepted, ..Key::optional(path, Kind::Any, doc) }
    }

    /// A key of something that is not there; `doc` says what.
    pub(super) const fn unavailable(path: &'static str, doc: &'static str) -> Key {
        Key { effect: Effect::Unavailable, ..Key::optional(path, Kind::Any, doc) }
    }

    /// The part before the dot; empty at the top level.
    pub fn section(&self) -> &'static str {
        self.path.split_once('.').map_or("", |(section, _)| section)
    }

    /// The part after the dot.
    pub fn name(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(_, name)| name)
    }

    /// What it may hold, in words.
    pub fn allowed(&self) -> String {
        match self.effect {
            Effect::Unavailable => "only its off value (false, 0, \"none\" or empty)".to_owned(),
            _ if self.is_optional && self.kind != Kind::Any => {
                format!("{}, or nothing", self.kind)
            }
            _ => self.kind.to_string(),
        }
    }
}

impl Kind {
    /// A text of one line.
    pub(super) const LINE: Kind = Kind::Text { max_chars: 1000 };

    /// A choice whose names have no synonyms.
    pub(super) const fn choice(names: &'static [&'static str]) -> Kind {
        Kind::Choice { names, synonyms: &[] }
    }

    /// A whole number from `min` to `max`.
    pub(super) const fn integer(min: i64, max: i64) -> Kind {
        Kind::Integer { min, max }
    }

    /// A number, `low` or more.
    pub(super) const fn number_from(low: f64) -> Kind {
        Kind::number((low, true), (f64::INFINITY, false))
    }

    /// A number above `low`.
    pub(super) const fn number_above(low: f64) -> Kind {
        Kind::number((low, false), (f64::INFINITY, false))
    }

    /// A number from `low` to `high`.
    pub(super) const fn number_between(low: f64, high: f64) -> Kind {
        Kind::number((low, true), (high, true))
    }

    /// A number above `low`, at most `high`.
    pub(super) const fn number_above_to(low: f64, high: f64) -> Kind {
        Kind::number((low, false), (high, true))
    }

    /// A number from `low`, below `high`.
    pub(super) const fn number_from_below(low: f64, high: f64) -> Kind {
        Kind::number((low, true), (high, false))
    }

    /// A number between two ends, each of which may belong to the range or not.
    pub(super) const fn number(
        (low, includes_low): (f64, bool),
        (high, includes_high): (f64, bool),
    ) -> Kind {
        Kind::Number(Range { low, includes_low, high, includes_high })
    }
}

impl Range {
    /// True where `number` is inside; never for one that is not finite.
    pub fn contains(&self, number: f64) -> bool {
        let is_above = number > self.low || (self.includes_low && number == self.low);
        let is_below = number < self.high || (self.includes_high && number == self.high);
        number.is_finite() && is_above && is_below
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Range { low, high, .. } = self;
        match (self.includes_low, self.includes_high) {
            (true, false) if high.is_infinite() => write!(f, "a number, {low} or more"),
            (false, false) if high.is_infinite() => write!(f, "a number above {low}"),
            (true, true) => write!(f, "a number from {low} to {high}"),
            (false, true) => write!(f, "a number above {low}, at most {high}"),
            (true, false) => write!(f, "a number from {low}, below {high}"),
            (false, false) => write!(f, "a number between {low} and {high}"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Bool => f.write_str("true or false"),
            Kind::Integer { min, max: i64::MAX } => write!(f, "a whole number, {min} or more"),
            Kind::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Kind::Number(range) => range.fmt(f),
            Kind::Text { max_chars } => write!(f, "a text of at most {max_chars} characters"),
            Kind::Choice { names: [only], .. } => f.write_str(only),
            Kind::Choice { names, .. } => write!(f, "one of {}", names.join(", ")),
            Kind::TextList => f.write_str("a list of texts"),
            Kind::Path => f.write_str("a path"),
            Kind::Object => f.write_str("a table"),
            Kind::ObjectList => f.write_str("a list of tables"),
            Kind::Weights => f.write_str("a table of numbers"),
            Kind::Any => f.write_str("anything"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_say_and_do_the_same() {
        let Kind::Number(range) = Kind::number_above_to(0.0, 1.0) else { panic!("a number") };
        assert_eq!(range.to_string(), "a number above 0, at most 1");
        assert_eq!([0.0, 0.5, 1.0, 1.5].map(|x| range.contains(x)), [false, true, true, false]);
        let Kind::Number(range) = Kind::number_from_below(0.0, 1.0) else { panic!("a number") };
        assert_eq!([0.0, 1.0, f64::NAN].map(|x| range.contains(x)), [true, false, false]);
        let Kind::Number(range) = Kind::number_from(0.0) else { panic!("a number") };
        assert_eq!([1e300, f64::INFINITY].map(|x| range.contains(x)), [true, false]);
    }

    #[test]
    fn paths_split_into_section_and_name() {
        let key = Key::new("training.seed", Kind::Bool, "");
        assert_eq!((key.section(), key.name()), ("training", "seed"));
        let top = Key::optional("profile", Kind::Bool, "");
        assert_eq!((top.section(), top.name()), ("", "profile"));
        assert_eq!(top.allowed(), "true or false, or nothing");
    }
}
