//! The description of one agenda user, as it stands in a scenario.
//!
//! In a scenario file it is the object under `customer`, with `"kind": "agenda"`:
//!
//! ```json
//! {"kind": "agenda", "task": "book a table", "persona": "busy_professional", "n_opening": 1,
//!  "constraints": [{"slot": "food", "value": "thai", "others": ["greek"], "otherwise": "indian"},
//!                  {"slot": "people", "value": 4}],
//!  "requests": [{"slot": "phone", "answer": "01223 311"}],
//!  "style": {"typos": 0.02}}
//! ```
//!
//! `task` and one constraint or request must be there. A constraint or request may have `topic`,
//! `phrase` and `asked_by`; without them the usual words of its slot's name are taken. A constraint
//! may have `say`, a clause with `{value}`. `needs_booking` (true where left out) says whether the
//! agent has to do something at the end, or only to answer.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::goal::{Constraint, Fact, Goal, Request};
use super::style::Style;
use crate::customer::MAX_FACT_CHARS;
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};
use crate::persona::Persona;

/// Most constraints, and most requests, of one goal.
pub const MAX_FACTS: usize = 40;
/// Most other values, and most words for asking, of one fact.
const MAX_WORDS: usize = 200;
/// Longest task, in characters.
const MAX_TASK_CHARS: usize = 200;

/// One agenda user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgendaSpec {
    /// What they want.
    pub goal: Goal,
    /// Who they are.
    pub persona: Persona,
    /// How they write.
    pub style: Style,
    /// How many constraints the first message tells.
    pub n_opening: usize,
}

const KEYS: &[&str] =
    &["kind", "task", "constraints", "requests", "needs_booking", "persona", "style", "n_opening"];
const CONSTRAINT_KEYS: &[&str] =
    &["slot", "topic", "phrase", "asked_by", "value", "say", "others", "otherwise"];
const REQUEST_KEYS: &[&str] = &["slot", "topic", "phrase", "asked_by", "answer"];

impl AgendaSpec {
    /// A user with this goal, an average persona and a neat style, who tells one fact at first.
    pub fn new(goal: Goal) -> AgendaSpec {
        AgendaSpec { goal, persona: Persona::default(), style: Style::default(), n_opening: 1 }
    }

    /// Reads the object under a scenario's `customer` key.
    ///
    /// # Errors
    /// [`EnvError::User`] with everything that does not fit.
    pub fn from_value(value: &Value) -> Result<AgendaSpec, EnvError> {
        AgendaSpec::check(value, "", String::new())
            .map_err(|problems| EnvError::User { what: "agenda user", problems })
    }

    /// The object that [`AgendaSpec::from_value`] reads.
    pub fn to_value(&self) -> Value {
        let constraints: Vec<Value> = self.goal.constraints.iter().map(write_constraint).collect();
        let requests: Vec<Value> = self.goal.requests.iter().map(write_request).collect();
        json!({
            "kind": "agenda",
            "task": self.goal.task,
            "constraints": constraints,
            "requests": requests,
            "needs_booking": self.goal.needs_booking,
            "persona": self.persona,
            "style": self.style,
            "n_opening": self.n_opening,
        })
    }

    /// Reads the object found at `place`; problems name their keys after `prefix`.
    pub(crate) fn check(
        value: &Value,
        place: &str,
        prefix: String,
    ) -> Result<AgendaSpec, Vec<Problem>> {
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        let mut fields = Fields::nested(place, prefix.clone(), object, KEYS);
        if !value.is_object() {
            fields.problem("", kind_of(value), "an object that describes an agenda user");
            return Err(fields.into_problems());
        }
        let spec = read(&mut fields, place, &prefix);
        let problems = fields.into_problems();
        if problems.is_empty() { Ok(spec) } else { Err(problems) }
    }
}

fn read(fields: &mut Fields<'_>, place: &str, prefix: &str) -> AgendaSpec {
    let task = fields.text("task", MAX_TASK_CHARS).unwrap_or_default();
    if task.trim().is_empty() {
        fields.problem("task", "nothing", "what is to be done, such as \"book a table\"");
    }
    let constraints = read_list(fields, place, prefix, "constraints", read_constraint);
    let requests = read_list(fields, place, prefix, "requests", read_request);
    if constraints.is_empty() && requests.is_empty() {
        fields.problem("constraints", "nothing to tell and nothing to ask", "one fact or more");
    }
    let mut persona = Persona::default();
    if let Some(value) = fields.value("persona") {
        match Persona::check(value, place, format!("{prefix}persona.")) {
            Ok(found) => persona = found,
            Err(problems) => fields.extend(problems),
        }
    }
    let mut style = Style::default();
    if let Some(value) = fields.value("style") {
        match Style::check(value, place, format!("{prefix}style.")) {
            Ok(found) => style = found,
            Err(problems) => fields.extend(problems),
        }
    }
    let n_opening = fields.count("n_opening", 0..=MAX_FACTS).unwrap_or(1);
    let needs_booking = fields.flag("needs_booking").unwrap_or(true);
    let goal = Goal { task, constraints, requests, needs_booking };
    AgendaSpec { goal, persona, style, n_opening }
}

/// Reads the object of an entry, found at a place, with a prefix for the names of its keys.
type ReadEntry<T> = fn(&Map<String, Value>, &str, String) -> Result<T, Vec<Problem>>;

/// The entries of the list `key`, each read by `read_entry`.
fn read_list<T>(
    fields: &mut Fields<'_>,
    place: &str,
    prefix: &str,
    key: &str,
    read_entry: ReadEntry<T>,
) -> Vec<T> {
    let Some(value) = fields.value(key) else { return Vec::new() };
    let Some(entries) = value.as_array() else {
        fields.problem(key, kind_of(value), "a list");
        return Vec::new();
    };
    if entries.len() > MAX_FACTS {
        let found = format!("{} entries", entries.len());
        fields.problem(key, found, format!("at most {MAX_FACTS}"));
        return Vec::new();
    }
    let mut read = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let at = format!("{key}[{index}]");
        let Some(object) = entry.as_object() else {
            fields.problem(&at, kind_of(entry), "an object with a slot");
            continue;
        };
        match read_entry(object, place, format!("{prefix}{at}.")) {
            Ok(entry) => read.push(entry),
            Err(problems) => fields.extend(problems),
        }
    }
    read
}

fn read_constraint(
    object: &Map<String, Value>,
    place: &str,
    prefix: String,
) -> Result<Constraint, Vec<Problem>> {
    let mut fields = Fields::nested(place, prefix, object, CONSTRAINT_KEYS);
    let fact = read_fact(&mut fields);
    let value = fields.text_or_number("value", MAX_FACT_CHARS).unwrap_or_default();
    let value = value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let say = fields.text("say", MAX_FACT_CHARS);
    if say.as_ref().is_some_and(|say| !say.contains("{value}")) {
        fields.problem("say", "a clause without {value}", "a clause with {value}");
    }
    let others = fields.texts("others", MAX_WORDS, MAX_FACT_CHARS);
    let otherwise = fields.text_or_number("otherwise", MAX_FACT_CHARS);
    for (key, text) in [("value", Some(&value)), ("otherwise", otherwise.as_ref())] {
        if text.is_some_and(|text| !is_value(text)) {
            fields.problem(
                key,
                "nothing that can be said",
                "a text with a letter or digit, on one line",
            );
        }
    }
    let problems = fields.into_problems();
    let constraint = Constraint { fact, value, say, others, otherwise };
    if problems.is_empty() { Ok(constraint) } else { Err(problems) }
}

fn is_value(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric) && !text.contains('\n')
}

fn read_request(
    object: &Map<String, Value>,
    place: &str,
    prefix: String,
) -> Result<Request, Vec<Problem>> {
    let mut fields = Fields::nested(place, prefix, object, REQUEST_KEYS);
    let fact = read_fact(&mut fields);
    let answer = fields.text_or_number("answer", MAX_FACT_CHARS);
    if answer.as_ref().is_some_and(|answer| !answer.chars().any(char::is_alphanumeric)) {
        fields.problem("answer", "an empty text", "a text with a letter or digit");
    }
    let problems = fields.into_problems();
    if problems.is_empty() { Ok(Request { fact, answer }) } else { Err(problems) }
}

fn read_fact(fields: &mut Fields<'_>) -> Fact {
    let slot = fields.text("slot", MAX_FACT_CHARS).unwrap_or_default();
    if slot.trim().is_empty() {
        fields.problem("slot", "nothing", "the name of a fact");
    }
    let topic = fields.text("topic", MAX_FACT_CHARS).unwrap_or_default();
    let phrase = fields.text("phrase", MAX_FACT_CHARS);
    let more = fields.texts("asked_by", MAX_WORDS, MAX_FACT_CHARS);
    let phrase = phrase.unwrap_or_else(|| slot.replace(['_', '-'], " "));
    if !is_value(&phrase) && !slot.trim().is_empty() {
        fields.problem("phrase", "nothing that can be said", "a text with a letter, on one line");
    }
    Fact::with_words(&topic, &slot, &phrase, &more)
}

/// Only what is not there by default, so that files stay short.
fn write_fact(fact: &Fact) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("slot".to_owned(), json!(fact.slot));
    if !fact.topic.is_empty() {
        object.insert("topic".to_owned(), json!(fact.topic));
    }
    if fact.phrase != fact.slot.replace(['_', '-'], " ") {
        object.insert("phrase".to_owned(), json!(fact.phrase));
    }
    if fact.asked_by != Fact::with_words(&fact.topic, &fact.slot, &fact.phrase, &[]).asked_by {
        object.insert("asked_by".to_owned(), json!(fact.asked_by));
    }
    object
}

fn write_constraint(constraint: &Constraint) -> Value {
    let mut object = write_fact(&constraint.fact);
    object.insert("value".to_owned(), json!(constraint.value));
    for (key, text) in [("say", &constraint.say), ("otherwise", &constraint.otherwise)] {
        if let Some(text) = text {
            object.insert(key.to_owned(), json!(text));
        }
    }
    if !constraint.others.is_empty() {
        object.insert("others".to_owned(), json!(constraint.others));
    }
    Value::Object(object)
}

fn write_request(request: &Request) -> Value {
    let mut object = write_fact(&request.fact);
    if let Some(answer) = &request.answer {
        object.insert("answer".to_owned(), json!(answer));
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> Value {
        json!({
            "kind": "agenda", "task": "book a table", "persona": "busy_professional",
            "constraints": [
                {"slot": "food", "value": "thai", "others": ["greek"], "otherwise": "indian"},
                {"slot": "people", "value": 4, "phrase": "size of the party", "asked_by": ["heads"]}],
            "requests": [{"slot": "phone", "answer": "01223 311"}],
            "style": {"typos": 0.02}, "n_opening": 0,
        })
    }

    #[test]
    fn a_description_reads_back_as_it_was_written() {
        let spec = AgendaSpec::from_value(&table()).unwrap();
        assert_eq!(spec.goal.constraints[1].value, "4");
        assert!(spec.goal.needs_booking);
        assert_eq!(AgendaSpec::from_value(&spec.to_value()).unwrap(), spec);
    }

    #[test]
    fn everything_wrong_comes_together() {
        let value = json!({
            "task": " ", "persona": "busy_profesional", "style": {"typos": 3}, "n_openings": 1,
            "constraints": [{"slot": "food"}, 3, {"value": "x", "say": "no place for it"}],
            "requests": {"slot": "phone"}, "needs_booking": "yes",
        });
        let problems = AgendaSpec::check(&value, "a.json entry 0", "customer.".into()).unwrap_err();
        let shown: Vec<String> = problems.iter().map(Problem::to_string).collect();
        for expected in [
            "a.json entry 0: `customer.n_openings`: found an unknown key",
            "`customer.task`: found nothing",
            "`customer.constraints[0].value`: found nothing that can be said",
            "`customer.constraints[1]`: found a number",
            "`customer.constraints[2].slot`: found nothing",
            "`customer.constraints[2].say`: found a clause without {value}",
            "`customer.requests`: found an object, allowed is a list",
            "`customer.persona`: found \"busy_profesional\"",
            "did you mean \"busy_professional\"?",
            "`customer.style.typos`: found 3, allowed is a number from 0 to 1",
            "`customer.needs_booking`: found a text, allowed is true or false",
        ] {
            assert!(shown.iter().any(|line| line.contains(expected)), "{expected}\n{shown:#?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_read_without_panic(
            task in "\\PC{0,20}", slot in "\\PC{0,12}", value in "\\PC{0,20}", n in 0_usize..50
        ) {
            let value = json!({
                "task": task, "constraints": [{"slot": slot, "value": value}], "n_opening": n,
            });
            if let Ok(spec) = AgendaSpec::from_value(&value) {
                prop_assert_eq!(AgendaSpec::from_value(&spec.to_value()).unwrap(), spec);
            }
        }
    }
}
