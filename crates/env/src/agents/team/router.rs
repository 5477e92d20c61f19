//! Picks the agent of a team that a conversation is for.
//!
//! A wish in so many words comes first: the context's, or a call of the tool `hand_over` that names an agent. Else the
//! user's last message is compared with what each agent is for: a phrase of its keywords counts two, and its
//! description as much as BM25 gives. The choice a reader would question: who has the conversation keeps it
//! unless somebody else fits better by a margin, because an answer such as "yes, please" fits nobody.

use serde_json::{Map, Value};
use stateset_core::{Message, Role};

use crate::agents::memory::bm25;
use crate::error::{EnvError, Problem};
use crate::names::nearest;
use crate::text::words;

/// Key of an agent's context, and name of a tool, by which a conversation is handed to the agent named there (under
/// `to` among a tool's arguments).
pub const HAND_OVER: &str = "hand_over";

/// What a phrase of the keywords counts.
const OF_A_PHRASE: f64 = 2.0;

/// What an agent of a team is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skill {
    /// Its name; unique in the team.
    pub name: String,
    /// What it does, in a sentence or two.
    pub description: String,
    /// Words and phrases of conversations that are for it.
    pub keywords: Vec<String>,
}

/// Who takes a turn, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Index of the agent.
    pub to: usize,
    /// The reason, for notes and hand-overs.
    pub why: String,
}

/// Picks by intent. The first agent takes what fits nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct IntentRouter {
    skills: Vec<Skill>,
    /// How much better another agent must fit to take a conversation over; 0 or more.
    pub margin: f64,
}

impl IntentRouter {
    /// A router for these agents.
    ///
    /// # Errors
    /// [`EnvError::Agent`] for no agents, an empty name, or a name that is there twice.
    pub fn new(skills: Vec<Skill>) -> Result<Self, EnvError> {
        let mut problems = Vec::new();
        let mut wrong = |key: String, found: String, allowed: &str| {
            let (place, allowed) = ("team".to_owned(), allowed.to_owned());
            problems.push(Problem { place, key, found, allowed, hint: None });
        };
        if skills.is_empty() {
            wrong(String::new(), "no agents".into(), "one or more");
        }
        for (index, skill) in skills.iter().enumerate() {
            let is_known = skills[..index].iter().any(|other| other.name == skill.name);
            if skill.name.trim().is_empty() {
                wrong(format!("[{index}].name"), "an empty text".into(), "a name");
            } else if is_known {
                let found = format!("{:?} a second time", skill.name);
                wrong(format!("[{index}].name"), found, "a name of its own");
            }
        }
        if !problems.is_empty() {
            return Err(EnvError::Agent { problems });
        }
        Ok(IntentRouter { skills, margin: 0.5 })
    }

    /// The agents.
    pub fn skills(&self) -> &[Skill] {
        &self.skills
    }

    /// Who takes the next turn of `messages`, where `current` had the last one.
    ///
    /// # Errors
    /// [`EnvError::Agent`] where the context or a call names an agent that is not there.
    pub fn route(
        &self,
        messages: &[Message],
        context: &Map<String, Value>,
        current: Option<usize>,
    ) -> Result<Route, EnvError> {
        if let Some(name) = wish(messages, context) {
            let to = self.index_of(&name)?;
            return Ok(Route { to, why: format!("{name} was asked for") });
        }
        let said = messages.iter().rev().find(|message| message.role == Role::User);
        let scores = self.scores(said.map_or("", |message| &message.content));
        let (mut best, mut score) = (0, f64::NEG_INFINITY);
        for (index, found) in scores.iter().enumerate() {
            if *found > score {
                (best, score) = (index, *found);
            }
        }
        match current.filter(|index| *index < self.skills.len()) {
            Some(current) if score <= scores[current] + self.margin => {
                Ok(Route { to: current, why: "nobody else fits better".to_owned() })
            }
            _ if score <= 0.0 => Ok(Route { to: 0, why: "it fits nobody else".to_owned() }),
            _ => {
                let name = &self.skills[best].name;
                Ok(Route { to: best, why: format!("the user's words fit {name}") })
            }
        }
    }

    /// How well each agent fits a message; 0 where it does not at all.
    pub fn scores(&self, said: &str) -> Vec<f64> {
        let heard = format!(" {} ", words(said).join(" "));
        let described: Vec<&str> = self.skills.iter().map(|s| s.description.as_str()).collect();
        let of_phrases = self.skills.iter().map(|skill| {
            let is_heard = |phrase: &&String| {
                let phrase = words(phrase).join(" ");
                !phrase.is_empty() && heard.contains(&format!(" {phrase} "))
            };
            skill.keywords.iter().filter(is_heard).count() as f64 * OF_A_PHRASE
        });
        of_phrases.zip(bm25(said, &described)).map(|(phrases, words)| phrases + words).collect()
    }

    fn index_of(&self, name: &str) -> Result<usize, EnvError> {
        let names: Vec<&str> = self.skills.iter().map(|skill| skill.name.as_str()).collect();
        names.iter().position(|known| *known == name).ok_or_else(|| {
            let problem = Problem {
                place: HAND_OVER.to_owned(),
                key: String::new(),
                found: format!("{name:?}"),
                allowed: format!("one of {}", names.join(", ")),
                hint: nearest(name, &names).map(|near| format!("did you mean {near:?}?")),
            };
            EnvError::Agent { problems: vec![problem] }
        })
    }
}

/// The agent that is asked for by name: in the context, or by a call since the user last spoke.
fn wish(messages: &[Message], context: &Map<String, Value>) -> Option<String> {
    let of_context = context.get(HAND_OVER).and_then(Value::as_str).map(str::to_owned);
    of_context.or_else(|| {
        let since = messages.iter().rev().take_while(|message| message.role != Role::User);
        let mut calls = since.flat_map(|message| message.tool_calls.iter().rev());
        let call = calls.find(|call| call.name == HAND_OVER)?;
        call.arguments.get("to").and_then(Value::as_str).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stateset_core::ToolCall;

    use super::*;

    fn router() -> IntentRouter {
        let skill = |name: &str, description: &str, keywords: &[&str]| Skill {
            name: name.into(),
            description: description.into(),
            keywords: keywords.iter().map(|k| (*k).to_owned()).collect(),
        };
        IntentRouter::new(vec![
            skill("front", "Greets people and answers general questions.", &[]),
            skill("billing", "Invoices, refunds and payments.", &["refund", "credit card"]),
            skill("technical", "Repairs routers and internet connections.", &["router", "wi-fi"]),
        ])
        .unwrap()
    }

    fn to(messages: &[Message], context: Value, current: Option<usize>) -> Result<usize, String> {
        let context = context.as_object().cloned().unwrap_or_default();
        let route = router().route(messages, &context, current);
        route.map(|route| route.to).map_err(|error| error.to_string())
    }

    #[test]
    fn words_find_their_agent() {
        let cases = [
            ("I want a refund", None, 1),
            ("My Router blinks!", None, 2),
            ("Was my CREDIT CARD charged?", Some(0), 1),
            ("Do you sell payments?", None, 1),
            ("Yes, please.", Some(2), 2),
            ("Yes, please.", None, 0),
            ("My router: a refund?", Some(1), 1),
            ("", Some(9), 0),
        ];
        for (said, current, expected) in cases {
            assert_eq!(to(&[Message::user(said)], json!({}), current), Ok(expected), "{said}");
        }
    }

    #[test]
    fn a_wish_comes_first() {
        let said = [Message::user("I want a refund")];
        assert_eq!(to(&said, json!({"hand_over": "technical"}), Some(1)), Ok(2));
        let mut hands_over = Message::assistant("");
        hands_over.tool_calls.push(ToolCall {
            id: "1".into(),
            name: HAND_OVER.into(),
            arguments: json!({"to": "front"}),
        });
        let result = Message::tool_result(&hands_over.tool_calls[0], "ok");
        let called = [said[0].clone(), hands_over, result];
        assert_eq!(to(&called, json!({}), Some(1)), Ok(0));
        let later = [called.to_vec(), vec![Message::user("the router!")]].concat();
        assert_eq!(to(&later, json!({}), Some(0)), Ok(2));
        let error = to(&said, json!({"hand_over": "biling"}), None).unwrap_err();
        assert!(error.contains("did you mean \"billing\"?"), "{error}");
    }

    #[test]
    fn teams_are_checked() {
        assert!(IntentRouter::new(Vec::new()).is_err());
        let twice = vec![Skill { name: "a".into(), ..Skill::default() }; 2];
        let error = IntentRouter::new(twice).unwrap_err().to_string();
        assert!(error.contains("a second time"), "{error}");
        assert!(IntentRouter::new(vec![Skill::default()]).is_err());
    }
}
