//! The simulated users that a scenario can describe under `customer`, told apart by `kind`.
//!
//! | `kind` | who |
//! |---|---|
//! | `customer`, or left out | a customer of the shop: [`crate::customer`] |
//! | `agenda` | somebody with a goal: [`crate::agenda`] |
//! | `pupil` | somebody with a misconception: [`crate::pupil`] |

use serde_json::{Map, Value};
use stateset_core::Stream;

use crate::agenda::{self, AgendaReport, AgendaSpec, AgendaState};
use crate::customer::{self, CustomerReport, CustomerSpec, CustomerState, Ending};
use crate::error::Problem;
use crate::names::{listed, nearest};
use crate::persona::Persona;
use crate::pupil::{self, PupilReport, PupilSpec, PupilState};

const KINDS: &[&str] = &["customer", "agenda", "pupil"];

/// The description of a simulated user.
pub(crate) enum UserSpec {
    Customer(CustomerSpec),
    Agenda(AgendaSpec),
    Pupil(PupilSpec),
}

/// What a user said: the words, the new memory, and how it ended.
pub(super) struct UserSaid {
    pub(super) text: String,
    pub(super) memory: Value,
    pub(super) ending: Option<Ending>,
}

impl UserSpec {
    /// Reads the object found at `place`; problems name their keys after `prefix`.
    pub(crate) fn check(
        value: &Value,
        place: &str,
        prefix: String,
    ) -> Result<UserSpec, Vec<Problem>> {
        match value.get("kind").map(|kind| kind.as_str().unwrap_or_default()) {
            None | Some("customer") => {
                CustomerSpec::check(value, place, prefix).map(UserSpec::Customer)
            }
            Some("agenda") => AgendaSpec::check(value, place, prefix).map(UserSpec::Agenda),
            Some("pupil") => PupilSpec::check(value, place, prefix).map(UserSpec::Pupil),
            Some(other) => Err(vec![Problem {
                place: place.to_owned(),
                key: format!("{prefix}kind"),
                found: format!("{other:?}"),
                allowed: listed(KINDS),
                hint: nearest(other, KINDS).map(|near| format!("did you mean {near:?}?")),
            }]),
        }
    }

    /// The object that [`UserSpec::check`] reads.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            UserSpec::Customer(spec) => spec.to_value(),
            UserSpec::Agenda(spec) => spec.to_value(),
            UserSpec::Pupil(spec) => spec.to_value(),
        }
    }

    /// The same user with the persona of the environment. Customers of the shop have moods instead.
    pub(super) fn with_persona(mut self, persona: Option<&Persona>) -> UserSpec {
        if let Some(persona) = persona {
            match &mut self {
                UserSpec::Customer(_) => {}
                UserSpec::Agenda(spec) => spec.persona = persona.clone(),
                UserSpec::Pupil(spec) => spec.persona = persona.clone(),
            }
        }
        self
    }

    /// The first message; what rewards may read goes into `metadata`.
    pub(super) fn open(
        &self,
        stream: &mut Stream,
        metadata: &mut Map<String, Value>,
    ) -> Result<UserSaid, String> {
        match self {
            UserSpec::Customer(spec) => {
                let (state, text) = customer::open(spec, stream);
                CustomerReport::of(spec, &state).write(metadata);
                said(text, &state, None)
            }
            UserSpec::Agenda(spec) => {
                let (state, reply) = agenda::open(spec, stream);
                AgendaReport::of(spec, &state).write(metadata);
                said(reply.text, &state, None)
            }
            UserSpec::Pupil(spec) => {
                let (state, text) = pupil::open(spec, stream);
                PupilReport::of(spec, &state).write(metadata);
                said(text, &state, None)
            }
        }
    }

    /// The answer to `text`, where `memory` is what came before.
    pub(super) fn react(
        &self,
        memory: Value,
        text: &str,
        stream: &mut Stream,
        metadata: &mut Map<String, Value>,
    ) -> Result<UserSaid, String> {
        match self {
            UserSpec::Customer(spec) => {
                let mut state: CustomerState = remembered(memory)?;
                let reply = customer::react(spec, &mut state, text, stream);
                CustomerReport::of(spec, &state).write(metadata);
                said(reply.text, &state, reply.ending)
            }
            UserSpec::Agenda(spec) => {
                let mut state: AgendaState = remembered(memory)?;
                if !state.fits(&spec.goal) {
                    return Err("the state is that of a user with another goal".to_owned());
                }
                let reply = agenda::react(spec, &mut state, text, stream);
                AgendaReport::of(spec, &state).write(metadata);
                said(reply.text, &state, reply.ending)
            }
            UserSpec::Pupil(spec) => {
                let mut state: PupilState = remembered(memory)?;
                let reply = pupil::react(spec, &mut state, text, stream);
                PupilReport::of(spec, &state).write(metadata);
                said(reply.text, &state, reply.ending)
            }
        }
    }
}

fn remembered<T: serde::de::DeserializeOwned>(memory: Value) -> Result<T, String> {
    serde_json::from_value(memory).map_err(|error| format!("the state holds no customer: {error}"))
}

fn said<T: serde::Serialize>(
    text: String,
    state: &T,
    ending: Option<Ending>,
) -> Result<UserSaid, String> {
    let memory = serde_json::to_value(state).map_err(|error| error.to_string())?;
    Ok(UserSaid { text, memory, ending })
}
