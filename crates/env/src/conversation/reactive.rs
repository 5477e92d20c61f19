//! The reactive scripted user: says the line that fits what the agent said.
//!
//! A line fits by the words it shares with the agent's turn (small words aside), and by the kind of
//! answer that a question wants: a number for "what is your order number", a day for "when", a reason for
//! "why", yes or no for "do you". Rare words weigh more than those that many lines have. Where nothing
//! fits, or several fit alike, the line that is written first is said. Each line is said once.

use std::collections::BTreeSet;

use crate::text::{is_function_word, words};

/// What a fitting kind of answer is worth, in shared words.
const WORTH_OF_KIND: f64 = 1.5;

/// The place in `unsaid` of the line that fits `agent_text` best; `unsaid` must not be empty.
pub(super) fn fitting(unsaid: &[&str], agent_text: &str) -> usize {
    let asked = stems(agent_text);
    let wanted = wanted_kinds(agent_text);
    let lines: Vec<BTreeSet<String>> = unsaid.iter().map(|line| stems(line)).collect();
    let weight = |word: &String| {
        let n_with = lines.iter().filter(|line| line.contains(word)).count();
        1.0 / n_with.max(1) as f64
    };
    let mut best = (0, 0.0);
    for (index, line) in lines.iter().enumerate() {
        let shared: f64 = line.intersection(&asked).map(weight).sum();
        let kinds = wanted.iter().filter(|kind| kind.is_given_by(unsaid[index])).count();
        let score = shared + WORTH_OF_KIND * kinds as f64;
        if score > best.1 + 1e-9 {
            best = (index, score);
        }
    }
    best.0
}

/// Words that carry meaning, without the endings of plurals and verbs.
fn stems(text: &str) -> BTreeSet<String> {
    let stem = |word: String| {
        let short = ["ing", "ed", "es", "s"].iter().find_map(|ending| word.strip_suffix(ending));
        short.filter(|short| short.len() >= 3).map_or(word.clone(), str::to_owned)
    };
    words(text).into_iter().filter(|word| !is_function_word(word)).map(stem).collect()
}

/// The kind of answer a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Email,
    Time,
    Reason,
    YesOrNo,
    Name,
}

fn wanted_kinds(agent_text: &str) -> Vec<Kind> {
    let lower = agent_text.to_lowercase();
    let all = words(&lower);
    let has = |list: &[&str]| all.iter().any(|word| list.contains(&word.as_str()));
    let mut kinds = Vec::new();
    if has(&["number", "code", "id", "zip", "postcode"])
        || lower.contains("how many")
        || lower.contains("how much")
    {
        kinds.push(Kind::Number);
    }
    if has(&["email", "e-mail", "mail"]) {
        kinds.push(Kind::Email);
    }
    if has(&["when", "date", "day", "time"]) {
        kinds.push(Kind::Time);
    }
    if has(&["why", "reason"]) {
        kinds.push(Kind::Reason);
    }
    if has(&["name"]) || lower.contains("who am i") {
        kinds.push(Kind::Name);
    }
    if kinds.is_empty() && asks_yes_or_no(agent_text) {
        kinds.push(Kind::YesOrNo);
    }
    kinds
}

/// True where the last question begins with a verb.
fn asks_yes_or_no(text: &str) -> bool {
    const VERBS: [&str; 14] = [
        "do", "does", "did", "is", "are", "was", "were", "would", "will", "can", "could", "shall",
        "should", "have",
    ];
    let Some((before, _)) = text.rsplit_once('?') else { return false };
    let question = before.rsplit(['.', '!', '?', '\n']).next().unwrap_or_default();
    let first = words(question)
        .into_iter()
        .find(|word| !matches!(word.as_str(), "and" | "so" | "okay" | "ok"));
    first.is_some_and(|word| VERBS.contains(&word.as_str()))
}

impl Kind {
    fn is_given_by(self, line: &str) -> bool {
        const TIMES: [&str; 16] = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "today",
            "tomorrow",
            "yesterday",
            "morning",
            "evening",
            "week",
            "days",
            "ago",
            "month",
        ];
        let all = words(line);
        let has = |list: &[&str]| all.iter().any(|word| list.contains(&word.as_str()));
        match self {
            Kind::Number => line.bytes().any(|byte| byte.is_ascii_digit()),
            Kind::Email => line.contains('@'),
            Kind::Time => has(&TIMES),
            Kind::Reason => has(&["because", "since", "broken", "broke", "wrong", "want"]),
            Kind::YesOrNo => {
                let first = all.first().map(String::as_str).unwrap_or_default();
                ["yes", "no", "sure", "yeah", "nope", "okay"].contains(&first)
            }
            Kind::Name => has(&["name"]) || line.contains("I am ") || line.contains("I'm "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINES: [&str; 6] = [
        "The lamp arrived broken.",
        "My order number is 4821.",
        "You can reach me at anna@example.com.",
        "It came on Monday.",
        "Yes, a refund please.",
        "My name is Anna Hill.",
    ];

    #[test]
    fn the_line_that_fits_is_found() {
        for (agent, line) in [
            ("Could you give me your order number?", 1),
            ("What is your email address?", 2),
            ("When did the parcel come?", 3),
            ("Would you like your money back?", 4),
            ("May I have your name?", 5),
            ("Is the lamp broken?", 0),
            ("How can I help you?", 0),
            ("I see.", 0),
            ("Shall I start the refund?", 4),
        ] {
            assert_eq!(fitting(&LINES, agent), line, "{agent}");
        }
    }

    proptest! {
        #[test]
        fn some_line_is_always_found(
            lines in prop::collection::vec("\\PC{0,30}", 1..6), agent in "\\PC{0,60}"
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            prop_assert!(fitting(&lines, &agent) < lines.len());
        }
    }
}
