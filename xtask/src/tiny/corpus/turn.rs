//! One turn of an agent: what it wants to do, in words.

use stateset_core::Stream;
use stateset_env::customer::{
    CustomerSpec, CustomerState, Fault, Issue, Product, Resolution, Slot, product_kind, products,
};

use super::agent_kind::{Habits, Move};
use super::grammar::{
    ASIDES, GOING_AHEAD, LEAVINGS, MORE_HELP, OPEN_QUESTIONS, PLEASANTRIES, PURPOSES, REFUSALS,
    STALLS, THANKS, Values, acknowledgements, apologies, ask_one, ask_three, ask_two, details,
    draw, helps, is_recommendation, offers, quotes_facts, receipts, troubles,
};

/// No turn of the corpus is longer, in words.
pub(crate) const MAX_TURN_WORDS: usize = 45;

/// Share of kind first words that name the trouble.
const NAMES_TROUBLE: f64 = 0.4;
/// Share of help that quotes a fact for sure, where one is known; other help may.
const QUOTES_FACTS: f64 = 0.6;

/// What an agent knows when it speaks.
pub(super) struct Situation<'a> {
    pub(super) spec: &'a CustomerSpec,
    pub(super) state: &'a CustomerState,
    pub(super) habits: &'a Habits,
    /// What the customer did not like about the last turn.
    pub(super) faults: &'a [Fault],
    /// The last fact that the customer told in answer to it.
    pub(super) told_now: Option<Slot>,
    /// What the agent did last.
    pub(super) last_move: Option<Move>,
    /// What the agent has said so far.
    pub(super) said: &'a [String],
}

/// The words of a turn that makes `what` move.
pub(super) fn words_of(situation: &Situation<'_>, what: Move, stream: &mut Stream) -> String {
    let values = values(situation.spec, situation.state, stream);
    let mut speaker = Speaker { situation, values, stream };
    speaker.turn(what)
}

/// The facts told so far, and the small details that an agent makes up.
pub(super) fn values(spec: &CustomerSpec, state: &CustomerState, stream: &mut Stream) -> Values {
    const DAYS: &[&str] =
        &["tomorrow", "on Friday", "on Monday", "on Thursday", "in two days", "in three days"];
    const SPANS: &[&str] = &["two days", "three days", "five days", "a week"];
    const PERCENTS: &[&str] = &["five", "ten", "fifteen"];
    let mut values = known_facts(spec, state);
    for (name, choices) in [("day", DAYS), ("span", SPANS), ("percent", PERCENTS)] {
        values.set(name, stream.choose(choices).copied().unwrap_or_default());
    }
    if let Some(kind) = product_kind(spec.issue) {
        let article = if kind.ends_with('s') { "new" } else { "a new" };
        values.set("a_kind", format!("{article} {kind}"));
    }
    values
}

/// The facts told so far.
pub(super) fn known_facts(spec: &CustomerSpec, state: &CustomerState) -> Values {
    let mut values = Values::default();
    for slot in &state.told {
        if let Some((name, value)) = spec.fact(*slot).and_then(|fact| said(*slot, fact)) {
            values.set(name, value);
        }
    }
    values
}

/// How an agent says a fact, under its name in templates; `None` where it cannot be quoted.
fn said(slot: Slot, fact: &str) -> Option<(&'static str, String)> {
    let name = match slot {
        Slot::OrderNumber => "order",
        Slot::Item => "item",
        Slot::Email => "email",
        Slot::Postcode => "postcode",
        Slot::Reason => "reason",
        Slot::NewAddress => "address",
        Slot::Size => "size",
        Slot::Color => "color",
        Slot::Quantity => "quantity",
        Slot::Device => "device",
        Slot::SinceWhen => "since",
        Slot::Version => "version",
        Slot::ErrorCode => "error",
        Slot::Light => "light",
        Slot::Name => "name",
        Slot::Budget => "budget",
        Slot::Use => "use",
    };
    match slot {
        // "Because I ordered it" would be said of the agent.
        Slot::Reason if fact.split(' ').any(|word| word == "I") => None,
        Slot::Use => Some((name, fact.replace("my ", "your "))),
        Slot::Name => Some((name, fact.split(' ').next().unwrap_or(fact).to_owned())),
        _ => Some((name, fact.to_owned())),
    }
}

struct Speaker<'a, 'b> {
    situation: &'a Situation<'a>,
    values: Values,
    stream: &'b mut Stream,
}

impl Speaker<'_, '_> {
    fn turn(&mut self, what: Move) -> String {
        if what == Move::Repeat {
            return self.situation.said.last().cloned().unwrap_or_default();
        }
        let mut parts = vec![self.lead(), self.body(what)];
        parts.extend(self.tail(what));
        parts.retain(|part| !part.is_empty());
        self.add_fillers(&mut parts);
        parts.join(" ")
    }

    fn draw(&mut self, templates: &[&str]) -> String {
        draw(templates, &self.values, self.stream)
    }

    /// The words before the matter itself, such as an apology; often none.
    fn lead(&mut self) -> String {
        let Situation { spec, state, habits, faults, told_now, last_move, .. } = *self.situation;
        let is_first = state.n_agent_turns == 0;
        if is_first {
            let is_upset = spec.mood.wants_acknowledgement();
            let is_kind = self.stream.chance(habits.is_kind) || is_upset && habits.heeds_moods;
            return if is_kind { self.acknowledgement() } else { String::new() };
        }
        if let Some(fault) = faults.last() {
            let is_kind = self.stream.chance(habits.is_kind);
            return if is_kind { self.draw(apologies(*fault)) } else { String::new() };
        }
        let thanks = self.stream.chance(habits.thanks);
        match told_now {
            Some(_) if !thanks => String::new(),
            Some(slot) if self.stream.chance(0.35) => self.draw(receipts(slot)),
            Some(_) => self.draw(THANKS),
            None if last_move == Some(Move::Offer) && thanks => self.draw(GOING_AHEAD),
            None => String::new(),
        }
    }

    fn acknowledgement(&mut self) -> String {
        let spec = self.situation.spec;
        let greets = self.values.get("name").is_some() && self.stream.chance(0.15);
        let names_it = self.stream.chance(NAMES_TROUBLE);
        let own = acknowledgements(spec.mood, spec.domain());
        let kind = self.draw(if names_it { troubles(spec.issue) } else { own });
        if greets { format!("{} {kind}", self.draw(&["[Hello|Hi] {name}."])) } else { kind }
    }

    fn body(&mut self, what: Move) -> String {
        let kind = self.situation.spec.issue.resolution();
        match what {
            Move::Right => match self.missing().as_slice() {
                [] => self.help(kind),
                missing => self.ask_some(missing),
            },
            Move::Offer => self.draw(offers(kind)),
            Move::HelpNow => self.help(kind),
            Move::WrongHelp => self.wrong_help(),
            Move::TwoHelps => {
                let (right, wrong) = (self.help(kind), self.wrong_help());
                if self.stream.chance(0.5) {
                    format!("{right} {wrong}")
                } else {
                    format!("{wrong} {right}")
                }
            }
            Move::AskIrrelevant => self.ask_irrelevant(),
            Move::AskAgain => {
                let told = self.told();
                match self.stream.choose(&told) {
                    Some(slot) => self.ask(*slot),
                    None => self.ask_irrelevant(),
                }
            }
            Move::AskMany => self.ask_many(),
            Move::AskOpenly => self.draw(OPEN_QUESTIONS),
            Move::Stall => self.draw(STALLS),
            Move::Please => self.draw(PLEASANTRIES),
            Move::TurnAside => self.draw(ASIDES),
            Move::Refuse => self.draw(REFUSALS),
            Move::OfferMore => self.draw(MORE_HELP),
            Move::Leave => self.draw(LEAVINGS),
            Move::Repeat => String::new(),
        }
    }

    /// What may follow the matter itself.
    fn tail(&mut self, what: Move) -> Vec<String> {
        let kind = self.situation.spec.issue.resolution();
        let helps =
            matches!(what, Move::HelpNow) || what == Move::Right && self.missing().is_empty();
        let is_kind = self.situation.habits.is_kind > 0.0;
        let mut tail = Vec::new();
        if helps && is_kind {
            if self.stream.chance(0.2) {
                tail.push(self.draw(details(kind)));
            }
            if self.stream.chance(0.3) {
                tail.push(self.draw(MORE_HELP));
            }
        } else if what == Move::Right && is_kind && self.stream.chance(0.1) {
            tail.push(self.draw(PURPOSES));
        }
        tail
    }

    /// Idle sentences before and after the matter itself, as many as there is room for.
    fn add_fillers(&mut self, parts: &mut Vec<String>) {
        let (least, most) = self.situation.habits.n_fillers;
        let n = least + self.stream.index(most - least + 1);
        for _ in 0..n {
            let filler = self.draw(PLEASANTRIES);
            let n_before: usize = parts.iter().map(|part| n_words(part)).sum();
            let is_new = !parts.iter().any(|part| sound_alike(part, &filler));
            if n_before + n_words(&filler) <= MAX_TURN_WORDS && is_new {
                let place = parts.len().saturating_sub(usize::from(self.stream.chance(0.7)));
                parts.insert(place, filler);
            }
        }
    }

    fn missing(&self) -> Vec<Slot> {
        self.situation.state.missing(self.situation.spec)
    }

    /// Facts of the issue that were told.
    fn told(&self) -> Vec<Slot> {
        let Situation { spec, state, .. } = *self.situation;
        spec.fact_order.iter().copied().filter(|slot| state.told.contains(slot)).collect()
    }

    /// One or two of the missing facts.
    fn ask_some(&mut self, missing: &[Slot]) -> String {
        let mut slots = missing.to_vec();
        if self.stream.chance(0.5) {
            self.stream.shuffle(&mut slots);
        } else {
            slots.sort_unstable();
        }
        match slots.as_slice() {
            [first, second, ..] if self.stream.chance(0.4) => {
                ask_two([*first, *second], self.situation.spec.issue, self.stream)
            }
            [first, ..] => self.ask(*first),
            [] => String::new(),
        }
    }

    fn ask(&mut self, slot: Slot) -> String {
        let is_curt = self.situation.habits.is_kind == 0.0;
        ask_one(slot, self.situation.spec.issue, is_curt, self.stream)
    }

    /// Three facts, missing ones first.
    fn ask_many(&mut self) -> String {
        let mut slots = self.missing();
        slots.extend(self.irrelevant());
        slots.truncate(3);
        self.stream.shuffle(&mut slots);
        match slots.as_slice() {
            [one, two, three] => {
                ask_three([*one, *two, *three], self.situation.spec.issue, self.stream)
            }
            _ => self.ask_irrelevant(),
        }
    }

    fn ask_irrelevant(&mut self) -> String {
        let slots = self.irrelevant();
        slots.first().map(|slot| self.ask(*slot)).unwrap_or_default()
    }

    /// Facts that do not matter here, in a drawn order.
    fn irrelevant(&mut self) -> Vec<Slot> {
        let Situation { spec, state, .. } = *self.situation;
        let of_desk = Issue::of_domain(spec.domain()).flat_map(|issue| issue.required_slots());
        let mut slots: Vec<Slot> = of_desk.copied().chain([Slot::Name, Slot::Email]).collect();
        slots.sort_unstable();
        slots.dedup();
        slots.retain(|slot| !spec.fact_order.contains(slot) && !state.told.contains(slot));
        self.stream.shuffle(&mut slots);
        slots
    }

    fn help(&mut self, kind: Resolution) -> String {
        self.choose_product(kind);
        let can_quote = |template: &&str| quotes_facts(template) && self.values.fill(template);
        let quoting: Vec<&str> = helps(kind).iter().copied().filter(can_quote).collect();
        let quotes = !quoting.is_empty() && self.stream.chance(QUOTES_FACTS);
        self.draw(if quotes { &quoting } else { helps(kind) })
    }

    /// Picks the product that help of `kind` recommends: one within the budget, where that is known
    /// and the customer looks for products of this kind.
    fn choose_product(&mut self, kind: Resolution) {
        let is_right = kind == self.situation.spec.issue.resolution();
        let most = self.budget().filter(|_| is_right).unwrap_or(u32::MAX);
        let is_affordable = |product: &&Product| product.price_dollars <= most;
        let affordable: Vec<Product> =
            catalogue(kind).iter().filter(is_affordable).copied().collect();
        self.set_product(&affordable);
    }

    fn set_product(&mut self, products: &[Product]) {
        if let Some(product) = self.stream.choose(products) {
            self.values.set("product", product.name);
            self.values.set("price", product.price_dollars.to_string());
        }
    }

    fn budget(&self) -> Option<u32> {
        self.values.get("budget").and_then(|budget| budget.split(' ').next()?.parse().ok())
    }

    /// Help of another kind, usually of the same desk; or a product that costs too much.
    fn wrong_help(&mut self) -> String {
        let issue = self.situation.spec.issue;
        let right = issue.resolution();
        let most = self.budget().unwrap_or(u32::MAX);
        let too_dear: Vec<Product> = catalogue(right)
            .iter()
            .copied()
            .filter(|product| product.price_dollars > most)
            .collect();
        if !too_dear.is_empty() && self.missing().is_empty() && self.stream.chance(0.6) {
            self.set_product(&too_dear);
            return self.draw(&["I recommend the {product}. It costs {price} dollars."]);
        }
        let same_desk = self.stream.chance(0.9);
        let kinds: Vec<Resolution> = Issue::ALL
            .iter()
            .filter(|other| (other.domain() == issue.domain()) == same_desk)
            .map(|other| other.resolution())
            .filter(|kind| *kind != right)
            .collect();
        self.stream.choose(&kinds).copied().map(|kind| self.help(kind)).unwrap_or_default()
    }
}

/// The products that help of `kind` may recommend.
fn catalogue(kind: Resolution) -> &'static [Product] {
    let issue = Issue::ALL.iter().find(|issue| issue.resolution() == kind);
    issue.filter(|_| is_recommendation(kind)).map_or(&[], |issue| products(*issue))
}

/// True for texts that begin or end with the same two words.
fn sound_alike(one: &str, other: &str) -> bool {
    let first = |text: &str| text.split_whitespace().take(2).eq(other.split_whitespace().take(2));
    let last = |text: &str| {
        text.split_whitespace().rev().take(2).eq(other.split_whitespace().rev().take(2))
    };
    first(one) || last(one)
}

/// Number of words of `text`, as a reader counts.
pub(super) fn n_words(text: &str) -> usize {
    text.split_whitespace().count()
}
