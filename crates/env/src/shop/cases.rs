//! One customer of the shop: wish, order, what is told at once, and what has to be done.
//!
//! A case is a combination of wish, how it turns out, item, wording, and which facts are told at once. A
//! combination belongs to one split for good ([`Combination::split`]), so customers of another split want the
//! same things in other combinations, of orders that nobody else has.

use serde_json::{Map, Value, json};
use stateset_core::Stream;

use super::goods::{ITEMS, Item};
use super::grammar::{ASK_COLOUR, ASK_ORDER, ASK_REASON, COLOUR, ORDER, REASONS, openings};
use crate::customer::{Split, text_seed};
use crate::database::{DatabaseTask, ExpectedCall, UserFact, UserScript};
use crate::names::named_enum;

named_enum! {
    /// Why a customer of the shop writes.
    pub enum Wish {
        /// To cancel an order.
        Cancel => "cancel",
        /// To send an order back.
        Return => "return",
        /// To have another colour.
        Exchange => "exchange",
        /// To know how an order stands.
        State => "state",
        /// To know a price.
        Price => "price",
    }
}

/// How it turns out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// It is done, or said.
    Done,
    /// The order's state forbids it.
    WrongState,
    /// The colour is sold out.
    SoldOut,
}

/// What makes one case different from others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Combination {
    pub(super) wish: Wish,
    outcome: Outcome,
    item: usize,
    opening: usize,
    tells_order: bool,
    tells_second: bool,
}

/// A case: the task, and the row of its order, by name.
pub(super) struct Case {
    pub(super) task: DatabaseTask,
    pub(super) order: Option<(String, Value)>,
}

impl Combination {
    /// Every combination there is.
    pub(super) fn all() -> Vec<Combination> {
        let mut all = Vec::new();
        for &wish in Wish::ALL {
            for &outcome in outcomes(wish) {
                for item in 0..ITEMS.len() {
                    for opening in 0..openings(wish).len() {
                        for told in 0..4 {
                            let (tells_order, tells_second) = (told & 1 == 1, told & 2 == 2);
                            let has_second = matches!(wish, Wish::Return | Wish::Exchange);
                            // What does not exist cannot be told, and would count twice.
                            let is_idle = (wish == Wish::Price && tells_order)
                                || (!has_second && tells_second);
                            if !is_idle {
                                all.push(Combination {
                                    wish,
                                    outcome,
                                    item,
                                    opening,
                                    tells_order,
                                    tells_second,
                                });
                            }
                        }
                    }
                }
            }
        }
        all
    }

    /// Where it belongs: a fifth is held out, a tenth is for validation.
    pub(super) fn split(&self) -> Split {
        let Combination { wish, outcome, item, opening, tells_order, tells_second } = self;
        let name = format!("{wish} {outcome:?} {item} {opening} {tells_order} {tells_second}");
        match text_seed(&name) % 10 {
            0 | 1 => Split::HeldOut,
            2 => Split::Validation,
            _ => Split::Train,
        }
    }

    /// The case of this combination about the order called `order`.
    pub(super) fn case(&self, id: String, order: &str, stream: &mut Stream) -> Case {
        let item = ITEMS[self.item];
        let state = self.state(stream);
        let second = self.second(&item, stream);
        let own_colours = item.colours(false);
        let other = |colour: &&&str| second.as_ref().is_none_or(|(value, _)| *value != **colour);
        let colours: Vec<&str> = own_colours.iter().filter(other).copied().collect();
        let colour = stream.choose(&colours).copied().unwrap_or("red");
        let row = json!({"order": order, "item": item.name, "colour": colour, "state": state});
        let mut task = DatabaseTask::new(id, self.instruction(&item, order, second.as_ref()));
        task.topic = self.wish.name().to_owned();
        task.user = Some(self.user(&item, order, second.as_ref(), stream));
        task.calls = self.calls(&item, order, second.as_ref());
        task.outputs = vec![self.output(&item, state)];
        task.forbidden = self.wrong_answers(&item, state);
        let has_order = self.wish != Wish::Price;
        Case { task, order: has_order.then(|| (order.to_owned(), row)) }
    }

    fn state(&self, stream: &mut Stream) -> &'static str {
        let states: &[&str] = match (self.wish, self.outcome) {
            (Wish::Cancel, Outcome::Done) => &["open"],
            (Wish::Cancel, _) => &["sent", "delivered"],
            (Wish::Return | Wish::Exchange, Outcome::WrongState) => &["open", "sent"],
            (Wish::Return | Wish::Exchange, _) => &["delivered"],
            (Wish::State | Wish::Price, _) => &["open", "sent", "delivered"],
        };
        stream.choose(states).copied().unwrap_or("open")
    }

    /// The second fact, as tools and as the customer call it.
    fn second(&self, item: &Item, stream: &mut Stream) -> Option<(&'static str, String)> {
        match self.wish {
            Wish::Return => {
                let (reason, phrases) = stream.choose(&REASONS)?;
                Some((*reason, (*stream.choose(phrases)?).to_owned()))
            }
            Wish::Exchange => {
                let colours = item.colours(self.outcome == Outcome::SoldOut);
                let colour = *stream.choose(&colours)?;
                Some((colour, stream.choose(COLOUR)?.replace("{colour}", colour)))
            }
            Wish::Cancel | Wish::State | Wish::Price => None,
        }
    }

    fn user(
        &self,
        item: &Item,
        order: &str,
        second: Option<&(&'static str, String)>,
        stream: &mut Stream,
    ) -> UserScript {
        let tell_order =
            stream.choose(ORDER).copied().unwrap_or_default().replace("{order}", order);
        let mut opening = openings(self.wish)[self.opening].replace("{item}", item.name);
        let told = [
            self.tells_order.then_some(&tell_order),
            second.filter(|_| self.tells_second).map(|(_, says)| says),
        ];
        for says in told.into_iter().flatten() {
            opening = format!("{opening} {says}");
        }
        let fact = |asked: &[&str], says: &str| UserFact {
            asked: asked.iter().map(|word| (*word).to_owned()).collect(),
            says: says.to_owned(),
        };
        let mut facts = Vec::new();
        if self.wish != Wish::Price {
            facts.push(fact(ASK_ORDER, &tell_order));
        }
        if let Some((_, says)) = second {
            let asked = if self.wish == Wish::Return { ASK_REASON } else { ASK_COLOUR };
            facts.push(fact(asked, says));
        }
        UserScript { facts, ..UserScript::saying(opening) }
    }

    fn calls(
        &self,
        item: &Item,
        order: &str,
        second: Option<&(&'static str, String)>,
    ) -> Vec<ExpectedCall> {
        let get_item = || ExpectedCall::new("get_item", json!({"item": item.name}));
        if self.wish == Wish::Price {
            return vec![get_item()];
        }
        let mut calls = vec![ExpectedCall::new("get_order", json!({"order": order}))];
        if self.wish == Wish::Exchange && self.outcome != Outcome::WrongState {
            calls.push(get_item());
        }
        if self.outcome == Outcome::Done {
            let mut arguments = Map::new();
            arguments.insert("order".to_owned(), order.into());
            let value = second.map(|(value, _)| Value::from(*value)).unwrap_or_default();
            let name = match self.wish {
                Wish::Cancel => "cancel_order",
                Wish::Return => {
                    arguments.insert("reason".to_owned(), value);
                    "return_order"
                }
                Wish::Exchange => {
                    arguments.insert("colour".to_owned(), value);
                    "exchange_order"
                }
                Wish::State | Wish::Price => return calls,
            };
            calls.push(ExpectedCall::new(name, arguments.into()));
        }
        calls
    }

    fn output(&self, item: &Item, state: &str) -> String {
        match (self.wish, self.outcome) {
            (Wish::Price, _) => item.price.to_string(),
            (_, Outcome::SoldOut) => "sold out".to_owned(),
            (Wish::State, _) | (_, Outcome::WrongState) => state.to_owned(),
            (Wish::Cancel, Outcome::Done) => "cancelled".to_owned(),
            (Wish::Return, Outcome::Done) => "returned".to_owned(),
            (Wish::Exchange, Outcome::Done) => "exchanged".to_owned(),
        }
    }

    /// What only somebody says who guesses, or recites.
    fn wrong_answers(&self, item: &Item, state: &str) -> Vec<String> {
        let others = |state: &str| -> Vec<String> {
            let states = ["open", "sent", "delivered"].into_iter();
            states.filter(|other| *other != state).map(str::to_owned).collect()
        };
        match (self.wish, self.outcome) {
            (Wish::Price, _) => {
                let others = ITEMS.iter().filter(|other| other.price != item.price);
                others.map(|other| other.price.to_string()).collect()
            }
            (Wish::State, _) | (_, Outcome::WrongState) => others(state),
            (_, Outcome::SoldOut) => others("delivered"),
            (_, Outcome::Done) => Vec::new(),
        }
    }

    fn instruction(
        &self,
        item: &Item,
        order: &str,
        second: Option<&(&'static str, String)>,
    ) -> String {
        let name = item.name;
        let second = second.map(|(value, _)| *value).unwrap_or_default();
        match self.wish {
            Wish::Cancel => format!("You want to cancel the {name} of order {order}."),
            Wish::Return => {
                format!("You want to return the {name} of order {order}; the reason is: {second}.")
            }
            Wish::Exchange => {
                format!("You want the {name} of order {order} in {second} instead.")
            }
            Wish::State => format!("You want to know the state of order {order}, a {name}."),
            Wish::Price => format!("You want to know what a {name} costs."),
        }
    }
}

fn outcomes(wish: Wish) -> &'static [Outcome] {
    match wish {
        Wish::Cancel | Wish::Return => &[Outcome::Done, Outcome::WrongState],
        Wish::Exchange => &[Outcome::Done, Outcome::WrongState, Outcome::SoldOut],
        Wish::State | Wish::Price => &[Outcome::Done],
    }
}
