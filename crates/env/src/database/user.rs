//! The user's side of a task.
//!
//! [`TaskUser`] is who plays it. [`ScriptedUser`] needs no model: it says what it wants, tells its facts when
//! asked for them, agrees when asked whether to go on, and takes a statement as the answer to its wish: then
//! comes the next wish, or the end. It judges nothing; whether the right thing was done is the database's to
//! say. A task without a script is opened with its instruction, which holds every fact.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stateset_core::{Border, RolloutError, Stream};

use super::task::DatabaseTask;
use crate::error::Problem;
use crate::fields::Fields;
use crate::text::words;

/// A fact that a scripted user tells when asked.
#[derive(Clone, Debug, PartialEq)]
pub struct UserFact {
    /// Words of which one is in a question for it, in lower case.
    pub asked: Vec<String>,
    /// What the user says then.
    pub says: String,
}

/// The part of a scripted user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserScript {
    /// The first words.
    pub opening: String,
    /// What is told when asked.
    pub facts: Vec<UserFact>,
    /// Further wishes, one after the other.
    pub then: Vec<String>,
    /// Unhelpful turns that are tolerated; the user leaves at the last of them. At least 1.
    pub patience: usize,
}

const KEYS: &[&str] = &["opening", "facts", "then", "patience"];
const USUAL_PATIENCE: usize = 3;
const MAX_PATIENCE: usize = 20;
const MAX_ITEMS: usize = 100;
const MAX_CHARS: usize = 10_000;

impl UserScript {
    /// A user who only says this.
    pub fn saying(opening: impl Into<String>) -> UserScript {
        let opening = opening.into();
        UserScript { opening, facts: Vec::new(), then: Vec::new(), patience: USUAL_PATIENCE }
    }

    /// Reads the object under a task's `user` key, found at `place`.
    pub(crate) fn read(
        place: &str,
        object: &Map<String, Value>,
    ) -> Result<UserScript, Vec<Problem>> {
        let mut fields = Fields::nested(place, "user.".to_owned(), object, KEYS);
        let opening = fields.text("opening", MAX_CHARS).unwrap_or_default();
        if opening.trim().is_empty() {
            fields.problem("opening", "nothing", "the user's first words");
        }
        let facts = read_facts(place, &mut fields);
        let then = fields.texts("then", MAX_ITEMS, MAX_CHARS);
        let patience = fields.count("patience", 1..=MAX_PATIENCE).unwrap_or(USUAL_PATIENCE);
        let problems = fields.into_problems();
        if problems.is_empty() {
            Ok(UserScript { opening, facts, then, patience })
        } else {
            Err(problems)
        }
    }
}

fn read_facts(place: &str, fields: &mut Fields<'_>) -> Vec<UserFact> {
    let Some(value) = fields.value("facts") else { return Vec::new() };
    let Some(items) = value.as_array().filter(|items| items.len() <= MAX_ITEMS) else {
        fields.problem("facts", crate::fields::kind_of(value), "a list of at most 100 facts");
        return Vec::new();
    };
    let empty = Map::new();
    let mut facts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let object = item.as_object().unwrap_or(&empty);
        let prefix = format!("user.facts[{index}].");
        let mut fact = Fields::nested(place, prefix, object, &["asked", "says"]);
        let asked = fact.texts("asked", MAX_ITEMS, MAX_CHARS);
        let says = fact.text("says", MAX_CHARS).unwrap_or_default();
        if asked.is_empty() || says.trim().is_empty() {
            fact.problem("", "a fact without words", "an object with the words asked and says");
        }
        fields.extend(fact.into_problems());
        facts
            .push(UserFact { asked: asked.iter().map(|word| word.to_lowercase()).collect(), says });
    }
    facts
}

/// What a user answers.
#[derive(Clone, Debug, PartialEq)]
pub struct UserAnswer {
    /// The words.
    pub text: String,
    /// Whether they are the last ones.
    pub ending: Option<UserEnding>,
}

/// How a user ends a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserEnding {
    /// Every wish was answered.
    Content,
    /// The user had enough.
    GaveUp,
}

/// Plays the user of tasks. All memory is in `memory`, plain data that belongs to the episode.
#[async_trait]
pub trait TaskUser: Send + Sync {
    /// The first words.
    ///
    /// # Errors
    /// [`RolloutError`] ends this episode only.
    async fn open(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        stream: Stream,
    ) -> Result<String, RolloutError>;

    /// The answer to a turn of the agent that is addressed to the user.
    ///
    /// # Errors
    /// [`RolloutError`] ends this episode only.
    async fn answer(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        text: &str,
        stream: Stream,
    ) -> Result<UserAnswer, RolloutError>;
}

/// The user without a model; see above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScriptedUser;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Memory {
    n_wishes_said: usize,
    n_unhelpful: usize,
    last: String,
}

#[async_trait]
impl TaskUser for ScriptedUser {
    async fn open(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        _: Stream,
    ) -> Result<String, RolloutError> {
        *memory = serde_json::to_value(Memory::default()).unwrap_or_default();
        Ok(task.user.as_ref().map_or(&task.instruction, |script| &script.opening).clone())
    }

    async fn answer(
        &self,
        task: &DatabaseTask,
        memory: &mut Value,
        text: &str,
        mut stream: Stream,
    ) -> Result<UserAnswer, RolloutError> {
        let mut held: Memory = serde_json::from_value(memory.take()).map_err(|error| {
            RolloutError::new(Border::Environment, format!("the state holds no user: {error}"))
        })?;
        let plain = UserScript::saying(&task.instruction);
        let answer = held.react(task.user.as_ref().unwrap_or(&plain), text, &mut stream);
        *memory = serde_json::to_value(held).unwrap_or_default();
        Ok(answer)
    }
}

const AGREES: &[&str] = &["Yes, please.", "Yes.", "Yes, do that."];
const DOES_NOT_KNOW: &[&str] = &["I do not know.", "That I do not know."];
const WAITS: &[&str] = &["Are you there?", "Hello?"];
const THANKS: &[&str] = &["Thank you, bye!", "Thanks, that is all."];
const GIVES_UP: &[&str] = &["This leads nowhere. Bye.", "I will try another time."];

impl Memory {
    fn react(&mut self, script: &UserScript, text: &str, stream: &mut Stream) -> UserAnswer {
        let said = words(text);
        let is_repeated = !text.trim().is_empty() && text == self.last;
        text.clone_into(&mut self.last);
        let unhelpful = if said.is_empty() || is_repeated {
            WAITS
        } else if is_question(text, &said) {
            match answer_to(script, &said, stream) {
                Some(text) => return UserAnswer { text, ending: None },
                None => DOES_NOT_KNOW,
            }
        } else {
            return self.next_wish(script, stream);
        };
        self.n_unhelpful += 1;
        if self.n_unhelpful >= script.patience {
            return UserAnswer { text: one(GIVES_UP, stream), ending: Some(UserEnding::GaveUp) };
        }
        UserAnswer { text: one(unhelpful, stream), ending: None }
    }

    fn next_wish(&mut self, script: &UserScript, stream: &mut Stream) -> UserAnswer {
        let wish = script.then.get(self.n_wishes_said).cloned();
        self.n_wishes_said += 1;
        match wish {
            Some(text) => UserAnswer { text, ending: None },
            None => UserAnswer { text: one(THANKS, stream), ending: Some(UserEnding::Content) },
        }
    }
}

/// A question mark, or a request for words ("please tell me ..").
fn is_question(text: &str, said: &[String]) -> bool {
    let asks = |pair: &[String]| {
        matches!(
            (pair[0].as_str(), pair[1].as_str()),
            ("tell" | "give" | "send", "me" | "us") | ("please", "tell" | "give" | "confirm")
        )
    };
    text.contains('?') || said.windows(2).any(asks)
}

/// The facts that are asked for, or a yes to a request to go on.
fn answer_to(script: &UserScript, said: &[String], stream: &mut Stream) -> Option<String> {
    let said: BTreeSet<&str> = said.iter().map(String::as_str).collect();
    let is_asked = |fact: &&UserFact| fact.asked.iter().any(|word| said.contains(word.as_str()));
    let told: Vec<&str> =
        script.facts.iter().filter(is_asked).map(|fact| fact.says.as_str()).collect();
    if !told.is_empty() {
        return Some(told.join(" "));
    }
    let agreeable =
        ["shall", "should", "ok", "okay", "right", "sure", "confirm", "correct", "proceed", "want"];
    let is_agreeable = agreeable.iter().any(|word| said.contains(word));
    is_agreeable.then(|| one(AGREES, stream))
}

fn one(phrases: &[&str], stream: &mut Stream) -> String {
    stream.choose(phrases).copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn task() -> DatabaseTask {
        let user = json!({"opening": "I want to cancel an order.",
            "facts": [{"asked": ["order", "number"], "says": "It is oak7."},
                      {"asked": ["Name"], "says": "I am Ann."}],
            "then": ["What does a mug cost?"], "patience": 2});
        let script = UserScript::read("x", user.as_object().unwrap()).unwrap();
        DatabaseTask { user: Some(script), ..DatabaseTask::new("t", "You want this and that.") }
    }

    async fn answers(task: &DatabaseTask, lines: &[&str]) -> Vec<UserAnswer> {
        let stream = || RunSeed(1).stream(Purpose::Environment, StreamKey::default());
        let mut memory = Value::Null;
        ScriptedUser.open(task, &mut memory, stream()).await.unwrap();
        let mut heard = Vec::new();
        for line in lines {
            heard.push(ScriptedUser.answer(task, &mut memory, line, stream()).await.unwrap());
        }
        heard
    }

    #[tokio::test]
    async fn facts_are_told_when_asked_for() {
        let heard = answers(&task(), &["What is the order number?", "Tell me your name."]).await;
        assert_eq!((heard[0].text.as_str(), heard[0].ending), ("It is oak7.", None));
        assert_eq!((heard[1].text.as_str(), heard[1].ending), ("I am Ann.", None));
        let both = answers(&task(), &["Your name and order?"]).await;
        assert_eq!(both[0].text, "It is oak7. I am Ann.");
    }

    #[tokio::test]
    async fn a_statement_answers_a_wish() {
        let heard = answers(&task(), &["Shall I do it?", "It is done.", "It costs 8."]).await;
        assert!(AGREES.contains(&heard[0].text.as_str()), "{heard:?}");
        assert_eq!((heard[1].text.as_str(), heard[1].ending), ("What does a mug cost?", None));
        assert_eq!(heard[2].ending, Some(UserEnding::Content));
    }

    #[tokio::test]
    async fn patience_ends() {
        let heard = answers(&task(), &["Who won the cup?", "", "never reached"]).await;
        assert_eq!(heard[0].ending, None);
        assert_eq!(heard[1].ending, Some(UserEnding::GaveUp));
        let repeated = answers(&task(), &["Your order?", "Your order?", "Your order?"]).await;
        assert_eq!(repeated[2].ending, Some(UserEnding::GaveUp), "{repeated:?}");
    }

    #[tokio::test]
    async fn without_a_script_the_instruction_is_said() {
        let task = DatabaseTask { user: None, ..task() };
        let stream = RunSeed(1).stream(Purpose::Environment, StreamKey::default());
        let text = ScriptedUser.open(&task, &mut Value::Null, stream).await.unwrap();
        assert_eq!(text, "You want this and that.");
    }

    #[test]
    fn a_misspelt_part_is_refused() {
        let user = json!({"openin": "Hi", "facts": [{"asked": [], "says": "x"}], "patience": 0});
        let found = UserScript::read("tasks.json entry 0", user.as_object().unwrap()).unwrap_err();
        let found: Vec<String> = found.iter().map(Problem::to_string).collect();
        assert!(found[0].contains("`user.openin`") && found[0].contains("`opening`"), "{found:?}");
        assert!(found.iter().any(|p| p.contains("user.facts[0]")), "{found:?}");
        assert!(found.iter().any(|p| p.contains("user.patience")), "{found:?}");
    }
}
