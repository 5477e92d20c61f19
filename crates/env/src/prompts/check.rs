//! How the answer to a prompt is checked, as the prompt's own entry says.
//!
//! | `check` | also needs | right is |
//! |---|---|---|
//! | `number` | `answer` | the final number, see [`crate::rewards::final_number`] |
//! | `numbers` | `answers` | these numbers and no others, in this order, behind the mark or in the last line |
//! | `choice` | `choices`, `answer` (a letter, or the text of one of them) | this one and no other, see [`super::choice`] |
//! | `pattern` | `pattern` | a text in which this regular expression matches |
//! | `schema` | `schema` | JSON that fits this JSON schema, and equals `answer` where there is one |
//! | `exact` | `answer` | this text, but for space around it |
//! | `normalised` | `answer` | this text, but for case, punctuation, articles and space |
//! | `contains` | `answer` | a text of at most 60 words more in which this one stands, normalised |
//! | `list` | `answers` | these items in this order, see [`super::answer_text`] |
//!
//! `check` may be left out: `choices` means `choice`, `schema` and `pattern` themselves, `answers` means
//! `list`; an `answer` with a number behind `####`, or that is hardly more than a number, means `number`,
//! any other `normalised`.
//!
//! Only the agent's last turn is looked at. An answer may stand behind a mark (`####`, `\boxed{..}`,
//! `answer:`, `the answer is`), and what stands there decides then.

use regex::Regex;
use serde_json::Value;
use stateset_core::Scenario;

use super::answer_text::{contains, items_match, marked_answer, normalised, words_or_text};
use super::choice::{MAX_CHOICES, chosen, right_choice};
use super::json_reply::json_in;
use crate::names::{listed, named_enum, nearest};
use crate::rewards::{all_numbers, compile_pattern, final_number};

/// Words that a reply to `contains` may have beside the answer; more could hold every answer there is.
const MAX_EXTRA_WORDS: usize = 60;

named_enum! {
    /// Kinds of checks.
    pub enum CheckKind {
        /// The final number.
        Number => "number",
        /// Several numbers in order.
        Numbers => "numbers",
        /// One of several choices.
        Choice => "choice",
        /// A regular expression matches.
        Pattern => "pattern",
        /// JSON that fits a schema.
        Schema => "schema",
        /// The very text.
        Exact => "exact",
        /// The text but for case, punctuation, articles and space.
        Normalised => "normalised",
        /// A short text that holds the answer.
        Contains => "contains",
        /// Items in order.
        List => "list",
    }
}

/// What is wrong with the entry of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckProblem {
    /// Which key.
    pub key: &'static str,
    /// What was found.
    pub found: String,
    /// What is allowed there.
    pub allowed: String,
    /// What was probably meant.
    pub hint: Option<String>,
}

/// Whether a reply is right, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is.
    pub is_right: bool,
    /// What was found and what was expected, for people.
    pub evidence: String,
}

/// A check that is ready.
#[derive(Debug)]
pub enum Check {
    /// The final number equals this one.
    Number(String),
    /// The numbers equal these.
    Numbers(Vec<String>),
    /// The choice with this index is made.
    Choice {
        /// All of them.
        choices: Vec<String>,
        /// The right one.
        right: usize,
    },
    /// The pattern matches.
    Pattern(Regex),
    /// JSON fits the schema.
    Schema {
        /// The compiled schema.
        validator: Box<jsonschema::Validator>,
        /// What it has to equal.
        expected: Option<Value>,
    },
    /// The very text.
    Exact(String),
    /// The same words; normalised already.
    Normalised(Vec<String>),
    /// These words stand in it; normalised already.
    Contains(Vec<String>),
    /// These items; normalised already.
    List(Vec<Vec<String>>),
}

impl Check {
    /// The check of a scenario, from its expected answer and its metadata; `None` for a scenario that
    /// says nothing of an answer.
    ///
    /// # Errors
    /// [`CheckProblem`] where it says something that cannot be checked.
    pub fn of(scenario: &Scenario) -> Result<Option<Check>, CheckProblem> {
        let entry = EntryKeys { scenario };
        let Some(kind) = entry.kind()? else { return Ok(None) };
        Ok(Some(match kind {
            CheckKind::Number => Check::Number(entry.number()?),
            CheckKind::Numbers => Check::Numbers(entry.numbers()?),
            CheckKind::Choice => entry.choice()?,
            CheckKind::Pattern => Check::Pattern(entry.pattern()?),
            CheckKind::Schema => entry.schema()?,
            CheckKind::Exact => Check::Exact(entry.answer()?.trim().to_owned()),
            CheckKind::Normalised => Check::Normalised(entry.words()?),
            CheckKind::Contains => Check::Contains(entry.words()?),
            CheckKind::List => Check::List(entry.items()?),
        }))
    }

    /// Judges a reply.
    pub fn judge(&self, reply: &str) -> Verdict {
        let marked = marked_answer(reply);
        let answer = marked.unwrap_or(reply).trim();
        match self {
            Check::Number(expected) => {
                let found = final_number(reply);
                verdict(found.as_ref() == Some(expected), found.as_deref(), expected)
            }
            Check::Numbers(expected) => {
                let last = reply.trim().lines().last().unwrap_or_default();
                let found: Vec<String> = all_numbers(marked.unwrap_or(last)).collect();
                verdict(found == *expected, Some(&found.join(", ")), &expected.join(", "))
            }
            Check::Choice { choices, right } => {
                let found = chosen(reply, choices);
                let shown = found.map(|index| choices[index].as_str());
                verdict(found == Some(*right), shown, &choices[*right])
            }
            Check::Pattern(pattern) => {
                let found = pattern.find(reply.trim()).map(|found| found.as_str());
                verdict(found.is_some(), found, pattern.as_str())
            }
            Check::Schema { validator, expected } => {
                judge_json(validator, expected.as_ref(), reply)
            }
            Check::Exact(expected) => {
                let is_right = answer == expected || reply.trim() == expected;
                verdict(is_right, Some(answer), expected)
            }
            Check::Normalised(expected) => {
                let is_right = normalised(answer) == *expected || normalised(reply) == *expected;
                verdict(is_right, Some(answer), &expected.join(" "))
            }
            Check::Contains(expected) => {
                let said = normalised(reply);
                let is_short = said.len() <= expected.len() + MAX_EXTRA_WORDS;
                verdict(is_short && contains(&said, expected), Some(answer), &expected.join(" "))
            }
            Check::List(expected) => {
                let shown: Vec<String> = expected.iter().map(|item| item.join(" ")).collect();
                verdict(items_match(reply, expected), Some(answer), &shown.join(", "))
            }
        }
    }
}

fn verdict(is_right: bool, found: Option<&str>, expected: &str) -> Verdict {
    let short = |text: &str| -> String { text.chars().take(80).collect() };
    let found = found.map_or("nothing".to_owned(), |text| format!("{:?}", short(text)));
    Verdict { is_right, evidence: format!("found {found}, expected {:?}", short(expected)) }
}

fn judge_json(validator: &jsonschema::Validator, expected: Option<&Value>, reply: &str) -> Verdict {
    let wrong = |evidence: String| Verdict { is_right: false, evidence };
    let Some(value) = json_in(reply) else { return wrong("found no JSON".to_owned()) };
    if let Err(error) = validator.validate(&value) {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() { "the top".to_owned() } else { place };
        let what: String = error.to_string().chars().take(160).collect();
        return wrong(format!("at {place}: {what}"));
    }
    match expected {
        Some(expected) if *expected != value => {
            wrong("it fits the schema but is not the answer".into())
        }
        _ => Verdict { is_right: true, evidence: "it fits the schema".to_owned() },
    }
}

/// What a scenario says of its answer.
struct EntryKeys<'a> {
    scenario: &'a Scenario,
}

impl EntryKeys<'_> {
    fn value(&self, key: &str) -> Option<&Value> {
        self.scenario.metadata.get(key).filter(|value| !value.is_null())
    }

    fn kind(&self) -> Result<Option<CheckKind>, CheckProblem> {
        let names: Vec<&str> = CheckKind::ALL.iter().map(|kind| kind.name()).collect();
        if let Some(named) = self.value("check") {
            let known = named.as_str().and_then(CheckKind::from_name);
            let near = named.as_str().and_then(|name| nearest(name, &names));
            let hint = near.map(|name| format!("did you mean {name:?}?"));
            let found = named.to_string();
            let allowed = listed(&names);
            return known.map(Some).ok_or(CheckProblem { key: "check", found, allowed, hint });
        }
        let has = |key| self.value(key).is_some();
        let kind = match &self.scenario.expected {
            _ if has("choices") => CheckKind::Choice,
            _ if has("schema") => CheckKind::Schema,
            _ if has("pattern") => CheckKind::Pattern,
            _ if has("answers") => CheckKind::List,
            Some(answer) if is_hardly_more_than_a_number(answer) => CheckKind::Number,
            Some(_) => CheckKind::Normalised,
            None => return Ok(None),
        };
        Ok(Some(kind))
    }

    fn answer(&self) -> Result<&str, CheckProblem> {
        let answer = self.scenario.expected.as_deref().filter(|text| !text.trim().is_empty());
        answer.ok_or_else(|| problem("answer", "nothing", "the right answer"))
    }

    fn words(&self) -> Result<Vec<String>, CheckProblem> {
        let answer = self.answer()?;
        let words = normalised(marked_answer(answer).unwrap_or(answer));
        match words.is_empty() {
            true => Err(problem("answer", format!("{answer:?}"), "a text with letters or digits")),
            false => Ok(words),
        }
    }

    fn number(&self) -> Result<String, CheckProblem> {
        let answer = self.answer()?;
        final_number(answer).ok_or_else(|| {
            let shown: String = answer.chars().take(40).collect();
            problem("answer", format!("{shown:?}"), "a text that ends in a number")
        })
    }

    fn texts(&self, key: &'static str) -> Result<Vec<String>, CheckProblem> {
        let text = |value: &Value| match value {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let list = self.value(key).and_then(Value::as_array).filter(|list| !list.is_empty());
        let texts: Option<Vec<String>> = list.and_then(|list| list.iter().map(text).collect());
        texts.ok_or_else(|| {
            let found = self.value(key).map_or("nothing", crate::fields::kind_of);
            problem(key, found, "a list of texts, none of them empty")
        })
    }

    fn numbers(&self) -> Result<Vec<String>, CheckProblem> {
        let number = |text: String| {
            let mut found = all_numbers(&text);
            match (found.next(), found.next()) {
                (Some(number), None) => Ok(number),
                _ => Err(problem("answers", format!("{text:?}"), "a number")),
            }
        };
        self.texts("answers")?.into_iter().map(number).collect()
    }

    fn items(&self) -> Result<Vec<Vec<String>>, CheckProblem> {
        let item = |text: String| match normalised(&text) {
            words if words.is_empty() => {
                Err(problem("answers", format!("{text:?}"), "a text with letters or digits"))
            }
            words => Ok(words),
        };
        self.texts("answers")?.into_iter().map(item).collect()
    }

    fn choice(&self) -> Result<Check, CheckProblem> {
        let choices = self.texts("choices")?;
        if !(2..=MAX_CHOICES).contains(&choices.len()) {
            let found = format!("{} choices", choices.len());
            return Err(problem("choices", found, format!("2 to {MAX_CHOICES}")));
        }
        let words: Vec<Vec<String>> = choices.iter().map(|text| words_or_text(text)).collect();
        let is_twice = |(i, words_of): (usize, &Vec<String>)| words[..i].contains(words_of);
        if let Some(place) = words.iter().enumerate().position(is_twice) {
            let found = format!("{:?} twice", choices[place]);
            return Err(problem("choices", found, "texts that differ in more than punctuation"));
        }
        let answer = self.answer()?;
        match right_choice(answer, &choices) {
            Some(right) => Ok(Check::Choice { choices, right }),
            None => {
                Err(problem("answer", format!("{answer:?}"), "a letter or the text of a choice"))
            }
        }
    }

    fn pattern(&self) -> Result<Regex, CheckProblem> {
        let pattern = self.value("pattern").and_then(Value::as_str).unwrap_or_default();
        compile_pattern(pattern).map_err(|message| {
            let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
            problem("pattern", message, "a regular expression")
        })
    }

    fn schema(&self) -> Result<Check, CheckProblem> {
        let schema = self.value("schema").filter(|value| value.is_object() || value.is_boolean());
        let schema = schema.ok_or_else(|| problem("schema", "no schema", "a JSON schema"))?;
        let validator = jsonschema::validator_for(schema)
            .map_err(|error| problem("schema", error.to_string(), "a JSON schema"))?;
        let expected = match &self.scenario.expected {
            Some(text) => Some(serde_json::from_str(text).map_err(|_| {
                problem("answer", "a text that is no JSON", "JSON, or no answer beside the schema")
            })?),
            None => None,
        };
        Ok(Check::Schema { validator: Box::new(validator), expected })
    }
}

fn problem(
    key: &'static str,
    found: impl Into<String>,
    allowed: impl Into<String>,
) -> CheckProblem {
    CheckProblem { key, found: found.into(), allowed: allowed.into(), hint: None }
}

/// A number with at most a unit of one word, or a solution with a number behind its mark.
fn is_hardly_more_than_a_number(answer: &str) -> bool {
    if answer.contains("####") || answer.contains("\\boxed{") {
        return final_number(answer).is_some();
    }
    let n_words = answer.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic));
    all_numbers(answer).count() == 1 && n_words.count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn scenario(entry: Value) -> Scenario {
        let mut metadata = entry.as_object().cloned().unwrap_or_default();
        let expected = metadata.remove("answer").and_then(|v| v.as_str().map(str::to_owned));
        Scenario { expected, metadata, ..Scenario::new("s") }
    }

    fn is_right(entry: Value, reply: &str) -> bool {
        Check::of(&scenario(entry)).unwrap().unwrap().judge(reply).is_right
    }

    #[test]
    fn right_and_wrong_by_kind() {
        let schema = json!({"type": "object", "required": ["n"],
                            "properties": {"n": {"type": "integer"}}});
        let capital = json!({"answer": "Paris", "check": "contains"});
        let choice = json!({"choices": ["red", "green", "blue"], "answer": "B"});
        for (entry, right, wrong) in [
            (json!({"answer": "#### 1,200"}), "So it is $1200.00.", "It is 120."),
            (json!({"answer": "12 km"}), "#### 12", "#### 13"),
            (
                json!({"answers": [3, "4.50"], "check": "numbers"}),
                "x = 3, y = 4.5",
                "x = 4.5, y = 3",
            ),
            (json!({"answers": [3, 4], "check": "numbers"}), "9 tries\n#### 3 and 4", "3, 4, 5"),
            (choice.clone(), "The answer is (B).", "The answer is (C)."),
            (choice, "green", "red, green or blue"),
            (json!({"pattern": "^[A-Z]{3}-\\d+$"}), "ABC-12", "It is ABC-12"),
            (json!({"schema": schema}), "```json\n{\"n\": 3}\n```", "{\"n\": \"3\"}"),
            (json!({"schema": schema, "answer": "{\"n\": 3}"}), "{\"n\": 3}", "{\"n\": 4}"),
            (json!({"answer": "Abc d", "check": "exact"}), " Abc d\n", "abc d"),
            (json!({"answer": "The Hague"}), "hague!", "The Hague, or Paris"),
            (json!({"answer": "The Hague"}), "I think so.\nAnswer: the Hague.", "Answer: Paris"),
            (capital.clone(), "The capital of France is Paris.", "The capital is Parisian."),
            (capital, "Paris", "I do not know."),
            (json!({"answers": ["red", "dark green"]}), "1. Red\n2. Dark green", "dark green, red"),
        ] {
            assert!(is_right(entry.clone(), right), "{entry} {right}");
            assert!(!is_right(entry.clone(), wrong), "{entry} {wrong}");
            assert!(!is_right(entry.clone(), ""), "{entry}");
        }
    }

    #[test]
    fn saying_everything_is_not_knowing() {
        let capitals = "Berlin Madrid Rome Vienna Lisbon Athens Dublin Oslo ".repeat(9);
        let entry = json!({"answer": "Paris", "check": "contains"});
        assert!(!is_right(entry, &format!("{capitals} Paris")));
        let entry = json!({"choices": ["red", "green"], "answer": "A"});
        assert!(!is_right(entry, "(A) (B)"));
        let entry = json!({"answers": ["3", "4"], "check": "numbers"});
        assert!(!is_right(entry, "1 2 3 4 5"));
        let entry = json!({"answer": "Paris"});
        assert!(!is_right(entry, "Answer: Berlin, Madrid, Paris"));
    }

    #[test]
    fn the_kind_follows_from_the_keys() {
        let kind = |entry: Value| EntryKeys { scenario: &scenario(entry) }.kind().unwrap();
        assert_eq!(kind(json!({"answer": "$1,200"})), Some(CheckKind::Number));
        assert_eq!(kind(json!({"answer": "8 + 4 = 12\n#### 12"})), Some(CheckKind::Number));
        assert_eq!(
            kind(json!({"answer": "In 1969 it was Armstrong"})),
            Some(CheckKind::Normalised)
        );
        assert_eq!(kind(json!({"answers": ["a"]})), Some(CheckKind::List));
        assert_eq!(kind(json!({"pattern": "a"})), Some(CheckKind::Pattern));
        assert_eq!(kind(json!({})), None);
        assert!(Check::of(&scenario(json!({"other": 1}))).unwrap().is_none());
    }

    #[test]
    fn entries_that_cannot_be_checked_are_refused() {
        for (entry, key, found) in [
            (json!({"check": "nmber", "answer": "3"}), "check", "\"nmber\""),
            (json!({"check": "number", "answer": "three"}), "answer", "\"three\""),
            (json!({"check": "number"}), "answer", "nothing"),
            (json!({"check": "numbers", "answers": ["3 4"]}), "answers", "\"3 4\""),
            (json!({"check": "list"}), "answers", "nothing"),
            (json!({"answers": ["a", ""]}), "answers", "a list"),
            (json!({"answers": ["!"]}), "answers", "\"!\""),
            (json!({"choices": ["a"], "answer": "A"}), "choices", "1 choices"),
            (json!({"choices": ["b", "B."], "answer": "A"}), "choices", "\"B.\" twice"),
            (json!({"choices": ["x", "y"], "answer": "C"}), "answer", "\"C\""),
            (json!({"pattern": "("}), "pattern", ""),
            (json!({"schema": {"type": 3}}), "schema", ""),
            (json!({"schema": {}, "answer": "{"}), "answer", "a text that is no JSON"),
            (json!({"check": "normalised", "answer": "?!"}), "answer", "\"?!\""),
        ] {
            let problem = Check::of(&scenario(entry.clone())).unwrap_err();
            assert_eq!(problem.key, key, "{entry}");
            assert!(found.is_empty() || problem.found == found, "{entry}: {problem:?}");
        }
        let problem = Check::of(&scenario(json!({"check": "nmber"}))).unwrap_err();
        assert_eq!(problem.hint.as_deref(), Some("did you mean \"number\"?"));
    }

    proptest! {
        #[test]
        fn any_reply_is_judged(reply in "\\PC{0,80}", answer in "[a-z0-9 ]{1,8}[a-z]") {
            for kind in CheckKind::ALL {
                let entry = json!({
                    "check": kind.name(), "answer": answer, "answers": [answer],
                    "choices": [answer, "other one"], "pattern": "a", "schema": {},
                });
                if let Ok(Some(check)) = Check::of(&scenario(entry)) {
                    let _ = check.judge(&reply);
                    let _ = check.judge(&format!("{reply} #### {reply}"));
                }
            }
        }
    }
}
