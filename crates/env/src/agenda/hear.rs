//! What the agent's words mean to an agenda user: dialogue acts over the facts of the goal.
//!
//! Lexical rules on plain sentences. A question that uses a fact's words asks for it; a yes-or-no
//! question with its value confirms it; a statement with a requested fact's words and something like a
//! value answers it. Manners (kindness, rudeness, leaving, muddles) are read as the customers of the
//! shop read them. Where words fit facts of several topics, the topic that is named counts, and else the
//! one the user is talking about.

use std::sync::LazyLock;

use super::goal::{Fact, Goal};
use super::state::AgendaState;
use crate::customer::{
    Acts, Patterns, Sentence, is_asking, plain, plain_sentences, understand_manners,
};

/// Longest remembered answer, in characters.
const MAX_ANSWER_CHARS: usize = 120;

/// One turn of an agent as an agenda user hears it. Numbers count constraints and requests from 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heard {
    /// Manners, and whether it can be followed at all.
    pub(super) manners: Acts,
    /// Constraints asked for.
    pub(super) asks: Vec<usize>,
    /// Whether something else was asked than what the goal knows.
    pub(super) asks_else: bool,
    /// Constraints whose value was asked about rightly.
    pub(super) confirms: Vec<usize>,
    /// Constraints of which another value was said.
    pub(super) mistakes: Vec<usize>,
    /// Requests answered: which, whether with the true answer (as far as it is known), and how.
    pub(super) answers: Vec<(usize, bool, String)>,
    /// Whether it says that what is wanted cannot be had.
    pub(super) has_none: bool,
    /// Whether it says that the thing is done.
    pub(super) is_done: bool,
    /// Whether it offers to do it.
    pub(super) offers: bool,
}

/// Reads one turn of the agent. `words` are its words.
pub(super) fn hear(goal: &Goal, state: &AgendaState, text: &str, words: &[String]) -> Heard {
    let sentences = plain_sentences(text);
    let manners = understand_manners(text, &sentences, words);
    let mut heard = Heard { manners, ..Heard::default() };
    if heard.manners.is_empty || heard.manners.muddle.is_some() {
        return heard;
    }
    let topic = state.topic(goal);
    for sentence in &sentences {
        Ear { goal, state, topic, heard: &mut heard, sentence }.listen();
    }
    heard.asks_else &= heard.asks.is_empty() && heard.confirms.is_empty();
    let is_asked = |i: &usize| heard.asks.contains(i);
    heard.mistakes.retain(|i| !is_asked(i));
    heard
}

struct Ear<'a> {
    goal: &'a Goal,
    state: &'a AgendaState,
    topic: &'a str,
    heard: &'a mut Heard,
    sentence: &'a Sentence,
}

impl Ear<'_> {
    fn listen(&mut self) {
        let does = DOES.all_in(&self.sentence.text);
        let asks = is_asking(self.sentence);
        let denies = does.contains(&Does::Denies);
        self.heard.has_none |= does.contains(&Does::HasNone);
        if does.contains(&Does::Books) && asks {
            self.heard.offers = true;
        } else if does.contains(&Does::Done) && !denies && !asks && self.names_the_task() {
            self.heard.is_done = true;
        }
        let (right, wrong) = self.values();
        if asks {
            self.question(&right, &wrong);
        } else {
            self.statement(&wrong, denies);
        }
    }

    /// Whether the sentence is about what the user came for: it says so, or points at it. An exchange that
    /// was arranged books no table.
    fn names_the_task(&self) -> bool {
        let is_of_task = |word: &str| {
            let mut wanted = self.goal.task.split(|c: char| !c.is_alphanumeric());
            wanted.any(|other| other.len() > 3 && other.eq_ignore_ascii_case(word))
        };
        self.sentence.text.split(' ').any(|word| POINTS_AT_IT.contains(&word) || is_of_task(word))
    }

    /// Constraints whose own value, and those of which exactly one other value, is in the sentence.
    fn values(&self) -> (Vec<usize>, Vec<usize>) {
        let mut found = (Vec::new(), Vec::new());
        for (index, constraint) in self.goal.constraints.iter().enumerate() {
            let n_others =
                constraint.others.iter().filter(|other| self.says_value(index, other)).count();
            let is_own = self.says_value(index, self.state.value(self.goal, index));
            if is_own && n_others == 0 {
                found.0.push(index);
            } else if !is_own && n_others == 1 {
                found.1.push(index);
            }
        }
        // What another fact of the goal has as its value is no mistake.
        found.1.retain(|index| !self.is_shared(*index, &found.0));
        found
    }

    fn is_shared(&self, index: usize, right: &[usize]) -> bool {
        let others = &self.goal.constraints[index].others;
        right.iter().any(|own| {
            let value = self.state.value(self.goal, *own);
            others.iter().any(|other| other.eq_ignore_ascii_case(value))
        })
    }

    /// A short value or a number counts only beside the words of its fact.
    fn says_value(&self, index: usize, value: &str) -> bool {
        if !may_hold(&self.sentence.text, value) {
            return false;
        }
        let value = plain(value);
        if value.is_empty() || matches!(value.as_str(), "yes" | "no" | "dontcare") {
            return false;
        }
        let is_weak = value.len() < 3 || value.bytes().all(|byte| byte.is_ascii_digit());
        let fact = &self.goal.constraints[index].fact;
        holds(&self.sentence.text, &value) && (!is_weak || self.longest_match(fact).is_some())
    }

    fn question(&mut self, right: &[usize], wrong: &[usize]) {
        let is_open = begins_open(&self.sentence.text);
        let mut asked = self.matching(
            &self.goal.constraints.iter().map(|constraint| &constraint.fact).collect::<Vec<_>>(),
        );
        asked.retain(|(index, _)| !right.contains(index));
        let asked = self.sharpest(asked);
        let is_any = !asked.is_empty() || !right.is_empty();
        if !is_open {
            add(&mut self.heard.confirms, right);
            let rest: Vec<usize> = wrong
                .iter()
                .copied()
                .filter(|index| !self.heard.has_none || !asked.contains(index))
                .collect();
            add(&mut self.heard.mistakes, &rest);
            let asked: Vec<usize> =
                asked.into_iter().filter(|index| !wrong.contains(index)).collect();
            add(&mut self.heard.asks, &asked);
        } else {
            add(&mut self.heard.asks, &asked);
        }
        let manners = &self.heard.manners;
        let is_general = manners.asks_openly || manners.greets || manners.offers_more_help;
        self.heard.asks_else |= !is_any && !is_general && !self.heard.offers;
    }

    fn statement(&mut self, wrong: &[usize], denies: bool) {
        add(&mut self.heard.mistakes, wrong);
        let facts: Vec<&Fact> = self.goal.requests.iter().map(|request| &request.fact).collect();
        let named = self.matching(&facts);
        let named = self.of_topic(named, &facts);
        for (index, request) in self.goal.requests.iter().enumerate() {
            let truth = request.answer.as_ref().map(|answer| plain(answer));
            let is_true = truth.as_ref().is_some_and(|truth| holds(&self.sentence.text, truth));
            let is_asked = self.state.asked[index] > 0;
            let is_named = named.iter().any(|(other, _)| *other == index);
            let is_answer = is_asked && is_named && !denies && has_value(&self.sentence.text);
            if is_true || is_answer {
                let right = is_true || truth.is_none();
                self.heard.answers.push((index, right, shortened(&self.sentence.text)));
            }
        }
    }

    /// The facts whose words are in the sentence, with the longest of those words.
    fn matching<'f>(&self, facts: &[&'f Fact]) -> Vec<(usize, &'f str)> {
        let found = facts.iter().enumerate();
        found.filter_map(|(index, fact)| Some((index, self.longest_match(fact)?))).collect()
    }

    fn longest_match<'f>(&self, fact: &'f Fact) -> Option<&'f str> {
        let said = fact.asked_by.iter().filter(|words| holds(&self.sentence.text, words));
        said.max_by_key(|words| words.len()).map(String::as_str)
    }

    /// Of constraints that fit: those of the topic; without those whose words are a part of another
    /// one's; of several that the same words fit, those not told yet.
    fn sharpest(&self, matches: Vec<(usize, &str)>) -> Vec<usize> {
        let facts: Vec<&Fact> = self.goal.constraints.iter().map(|c| &c.fact).collect();
        let matches = self.of_topic(matches, &facts);
        let is_new = |index: usize| self.state.told[index] == 0;
        let mut kept = Vec::new();
        for (index, words) in &matches {
            let is_part =
                matches.iter().any(|(_, other)| other.len() > words.len() && holds(other, words));
            let has_new_twin =
                matches.iter().any(|(other, theirs)| theirs == words && is_new(*other));
            if !is_part && (is_new(*index) || !has_new_twin) {
                kept.push(*index);
            }
        }
        kept
    }

    fn of_topic<'w>(
        &self,
        matches: Vec<(usize, &'w str)>,
        facts: &[&Fact],
    ) -> Vec<(usize, &'w str)> {
        let names = |topic: &str| !topic.is_empty() && holds(&self.sentence.text, &plain(topic));
        let named: Vec<(usize, &str)> =
            matches.iter().copied().filter(|(index, _)| names(&facts[*index].topic)).collect();
        if !named.is_empty() {
            return named;
        }
        let near: Vec<(usize, &str)> = matches
            .iter()
            .copied()
            .filter(|(index, _)| facts[*index].topic == self.topic)
            .collect();
        if near.is_empty() { matches } else { near }
    }
}

fn add(list: &mut Vec<usize>, more: &[usize]) {
    for index in more {
        if !list.contains(index) {
            list.push(*index);
        }
    }
}

/// True where `words` occur in `text` as whole words; both are plain.
pub(crate) fn holds(text: &str, words: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| *byte == b' ');
    let bytes = text.as_bytes();
    !words.is_empty()
        && text.match_indices(words).any(|(start, _)| {
            let before = start.checked_sub(1).and_then(|index| bytes.get(index));
            is_edge(before) && is_edge(bytes.get(start + words.len()))
        })
}

/// False where `text`, which is plain, cannot hold `value`: a look at the first letters, because putting
/// every known value into plain form would take most of the time of a turn.
fn may_hold(text: &str, value: &str) -> bool {
    let head = value.bytes().take(3).take_while(u8::is_ascii_alphanumeric).count();
    let head = &value.as_bytes()[..head];
    head.is_empty()
        || value.contains(['\'', '’'])
        || text.as_bytes().windows(head.len()).any(|window| window.eq_ignore_ascii_case(head))
}

/// What, which, where and the like: no question that yes would answer.
fn begins_open(sentence: &str) -> bool {
    const OPEN: [&str; 8] = ["what", "which", "where", "when", "how", "who", "why", "tell"];
    let can_you = ["may i", "could i", "can i", "could you", "can you", "would you tell", "please"];
    sentence.split(' ').take(6).any(|word| OPEN.contains(&word))
        || can_you.iter().any(|start| holds(sentence, start))
}

/// A number, or something after "is" that says something.
fn has_value(sentence: &str) -> bool {
    const EMPTY: [&str; 14] = [
        "not",
        "unknown",
        "available",
        "unavailable",
        "important",
        "needed",
        "required",
        "on",
        "being",
        "a",
        "the",
        "your",
        "in",
        "what",
    ];
    let has_digit = sentence.bytes().any(|byte| byte.is_ascii_digit());
    let mut words =
        sentence.split(' ').skip_while(|word| !matches!(*word, "is" | "are" | "costs" | "takes"));
    let after = words.nth(1);
    has_digit || after.is_some_and(|word| !EMPTY.contains(&word))
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_ANSWER_CHARS).collect()
}

/// Words that stand for what the user came for, whatever it is.
const POINTS_AT_IT: &[&str] = &[
    "it",
    "that",
    "this",
    "them",
    "those",
    "everything",
    "all",
    "booking",
    "bookings",
    "reservation",
    "appointment",
    "request",
    "claim",
    "room",
    "rooms",
    "table",
    "ticket",
    "tickets",
    "seat",
    "seats",
    "trip",
    "taxi",
    "flight",
    "purchase",
];

#[derive(Clone, Copy, PartialEq)]
enum Does {
    Done,
    Books,
    Denies,
    HasNone,
}

static DOES: LazyLock<Patterns<Does>> = LazyLock::new(|| {
    use Does::{Books, Denies, Done, HasNone};
    const DONE: &str = "booked|reserved|arranged|ordered|placed|scheduled|confirmed|purchased|bought|completed|processed|filed|submitted|registered|finished|set up|done";
    const BOOK: &str = "book|reserve|arrange|order|place|schedule|confirm|purchase|buy|complete|process|file|submit|register|finish|set up|set ~2 aside|put ~2 aside|make ~2 (booking|reservation|order|appointment)";
    let has_done = format!("(i|we) (have |had |just |now |already |also |successfully )*({DONE})");
    let is_done = format!(
        "(is|are|was|been|got|all) (now |all |already |successfully )*({DONE}|set|complete|ready|all set)"
    );
    let will = format!(
        "(i|we) (will |am going to |are going to |shall )(now |also |go ahead and )*({BOOK})"
    );
    let offers = format!("(shall|should|can|may|could|do you want|would you like) ~4 ({BOOK})");
    Patterns::new(&[
        (Done, has_done.as_str()),
        (
            Done,
            r"(i|we) (have |just |now |already )*(set ~3 aside|put ~3 aside|made ~3 (booking|reservation|order|appointment))",
        ),
        (Done, is_done.as_str()),
        (Done, will.as_str()),
        (Books, offers.as_str()),
        (Denies, r"not|cannot|never|if|once|before i|unable|without"),
        (HasNone, r"(there (is|are)|i have|we have|i found|we found) (no|none|nothing)"),
        (HasNone, r"(could not|cannot|did not|do not) ~1 (find|have) (any|a|such|one|that)"),
        (
            HasNone,
            r"(not available|unavailable|fully booked|sold out|no longer available|nothing available|is closed)",
        ),
    ])
});

#[cfg(test)]
mod tests {
    use super::super::goal::{Constraint, Request};
    use super::super::spec::AgendaSpec;
    use super::*;
    use crate::text::words;

    fn constraint(topic: &str, slot: &str, value: &str, others: &[&str]) -> Constraint {
        let others = others.iter().map(|other| (*other).to_owned()).collect();
        Constraint { others, ..Constraint::new(topic, slot, value) }
    }

    fn goal() -> Goal {
        Goal {
            task: "book a trip".into(),
            constraints: vec![
                constraint("hotel", "area", "east", &["west", "north"]),
                constraint("hotel", "people", "3", &["2", "4"]),
                constraint("train", "departure", "Ely", &["Cambridge"]),
                constraint("train", "destination", "Cambridge", &["Ely"]),
                constraint("train", "leaveAt", "10:15", &[]),
                constraint("train", "day", "friday", &["monday"]),
            ],
            requests: vec![
                Request { fact: Fact::new("hotel", "phone"), answer: Some("01223 311".into()) },
                Request { fact: Fact::new("train", "price"), answer: None },
            ],
            needs_booking: true,
        }
    }

    fn heard(text: &str) -> Heard {
        let goal = goal();
        let mut state = AgendaState::new(&AgendaSpec::new(goal.clone()));
        state.asked = vec![1, 1];
        hear(&goal, &state, text, &words(text))
    }

    #[test]
    fn questions_ask_for_what_they_name() {
        for (text, asked) in [
            ("Which part of town do you prefer?", &[0][..]),
            ("What area, and for how many people?", &[0, 1]),
            ("What day would you like to travel?", &[5]),
            ("Please tell me your departure time.", &[4]),
            ("Where are you leaving from on the train?", &[2]),
            ("When does the train leave?", &[4, 5]),
            ("Is there anything else?", &[]),
            ("The area is nice.", &[]),
        ] {
            let mut asks = heard(text).asks;
            asks.sort_unstable();
            assert_eq!(asks, asked, "{text}");
        }
    }

    #[test]
    fn values_confirm_or_mistake() {
        assert_eq!(heard("So you want the east?").confirms, [0]);
        assert_eq!(heard("Is it for 3 people?").confirms, [1]);
        assert_eq!(heard("You want a room in the west.").mistakes, [0]);
        assert_eq!(heard("It is for 2 people.").mistakes, [1]);
        assert!(heard("I have 2 ideas.").mistakes.is_empty(), "a number without its fact");
        assert!(heard("The train goes from Ely to Cambridge.").mistakes.is_empty());
        let choice = heard("Do you want the area east, west or north?");
        assert_eq!((choice.asks, choice.mistakes), (vec![0], vec![]));
    }

    #[test]
    fn answers_are_statements_with_a_value() {
        for (text, answers) in [
            ("The phone number is 01223 311.", &[(0, true)][..]),
            ("It is 01223 311.", &[(0, true)]),
            ("The phone number is 99 88.", &[(0, false)]),
            ("The train costs 12 pounds, that is the price.", &[(1, true)]),
            ("I do not know the phone number.", &[]),
            ("What is the phone number?", &[]),
            ("The phone number is important.", &[]),
        ] {
            let found: Vec<(usize, bool)> =
                heard(text).answers.iter().map(|(index, right, _)| (*index, *right)).collect();
            assert_eq!(found, answers, "{text}");
        }
    }

    #[test]
    fn doing_offering_and_having_none() {
        for text in [
            "I have booked it for you.",
            "Your room is booked.",
            "You are all set!",
            "I will book it now.",
            "I have made a reservation for you.",
            "We set it aside for you.",
        ] {
            assert!(heard(text).is_done, "{text}");
        }
        for text in [
            "I have not booked it.",
            "Shall I book it?",
            "It is not confirmed.",
            "Once it is booked I will write.",
            "Can you tell me more?",
            "I have arranged the exchange of your item.",
            "I have set up the return for order 5050.",
        ] {
            assert!(!heard(text).is_done, "{text}");
        }
        assert!(heard("Shall I book it for you?").offers);
        assert!(heard("I am sorry, there are no rooms.").has_none);
        assert!(heard("What color do you like?").asks_else);
        assert!(!heard("How can I help you?").asks_else);
    }
}
