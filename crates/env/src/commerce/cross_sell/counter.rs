//! The counter: visits in turn, suggestions, and what follows from them.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use super::shopper::{MARGIN, Mind, N_VISITS, Product, Shopper, Spec, at_best, at_worst, takes};
use crate::commerce::effort::Effort;
use crate::commerce::group::gap;
use crate::commerce::kpi::{Kpi, Readings};
use crate::commerce::simulator::{Profile, Scene, Simulator};
use crate::commerce::tally::{comes_back, mean_or, money, share_or};
use crate::commerce::verb::{Args, Kind, Param, Verb, short};

/// Shoppers and what they are shown.
#[derive(Clone, Copy, Default)]
pub(in crate::commerce) struct CrossSell;

/// Suggestions and idle messages that a visit bears.
const MOST_SUGGESTIONS: u32 = 2;
const MOST_MESSAGES: u32 = 4;
/// Turns of trust.
const OFF_TASTE: f64 = -0.25;
const DECLINED: f64 = -0.06;
const TAKEN: f64 = 0.1;
const REGRETTED: f64 = -0.2;
const IDLE: f64 = -0.05;
/// How likely something bought against one's taste comes back.
const REGRET: f64 = 0.5;

/// What has happened with one shopper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct Entry {
    mind: Mind,
    n_visits: u32,
    is_gone: bool,
    has_told: bool,
    /// Money spent and margin earned in suggestions, after what came back.
    spent: f64,
    margin: f64,
    /// Something bought against their taste: price and margin.
    doubtful: Option<[f64; 2]>,
    n_offered: u32,
    n_taken: u32,
    /// Sum of the discounts offered, in percent.
    discounts: f64,
}

/// How the day stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct State {
    shoppers: Vec<Entry>,
    /// Who is at the counter; their number where nobody is.
    at: usize,
    round: u32,
    n_suggested: u32,
    n_messages: u32,
    /// Whose coming the agent has not heard of.
    is_news: bool,
    notes: Vec<String>,
}

impl Simulator for CrossSell {
    type Spec = Spec;
    type State = State;

    const PROFILE: Profile = Profile {
        name: "cross_sell",
        summary: "shoppers who may come three times, and what they are shown",
        instructions: "You serve a shop's visitors, one after the other; each may come three times. During a visit you may \
            suggest one or two products and then finish it. A shopper likes one kind of product: past \
            purchases show it most of the time, and asking them shows it for sure. Suggestions beside their \
            taste cost trust, and without trust they neither buy nor come back. Discounts sell, but who had one \
            waits for the next. Text goes to the shopper. Several calls in one turn are fine.",
        max_turns: 40,
        reward: "kpi:net_value=0.6,kpi:csat=0.15,kpi:conversion=0.1,kpi:handling_time=0.05,kpi:fairness=0.1",
    };

    const VERBS: &'static [Verb] = &[
        Verb {
            name: "view_profile",
            what: "Shows what the shopper at the counter bought before.",
            minutes: 0.5,
            params: &[],
        },
        Verb {
            name: "recommend",
            what: "Suggests a product to the shopper at the counter.",
            minutes: 1.0,
            params: &[
                Param::required("product_id", "which product, such as P3", Kind::Text),
                Param::optional(
                    "discount_percent",
                    "percent off, by default none",
                    Kind::Whole(0, 30),
                ),
            ],
        },
        Verb {
            name: "finish_visit",
            what: "Says goodbye to the shopper.",
            minutes: 0.5,
            params: &[],
        },
    ];

    fn draw(stream: &mut Stream) -> Spec {
        Spec::draw(stream)
    }

    fn topic(spec: &Spec) -> &'static str {
        let honest = spec.shoppers.iter().filter(|shopper| shopper.bought == shopper.taste).count();
        if honest == spec.shoppers.len() { "true_profiles" } else { "mixed_profiles" }
    }

    fn fault(spec: &Spec) -> Option<String> {
        spec.fault()
    }

    fn open(spec: &Spec) -> State {
        let entry = Entry {
            mind: Mind::NEW,
            n_visits: 0,
            is_gone: false,
            has_told: false,
            spent: 0.0,
            margin: 0.0,
            doubtful: None,
            n_offered: 0,
            n_taken: 0,
            discounts: 0.0,
        };
        let mut state = State {
            shoppers: vec![entry; spec.shoppers.len()],
            at: 0,
            round: 0,
            n_suggested: 0,
            n_messages: 0,
            is_news: false,
            notes: Vec::new(),
        };
        state.shoppers[0].n_visits = 1;
        state
    }

    fn opening(spec: &Spec, state: &State) -> String {
        let product = |product: &Product| {
            let Product { id, name, kind, price } = product;
            format!("\n{id}: {name}, {kind}, {}", money(*price))
        };
        let products: String = spec.products.iter().map(product).collect();
        format!("Products:{products}\n{}", greeting(spec, state))
    }

    fn call(scene: &mut Scene<'_, Self>, verb: &Verb, args: Args<'_>) -> Result<String, String> {
        let shopper = &scene.spec.shoppers[scene.state.at];
        match verb.name {
            "view_profile" => Ok(format!(
                "{} ({}): bought mostly {} things before; {} visits so far.",
                shopper.name,
                shopper.group,
                shopper.bought,
                scene.state.shoppers[scene.state.at].n_visits
            )),
            "recommend" => recommend(scene, args),
            _ => {
                let goodbye = format!("{} leaves the counter.", shopper.name);
                finish(scene.spec, scene.state, scene.stream);
                Ok(goodbye)
            }
        }
    }

    fn say(scene: &mut Scene<'_, Self>, text: &str) -> String {
        let Scene { spec, state, stream, .. } = scene;
        let shopper = &spec.shoppers[state.at];
        let entry = &mut state.shoppers[state.at];
        state.n_messages += 1;
        if state.n_messages > MOST_MESSAGES {
            entry.mind.change_trust(OFF_TASTE);
            let text = format!("{} walks away.", shopper.name);
            finish(spec, state, stream);
            return text;
        }
        if !text.contains('?') || entry.has_told {
            entry.mind.change_trust(IDLE);
            return format!("{}: Mm-hm.", shopper.name);
        }
        entry.has_told = true;
        format!("{}: I am mostly into {} things.", shopper.name, shopper.taste)
    }

    fn news(scene: &mut Scene<'_, Self>) -> Option<String> {
        let mut lines = std::mem::take(&mut scene.state.notes);
        if std::mem::take(&mut scene.state.is_news) && !Self::is_over(scene.spec, scene.state) {
            lines.push(greeting(scene.spec, scene.state));
        }
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    fn is_over(spec: &Spec, state: &State) -> bool {
        state.at >= spec.shoppers.len()
    }

    fn readings(spec: &Spec, state: &State, effort: &Effort) -> Readings {
        let all = || spec.shoppers.iter().zip(&state.shoppers);
        let visits = |entry: &Entry| f64::from(entry.n_visits);
        let n_visits: f64 = state.shoppers.iter().map(visits).sum();
        let baskets: f64 = all().map(|(s, entry)| visits(entry) * s.basket).sum();
        let revenue = baskets + state.shoppers.iter().map(|entry| entry.spent).sum::<f64>();
        let margin =
            MARGIN * baskets + all().map(|(_, entry)| entry.expected_margin()).sum::<f64>();
        let kept: f64 = all().map(|(shopper, entry)| entry.later(shopper)).sum();
        let worst: f64 = spec.shoppers.iter().map(at_worst).sum();
        let best: f64 = spec.shoppers.iter().map(|shopper| at_best(spec, shopper)).sum();
        let most_kept: f64 = spec.shoppers.iter().map(|s| comes_back(5.0) * s.later).sum();
        let mean_basket = mean_or(1.0, spec.shoppers.iter().map(|shopper| shopper.basket));
        let offered: f64 = state.shoppers.iter().map(|e| f64::from(e.n_offered)).sum();
        let taken: f64 = state.shoppers.iter().map(|e| f64::from(e.n_taken)).sum();
        let aov = if n_visits > 0.0 { revenue.max(0.0) / n_visits } else { 0.0 };
        let trust_gap = gap(all().map(|(s, entry)| (s.group, entry.csat()))) / 4.0;
        let offers = all().filter(|(_, entry)| entry.n_offered > 0);
        let offers = offers.map(|(s, e)| (s.group, e.discounts / f64::from(e.n_offered)));
        let discount_gap = gap(offers) / 30.0;
        let per_visit = effort.minutes / n_visits.max(1.0);
        Readings::default()
            .scaled(Kpi::NetValue, margin + kept - effort.wages(), worst, best)
            .scaled(Kpi::Margin, margin, 0.0, (best - most_kept).max(1.0))
            .scaled(
                Kpi::Revenue,
                revenue.max(0.0),
                0.0,
                6.0 * mean_basket * spec.shoppers.len() as f64,
            )
            .scaled(Kpi::Ltv, kept, 0.0, most_kept)
            .scaled(Kpi::Aov, aov, mean_basket, 2.0 * mean_basket)
            .plain(Kpi::Csat, mean_or(1.0, state.shoppers.iter().map(Entry::csat)))
            .plain(Kpi::Conversion, share_or(0.0, taken, offered))
            .scaled(Kpi::HandlingTime, per_visit, 8.0, 1.0)
            .scaled(Kpi::CostToServe, effort.wages() / n_visits.max(1.0), 4.0, 0.5)
            .plain(Kpi::Fairness, 1.0 - trust_gap.max(discount_gap))
    }
}

impl Entry {
    /// Satisfaction; nobody was served who never came to the counter.
    fn csat(&self) -> f64 {
        if self.n_visits == 0 { 1.0 } else { self.mind.csat() }
    }

    /// Margin of suggestions, with regret still to come by its expectation.
    fn expected_margin(&self) -> f64 {
        self.margin - self.doubtful.map_or(0.0, |[_, margin]| REGRET * margin)
    }

    /// Expected later margin: none of who is gone, and of others once the visits left have come about.
    fn later(&self, shopper: &Shopper) -> f64 {
        if self.is_gone || self.n_visits == 0 {
            return 0.0;
        }
        let visits_left = N_VISITS.saturating_sub(self.n_visits);
        let again = libm::pow(self.mind.visits_again(), f64::from(visits_left));
        again * comes_back(self.csat()) * shopper.later
    }
}

fn greeting(spec: &Spec, state: &State) -> String {
    let shopper = &spec.shoppers[state.at];
    let n = state.shoppers[state.at].n_visits;
    format!(
        "{} is at the counter, visit {n}, with a basket of {}.",
        shopper.name,
        money(shopper.basket)
    )
}

fn recommend(scene: &mut Scene<'_, CrossSell>, args: Args<'_>) -> Result<String, String> {
    let id = args.text("product_id");
    let found = scene.spec.products.iter().find(|product| product.id == id);
    let product = found.ok_or_else(|| format!("no product {:?}", short(id)))?;
    let state = &mut *scene.state;
    let shopper = &scene.spec.shoppers[state.at];
    if state.n_suggested >= MOST_SUGGESTIONS {
        return Err(format!("{} wants no more suggestions at this visit", shopper.name));
    }
    state.n_suggested += 1;
    let entry = &mut state.shoppers[state.at];
    let percent = f64::from(args.whole("discount_percent").unwrap_or(0));
    let discount = percent / 100.0;
    entry.n_offered += 1;
    entry.discounts += percent;
    let is_liked = product.kind == shopper.taste;
    if !scene.stream.chance(takes(shopper, &entry.mind, product, discount)) {
        entry.mind.change_trust(if is_liked { DECLINED } else { OFF_TASTE });
        let why = if is_liked { "Not today." } else { "That is not for me." };
        return Ok(format!("{}: {why}", shopper.name));
    }
    let price = product.price * (1.0 - discount);
    let margin = price - (1.0 - MARGIN) * product.price;
    entry.n_taken += 1;
    entry.spent += price;
    entry.margin += margin;
    entry.mind.is_spoilt |= discount > 0.0;
    if is_liked {
        entry.mind.change_trust(TAKEN);
    } else {
        let [p, m] = entry.doubtful.unwrap_or_default();
        entry.doubtful = Some([p + price, m + margin]);
    }
    Ok(format!("{} takes the {} for {}.", shopper.name, product.name, money(price)))
}

/// Ends a visit and brings the next shopper to the counter.
fn finish(spec: &Spec, state: &mut State, stream: &mut Stream) {
    loop {
        state.at += 1;
        if state.at >= spec.shoppers.len() {
            state.round += 1;
            if state.round >= N_VISITS {
                close(spec, state, stream);
                return;
            }
            state.at = 0;
        }
        if comes(spec, state, stream) {
            break;
        }
        // Nobody comes any more.
        if state.shoppers.iter().all(|entry| entry.is_gone) {
            state.at = spec.shoppers.len();
            return;
        }
    }
    state.n_suggested = 0;
    state.n_messages = 0;
    state.is_news = true;
}

/// Whether the shopper at `state.at` comes to this round's visit; what they regret comes back before.
fn comes(spec: &Spec, state: &mut State, stream: &mut Stream) -> bool {
    let shopper = &spec.shoppers[state.at];
    let entry = &mut state.shoppers[state.at];
    if entry.is_gone {
        return false;
    }
    regret(shopper, entry, &mut state.notes, stream);
    if state.round > 0 && !stream.chance(entry.mind.visits_again()) {
        entry.is_gone = true;
        state.notes.push(format!("{} did not come back.", shopper.name));
        return false;
    }
    entry.n_visits += 1;
    true
}

fn regret(shopper: &Shopper, entry: &mut Entry, notes: &mut Vec<String>, stream: &mut Stream) {
    if let Some([price, margin]) = entry.doubtful.take()
        && stream.chance(REGRET)
    {
        entry.spent -= price;
        entry.margin -= margin;
        entry.mind.change_trust(REGRETTED);
        notes.push(format!("{} returned what they bought: not their taste.", shopper.name));
    }
}

/// After the last visit.
fn close(spec: &Spec, state: &mut State, stream: &mut Stream) {
    state.at = spec.shoppers.len();
    for (shopper, entry) in spec.shoppers.iter().zip(&mut state.shoppers) {
        regret(shopper, entry, &mut state.notes, stream);
    }
}
