//! The memory of a conversation, as a state machine over its messages.
//!
//! Messages come in one by one. The newest are *recent* and read word by word; the others have left, and of them
//! the memory keeps a limited number for summaries and recall, and what they named and stated. The choice a
//! reader would question: only what has left is told again. What is still read need not be, and so the agent's
//! instructions change when a cut is made and not with every turn.

use std::collections::VecDeque;

use stateset_core::{Message, Role};

use super::config::MemoryConfig;
use super::entities::{Entity, EntityKind, entities_of};
use super::facts::{Fact, facts_of};
use super::recall::bm25;
use crate::agents::context::{TokenCounter, Window, shortened, summarise};
use crate::error::EnvError;

/// Messages that are kept after they have left.
const MAX_LEFT: usize = 512;
/// Entities and facts that are kept.
const MAX_ENTITIES: usize = 64;
const MAX_FACTS: usize = 32;
/// Share of the tokens that a summary may take.
const SUMMARY_SHARE: usize = 4;
/// Longest message that is shown again, in characters.
const MAX_RECALLED_CHARS: usize = 300;

/// Remembers a conversation, and what was stated in earlier ones.
#[derive(Clone, Debug)]
pub struct ConversationMemory {
    config: MemoryConfig,
    counter: TokenCounter,
    recent: Vec<Message>,
    sizes: Vec<usize>,
    left: VecDeque<Message>,
    /// Messages that have left, those that are forgotten too.
    n_left: usize,
    entities: VecDeque<(usize, Entity)>,
    facts: VecDeque<(usize, Fact)>,
}

/// What a memory tells beside the recent messages; empty texts where there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// Of what has left.
    pub summary: String,
    /// Facts and entities, one in each line.
    pub known: String,
    /// Earlier messages about what is asked now.
    pub recalled: String,
}

impl ConversationMemory {
    /// An empty memory.
    ///
    /// # Errors
    /// [`EnvError::Agent`] with every setting that does not fit.
    pub fn new(config: MemoryConfig) -> Result<Self, EnvError> {
        config.check()?;
        Ok(ConversationMemory {
            config,
            counter: TokenCounter::default(),
            recent: Vec::new(),
            sizes: Vec::new(),
            left: VecDeque::new(),
            n_left: 0,
            entities: VecDeque::new(),
            facts: VecDeque::new(),
        })
    }

    /// An empty memory of so many messages, of which `summarization_threshold` stay once there are more.
    ///
    /// # Errors
    /// As [`ConversationMemory::new`].
    pub fn with_limits(max_turns: usize, summarization_threshold: usize) -> Result<Self, EnvError> {
        ConversationMemory::new(MemoryConfig {
            max_short_term_turns: max_turns,
            summary_threshold: summarization_threshold,
            ..MemoryConfig::default()
        })
    }

    /// The same memory with another way to count tokens.
    pub fn with_counter(mut self, counter: TokenCounter) -> Self {
        self.sizes = self.recent.iter().map(|message| counter.message(message)).collect();
        self.counter = counter;
        self
    }

    /// Its settings.
    pub fn config(&self) -> &MemoryConfig {
        &self.config
    }

    /// Takes in the next message.
    pub fn observe(&mut self, message: &Message) {
        let n_recent = self.recent.iter().filter(|message| message.role != Role::System).count();
        let place = self.n_left + n_recent;
        if self.config.enable_entity_extraction && message.role != Role::System {
            entities_of(&message.content).into_iter().for_each(|e| self.keep_entity(place, e));
        }
        if self.config.enable_fact_extraction && message.role == Role::User {
            facts_of(&message.content).into_iter().for_each(|fact| self.keep_fact(place, fact));
        }
        self.sizes.push(self.counter.message(message));
        self.recent.push(message.clone());
        let start = self.window().next_start(&self.recent, &self.sizes, 0);
        self.let_go(start);
    }

    /// Ends the conversation: what is known stays known, and its messages have left.
    pub fn end_conversation(&mut self) {
        self.let_go(self.recent.len());
    }

    /// The messages that are read word by word.
    pub fn recent(&self) -> &[Message] {
        &self.recent
    }

    /// Messages that are not read word by word any more.
    pub fn n_left(&self) -> usize {
        self.n_left
    }

    /// What users have stated, oldest first.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().map(|(_, fact)| fact)
    }

    /// What was named, oldest first.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.entities.iter().map(|(_, entity)| entity)
    }

    /// A summary of what came before the newest `summary_threshold` messages; `None` where nothing did, or
    /// where summaries are not wanted.
    pub fn summary(&self) -> Option<String> {
        let n = self.left.len() + self.recent.len();
        let n_old = n.saturating_sub(self.config.summary_threshold).max(self.left.len());
        if !self.config.enable_summarization || n_old == 0 {
            return None;
        }
        let old: Vec<Message> = self.left.iter().chain(&self.recent).take(n_old).cloned().collect();
        Some(self.summarised(&old)).filter(|summary| !summary.is_empty())
    }

    /// The earlier messages that have most to do with `query`, best first: BM25, less for each message of age.
    pub fn recall(&self, query: &str, n: usize) -> Vec<&Message> {
        let texts: Vec<&str> = self.left.iter().map(|message| message.content.as_str()).collect();
        self.best(&bm25(query, &texts), n)
    }

    /// The same by scores of another kind, one for each of [`ConversationMemory::left`]; those above 0 count.
    pub fn best(&self, scores: &[f64], n: usize) -> Vec<&Message> {
        let n_left = self.left.len();
        let aged = scores.iter().take(n_left).enumerate().map(|(index, score)| {
            let age = i32::try_from(n_left - 1 - index).unwrap_or(i32::MAX);
            (index, score * self.config.importance_decay.powi(age))
        });
        let mut ranked: Vec<(usize, f64)> = aged.filter(|(_, score)| *score > 0.0).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0)));
        ranked.into_iter().take(n).filter_map(|(index, _)| self.left.get(index)).collect()
    }

    /// Lets go of all but the last `n` messages, whatever the window holds.
    pub(in crate::agents) fn keep_last(&mut self, n: usize) {
        let counted = |message: &Message| message.role != Role::System;
        let n_recent = self.recent.iter().filter(|message| counted(message)).count();
        let mut surplus = n_recent.saturating_sub(n);
        let mut end = 0;
        while surplus > 0 {
            surplus -= usize::from(counted(&self.recent[end]));
            end += 1;
        }
        self.let_go(end);
    }

    /// Messages that have left and are still kept, oldest first.
    pub fn left(&self) -> impl Iterator<Item = &Message> {
        self.left.iter()
    }

    /// What is told beside the recent messages, about `query`.
    pub fn remembered(&self, query: &str) -> Remembered {
        let recalled = self.recall(query, self.config.retrieval_top_k);
        let told = self.told(&recalled);
        if !self.config.enable_summarization {
            return told;
        }
        let left: Vec<Message> = self.left.iter().cloned().collect();
        Remembered { summary: self.summarised(&left), ..told }
    }

    /// What is known, with these messages as what is recalled, and no summary.
    pub fn told(&self, recalled: &[&Message]) -> Remembered {
        let lines = recalled.iter().map(|message| {
            let text = message.content.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("- {}: {}", message.role, shortened(&text, MAX_RECALLED_CHARS))
        });
        let recalled: Vec<String> = lines.collect();
        Remembered { summary: String::new(), known: self.known(), recalled: recalled.join("\n") }
    }

    /// Most tokens of a summary.
    pub fn summary_tokens(&self) -> usize {
        (self.config.max_short_term_tokens / SUMMARY_SHARE).max(1)
    }

    fn window(&self) -> Window {
        let config = &self.config;
        let keep = if config.enable_summarization {
            config.summary_threshold.min(config.max_short_term_turns)
        } else {
            config.max_short_term_turns
        };
        Window {
            max_messages: config.max_short_term_turns,
            max_tokens: config.max_short_term_tokens,
            keep_messages: keep,
            keep_tokens: config.max_short_term_tokens,
        }
    }

    /// Facts, then entities that no fact holds, of what has left.
    fn known(&self) -> String {
        let facts = self.facts.iter().filter(|(place, _)| *place < self.n_left);
        let mut lines: Vec<String> =
            facts.map(|(_, fact)| format!("- {}: {}", fact.key, fact.value)).collect();
        for (_, entity) in self.entities.iter().filter(|(place, _)| *place < self.n_left) {
            // A name that a user has corrected must not come back.
            let is_named = entity.kind == EntityKind::Name
                && lines.iter().any(|line| line.starts_with("- name: "));
            if !is_named && !lines.iter().any(|line| line.contains(&entity.text)) {
                lines.push(format!("- {}: {}", entity.kind, entity.text));
            }
        }
        lines.join("\n")
    }

    fn summarised(&self, messages: &[Message]) -> String {
        let decay = self.config.importance_decay;
        summarise(messages, self.summary_tokens(), decay, &self.counter)
    }

    fn let_go(&mut self, n: usize) {
        self.sizes.drain(..n);
        // Instructions in the midst of a conversation stay in force and are never let go.
        let going: Vec<Message> = self.recent.drain(..n).collect();
        let (stay, go): (Vec<Message>, Vec<Message>) =
            going.into_iter().partition(|message| message.role == Role::System);
        self.n_left += go.len();
        self.left.extend(go);
        let surplus = self.left.len().saturating_sub(MAX_LEFT);
        self.left.drain(..surplus);
        let sizes: Vec<usize> = stay.iter().map(|message| self.counter.message(message)).collect();
        self.recent.splice(0..0, stay);
        self.sizes.splice(0..0, sizes);
    }

    fn keep_entity(&mut self, place: usize, entity: Entity) {
        if self.entities.iter().all(|(_, known)| *known != entity) {
            self.entities.push_back((place, entity));
            let surplus = self.entities.len().saturating_sub(MAX_ENTITIES);
            self.entities.drain(..surplus);
        }
    }

    fn keep_fact(&mut self, place: usize, fact: Fact) {
        if self.facts.iter().any(|(_, known)| *known == fact) {
            return;
        }
        if !fact.adds_up() {
            self.facts.retain(|(_, known)| known.key != fact.key);
        }
        self.facts.push_back((place, fact));
        let surplus = self.facts.len().saturating_sub(MAX_FACTS);
        self.facts.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(config: MemoryConfig, n: usize) -> ConversationMemory {
        let mut memory = ConversationMemory::new(config).unwrap();
        for turn in 0..n {
            memory.observe(&Message::user(format!("Question number {turn} about lamp {turn}.")));
            memory.observe(&Message::assistant(format!("Answer number {turn}.")));
        }
        memory
    }

    #[test]
    fn an_overflow_leaves_the_threshold_and_a_summary() {
        let memory = filled(MemoryConfig::default(), 10);
        assert_eq!((memory.recent().len(), memory.n_left()), (20, 0));
        assert_eq!(memory.remembered("lamp"), Remembered::default());
        let memory = filled(MemoryConfig::default(), 11);
        assert_eq!(memory.recent().len() + memory.n_left(), 22);
        assert!(memory.recent().len() <= 11, "{}", memory.recent().len());
        assert_eq!(memory.recent()[0].role, Role::User);
        assert!(memory.remembered("").summary.contains("lamp"));
    }

    #[test]
    fn a_summary_begins_beyond_the_threshold() {
        let mut memory = ConversationMemory::with_limits(100, 50).unwrap();
        for turn in 0..50 {
            memory.observe(&Message::user(format!("My parcel {turn} is late.")));
        }
        assert_eq!(memory.summary(), None);
        memory.observe(&Message::user("One more."));
        assert!(memory.summary().unwrap().contains("parcel 0"));
        assert_eq!(memory.recent().len(), 51);
    }

    #[test]
    fn what_has_left_is_known_and_the_last_word_counts() {
        let config = MemoryConfig { max_short_term_turns: 2, ..MemoryConfig::default() };
        let mut memory = ConversationMemory::new(config).unwrap();
        memory.observe(&Message::user("My name is Ann. My order is ORD-4417."));
        memory.observe(&Message::assistant("Thanks."));
        assert_eq!(memory.remembered("").known, "");
        memory.observe(&Message::user("Write to me at a@b.example. I like tea."));
        memory.observe(&Message::user("Sorry, my name is Anna. I like jazz."));
        memory.observe(&Message::user("Well?"));
        memory.observe(&Message::user("Hello?"));
        let known = memory.remembered("").known;
        assert!(known.contains("- name: Anna\n") && !known.contains("Ann\n"), "{known}");
        assert!(known.contains("- order: ORD-4417") && !known.contains("order_id"), "{known}");
        assert!(known.contains("likes: tea") && known.contains("likes: jazz"), "{known}");
        assert!(known.contains("- email: a@b.example"), "{known}");
    }

    #[test]
    fn earlier_messages_are_found_again() {
        let config = MemoryConfig { max_short_term_turns: 2, ..MemoryConfig::default() };
        let mut memory = ConversationMemory::new(config).unwrap();
        for text in ["The kettle leaks.", "I moved to Oslo.", "Any news?", "Hm.", "And now?"] {
            memory.observe(&Message::user(text));
        }
        let found = memory.recall("What about the kettle?", 5);
        assert_eq!(
            found.iter().map(|m| m.content.as_str()).collect::<Vec<_>>(),
            ["The kettle leaks."]
        );
        assert!(memory.remembered("the kettle").recalled.starts_with("- user: The kettle"));
        assert!(memory.recall("xyz", 5).is_empty());
        assert_eq!(memory.best(&[0.1, 0.9, f64::NAN], 1)[0].content, "I moved to Oslo.");
    }

    #[test]
    fn instructions_stay_and_memory_is_bounded() {
        let config = MemoryConfig { max_short_term_turns: 2, ..MemoryConfig::default() };
        let mut memory = ConversationMemory::new(config).unwrap();
        memory.observe(&Message::system("Stay polite."));
        for n in 0..2000 {
            memory.observe(&Message::user(format!("My key{} is u{n}@b.example", letters(n))));
        }
        assert_eq!(memory.recent()[0].content, "Stay polite.");
        assert!(memory.recent().len() <= 3);
        assert_eq!(memory.left().count(), MAX_LEFT);
        assert_eq!(memory.entities().count(), MAX_ENTITIES);
        assert_eq!(memory.facts().count(), MAX_FACTS);
    }

    fn letters(n: usize) -> String {
        n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
    }

    #[test]
    fn the_next_conversation_knows_what_was_stated() {
        let mut memory = ConversationMemory::new(MemoryConfig::default()).unwrap();
        memory.observe(&Message::user("My name is Anna."));
        memory.end_conversation();
        memory.observe(&Message::user("Hello again."));
        assert_eq!(memory.recent().len(), 1);
        assert_eq!(memory.remembered("").known, "- name: Anna");
    }
}
