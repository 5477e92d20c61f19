//! Dialogues of MultiWOZ 2.1 (Eric et al. 2019): trips in a city, several topics in one goal.
//!
//! A goal's `info` and `book` are constraints, `reqt` are requests. Where `fail_info` has another value
//! for a constraint, the user begins with that one and settles for the one of `info`.

use serde_json::{Map, Value};

use super::super::goal::{Constraint, Fact, Goal, Request};
use super::super::style::UserTurn;
use super::Dialogue;
use crate::error::EnvError;

/// Topics in the order in which users come to them, with what they are called.
const TOPICS: &[(&str, &str)] = &[
    ("restaurant", "a restaurant"),
    ("hotel", "a place to stay"),
    ("attraction", "a place to visit"),
    ("train", "a train"),
    ("taxi", "a taxi"),
    ("hospital", "a hospital"),
    ("police", "the police"),
];

/// Reads a file of dialogues by name, such as `val.json`.
///
/// # Errors
/// [`EnvError::Corpus`] where it is no JSON object of dialogues.
pub fn read_multiwoz(text: &str) -> Result<Vec<Dialogue>, EnvError> {
    let failed =
        |place: String, message: String| EnvError::Corpus { corpus: "MultiWOZ", place, message };
    let dialogues: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| failed(format!("line {}", error.line()), error.to_string()))?;
    let mut read = Vec::with_capacity(dialogues.len());
    for (id, dialogue) in &dialogues {
        let (Some(goal), Some(log)) = (dialogue["goal"].as_object(), dialogue["log"].as_array())
        else {
            return Err(failed(format!("dialogue {id:?}"), "it has no goal and log".to_owned()));
        };
        let goal = goal_of(goal);
        if !goal.constraints.is_empty() || !goal.requests.is_empty() {
            let turns = log.iter().step_by(2).map(turn_of).collect();
            read.push(Dialogue { id: id.clone(), goal, turns });
        }
    }
    Ok(read)
}

fn goal_of(written: &Map<String, Value>) -> Goal {
    let mut goal = Goal::default();
    let mut names = Vec::new();
    for (topic, name) in TOPICS {
        let Some(part) =
            written.get(*topic).and_then(Value::as_object).filter(|part| !part.is_empty())
        else {
            continue;
        };
        names.push(*name);
        goal.needs_booking |=
            part.get("book").is_some_and(|book| book.as_object().is_some_and(|b| !b.is_empty()));
        goal.constraints.extend(constraints(topic, part));
        let asked =
            part.get("reqt").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        goal.requests.extend(
            asked
                .iter()
                .filter_map(Value::as_str)
                .map(|slot| Request { fact: fact(topic, slot), answer: None }),
        );
    }
    goal.task = format!("find {}", names.join(" and "));
    goal
}

fn constraints(topic: &str, part: &Map<String, Value>) -> Vec<Constraint> {
    let object = |key: &str| part.get(key).and_then(Value::as_object);
    let failing = |key: &str, slot: &str| {
        object(key).and_then(|fail| fail.get(slot)).and_then(Value::as_str).map(str::to_owned)
    };
    let mut found: Vec<Constraint> = Vec::new();
    for (key, fail) in [("info", "fail_info"), ("book", "fail_book")] {
        for (slot, value) in object(key).into_iter().flatten() {
            let Some(value) =
                value.as_str().filter(|value| value.chars().any(char::is_alphanumeric))
            else {
                continue;
            };
            if found.iter().any(|constraint| constraint.fact.slot == *slot) {
                continue;
            }
            let fact = fact(topic, slot);
            let first = failing(fail, slot)
                .filter(|first| first != value && is_said(first) && is_said(value));
            found.push(match first {
                Some(first) => Constraint {
                    fact,
                    value: first,
                    otherwise: Some(value.to_owned()),
                    ..Constraint::default()
                },
                None => Constraint { fact, value: value.to_owned(), ..Constraint::default() },
            });
        }
    }
    found
}

/// A value that can be said by itself.
fn is_said(value: &str) -> bool {
    !matches!(value, "yes" | "no" | "dontcare" | "") && value.chars().any(char::is_alphanumeric)
}

/// The corpus' short names in words that people use.
fn fact(topic: &str, slot: &str) -> Fact {
    let phrase = match slot {
        "pricerange" => "price range",
        "leaveAt" => "departure time",
        "arriveBy" => "arrival time",
        "trainID" => "train id",
        "phone" => "phone number",
        "people" => "number of people",
        "stay" => "number of nights",
        "stars" => "star rating",
        "duration" => "travel time",
        "entrance fee" => "entrance fee",
        other => other,
    };
    Fact::with_words(topic, slot, phrase, &[])
}

fn turn_of(turn: &Value) -> UserTurn {
    let acts = turn["dialog_act"].as_object();
    let informs = acts.into_iter().flatten().filter(|(name, _)| name.ends_with("-Inform"));
    let pairs =
        informs.flat_map(|(_, pairs)| pairs.as_array().map(Vec::as_slice).unwrap_or_default());
    let n_facts = pairs.filter(|pair| pair[0].as_str() != Some("none")).count();
    UserTurn { text: turn["text"].as_str().unwrap_or_default().to_owned(), n_facts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_becomes_constraints_and_requests() {
        let text = r#"{"A.json": {"goal": {
            "hotel": {"info": {"area": "east"}, "fail_info": {"area": "west"}, "reqt": ["phone"],
                      "book": {"stay": "2", "invalid": false}},
            "police": {}, "topic": {"taxi": false}, "message": []},
          "log": [{"text": "I need a hotel in the west .", "dialog_act": {"Hotel-Inform": [["Area", "west"]]}},
                  {"text": "Sure ."}, {"text": "Thanks", "dialog_act": {"general-thank": [["none", "none"]]}}]}}"#;
        let [dialogue] = read_multiwoz(text).unwrap().try_into().unwrap();
        let goal = &dialogue.goal;
        assert_eq!(goal.task, "find a place to stay");
        assert_eq!((goal.constraints.len(), goal.requests.len()), (2, 1));
        assert_eq!(goal.constraints[0].value, "west");
        assert_eq!(goal.constraints[0].otherwise.as_deref(), Some("east"));
        assert!(goal.needs_booking);
        let n_facts: Vec<usize> = dialogue.turns.iter().map(|turn| turn.n_facts).collect();
        assert_eq!(n_facts, [1, 0]);
    }

    #[test]
    fn another_file_is_refused() {
        assert!(read_multiwoz("[1]").is_err());
        let error = read_multiwoz(r#"{"A": {"goal": 3}}"#).unwrap_err().to_string();
        assert!(error.contains("dialogue \"A\": it has no goal and log"), "{error}");
    }
}
