//! The description of one pupil, as it stands in a scenario: the object under `customer` with
//! `"kind": "pupil"`.
//!
//! ```json
//! {"kind": "pupil", "misconception": "left_to_right", "numbers": [2, 3, 4], "persona": "curious_learner"}
//! ```

use serde_json::{Map, Value, json};

use super::misconception::{Misconception, Problem as Sum};
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};
use crate::persona::Persona;

/// One pupil.
#[derive(Clone, Debug, PartialEq)]
pub struct PupilSpec {
    /// What they believe.
    pub misconception: Misconception,
    /// The numbers of the problem.
    pub numbers: Vec<u32>,
    /// Who they are. Expertise from 0.5 on needs less help; patience as with other users.
    pub persona: Persona,
}

const KEYS: &[&str] = &["kind", "misconception", "numbers", "persona"];

impl PupilSpec {
    /// Reads the object under a scenario's `customer` key.
    ///
    /// # Errors
    /// [`EnvError::User`] with everything that does not fit.
    pub fn from_value(value: &Value) -> Result<PupilSpec, EnvError> {
        PupilSpec::check(value, "", String::new())
            .map_err(|problems| EnvError::User { what: "pupil", problems })
    }

    /// The object that [`PupilSpec::from_value`] reads.
    pub fn to_value(&self) -> Value {
        json!({
            "kind": "pupil",
            "misconception": self.misconception,
            "numbers": self.numbers,
            "persona": self.persona,
        })
    }

    /// What is to be worked out; `None` where the numbers make no problem.
    pub fn problem(&self) -> Option<Sum> {
        self.misconception.problem(&self.numbers)
    }

    /// How much help it takes until the pupil understands: a question and a hint, or some hints.
    pub fn need(&self) -> u32 {
        if self.persona.expertise >= 0.5 { 2 } else { 3 }
    }

    /// Reads the object found at `place`; problems name their keys after `prefix`.
    pub(crate) fn check(
        value: &Value,
        place: &str,
        prefix: String,
    ) -> Result<PupilSpec, Vec<Problem>> {
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        let mut fields = Fields::nested(place, prefix.clone(), object, KEYS);
        if !value.is_object() {
            fields.problem("", kind_of(value), "an object that describes a pupil");
            return Err(fields.into_problems());
        }
        let spec = read(&mut fields, place, &prefix);
        let problems = fields.into_problems();
        spec.filter(|_| problems.is_empty()).ok_or(problems)
    }
}

fn read(fields: &mut Fields<'_>, place: &str, prefix: &str) -> Option<PupilSpec> {
    let kind = fields.choice("misconception", Misconception::ALL, Misconception::name);
    if fields.value("misconception").is_none() {
        fields.problem("misconception", "nothing", "the name of a misconception");
    }
    let mut persona = Persona::default();
    if let Some(value) = fields.value("persona") {
        match Persona::check(value, place, format!("{prefix}persona.")) {
            Ok(found) => persona = found,
            Err(problems) => fields.extend(problems),
        }
    }
    let listed = fields.value("numbers").and_then(Value::as_array);
    let whole = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let numbers: Option<Vec<u32>> = listed.and_then(|list| list.iter().map(whole).collect());
    let misconception = kind?;
    let spec = PupilSpec { misconception, numbers: numbers.unwrap_or_default(), persona };
    if spec.problem().is_none() {
        let found = fields.value("numbers").map_or("nothing".to_owned(), shown);
        let (low, high) = misconception.range();
        let n = misconception.n_numbers();
        let allowed =
            format!("{n} whole numbers from {low} to {high} for which the belief is wrong");
        fields.problem("numbers", found, allowed);
    }
    Some(spec)
}

fn shown(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pupil_reads_back_as_written() {
        let value = json!({"kind": "pupil", "misconception": "square_of_sum", "numbers": [2, 3],
                           "persona": "curious_learner"});
        let spec = PupilSpec::from_value(&value).unwrap();
        assert_eq!(spec.need(), 3);
        assert_eq!(PupilSpec::from_value(&spec.to_value()).unwrap(), spec);
    }

    #[test]
    fn everything_wrong_comes_together() {
        let value = json!({"misconception": "square_of_sums", "number": [1], "persona": "nobody"});
        let problems = PupilSpec::check(&value, "", String::new()).unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:#?}");
        let value = json!({"misconception": "square_of_sum", "numbers": [2, 99]});
        let problems = PupilSpec::check(&value, "", String::new()).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "`numbers`: found [2,99], allowed is 2 whole numbers from 2 to 12 for which the belief is wrong"
        );
    }
}
