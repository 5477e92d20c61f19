//! Reads the scores of a group: a JSON list of `{"id", "explanation", "score"}`.
//!
//! Tolerant of what stands around the list (prose, code fences, an object with one list in it) and of
//! ids and scores written as text. Strict in meaning: every id once and no other, every score a number
//! from 0 to 1. Too few scores are an error; filling up would be inventing.

use serde_json::Value;

use super::find_json::json_values;

/// What a judge says of one attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupScore {
    /// From 0 to 1.
    pub score: f64,
    /// Why; may be empty.
    pub explanation: String,
}

/// The scores of attempts `1` to `n`, in this order.
///
/// # Errors
/// What keeps them from being read, to be told to the judge.
pub fn read_group(text: &str, n: usize) -> Result<Vec<GroupScore>, String> {
    let list = find_list(text).ok_or("it holds no JSON list of objects with id and score")?;
    let mut scores: Vec<Option<GroupScore>> = vec![None; n];
    for entry in &list {
        let id = id_of(entry)?;
        let place = id.checked_sub(1).and_then(|index| scores.get_mut(index));
        let Some(place) = place else {
            return Err(format!("it scores {id}, and the ids are 1 to {n}"));
        };
        if place.is_some() {
            return Err(format!("it scores {id} twice"));
        }
        let explanation = entry["explanation"].as_str().unwrap_or_default().trim().to_owned();
        *place = Some(GroupScore { score: score_of(entry, id)?, explanation });
    }
    let missing = scores.iter().position(Option::is_none);
    match missing {
        Some(index) => Err(format!("the score of {} is missing", index + 1)),
        None => Ok(scores.into_iter().flatten().collect()),
    }
}

/// The first list of objects in `text`.
fn find_list(text: &str) -> Option<Vec<Value>> {
    json_values(text).find_map(list_in)
}

fn list_in(value: Value) -> Option<Vec<Value>> {
    let is_scores = |list: &[Value]| !list.is_empty() && list.iter().all(Value::is_object);
    match value {
        Value::Array(list) => is_scores(&list).then_some(list),
        Value::Object(fields) if fields.contains_key("score") => Some(vec![Value::Object(fields)]),
        Value::Object(fields) => {
            let mut lists = fields.into_iter().filter_map(|(_, value)| match value {
                Value::Array(list) if is_scores(&list) => Some(list),
                _ => None,
            });
            let only = lists.next()?;
            lists.next().is_none().then_some(only)
        }
        _ => None,
    }
}

fn id_of(entry: &Value) -> Result<usize, String> {
    let id = match &entry["id"] {
        Value::Number(number) => number.as_u64().map(|id| id as usize),
        Value::String(text) => {
            text.trim_matches(|c: char| !c.is_ascii_digit() && c != '-').parse().ok()
        }
        _ => None,
    };
    id.ok_or_else(|| format!("the id {} is no number of an attempt", entry["id"]))
}

fn score_of(entry: &Value, id: usize) -> Result<f64, String> {
    let score = match &entry["score"] {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match score {
        Some(score) if (0.0..=1.0).contains(&score) => Ok(score),
        _ => {
            let found = &entry["score"];
            Err(format!("the score of {id} is {found}, allowed is a number from 0 to 1"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scores(text: &str, n: usize) -> Result<Vec<f64>, String> {
        Ok(read_group(text, n)?.into_iter().map(|score| score.score).collect())
    }

    #[test]
    fn many_forms_are_read() {
        let plain = r#"[{"id": 1, "explanation": "good", "score": 0.9}, {"id": 2, "score": 0}]"#;
        assert_eq!(scores(plain, 2), Ok(vec![0.9, 0.0]));
        assert_eq!(read_group(plain, 2).unwrap()[0].explanation, "good");
        let turned = r#"[{"id": "2", "score": "0.25"}, {"id": "attempt 1", "score": 1}]"#;
        assert_eq!(scores(turned, 2), Ok(vec![1.0, 0.25]));
        assert_eq!(
            scores(&format!("Sure [1]:\n```json\n{plain}\n```\nBye"), 2),
            Ok(vec![0.9, 0.0])
        );
        assert_eq!(
            scores(&format!("{{\"notes\": [], \"scores\": {plain}}}"), 2),
            Ok(vec![0.9, 0.0])
        );
        assert_eq!(scores(r#"{"id": 1, "score": 0.5}"#, 1), Ok(vec![0.5]));
    }

    #[test]
    fn what_does_not_fit_is_not_read() {
        for (text, reason) in [
            ("", "it holds no JSON list of objects with id and score"),
            ("[0.1, 0.2]", "it holds no JSON list of objects with id and score"),
            ("[]", "it holds no JSON list of objects with id and score"),
            (r#"[{"id": 1, "score": 0.9"#, "it holds no JSON list of objects with id and score"),
            (r#"[{"id": 1, "score": 0.9}]"#, "the score of 2 is missing"),
            (r#"[{"id": 1, "score": 0.9}, {"id": 1, "score": 0.9}]"#, "it scores 1 twice"),
            (r#"[{"id": 3, "score": 0.9}]"#, "it scores 3, and the ids are 1 to 2"),
            (r#"[{"id": 0, "score": 0.9}]"#, "it scores 0, and the ids are 1 to 2"),
            (r#"[{"score": 0.9}]"#, "the id null is no number of an attempt"),
            (
                r#"[{"id": 1, "score": 80}]"#,
                "the score of 1 is 80, allowed is a number from 0 to 1",
            ),
            (
                r#"[{"id": 1, "score": "high"}]"#,
                "the score of 1 is \"high\", allowed is a number from 0 to 1",
            ),
            (
                r#"[{"id": 1, "score": null}]"#,
                "the score of 1 is null, allowed is a number from 0 to 1",
            ),
        ] {
            assert_eq!(scores(text, 2), Err(reason.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn deep_and_long_answers_end() {
        assert!(scores(&"[".repeat(1 << 20), 2).is_err());
        assert!(scores(&"é".repeat(1 << 20), 2).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(
            text in r#"(\PC|\[|\{|\]|\}|"id":|"score":|[0-9.,]){0,40}"#,
            n in 0usize..5,
        ) {
            if let Ok(scores) = read_group(&text, n) {
                prop_assert_eq!(scores.len(), n);
                prop_assert!(scores.iter().all(|s| (0.0..=1.0).contains(&s.score)));
            }
        }
    }
}
