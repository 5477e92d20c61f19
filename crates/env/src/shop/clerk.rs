//! A clerk without a model who does every case of the shop: asks for what is missing, looks up, acts, and says
//! what came of it.
//!
//! It is the yardstick for agents (its reward is 1 on every case) and writes conversations to learn from. It
//! reads nothing but the messages an agent would read; its wording is drawn from a stream.

use serde_json::{Value, json};
use stateset_core::{Message, Role, Stream, ToolCall};

use super::cases::Wish;
use super::goods::{COLOURS, ITEMS};
use super::grammar::REASONS;

const ASK_ORDER: &[&str] =
    &["What is the order?", "Which order is it?", "What is your order, please?"];
const ASK_REASON: &[&str] = &["What is the reason?", "Why do you want to return it?"];
const ASK_COLOUR: &[&str] = &["In which colour?", "Which colour do you want?"];
const SAY_STATE: &[&str] = &["It is {state}.", "Your order is {state}."];
const SAY_PRICE: &[&str] = &["It costs {price}.", "The price is {price}."];
const SOLD_OUT: &[&str] = &["That colour is sold out.", "I am sorry, it is sold out."];

/// What the clerk says or does next; `messages` end with the user's words or with a tool's answer.
pub fn clerk(messages: &[Message], stream: &mut Stream) -> Message {
    let view = View::new(messages);
    match view.wish() {
        Wish::Price => match view.item_row() {
            Some(row) => say(SAY_PRICE, "{price}", &row["price"].to_string(), stream),
            None => view.call("get_item", json!({"item": view.item()})),
        },
        wish => view.with_order(wish, stream),
    }
}

/// What the clerk knows.
struct View {
    /// Everything the user said, in lower case.
    heard: String,
    words: Vec<String>,
    results: Vec<Value>,
    n_calls: usize,
}

impl View {
    fn new(messages: &[Message]) -> View {
        let of = |role: Role| messages.iter().filter(move |message| message.role == role);
        let texts: Vec<&str> = of(Role::User).map(|message| message.content.as_str()).collect();
        let heard = texts.join(" ").to_lowercase();
        let words = heard.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        View {
            words: words.map(str::to_owned).collect(),
            results: of(Role::Tool)
                .filter_map(|message| serde_json::from_str(&message.content).ok())
                .collect(),
            n_calls: messages.iter().map(|message| message.tool_calls.len()).sum(),
            heard,
        }
    }

    fn wish(&self) -> Wish {
        let has = |marks: &[&str]| marks.iter().any(|mark| self.heard.contains(mark));
        if has(&["cost", "how much", "price"]) {
            Wish::Price
        } else if has(&["cancel", "stop", "any more"]) {
            Wish::Cancel
        } else if has(&["another colour", "exchange", "swap"]) {
            Wish::Exchange
        } else if has(&["return", "back"]) {
            Wish::Return
        } else {
            Wish::State
        }
    }

    fn with_order(&self, wish: Wish, stream: &mut Stream) -> Message {
        let is_order =
            |word: &&String| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        let Some(order) = self.words.iter().find(is_order) else { return one(ASK_ORDER, stream) };
        let orders: Vec<&Value> =
            self.results.iter().filter(|row| row.get("state").is_some()).collect();
        let Some(last) = orders.last() else {
            return self.call("get_order", json!({"order": order}));
        };
        let state = last["state"].as_str().unwrap_or_default();
        match (wish, state) {
            (Wish::Cancel, "open") => self.call("cancel_order", json!({"order": order})),
            (Wish::Return, "delivered") => self.take_back(order, stream),
            (Wish::Exchange, "delivered") => self.exchange(order, stream),
            _ => say(SAY_STATE, "{state}", state, stream),
        }
    }

    fn take_back(&self, order: &str, stream: &mut Stream) -> Message {
        match REASONS.iter().find(|(reason, _)| self.has_word(reason)) {
            Some((reason, _)) => {
                self.call("return_order", json!({"order": order, "reason": reason}))
            }
            None => one(ASK_REASON, stream),
        }
    }

    fn exchange(&self, order: &str, stream: &mut Stream) -> Message {
        let Some(colour) = COLOURS.iter().find(|colour| self.has_word(colour)) else {
            return one(ASK_COLOUR, stream);
        };
        match self.item_row() {
            None => self.call("get_item", json!({"item": self.item()})),
            Some(row) if row[*colour] == 0 => one(SOLD_OUT, stream),
            Some(_) => self.call("exchange_order", json!({"order": order, "colour": colour})),
        }
    }

    fn item(&self) -> &'static str {
        ITEMS.iter().find(|item| self.has_word(item.name)).map_or("lamp", |item| item.name)
    }

    fn item_row(&self) -> Option<&Value> {
        self.results.iter().find(|row| row.get("price").is_some())
    }

    fn has_word(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }

    fn call(&self, name: &str, arguments: Value) -> Message {
        let id = format!("call_{}", self.n_calls + 1);
        let call = ToolCall { id, name: name.to_owned(), arguments };
        Message { tool_calls: vec![call], ..Message::assistant("") }
    }
}

fn one(phrases: &[&str], stream: &mut Stream) -> Message {
    Message::assistant(stream.choose(phrases).copied().unwrap_or_default())
}

fn say(phrases: &[&str], mark: &str, value: &str, stream: &mut Stream) -> Message {
    let phrase = stream.choose(phrases).copied().unwrap_or_default();
    Message::assistant(phrase.replace(mark, value))
}
