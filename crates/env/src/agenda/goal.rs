//! What a user wants: constraints to tell, requests to ask, and something to be done about them.
//!
//! Source: Schatzmann, Thomson, Weilhammer, Ye and Young, "Agenda-Based User Simulation for
//! Bootstrapping a POMDP Dialogue System" (2007), section 3.1: a goal G = (C, R). A fact belongs to a
//! topic ("hotel", "train"), because people finish one before they come to the next; goals of one
//! topic leave it empty.

use serde::{Deserialize, Serialize};

use super::lexicon::words_for;
use crate::customer::plain;

/// A fact by name, and the words for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Name inside its topic, such as `area`.
    pub slot: String,
    /// What it belongs to, such as `hotel`; may be empty.
    pub topic: String,
    /// What people call it, to go after "the": `price range`.
    pub phrase: String,
    /// Words that questions for it use, in plain form.
    pub asked_by: Vec<String>,
}

impl Fact {
    /// A fact with the usual words for its name.
    pub fn new(topic: &str, slot: &str) -> Fact {
        let phrase = slot.replace(['_', '-'], " ");
        Fact {
            slot: slot.to_owned(),
            topic: topic.to_owned(),
            asked_by: asked_by(slot, &phrase, &[]),
            phrase,
        }
    }

    /// The same with a phrase and more words of its own.
    pub fn with_words(topic: &str, slot: &str, phrase: &str, more: &[String]) -> Fact {
        Fact {
            slot: slot.to_owned(),
            topic: topic.to_owned(),
            phrase: phrase.to_owned(),
            asked_by: asked_by(slot, phrase, more),
        }
    }
}

fn asked_by(slot: &str, phrase: &str, more: &[String]) -> Vec<String> {
    let usual = words_for(slot).asked_by.iter().map(|words| (*words).to_owned());
    let mut all: Vec<String> = Vec::new();
    for words in
        std::iter::once(plain(phrase)).chain(more.iter().map(|words| plain(words))).chain(usual)
    {
        if !words.is_empty() && !all.contains(&words) {
            all.push(words);
        }
    }
    all
}

/// A fact that the user tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// Which.
    pub fact: Fact,
    /// Its value, said as it is written here.
    pub value: String,
    /// A clause that states it, where the usual one does not fit; `{value}` is the value.
    pub say: Option<String>,
    /// Other values of the same fact, by which the user notices that they were misunderstood.
    pub others: Vec<String>,
    /// What the user settles for where the value cannot be had.
    pub otherwise: Option<String>,
}

impl Constraint {
    /// A constraint with the usual words.
    pub fn new(topic: &str, slot: &str, value: &str) -> Constraint {
        Constraint {
            fact: Fact::new(topic, slot),
            value: value.to_owned(),
            ..Constraint::default()
        }
    }
}

/// A fact that the user wants to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Which.
    pub fact: Fact,
    /// The true answer, where the world knows it. The user does not: it is for rewards.
    pub answer: Option<String>,
}

/// What a user wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// What is to be done, to go after "I want to": `book a table`.
    pub task: String,
    /// Facts to tell, in the order in which they come out.
    pub constraints: Vec<Constraint>,
    /// Facts to ask for, after those to tell of the same topic.
    pub requests: Vec<Request>,
    /// Whether the agent has to say that it is done; otherwise the answers are all that is wanted.
    pub needs_booking: bool,
}

impl Goal {
    /// The topics, in the order in which they first occur; a goal without facts has none.
    pub fn topics(&self) -> Vec<&str> {
        let told = self.constraints.iter().map(|constraint| constraint.fact.topic.as_str());
        let asked = self.requests.iter().map(|request| request.fact.topic.as_str());
        let mut topics: Vec<&str> = Vec::new();
        for topic in told.chain(asked) {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        topics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_with_usual_names_have_words() {
        let fact = Fact::new("hotel", "price_range");
        assert_eq!(fact.phrase, "price range");
        assert_eq!(fact.asked_by, ["price range", "price", "budget", "how much"]);
        let own = Fact::with_words("", "wing", "Wing of the house", &["side".to_owned()]);
        assert_eq!(own.asked_by, ["wing of the house", "side"]);
    }

    #[test]
    fn topics_come_in_their_order() {
        let goal = Goal {
            constraints: vec![
                Constraint::new("hotel", "area", "east"),
                Constraint::new("train", "day", "friday"),
            ],
            requests: vec![Request { fact: Fact::new("taxi", "phone"), answer: None }],
            ..Goal::default()
        };
        assert_eq!(goal.topics(), ["hotel", "train", "taxi"]);
    }
}
