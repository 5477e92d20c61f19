//! What one turn of an agent does, as far as words show it.
//!
//! [`understand`] is total and looks at the words only: whether an act is *right* is the business of
//! the customer, who knows the facts. It works on patterns of clauses (see the neighbouring files)
//! instead of whole templates, because the agent is a model that finds its own words; and it refuses
//! to see any act in a muddle (word salad, loops, a whole script at once), because those are what a
//! model finds when it is paid by keywords.

use super::asking::{asked_slots, is_open_question};
use super::helping::{help_in, is_offer};
use super::manners::{Manner, manners_in};
use super::plain::{Sentence, plain_sentences};
use crate::customer::{Resolution, Slot};
use crate::text::{Disfluency, disfluency, words};

/// A turn longer than this is more than a customer will read, in words.
pub const MAX_TURN_WORDS: usize = 90;

/// Why a turn cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muddle {
    /// The same words or phrases over and over.
    Repetitive,
    /// Keywords without sentences, or no words at all.
    WordSalad,
    /// More than [`MAX_TURN_WORDS`] words.
    TooLong,
    /// Lines for both sides of the conversation, with speakers' names before them.
    WholeScript,
}

/// What a turn does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acts {
    /// True where it holds no word.
    pub is_empty: bool,
    /// Why it cannot be followed; then it has no other acts but rudeness.
    pub muddle: Option<Muddle>,
    /// Facts it asks for.
    pub asks: Vec<Slot>,
    /// True where it asks for an account of the problem without naming a fact.
    pub asks_openly: bool,
    /// Kinds of help it gives, promises or explains.
    pub resolutions: Vec<Resolution>,
    /// True where some of that help is said to be done already.
    pub is_done: bool,
    /// Kinds of help it offers by a question.
    pub offers: Vec<Resolution>,
    /// True where it says sorry or shows understanding.
    pub acknowledges: bool,
    /// True where it says thanks.
    pub thanks: bool,
    /// True where it says hello or offers help in general.
    pub greets: bool,
    /// True where it asks whether there is anything else.
    pub offers_more_help: bool,
    /// True where it takes its leave.
    pub says_goodbye: bool,
    /// True where it insults or belittles.
    pub is_rude: bool,
    /// True where it says that it will not or cannot help.
    pub refuses: bool,
    /// True where it asks for time.
    pub stalls: bool,
}

/// Reads the manners of a turn and whether it can be followed, and no kind of help: for users who want
/// other things than the customers of a shop do. `sentences` and `words` are those of `agent_text`.
pub(crate) fn understand_manners(
    agent_text: &str,
    sentences: &[Sentence],
    words: &[String],
) -> Acts {
    if words.is_empty() {
        return Acts { is_empty: true, ..Acts::default() };
    }
    let manners: Vec<Manner> = sentences.iter().flat_map(manners_in).collect();
    let is = |manner| manners.contains(&manner);
    let muddle = muddle(agent_text, words);
    if muddle.is_some() {
        return Acts { muddle, is_rude: is(Manner::IsRude), ..Acts::default() };
    }
    Acts {
        asks_openly: sentences.iter().any(is_open_question),
        acknowledges: is(Manner::Acknowledges),
        thanks: is(Manner::Thanks),
        greets: is(Manner::Greets),
        offers_more_help: is(Manner::OffersMoreHelp),
        says_goodbye: is(Manner::SaysGoodbye),
        is_rude: is(Manner::IsRude),
        refuses: is(Manner::Refuses),
        stalls: is(Manner::Stalls),
        ..Acts::default()
    }
}

/// Reads one turn of an agent.
pub fn understand(agent_text: &str) -> Acts {
    let sentences = plain_sentences(agent_text);
    let acts = understand_manners(agent_text, &sentences, &words(agent_text));
    if acts.is_empty || acts.muddle.is_some() {
        return acts;
    }
    let help = help_in(&sentences);
    let asks = asks_in(&sentences, &help.offered);
    Acts {
        asks_openly: asks.is_empty() && acts.asks_openly,
        asks,
        resolutions: help.stated,
        is_done: help.is_done,
        offers: help.offered,
        ..acts
    }
}

/// The facts asked for; the question whether to help asks for none.
fn asks_in(sentences: &[Sentence], offered: &[Resolution]) -> Vec<Slot> {
    let mut asks = Vec::new();
    for sentence in sentences.iter().filter(|sentence| offered.is_empty() || !is_offer(sentence)) {
        for slot in asked_slots(sentence) {
            if !asks.contains(&slot) {
                asks.push(slot);
            }
        }
    }
    asks
}

fn muddle(text: &str, words: &[String]) -> Option<Muddle> {
    if has_speakers(text) {
        return Some(Muddle::WholeScript);
    }
    if words.len() > MAX_TURN_WORDS {
        return Some(Muddle::TooLong);
    }
    match disfluency(words)? {
        Disfluency::Repetitive => Some(Muddle::Repetitive),
        Disfluency::Empty | Disfluency::WordSalad => Some(Muddle::WordSalad),
    }
}

/// True where some line begins with a speaker's name or some chat mark is written out.
fn has_speakers(text: &str) -> bool {
    const SPEAKERS: [&str; 6] = ["user", "customer", "assistant", "agent", "system", "human"];
    let lower = text.to_ascii_lowercase();
    let is_labelled = |before: &str| {
        SPEAKERS.iter().any(|speaker| {
            before
                .strip_suffix(speaker)
                .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric()))
        })
    };
    let has_label = lower
        .match_indices(':')
        .any(|(index, _)| is_labelled(lower[..index].trim_end_matches([' ', '*', '|', '>'])));
    has_label || lower.contains("<|")
}
