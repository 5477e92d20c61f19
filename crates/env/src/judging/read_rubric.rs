//! Reads the scores of a rubric's criteria from what a judge wrote.
//!
//! An object by criterion is asked for: `{"fit": {"reason": "..", "score": 4}, ..}`. A bare number in
//! place of the inner object, a list of `{"criterion", "score"}`, an object with the scores under one
//! key, and prose or a code fence around it are read as well. Strict in meaning: every criterion once,
//! each score from 1 to the highest; a criterion left out is an error, because filling up would be
//! inventing. Other keys, such as a total the judge adds, are ignored.

use serde_json::{Map, Value};

use super::find_json::json_values;
use super::rubric::{Rubric, same};

/// What a judge says of one criterion.
#[derive(Clone, Debug, PartialEq)]
pub struct CriterionScore {
    /// From 1 to the rubric's highest score.
    pub score: f64,
    /// Why; may be empty.
    pub reason: String,
}

/// The scores of the rubric's criteria, in its order.
///
/// # Errors
/// What keeps them from being read, to be told to the judge.
pub fn read_rubric(text: &str, rubric: &Rubric) -> Result<Vec<CriterionScore>, String> {
    let names: Vec<&str> = rubric.criteria().iter().map(|c| c.name.as_str()).collect();
    let found = json_values(text).find_map(|value| entries(value, &names));
    let found = found
        .ok_or_else(|| format!("it holds no JSON object with the criteria {}", names.join(", ")))?;
    let scored = |name: &&str| {
        let mut own = found.iter().filter(|(key, _)| same(key, name));
        let (_, value) = own.next().ok_or_else(|| format!("the score of {name} is missing"))?;
        if own.next().is_some() {
            return Err(format!("it scores {name} twice"));
        }
        criterion_score(name, value, rubric.max_score())
    };
    names.iter().map(scored).collect()
}

/// Names with what is said of them; `None` where no criterion is among them.
fn entries(value: Value, names: &[&str]) -> Option<Vec<(String, Value)>> {
    let knows = |entries: &[(String, Value)]| {
        entries.iter().any(|(key, _)| names.iter().any(|name| same(key, name)))
    };
    let found = match value {
        Value::Object(fields) => {
            let direct: Vec<(String, Value)> = fields.into_iter().collect();
            if knows(&direct) {
                return Some(direct);
            }
            // The scores may stand one level down, as in {"scores": {..}}.
            let inner = direct.into_iter().find_map(|(_, value)| match value {
                Value::Object(_) | Value::Array(_) => shallow(value).filter(|found| knows(found)),
                _ => None,
            });
            return inner;
        }
        other => shallow(other)?,
    };
    knows(&found).then_some(found)
}

fn shallow(value: Value) -> Option<Vec<(String, Value)>> {
    match value {
        Value::Object(fields) => Some(fields.into_iter().collect()),
        Value::Array(items) => Some(items.into_iter().filter_map(named).collect()),
        _ => None,
    }
}

/// An entry of a list, by its name.
fn named(item: Value) -> Option<(String, Value)> {
    let Value::Object(fields) = item else { return None };
    let name = name_of(&fields)?;
    Some((name, Value::Object(fields)))
}

fn name_of(fields: &Map<String, Value>) -> Option<String> {
    ["criterion", "name", "id"].iter().find_map(|key| Some(fields.get(*key)?.as_str()?.to_owned()))
}

fn criterion_score(name: &str, value: &Value, max_score: usize) -> Result<CriterionScore, String> {
    let (score, reason) = match value {
        Value::Object(fields) => {
            let reason = ["reason", "explanation", "justification"]
                .iter()
                .find_map(|key| fields.get(*key)?.as_str());
            (fields.get("score").unwrap_or(&Value::Null), reason.unwrap_or_default())
        }
        other => (other, ""),
    };
    let number = match score {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => number_in(text, max_score),
        _ => None,
    };
    match number {
        Some(score) if (1.0..=max_score as f64).contains(&score) => {
            Ok(CriterionScore { score, reason: reason.trim().to_owned() })
        }
        _ => Err(format!(
            "the score of {name} is {score}, allowed is a number from 1 to {max_score}"
        )),
    }
}

/// `4` and `4/5`.
fn number_in(text: &str, max_score: usize) -> Option<f64> {
    let text = text.trim();
    let plain = text.strip_suffix(&format!("/{max_score}")).unwrap_or(text);
    plain.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::rubric::Criterion;
    use super::*;
    use proptest::prelude::*;

    fn rubric() -> Rubric {
        let criterion =
            |name: &str| Criterion { name: name.into(), description: "d".into(), weight: 1.0 };
        let criteria = vec![criterion("fit"), criterion("good_manner")];
        Rubric::new("r", "You rate.", criteria).unwrap()
    }

    fn scores(text: &str) -> Result<Vec<f64>, String> {
        read_rubric(text, &rubric()).map(|scores| scores.iter().map(|s| s.score).collect())
    }

    #[test]
    fn many_forms_are_read() {
        for text in [
            r#"{"fit": {"reason": "ok", "score": 4}, "good_manner": {"score": 2}}"#,
            r#"{"good_manner": 2, "fit": 4}"#,
            r#"Here you are: ```json {"fit": "4/5", "Good manner": "2", "overall": 3} ```"#,
            r#"{"scores": {"fit": 4, "good-manner": 2.0}, "total": 6}"#,
            r#"[{"criterion": "fit", "score": 4}, {"criterion": "good_manner", "score": 2}]"#,
            r#"{"criteria": [{"name": "fit", "score": 4}, {"name": "good_manner", "score": 2}]}"#,
            r#"I think {of it} as {"a": 1}. {"fit": 4, "good_manner": 2}"#,
        ] {
            assert_eq!(scores(text), Ok(vec![4.0, 2.0]), "{text}");
        }
        let text = r#"{"fit": {"reason": " It fits. ", "score": 3.5}, "good_manner": 1}"#;
        let read = read_rubric(text, &rubric()).unwrap();
        assert_eq!(read[0], CriterionScore { score: 3.5, reason: "It fits.".into() });
    }

    #[test]
    fn what_is_not_clear_is_not_read() {
        for (text, reason) in [
            ("", "it holds no JSON object with the criteria fit, good_manner"),
            (
                "fit: 4, good_manner: 2",
                "it holds no JSON object with the criteria fit, good_manner",
            ),
            (r#"{"fit": 4}"#, "the score of good_manner is missing"),
            (
                r#"{"fit": 0, "good_manner": 2}"#,
                "the score of fit is 0, allowed is a number from 1 to 5",
            ),
            (
                r#"{"fit": {"reason": "5"}, "good_manner": 2}"#,
                "the score of fit is null, allowed is a number from 1 to 5",
            ),
            (
                r#"{"fit": "high", "good_manner": 2}"#,
                "the score of fit is \"high\", allowed is a number from 1 to 5",
            ),
            (r#"{"fit": 4, "Fit": 5, "good_manner": 2}"#, "it scores fit twice"),
        ] {
            assert_eq!(scores(text), Err(reason.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_in_range(text in "(\\PC|fit|good_manner|score|[{}\\[\\]\":,0-9. ]){0,60}") {
            if let Ok(scores) = scores(&text) {
                prop_assert!(scores.len() == 2 && scores.iter().all(|s| (1.0..=5.0).contains(s)));
            }
        }
    }
}
