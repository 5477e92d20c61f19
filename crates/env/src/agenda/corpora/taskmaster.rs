//! Dialogues of Taskmaster-4: people who order at a coffee bar.
//!
//! The last state of the order, as the ordering service answered it, gives the constraints: each drink
//! is a topic with its options. Questions that made the agent show the menu, look up what can be added
//! or what a drink is made of are the requests.

use serde_json::Value;

use super::super::goal::{Constraint, Fact, Goal, Request};
use super::super::style::UserTurn;
use super::Dialogue;
use crate::error::EnvError;

/// Reads a file of dialogues, such as `data_00.json`.
///
/// # Errors
/// [`EnvError::Corpus`] where it is no JSON list of dialogues.
pub fn read_taskmaster(text: &str) -> Result<Vec<Dialogue>, EnvError> {
    let failed = |place: String, message: String| EnvError::Corpus {
        corpus: "Taskmaster-4",
        place,
        message,
    };
    let dialogues: Vec<Value> = serde_json::from_str(text)
        .map_err(|error| failed(format!("line {}", error.line()), error.to_string()))?;
    let mut read = Vec::with_capacity(dialogues.len());
    for (index, dialogue) in dialogues.iter().enumerate() {
        let Some(utterances) = dialogue["utterances"].as_array() else {
            return Err(failed(format!("dialogue {index}"), "it has no utterances".to_owned()));
        };
        let goal = goal_of(utterances);
        if !goal.constraints.is_empty() {
            let id = dialogue["conversation_id"].as_str().unwrap_or_default().to_owned();
            let turns =
                utterances.iter().filter(|said| said["speaker"] == "user").map(turn_of).collect();
            read.push(Dialogue { id, goal, turns });
        }
    }
    Ok(read)
}

fn goal_of(utterances: &[Value]) -> Goal {
    let order = utterances
        .iter()
        .flat_map(|said| answers(said, "menu_items"))
        .rfind(|answer| answer.get("order_id").is_some());
    let mut goal = Goal {
        task: "order something to drink".to_owned(),
        needs_booking: true,
        ..Goal::default()
    };
    if let Some(order) = order {
        for item in order["menu_items"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let Some(drink) = item["menu_item_name"].as_str() else { continue };
            push(&mut goal, drink, "drink", drink);
            add_options(&mut goal, drink, &item["attributes"]);
        }
        add_options(&mut goal, "", &order["attributes"]);
    }
    for said in utterances.iter().filter(|said| said["speaker"] == "user" && is_question(said)) {
        asked_by(said).iter().for_each(|what| ask(&mut goal, what));
    }
    goal
}

/// The services' answers to an utterance that hold `key`.
fn answers<'a>(said: &'a Value, key: &'a str) -> impl DoubleEndedIterator<Item = Value> + 'a {
    let notes = said["annotations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = notes
        .iter()
        .filter(|note| note["name"] == "response")
        .filter_map(|note| note["value"].as_str());
    texts
        .filter_map(|text| serde_json::from_str::<Value>(text).ok())
        .filter(move |answer| answer.get(key).is_some())
}

fn is_question(said: &Value) -> bool {
    let text = said["text"].as_str().unwrap_or_default().to_lowercase();
    let asks = ["what", "which", "do you have", "do you carry", "is there", "are there"];
    text.contains('?') && asks.iter().any(|words| text.contains(words))
}

fn add_options(goal: &mut Goal, topic: &str, attributes: &Value) {
    for attribute in attributes.as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = attribute["attribute_name"].as_str().or(attribute["attribute_id"].as_str());
        let option = attribute["option"].as_str();
        let (Some(name), Some(option)) = (name, option) else { continue };
        push(goal, topic, &name.to_lowercase().replace("-options", ""), option);
    }
}

fn push(goal: &mut Goal, topic: &str, slot: &str, value: &str) {
    let value = value.trim();
    let is_same = |other: &Constraint| other.fact.topic == topic && other.fact.slot == slot;
    if value.chars().any(char::is_alphanumeric) && !goal.constraints.iter().any(is_same) {
        let mut constraint = Constraint::new(topic, slot, value);
        constraint.say =
            (slot == "drink").then(|| "[I would like|can I get|I want] a {value}".to_owned());
        goal.constraints.push(constraint);
    }
}

/// What a question was about, by the services the agent called for it.
fn asked_by(said: &Value) -> Vec<String> {
    let notes = said["annotations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let calls = notes
        .iter()
        .filter(|note| note["name"] == "api_call")
        .filter_map(|note| note["value"].as_str());
    let mut asked: Vec<String> = calls
        .filter_map(|call| match call {
            "show_menu" => Some("menu".to_owned()),
            "get_addons" => Some("options".to_owned()),
            _ => None,
        })
        .collect();
    for answer in answers(said, "menu_items") {
        let first = &answer["menu_items"][0];
        if let (Some(name), Some(_)) = (first["name"].as_str(), first["description"].as_str()) {
            asked.push(format!("{} ingredients", name.to_lowercase()));
        }
    }
    asked
}

fn ask(goal: &mut Goal, what: &str) {
    if !goal.requests.iter().any(|request| request.fact.phrase == what) {
        let fact = Fact::with_words("", &what.replace(' ', "_"), what, &[]);
        goal.requests.push(Request { fact, answer: None });
    }
}

/// Facts of a message: what the agent put into the order because of it.
fn turn_of(said: &Value) -> UserTurn {
    let notes = said["annotations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let asked = notes
        .iter()
        .filter(|note| note["name"] == "request")
        .filter_map(|note| note["value"].as_str());
    let orders = asked
        .filter_map(|text| serde_json::from_str::<Value>(text).ok())
        .filter(|order| order.get("quantity").is_some());
    let n_facts = orders.map(|order| 1 + order["attributes"].as_array().map_or(0, Vec::len)).sum();
    UserTurn { text: said["text"].as_str().unwrap_or_default().to_owned(), n_facts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_last_order_is_the_goal() {
        let note = |name: &str, value: Value| json!({"name": name, "value": value.to_string()});
        let order = |milk: &str| {
            json!({"order_id": "1", "menu_items": [{"menu_item_name": "Mocha", "attributes":
                [{"attribute_id": "milk-options", "option": milk}]}],
                "attributes": [{"attribute_name": "Order Type", "option": "Here"}]})
        };
        let text = json!([{"conversation_id": "a", "utterances": [
            {"speaker": "user", "text": "What milk do you have?", "annotations": [
                {"name": "api_call", "value": "show_menu"},
                note("response", json!({"menu_items": [{"name": "Latte", "description": "milk"}]}))]},
            {"speaker": "assistant", "text": "Oat."},
            {"speaker": "user", "text": "A mocha with oat milk", "annotations": [
                note("request", json!({"menu_item_id": "m", "quantity": "1", "attributes": [{}]})),
                note("response", order("Whole Milk")), note("response", order("Oat Milk"))]}]}]);
        let [dialogue] = read_taskmaster(&text.to_string()).unwrap().try_into().unwrap();
        let told: Vec<(&str, &str, &str)> = dialogue
            .goal
            .constraints
            .iter()
            .map(|c| (c.fact.topic.as_str(), c.fact.slot.as_str(), c.value.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("Mocha", "drink", "Mocha"),
                ("Mocha", "milk", "Oat Milk"),
                ("", "order type", "Here")
            ]
        );
        let asked: Vec<&str> =
            dialogue.goal.requests.iter().map(|request| request.fact.phrase.as_str()).collect();
        assert_eq!(asked, ["menu", "latte ingredients"]);
        assert_eq!(dialogue.turns[1].n_facts, 2);
        assert!(read_taskmaster("{}").is_err());
    }
}
