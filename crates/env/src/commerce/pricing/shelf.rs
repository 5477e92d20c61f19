//! The shelf: prices that can be set, and weeks that pass.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use super::market::{HOLDING, SALVAGE, bounds, demand, poisson, remembered};
use super::season::Spec;
use crate::commerce::effort::Effort;
use crate::commerce::kpi::{Kpi, Readings};
use crate::commerce::simulator::{Profile, Scene, Simulator};
use crate::commerce::tally::{mean_or, money, share_or, to_cents};
use crate::commerce::verb::{Args, Kind, Param, Verb};

/// A season's stock to sell.
#[derive(Clone, Copy, Default)]
pub(in crate::commerce) struct DynamicPricing;

/// Money of a promotion, as a share of the list price.
const PROMOTION: f64 = 0.5;
/// Highest price, beside the list price.
const HIGHEST: f64 = 3.0;
const DAYS: f64 = 7.0;

/// How the season stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct State {
    week: usize,
    stock: u32,
    /// Prices of north and south.
    prices: [f64; 2],
    /// Percent off in this week's promotion.
    promotion: Option<u32>,
    /// What customers of north and south remember.
    reference: [f64; 2],
    /// Units of north and south, for each week.
    sold: Vec<[u32; 2]>,
    /// Prices that were paid in each week.
    paid: Vec<[f64; 2]>,
    revenue: f64,
    costs: f64,
    /// Days on the shelf of all units that were sold.
    age: f64,
}

impl State {
    /// Prices of this week, promotion included.
    fn current(&self) -> [f64; 2] {
        let share = 1.0 - f64::from(self.promotion.unwrap_or(0)) / 100.0;
        self.prices.map(|price| to_cents(price * share))
    }

    fn n_sold(&self) -> u32 {
        self.sold.iter().flatten().sum()
    }
}

impl Simulator for DynamicPricing {
    type Spec = Spec;
    type State = State;

    const PROFILE: Profile = Profile {
        name: "dynamic_pricing",
        summary: "a season's stock, bought once, to be sold week by week",
        instructions: "You set the prices of a shop. The stock cannot be bought again; what is left at the end brings \
            15 % of the list price, and keeping it costs 1 % a week. Every week: set the price if you want \
            another one, perhaps promote, then close the week and see what was sold. Customers remember \
            prices: after discounts they buy less at the old price. Sell the stock over the whole season, \
            and charge both regions alike. Several calls in one turn are fine.",
        max_turns: 18,
        reward: "kpi:net_value=0.65,kpi:inventory_age=0.1,kpi:fairness=0.15,kpi:handling_time=0.1",
    };

    const VERBS: &'static [Verb] = &[
        Verb {
            name: "set_price",
            what: "Sets the price from now on.",
            minutes: 2.0,
            params: &[
                Param::required("price", "the new price, in money", Kind::Number(0.0, 1e6)),
                Param::optional(
                    "region",
                    "where, by default in both",
                    Kind::OneOf(&["north", "south", "both"]),
                ),
            ],
        },
        Verb {
            name: "promote",
            what: "Takes some percent off for this week and advertises it, at the cost of half a list price.",
            minutes: 4.0,
            params: &[Param::required("percent", "percent off", Kind::Whole(5, 60))],
        },
        Verb {
            name: "review_sales",
            what: "Shows prices and sales of all weeks so far.",
            minutes: 2.0,
            params: &[],
        },
        Verb {
            name: "close_week",
            what: "Sells for a week at the prices that are set.",
            minutes: 1.0,
            params: &[],
        },
    ];

    fn draw(stream: &mut Stream) -> Spec {
        Spec::draw(stream)
    }

    fn topic(spec: &Spec) -> &'static str {
        spec.shape.name()
    }

    fn fault(spec: &Spec) -> Option<String> {
        spec.fault()
    }

    fn open(spec: &Spec) -> State {
        State {
            week: 0,
            stock: spec.stock,
            prices: [spec.list; 2],
            promotion: None,
            reference: [spec.list; 2],
            sold: Vec::new(),
            paid: Vec::new(),
            revenue: 0.0,
            costs: 0.0,
            age: 0.0,
        }
    }

    fn opening(spec: &Spec, state: &State) -> String {
        let usual = spec.base[0] + spec.base[1];
        format!(
            "{} units of {}, list price {}, {} weeks, demand {}. In a usual week about {usual:.0} are sold at the list price. \
             The price is the list price now.",
            state.stock,
            spec.product,
            money(spec.list),
            spec.n_weeks(),
            spec.shape,
        )
    }

    fn call(scene: &mut Scene<'_, Self>, verb: &Verb, args: Args<'_>) -> Result<String, String> {
        match verb.name {
            "set_price" => set_price(scene, args),
            "promote" => promote(scene, args),
            "review_sales" => Ok(review(scene.state)),
            _ => Ok(close_week(scene)),
        }
    }

    fn say(scene: &mut Scene<'_, Self>, _: &str) -> String {
        format!(
            "Nothing was sold yet in week {}. Set prices and close the week with the tools.",
            scene.state.week + 1
        )
    }

    fn is_over(spec: &Spec, state: &State) -> bool {
        state.week >= spec.n_weeks()
    }

    fn readings(spec: &Spec, state: &State, effort: &Effort) -> Readings {
        let n_weeks = spec.n_weeks() as f64;
        let weeks_left = n_weeks - state.week as f64;
        let left = f64::from(state.stock);
        let rest = left * spec.list * (SALVAGE - HOLDING * weeks_left);
        let margin = state.revenue - state.costs + rest;
        let stock = f64::from(spec.stock);
        let n_sold = f64::from(state.n_sold());
        let oldest = DAYS * n_weeks;
        let age = (state.age + left * oldest) / stock;
        let gap = |paid: &[f64; 2]| share_or(0.0, (paid[0] - paid[1]).abs(), paid[0].max(paid[1]));
        let (worst, best) = bounds(spec);
        let most_money = stock * spec.list;
        let price_paid = if n_sold > 0.0 { state.revenue / n_sold } else { 0.0 };
        Readings::default()
            .scaled(Kpi::NetValue, margin - effort.wages(), worst, best)
            .scaled(Kpi::Margin, margin, worst, best)
            .scaled(Kpi::Revenue, state.revenue, 0.0, most_money)
            .scaled(Kpi::Aov, price_paid, 0.0, spec.list)
            .plain(Kpi::SellThrough, share_or(0.0, n_sold, stock))
            .scaled(Kpi::InventoryAge, age, oldest, oldest / 3.0)
            .scaled(Kpi::HandlingTime, effort.minutes_for_each(state.week, 15.0), 15.0, 3.0)
            .scaled(Kpi::CostToServe, effort.wages() / n_weeks, 10.0, 0.0)
            .plain(Kpi::Fairness, 1.0 - mean_or(0.0, state.paid.iter().map(gap)))
    }
}

fn set_price(scene: &mut Scene<'_, DynamicPricing>, args: Args<'_>) -> Result<String, String> {
    let highest = to_cents(HIGHEST * scene.spec.list);
    let price = to_cents(args.number("price").unwrap_or(0.0));
    if price > highest {
        return Err(format!("set_price: the price must be from 0 to {}", money(highest)));
    }
    match args.text("region") {
        "north" => scene.state.prices[0] = price,
        "south" => scene.state.prices[1] = price,
        _ => scene.state.prices = [price; 2],
    }
    let [north, south] = scene.state.prices.map(money);
    Ok(format!("Prices: north {north}, south {south}."))
}

fn promote(scene: &mut Scene<'_, DynamicPricing>, args: Args<'_>) -> Result<String, String> {
    if scene.state.promotion.is_some() {
        return Err("promote: this week has its promotion already".to_owned());
    }
    let percent = args.whole("percent").unwrap_or(0);
    scene.state.promotion = Some(percent);
    scene.state.costs += PROMOTION * scene.spec.list;
    Ok(format!("This week {percent} % off, advertised."))
}

fn review(state: &State) -> String {
    if state.sold.is_empty() {
        return "No week is closed yet.".to_owned();
    }
    let weeks = state.paid.iter().zip(&state.sold).enumerate();
    let lines = weeks.map(|(week, (paid, sold))| {
        let [north, south] = paid.map(money);
        format!("week {}: north {north} sold {}, south {south} sold {}", week + 1, sold[0], sold[1])
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn close_week(scene: &mut Scene<'_, DynamicPricing>) -> String {
    let Scene { spec, state, stream, .. } = scene;
    let prices = state.current();
    let wanted = [0, 1].map(|region| wanted(spec, state, region, prices[region], stream));
    let sold = shared(wanted, state.stock, stream);
    let n_sold = sold[0] + sold[1];
    state.stock -= n_sold;
    state.revenue += f64::from(sold[0]) * prices[0] + f64::from(sold[1]) * prices[1];
    state.costs += f64::from(state.stock) * HOLDING * spec.list;
    state.age += f64::from(n_sold) * DAYS * (state.week as f64 + 0.5);
    state.reference = [0, 1].map(|region| remembered(state.reference[region], prices[region]));
    state.sold.push(sold);
    state.paid.push(prices);
    state.promotion = None;
    state.week += 1;
    let turned_away = wanted[0] + wanted[1] - n_sold;
    let missed = if turned_away > 0 {
        format!(", {turned_away} wanted more than there was")
    } else {
        String::new()
    };
    let left = spec.n_weeks() - state.week;
    format!(
        "Week {}: sold {} in the north at {} and {} in the south at {}{missed}. Stock {}, {left} weeks left.",
        state.week,
        sold[0],
        money(prices[0]),
        sold[1],
        money(prices[1]),
        state.stock
    )
}

fn wanted(spec: &Spec, state: &State, region: usize, price: f64, stream: &mut Stream) -> u32 {
    let is_advertised = state.promotion.is_some();
    poisson(demand(spec, region, state.week, price, state.reference[region], is_advertised), stream)
}

/// What each region gets of too small a stock: unit by unit, to one of those who still want.
fn shared(wanted: [u32; 2], stock: u32, stream: &mut Stream) -> [u32; 2] {
    if wanted[0] + wanted[1] <= stock {
        return wanted;
    }
    let mut sold = [0; 2];
    for _ in 0..stock {
        let left = [wanted[0] - sold[0], wanted[1] - sold[1]];
        let north = stream.index((left[0] + left[1]) as usize) < left[0] as usize;
        sold[if north { 0 } else { 1 }] += 1;
    }
    sold
}
