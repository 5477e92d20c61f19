//! Dialogues of MultiDoGO (Peskov et al. 2019): people who write to a company.
//!
//! The corpus has no goals. What a user told, by the labels of the words, becomes the constraints (the
//! first value of each); what they came for becomes the task; intents that ask for something become
//! requests.

use super::super::goal::{Constraint, Fact, Goal, Request};
use super::super::style::UserTurn;
use super::Dialogue;
use crate::error::EnvError;

const HEADER: &str = "conversationId\tturnNumber\tutteranceId\tutterance\tslot-labels\tintent";

/// What users come for: the intent, the words for it, and what they want to know by it.
const INTENTS: &[(&str, &str, Option<&str>)] = &[
    ("changeseatassignment", "change my seat", None),
    ("getboardingpass", "get my boarding pass", None),
    ("getseatinfo", "know about my seat", Some("seat number")),
    ("bookflight", "book a flight", None),
    ("getproofofinsurance", "get a proof of insurance", None),
    ("checkclaimstatus", "check on my claim", Some("claim status")),
    ("reportbrokenphone", "report a broken phone", None),
    ("reportbrokensoftware", "report broken software", None),
    ("softwareupdate", "update my software", None),
    ("expensereport", "file an expense report", None),
    ("startorder", "place an order", None),
    ("changeorder", "change my order", None),
    ("stoporder", "stop my order", None),
    ("checkserverstatus", "check on a server", Some("server status")),
    ("providereceipt", "get a receipt", None),
    ("getpromotions", "know about promotions", Some("promotion")),
];

/// Reads a file with tabs between its columns, such as `airline-train.tsv`. Rows whose labels do not
/// fit their words are left out.
///
/// # Errors
/// [`EnvError::Corpus`] where the first line is not the corpus' header.
pub fn read_multidogo(text: &str) -> Result<Vec<Dialogue>, EnvError> {
    let mut lines = text.lines();
    if lines.next().map(str::trim_end) != Some(HEADER) {
        let message = format!("the header is not {:?}", HEADER.replace('\t', " "));
        return Err(EnvError::Corpus { corpus: "MultiDoGO", place: "line 1".to_owned(), message });
    }
    let mut all: Vec<Dialogue> = Vec::new();
    for line in lines {
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, _, _, utterance, labels, intent] = columns.as_slice() else { continue };
        if all.last().is_none_or(|last| last.id != *id) {
            all.push(Dialogue { id: (*id).to_owned(), goal: Goal::default(), turns: Vec::new() });
        }
        if let Some(dialogue) = all.last_mut() {
            add_row(dialogue, utterance, labels, intent);
        }
    }
    all.retain(|dialogue| {
        !dialogue.goal.constraints.is_empty() || !dialogue.goal.requests.is_empty()
    });
    for dialogue in &mut all {
        if dialogue.goal.task.is_empty() {
            dialogue.goal.task = "get some help".to_owned();
        }
    }
    Ok(all)
}

fn add_row(dialogue: &mut Dialogue, utterance: &str, labels: &str, intent: &str) {
    let told = values(utterance, labels);
    let turn = UserTurn { text: utterance.to_owned(), n_facts: told.len() };
    dialogue.turns.push(turn);
    let goal = &mut dialogue.goal;
    for (slot, value) in told {
        if !goal.constraints.iter().any(|constraint| constraint.fact.slot == slot) {
            goal.constraints.push(Constraint::new("", slot, &value));
        }
    }
    for (_, task, wants) in
        INTENTS.iter().filter(|(name, _, _)| intent.split("<div>").any(|i| i == *name))
    {
        if goal.task.is_empty() {
            goal.task = (*task).to_owned();
            goal.needs_booking = wants.is_none();
        }
        let Some(wants) = wants else { continue };
        if !goal.requests.iter().any(|request| request.fact.phrase == *wants) {
            goal.requests
                .push(Request { fact: Fact::new("", &wants.replace(' ', "_")), answer: None });
        }
    }
}

/// Runs of words with the same label, and that label.
fn values<'a>(utterance: &str, labels: &'a str) -> Vec<(&'a str, String)> {
    let words: Vec<&str> = utterance.split(' ').collect();
    let labels: Vec<&str> = labels.split(' ').collect();
    let is_label =
        |label: &str| label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if words.len() != labels.len() || labels.iter().any(|label| *label != "O" && !is_label(label)) {
        return Vec::new();
    }
    let mut runs: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut before = "O";
    for (word, label) in words.iter().zip(&labels) {
        match runs.last_mut().filter(|_| before == *label) {
            Some((_, run)) if *label != "O" => run.push(word),
            _ if *label != "O" && !label.is_empty() => runs.push((label, vec![word])),
            _ => {}
        }
        before = label;
    }
    let texts = runs.into_iter().map(|(label, run)| (label, run.join(" ")));
    texts.filter(|(_, text)| text.chars().any(char::is_alphanumeric)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelled_words_become_constraints() {
        let text = format!(
            "{HEADER}\nA\t1\tx\thi\tO\topeninggreeting\n\
             A\t2\tx\tfrom new york to rome\tO departure_city departure_city O arrival_city\tbookflight<div>getseatinfo\n\
             A\t3\tx\tno to paris\tO O arrival_city\tcontentonly\n\
             A\t4\tx\ttwo words\tO\tcontentonly\nB\t1\tx\thi\tO\topeninggreeting\n"
        );
        let [dialogue] = read_multidogo(&text).unwrap().try_into().unwrap();
        let told: Vec<(&str, &str)> = dialogue
            .goal
            .constraints
            .iter()
            .map(|constraint| (constraint.fact.slot.as_str(), constraint.value.as_str()))
            .collect();
        assert_eq!(told, [("departure_city", "new york"), ("arrival_city", "rome")]);
        assert_eq!(dialogue.goal.requests[0].fact.phrase, "seat number");
        assert!(["know about my seat", "book a flight"].contains(&dialogue.goal.task.as_str()));
        assert_eq!(dialogue.turns.len(), 4);
        assert!(read_multidogo("a\tb\n").is_err());
    }
}
