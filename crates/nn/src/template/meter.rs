//! What one rendering may use: a budget of bytes, the date, and the marks around generated text and
//! control tokens.
//!
//! The choice a reader would question: the budget counts bytes *made*, not bytes alive. Freed text
//! is never given back, which is simple, cannot be fooled, and is still far above what real
//! templates make.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::value::{Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};

use super::date::Date;

/// Most bytes of text and list entries that one rendering may make.
pub(super) const MAX_MADE_BYTES: u64 = 256 << 20;

/// Most bytes a rendering may write.
pub(super) const MAX_OUTPUT_BYTES: usize = 16 << 20;

/// Most instructions of a rendering; Qwen's template takes about 250 for a message.
pub(super) const MAX_INSTRUCTIONS: u64 = 2_000_000;

/// Deepest nesting of lists and objects.
pub(super) const MAX_DEPTH: usize = 100;

/// Most entries, at all depths, of a value that a template builds and keeps.
const MAX_ENTRIES: usize = 200_000;

/// Largest number that text or lists may be multiplied by.
const MAX_FACTOR: u64 = 4096;

/// What a list entry counts for.
const ENTRY_BYTES: u64 = 24;

/// Name of the variable that carries the meter; a template cannot reach it by accident.
pub(super) const VARIABLE: &str = "__meter";

/// Characters that stand around marked text: control tokens of users, and generated text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) control: [char; 2],
    pub(super) generated: [char; 2],
}

/// The resources of one rendering.
#[derive(Debug)]
pub(super) struct Meter {
    left: AtomicU64,
    pub(super) date: Option<Date>,
    pub(super) marks: Marks,
    /// Whether `{% generation %}` writes its marks.
    pub(super) wants_spans: bool,
}

impl Object for Meter {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Meter {
    pub(super) fn new(date: Option<Date>, marks: Marks, wants_spans: bool) -> Meter {
        Meter { left: AtomicU64::new(MAX_MADE_BYTES), date, marks, wants_spans }
    }

    /// The meter of the rendering that `state` belongs to.
    pub(super) fn of(state: &State) -> Result<Arc<Meter>, Error> {
        state
            .lookup(VARIABLE)
            .and_then(|value| value.downcast_object::<Meter>())
            .ok_or_else(|| limit("the template hides the meter"))
    }

    /// Takes `bytes` from the budget.
    pub(super) fn charge(&self, bytes: u64) -> Result<(), Error> {
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(|_| ()).map_err(|_| limit("the template makes more text than 256 MiB"))
    }

    /// Takes what a copy of `value` needs.
    pub(super) fn charge_value(&self, value: &Value, factor: u64) -> Result<(), Error> {
        let bytes = match (value.as_str(), value.kind()) {
            (Some(text), _) => text.len() as u64,
            (None, ValueKind::Bytes) => value.len().unwrap_or(0) as u64,
            (None, ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) => {
                value.len().unwrap_or(1) as u64 * ENTRY_BYTES
            }
            _ => 0,
        };
        if bytes == 0 { Ok(()) } else { self.charge(bytes.saturating_mul(factor)) }
    }

    /// Takes what `value` needs as an operand of `*`.
    pub(super) fn charge_factor(&self, value: &Value) -> Result<(), Error> {
        if value.is_integer()
            && i64::try_from(value.clone()).map_or(true, |n| n.unsigned_abs() > MAX_FACTOR)
        {
            return Err(limit("the template multiplies by more than 4096"));
        }
        self.charge_value(value, MAX_FACTOR)
    }

    /// Checks that `value` is neither deep nor a knot. A namespace may be `value` itself where it
    /// is not stored inside another, but never part of it.
    pub(super) fn check_depth(&self, value: &Value, may_be_namespace: bool) -> Result<(), Error> {
        let mut open = vec![(value.clone(), 0usize)];
        let mut n_entries = 0usize;
        while let Some((value, depth)) = open.pop() {
            if is_namespace(&value) && !(may_be_namespace && depth == 0) {
                return Err(limit("the template puts a namespace inside another value"));
            }
            let children: Box<dyn Iterator<Item = Value>> = match value.kind() {
                ValueKind::Seq | ValueKind::Iterable => Box::new(value.try_iter()?),
                ValueKind::Map => {
                    let keys = value.try_iter()?;
                    Box::new(keys.filter_map(move |key| value.get_item(&key).ok()))
                }
                _ => continue,
            };
            for child in children {
                n_entries += 1;
                if n_entries > MAX_ENTRIES || depth >= MAX_DEPTH {
                    return Err(limit(
                        "the template builds a list or object that is too deep or too large",
                    ));
                }
                open.push((child, depth + 1));
            }
        }
        self.charge(n_entries as u64 * 8)
    }
}

/// The error of a reached limit; [`ErrorKind::OutOfFuel`] tells it from other failures.
pub(super) fn limit(what: &'static str) -> Error {
    Error::new(ErrorKind::OutOfFuel, what)
}

fn is_namespace(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("::Namespace"))
}
