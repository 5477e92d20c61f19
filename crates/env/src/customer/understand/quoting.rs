//! Which facts does the agent get wrong, and which does it only want to have confirmed?
//!
//! Only facts whose values can be recognised without doubt are looked at: order numbers, zip codes,
//! addresses, and sizes, colours and items from the known lists. A fact the agent does not mention is
//! never wrong.

use super::asking::asked_slots;
use super::plain::{Sentence, plain, plain_sentences};
use crate::customer::grammar::{COLORS, ITEMS, SIZES, STREETS};
use crate::customer::{CustomerSpec, Slot};

/// A fact of `spec` that `agent_text` states with another value; the first of each kind.
pub(crate) fn mistaken_facts(spec: &CustomerSpec, agent_text: &str) -> Vec<Slot> {
    let known: Vec<String> = spec.facts.values().map(|value| plain(value)).collect();
    let mut mistaken = Vec::new();
    for sentence in plain_sentences(agent_text) {
        let slots = [
            mistaken_number(spec, &sentence, &known),
            mistaken_email(spec, &sentence),
            mistaken_address(spec, &sentence, &known),
            mistaken_choice(spec, &sentence, Slot::Item, ITEMS),
            mistaken_choice(spec, &sentence, Slot::Size, SIZES),
            mistaken_choice(spec, &sentence, Slot::Color, COLORS),
        ];
        for slot in slots.into_iter().flatten() {
            if !mistaken.contains(&slot) {
                mistaken.push(slot);
            }
        }
    }
    mistaken
}

/// The facts among `told` that `agent_text` asks about with their right value in the same sentence
/// ("Is your order number 4821?"). The value elsewhere in the turn confirms nothing.
pub(crate) fn confirmed_facts(spec: &CustomerSpec, told: &[Slot], agent_text: &str) -> Vec<Slot> {
    if told.is_empty() {
        return Vec::new();
    }
    let sentences = plain_sentences(agent_text);
    let asked: Vec<Vec<Slot>> = sentences.iter().map(asked_slots).collect();
    let is_confirmed = |slot: &Slot| {
        let Some(value) = spec.fact(*slot).map(plain) else { return false };
        let states = |sentence: &Sentence| holds_words(&sentence.text, &value);
        let pairs = || sentences.iter().zip(&asked);
        let mut asking = pairs().filter(|(_, slots)| slots.contains(slot)).peekable();
        if asking.peek().is_some() {
            asking.all(|(sentence, _)| states(sentence))
        } else {
            sentences.iter().any(|sentence| sentence.is_question && states(sentence))
        }
    };
    told.iter().copied().filter(is_confirmed).collect()
}

/// True where the words `value` stand one after another in `text`.
fn holds_words(text: &str, value: &str) -> bool {
    text.match_indices(value).any(|(index, _)| {
        let ends_word = |c: Option<char>| c.is_none_or(|c| c == ' ');
        ends_word(text[..index].chars().next_back())
            && ends_word(text[index + value.len()..].chars().next())
    })
}

/// A number that can only be meant as the order number or the zip code, and is not it.
fn mistaken_number(spec: &CustomerSpec, sentence: &Sentence, known: &[String]) -> Option<Slot> {
    let words: Vec<&str> = sentence.text.split(' ').collect();
    let is_known = |number: &str| known.iter().any(|value| value.split(' ').any(|w| w == number));
    words.iter().enumerate().find_map(|(index, word)| {
        let is_number = word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        let next = words.get(index + 1).copied().unwrap_or_default();
        if !is_number || is_known(word) || MEASURES.contains(&next) {
            return None;
        }
        meant_fact(spec, sentence, word)
    })
}

/// Words after a number that make it a price, a span of time or the like.
const MEASURES: &[&str] = &[
    "dollars",
    "dollar",
    "percent",
    "days",
    "hours",
    "minutes",
    "seconds",
    "am",
    "pm",
    "business",
    "working",
    "weeks",
    "months",
    "years",
    "points",
    "street",
    "avenue",
    "road",
    "lane",
    "gb",
    "megabytes",
    "gigabytes",
    "inches",
    "miles",
];

/// Words after a number that make it a span of time.
const TIMES: &[&str] =
    &["days", "hours", "minutes", "seconds", "business", "working", "weeks", "months"];

fn meant_fact(spec: &CustomerSpec, sentence: &Sentence, number: &str) -> Option<Slot> {
    let mentions = |needles: &[&str]| sentence.text.split(' ').any(|word| needles.contains(&word));
    if mentions(&["tracking", "reference", "case", "ticket", "confirmation", "claim"]) {
        return None;
    }
    let has_length_of =
        |slot| spec.fact(slot).is_some_and(|value: &str| value.len() == number.len());
    let is_postcode = mentions(&["zip", "zipcode", "postcode", "postal"]);
    let slot =
        if is_postcode || (has_length_of(Slot::Postcode) && !has_length_of(Slot::OrderNumber)) {
            Slot::Postcode
        } else if has_length_of(Slot::OrderNumber) || mentions(&["order", "number"]) {
            Slot::OrderNumber
        } else {
            return None;
        };
    spec.fact(slot).map(|_| slot)
}

fn mistaken_email(spec: &CustomerSpec, sentence: &Sentence) -> Option<Slot> {
    let right = plain(spec.fact(Slot::Email)?);
    let looks_like_one = |word: &str| word.contains('@') || word == "com" || word.ends_with(".com");
    let is_wrong = |word: &str| looks_like_one(word) && word != right;
    sentence.text.split(' ').any(is_wrong).then_some(Slot::Email)
}

/// A street, or a number that belongs to an address, in a sentence that does not hold the right one.
fn mistaken_address(spec: &CustomerSpec, sentence: &Sentence, known: &[String]) -> Option<Slot> {
    let right = plain(spec.fact(Slot::NewAddress)?);
    if sentence.is_question || holds_words(&sentence.text, &right) {
        return None;
    }
    let names_street = STREETS.iter().any(|street| holds_words(&sentence.text, &plain(street)));
    let words: Vec<&str> = sentence.text.split(' ').collect();
    let order_number = spec.fact(Slot::OrderNumber).map(plain);
    let is_house = |(index, word): (usize, &&str)| {
        let next = words.get(index + 1).copied().unwrap_or_default();
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty();
        let is_other = Some(*word) != order_number.as_deref()
            && !known.iter().any(|value| value == word)
            && !TIMES.contains(&next);
        is_number && is_other
    };
    let names_number = words.contains(&"address") && words.iter().enumerate().any(is_house);
    (names_street || names_number).then_some(Slot::NewAddress)
}

/// A member of a known list that is not the customer's. Questions may name what they like, and a
/// value that is on no list (a customer from a user's own file) is not checked.
fn mistaken_choice(
    spec: &CustomerSpec,
    sentence: &Sentence,
    slot: Slot,
    list: &[&str],
) -> Option<Slot> {
    let right = plain(spec.fact(slot)?);
    if sentence.is_question || !list.contains(&right.as_str()) {
        return None;
    }
    let names = |value: &str| sentence.text.split(' ').any(|word| word == value);
    let is_wrong = list.iter().any(|value| *value != right && names(value)) && !names(&right);
    is_wrong.then_some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec() -> CustomerSpec {
        CustomerSpec::from_value(&json!({
            "issue": "exchange",
            "facts": {
                "order_number": "4821", "item": "jacket", "size": "medium",
                "postcode": "30211", "email": "anna.hill@example.com",
                "new_address": "25 Park Avenue"
            }
        }))
        .unwrap()
    }

    #[test]
    fn right_and_unrelated_values_are_no_mistakes() {
        for text in [
            "I have found your order 4821.",
            "Your order number is 4,821, right?",
            "The tracking number is 9981.",
            "It will arrive in 3 days, within 2000 dollars, at 1200 hours.",
            "Your zip code is 30211 and your email is Anna.Hill@example.com.",
            "Do you want a small, medium or large jacket?",
            "I will exchange the jacket for a medium one.",
            "We sell jackets, lamps and kettles.",
            "The address on order 4821 is now 25 Park Avenue.",
            "I have changed the address on order 4821, and it takes 2 days.",
            "Is the new address 12 Oak Street?",
        ] {
            assert_eq!(mistaken_facts(&spec(), text), [], "{text}");
        }
    }

    #[test]
    fn other_values_are_mistakes() {
        for (text, slot) in [
            ("I have found your order 4812.", Slot::OrderNumber),
            ("Is your order number 482?", Slot::OrderNumber),
            ("Order #9999 it is", Slot::OrderNumber),
            ("Your zip code is 30212.", Slot::Postcode),
            ("I wrote to anna.hall@example.com.", Slot::Email),
            ("I wrote to anna.hall example.com.", Slot::Email),
            ("The address on order 4821 is updated to 41 Mill Road.", Slot::NewAddress),
            ("It goes to 25 Mill Road now.", Slot::NewAddress),
            ("I have updated the address to 11 Price.", Slot::NewAddress),
            ("It will go to 26 Park Avenue.", Slot::NewAddress),
            ("I will exchange the lamp.", Slot::Item),
            ("I will send you size large.", Slot::Size),
        ] {
            assert_eq!(mistaken_facts(&spec(), text), [slot], "{text}");
        }
    }
}
