//! A summary without a model: the sentences of a history that say most.
//!
//! Frequency-based extraction (Luhn 1958, "The automatic creation of literature abstracts"): a sentence weighs
//! what its words weigh, and a word weighs the more the more of the history's sentences hold it, as long as
//! it is no function word. Sentences that name something (a number, an address, an amount) weigh more, what the
//! user said more than what the agent did, and later ones more than earlier. The choice a reader would question:
//! sentences are quoted with their speaker instead of being retold, so that nothing is made up.

use std::collections::HashMap;

use stateset_core::{Message, Role};

use super::tokens::{TokenCounter, shortened};
use crate::agents::memory::entities_of;
use crate::text::{is_function_word, is_repeat, sentences, words};

/// Longest quote in characters.
const MAX_QUOTE_CHARS: usize = 240;
/// Sentences of one message that are looked at.
const MAX_SENTENCES: usize = 40;
/// How much more a sentence weighs for each thing it names.
const PER_ENTITY: f64 = 0.5;

struct Quote {
    line: String,
    words: Vec<String>,
    weight: f64,
}

/// Quotes of `messages`, one in each line, that take `max_tokens` at most; empty where there is nothing to say.
/// `decay` (above 0, at most 1) is what a message weighs compared with the next one.
pub fn summarise(
    messages: &[Message],
    max_tokens: usize,
    decay: f64,
    counter: &TokenCounter,
) -> String {
    let mut quotes = quotes_of(messages, decay);
    weigh(&mut quotes);
    let mut order: Vec<usize> = (0..quotes.len()).collect();
    // Stable, so that of equals the earlier one wins.
    order.sort_by(|a, b| quotes[*b].weight.total_cmp(&quotes[*a].weight));
    let mut chosen: Vec<usize> = Vec::new();
    let mut left = max_tokens;
    for index in order {
        let quote = &quotes[index];
        let is_said = chosen.iter().any(|other| is_repeat(&quote.words, &quotes[*other].words));
        // A line end may be a token of its own.
        let size = counter.text(&quote.line) + 1;
        if size <= left && !is_said {
            left -= size;
            chosen.push(index);
        }
    }
    chosen.sort_unstable();
    let mut lines: Vec<&str> = chosen.iter().map(|index| quotes[*index].line.as_str()).collect();
    // A tokenizer may need more for a whole than for its parts.
    while counter.text(&lines.join("\n")) > max_tokens && lines.pop().is_some() {}
    lines.join("\n")
}

fn quotes_of(messages: &[Message], decay: f64) -> Vec<Quote> {
    let mut quotes = Vec::new();
    for (age, message) in messages.iter().rev().enumerate() {
        let speaker = match message.role {
            Role::System => continue,
            Role::User => 1.5,
            Role::Assistant | Role::Tool => 1.0,
        };
        let weight = speaker * decay.powi(i32::try_from(age).unwrap_or(i32::MAX));
        let mut of_message: Vec<Quote> = said_by(message)
            .into_iter()
            .map(|sentence| {
                let line = format!("- {}: {}", message.role, shortened(&sentence, MAX_QUOTE_CHARS));
                Quote { line, words: words(&sentence), weight }
            })
            .collect();
        of_message.reverse();
        quotes.append(&mut of_message);
    }
    quotes.reverse();
    quotes
}

/// The sentences of a message on one line each; of tool results the beginning, of calls their names.
fn said_by(message: &Message) -> Vec<String> {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut said: Vec<String> = if message.role == Role::Tool {
        let tool = message.name.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
        vec![format!("{tool}{}", one_line(&shortened(&message.content, MAX_QUOTE_CHARS)))]
    } else {
        sentences(&message.content).into_iter().take(MAX_SENTENCES).map(one_line).collect()
    };
    said.extend(message.tool_calls.iter().map(|call| {
        shortened(&format!("calls {} with {}", call.name, call.arguments), MAX_QUOTE_CHARS)
    }));
    said.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    said
}

fn weigh(quotes: &mut [Quote]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for quote in quotes.iter() {
        let mut own: Vec<&String> = quote.words.iter().collect();
        own.sort_unstable();
        own.dedup();
        for word in own.into_iter().filter(|word| !is_function_word(word)) {
            *counts.entry(word.clone()).or_default() += 1;
        }
    }
    for quote in quotes {
        let content: Vec<f64> = quote
            .words
            .iter()
            .filter_map(|word| counts.get(word))
            .map(|n| (1.0 + *n as f64).ln())
            .collect();
        // The root keeps long sentences from winning by their length alone.
        let of_words = content.iter().sum::<f64>() / (quote.words.len().max(1) as f64).sqrt();
        let named = entities_of(&quote.line).len() as f64;
        quote.weight *= of_words * (1.0 + PER_ENTITY * named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> Vec<Message> {
        vec![
            Message::user("Hello! My order ORD-4417 has not arrived. I paid $85 for it."),
            Message::assistant("I am sorry to hear that. Could you tell me your email?"),
            Message::user("Sure. It is anna@example.com. The weather is nice."),
            Message::assistant("Thank you."),
        ]
    }

    #[test]
    fn what_names_things_is_kept_first_and_in_order() {
        let summary = summarise(&history(), 60, 0.95, &TokenCounter::default());
        let order = summary.find("ORD-4417").unwrap();
        assert!(order < summary.find("anna@example.com").unwrap(), "{summary}");
        assert!(!summary.contains("Thank you"), "{summary}");
        assert!(summary.lines().all(|line| line.starts_with("- ")), "{summary}");
    }

    #[test]
    fn the_limit_holds_and_nothing_is_an_empty_summary() {
        let counter = TokenCounter::default();
        for limit in 0..80 {
            let summary = summarise(&history(), limit, 1.0, &counter);
            assert!(counter.text(&summary) <= limit, "{limit}: {summary}");
        }
        assert_eq!(summarise(&[], 100, 1.0, &counter), "");
        assert_eq!(summarise(&[Message::system("x y z")], 100, 1.0, &counter), "");
    }

    #[test]
    fn what_is_said_twice_is_quoted_once() {
        let again = vec![Message::user("The blue lamp on my desk is broken."); 3];
        let summary = summarise(&again, 200, 1.0, &TokenCounter::default());
        assert_eq!(summary.lines().count(), 1, "{summary}");
    }
}
