//! Who a user is, apart from what they want: patience, expertise, verbosity, formality, mood.
//!
//! A persona is a name or an object, in scenario files as in Rust. The five names are those of the
//! documents; an object may start from one (`"base": "curious_learner"`) and change some of it.
//!
//! | name | patience | expertise | verbosity | formality | mood |
//! |---|---|---|---|---|---|
//! | `patient_expert` | 7 | 0.9 | 0.5 | 0.7 | calm |
//! | `frustrated_novice` | 3 | 0.1 | 0.6 | 0.3 | annoyed |
//! | `busy_professional` | 3 | 0.7 | 0.1 | 0.6 | calm |
//! | `curious_learner` | 6 | 0.4 | 0.8 | 0.4 | cheerful |
//! | `skeptical_critic` | 4 | 0.7 | 0.5 | 0.5 | worried |
//!
//! The shares are ours: the documents give the names and no figures.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::customer::{MAX_PATIENCE, Mood};
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};
use crate::names::{listed, nearest};

/// Longest name of a persona, in characters.
const MAX_NAME_CHARS: usize = 100;

/// The names that [`Persona::named`] knows.
pub const PERSONA_NAMES: &[&str] = &[
    "patient_expert",
    "frustrated_novice",
    "busy_professional",
    "curious_learner",
    "skeptical_critic",
];

/// How somebody talks, and how much they put up with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Persona {
    /// What reports call it.
    pub name: String,
    /// Unhelpful turns that are tolerated, from 1 to 20.
    pub patience: u32,
    /// Knows what the agent will need, from 0 to 1. From 0.5 on, tells things without being asked.
    pub expertise: f64,
    /// Share of messages with words beside the matter, from 0 to 1.
    pub verbosity: f64,
    /// Share of messages with polite forms, from 0 to 1; below 0.3 the casual ones.
    pub formality: f64,
    /// How they feel when the conversation begins.
    pub mood: Mood,
}

const KEYS: &[&str] = &["base", "name", "patience", "expertise", "verbosity", "formality", "mood"];

impl Default for Persona {
    /// Nobody in particular: average in everything.
    fn default() -> Persona {
        persona("average", 4, [0.5, 0.3, 0.5], Mood::Calm)
    }
}

impl Persona {
    /// The persona with one of [`PERSONA_NAMES`].
    ///
    /// # Errors
    /// [`EnvError::UnknownPersona`] with the nearest name.
    pub fn named(name: &str) -> Result<Persona, EnvError> {
        built_in(name).ok_or_else(|| EnvError::UnknownPersona {
            found: name.to_owned(),
            known: listed(PERSONA_NAMES),
            hint: nearest(name, PERSONA_NAMES).map(str::to_owned),
        })
    }

    /// Reads a name or an object.
    ///
    /// # Errors
    /// [`EnvError::UnknownPersona`], or [`EnvError::User`] with everything that does not fit.
    pub fn from_value(value: &Value) -> Result<Persona, EnvError> {
        if let Some(name) = value.as_str() {
            return Persona::named(name);
        }
        Persona::check(value, "", String::new())
            .map_err(|problems| EnvError::User { what: "persona", problems })
    }

    /// Reads the name or object found at `place`; problems name their keys after `prefix`, which is
    /// empty or ends in a dot.
    pub(crate) fn check(
        value: &Value,
        place: &str,
        prefix: String,
    ) -> Result<Persona, Vec<Problem>> {
        if let Some(name) = value.as_str() {
            return built_in(name).ok_or_else(|| vec![unknown(name, place, &prefix)]);
        }
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        let mut fields = Fields::nested(place, prefix, object, KEYS);
        if !value.is_object() {
            fields.problem("", kind_of(value), "the name of a persona, or an object");
            return Err(fields.into_problems());
        }
        let persona = read(&mut fields);
        let problems = fields.into_problems();
        if problems.is_empty() { Ok(persona) } else { Err(problems) }
    }
}

fn unknown(name: &str, place: &str, prefix: &str) -> Problem {
    let near = nearest(name, PERSONA_NAMES);
    Problem {
        place: place.to_owned(),
        key: prefix.trim_end_matches('.').to_owned(),
        found: format!("{name:?}"),
        allowed: format!("{}, or an object", listed(PERSONA_NAMES)),
        hint: near.map(|near| format!("did you mean {near:?}?")),
    }
}

fn read(fields: &mut Fields<'_>) -> Persona {
    let base = fields.choice("base", PERSONA_NAMES, |name| name).and_then(built_in);
    let mut persona =
        base.unwrap_or_else(|| Persona { name: "custom".into(), ..Persona::default() });
    if let Some(name) = fields.text("name", MAX_NAME_CHARS) {
        persona.name = name;
    }
    if let Some(patience) = fields.count("patience", 1..=MAX_PATIENCE) {
        persona.patience = patience as u32;
    }
    if let Some(mood) = fields.choice("mood", Mood::ALL, Mood::name) {
        persona.mood = mood;
    }
    for (key, share) in [
        ("expertise", &mut persona.expertise),
        ("verbosity", &mut persona.verbosity),
        ("formality", &mut persona.formality),
    ] {
        if let Some(found) = fields.share(key) {
            *share = found;
        }
    }
    persona
}

fn built_in(name: &str) -> Option<Persona> {
    let known = match name {
        "patient_expert" => persona("patient_expert", 7, [0.9, 0.5, 0.7], Mood::Calm),
        "frustrated_novice" => persona("frustrated_novice", 3, [0.1, 0.6, 0.3], Mood::Annoyed),
        "busy_professional" => persona("busy_professional", 3, [0.7, 0.1, 0.6], Mood::Calm),
        "curious_learner" => persona("curious_learner", 6, [0.4, 0.8, 0.4], Mood::Cheerful),
        "skeptical_critic" => persona("skeptical_critic", 4, [0.7, 0.5, 0.5], Mood::Worried),
        _ => return None,
    };
    Some(known)
}

fn persona(name: &str, patience: u32, shares: [f64; 3], mood: Mood) -> Persona {
    let [expertise, verbosity, formality] = shares;
    Persona { name: name.to_owned(), patience, expertise, verbosity, formality, mood }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_name_is_known_and_reads_back() {
        for name in PERSONA_NAMES {
            let persona = Persona::named(name).unwrap();
            assert_eq!(persona.name, *name);
            let written = serde_json::to_value(&persona).unwrap();
            assert_eq!(Persona::from_value(&written).unwrap(), persona);
            assert_eq!(Persona::from_value(&json!(name)).unwrap(), persona);
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_one() {
        let error = Persona::named("busy_profesional").unwrap_err().to_string();
        assert_eq!(
            error,
            "find the persona \"busy_profesional\": known are patient_expert, frustrated_novice, \
             busy_professional, curious_learner and skeptical_critic; did you mean \
             \"busy_professional\"?"
        );
        assert!(Persona::named("xyz").unwrap_err().to_string().ends_with("skeptical_critic"));
    }

    #[test]
    fn an_object_changes_what_it_names() {
        let persona =
            Persona::from_value(&json!({"base": "curious_learner", "patience": 2})).unwrap();
        assert_eq!(persona, Persona { patience: 2, ..built_in("curious_learner").unwrap() });
        let persona = Persona::from_value(&json!({"mood": "angry", "expertise": 1})).unwrap();
        assert_eq!((persona.mood, persona.expertise), (Mood::Angry, 1.0));
    }

    #[test]
    fn everything_wrong_comes_together() {
        let value = json!({"base": "x", "patience": 0, "verbosity": 1.5, "formality": "much",
                           "mood": "grim", "patiense": 3});
        let Err(EnvError::User { problems, .. }) = Persona::from_value(&value) else {
            panic!("it was accepted")
        };
        assert_eq!(problems.len(), 6, "{problems:#?}");
        assert!(Persona::from_value(&json!(3)).is_err());
    }
}
