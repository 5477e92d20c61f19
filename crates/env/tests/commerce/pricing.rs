//! Policies for dynamic pricing, the last of them computed by dynamic programming.

use serde_json::{Value, json};
use stateset_core::{Message, Stream};

use super::play::{View, calls, list, number};

fn at(price: f64) -> Message {
    calls(&[("set_price", json!({"price": price})), ("close_week", json!({}))])
}

fn week(view: &View<'_>) -> usize {
    number(view.memory, "week") as usize
}

pub(crate) fn random(view: &View<'_>, stream: &mut Stream) -> Message {
    at(number(view.spec, "list") * stream.uniform(0.2, 2.0))
}

/// The list price all along.
pub(crate) fn naive(_: &View<'_>, _: &mut Stream) -> Message {
    calls(&[("close_week", json!({}))])
}

/// A tenth cheaper where more is left than should be by now, a twentieth dearer where less is.
pub(crate) fn sensible(view: &View<'_>, _: &mut Stream) -> Message {
    let share_left = number(view.memory, "stock") / number(view.spec, "stock");
    let n_weeks = list(view.spec, "season").len() as f64;
    let planned = 1.0 - week(view) as f64 / n_weeks;
    let price = list(view.memory, "prices")[0].as_f64().expect("a price");
    let change = match share_left - planned {
        0.02.. => 0.9,
        ..-0.05 => 1.05,
        _ => 1.0,
    };
    at((price * change * 100.0).round() / 100.0)
}

/// What brings most this week by itself.
pub(crate) fn greedy(view: &View<'_>, _: &mut Stream) -> Message {
    at(number(view.spec, "list") * 0.3)
}

pub(crate) fn fixed(share: f64) -> impl Fn(&View<'_>, &mut Stream) -> Message {
    move |view, _| at(number(view.spec, "list") * share)
}

/// As sensible, but dearer in the south.
pub(crate) fn unkind_to_the_south(view: &View<'_>, stream: &mut Stream) -> Message {
    let message = sensible(view, stream);
    let price = number(&message.tool_calls[0].arguments, "price");
    let south = json!({"price": (130.0 * price).round() / 100.0, "region": "south"});
    calls(&[
        ("set_price", json!({"price": price})),
        ("set_price", south),
        ("close_week", json!({})),
    ])
}

const GRID: usize = 12;
const LOWEST: f64 = 0.3;
const STEP: f64 = 0.1;

/// The best price for every week, stock and remembered price, where one knows the demand: backward
/// induction over Poisson demand, prices and memory in steps of a tenth of the list price, memory
/// interpolated. What it maximises is the reward: the margin, and for each unit sold what its age is worth
/// beside it. Written from the formulas in the documentation.
pub(crate) struct Plan {
    list: f64,
    /// Best step of the price by week, stock and step of memory.
    best: Vec<Vec<[usize; GRID]>>,
}

impl Plan {
    pub(crate) fn new(spec: &Value) -> Plan {
        let stock = number(spec, "stock") as usize;
        let n_weeks = list(spec, "season").len();
        let mut value = vec![[0.0; GRID]; stock + 1];
        for (units, row) in value.iter_mut().enumerate() {
            *row = [0.15 * units as f64; GRID];
        }
        let age_bonus = age_bonus(spec);
        let mut best = Vec::new();
        for week in (0..n_weeks).rev() {
            let early = age_bonus * (n_weeks as f64 - week as f64 - 0.5);
            let mut now = vec![[f64::MIN; GRID]; stock + 1];
            let mut choice = vec![[0; GRID]; stock + 1];
            for memory in 0..GRID {
                for price in 0..GRID {
                    let chances = poisson(mean(spec, week, ratio(price), ratio(memory)), stock);
                    let after = 0.6 * ratio(memory) + 0.4 * ratio(price);
                    let next = |units: usize| interpolated(&value[units], after);
                    let ahead: Vec<f64> = (0..=stock).map(next).collect();
                    for units in 0..=stock {
                        let worth = expected(&chances, units, ratio(price) + early, &ahead);
                        if worth > now[units][memory] {
                            now[units][memory] = worth;
                            choice[units][memory] = price;
                        }
                    }
                }
            }
            value = now;
            best.push(choice);
        }
        best.reverse();
        Plan { list: number(spec, "list"), best }
    }

    pub(crate) fn act(&self, view: &View<'_>) -> Message {
        let memory = list(view.memory, "reference")[0].as_f64().expect("a price") / self.list;
        let step = ((memory - LOWEST) / STEP).round().clamp(0.0, GRID as f64 - 1.0) as usize;
        let stock = number(view.memory, "stock") as usize;
        at(self.list * ratio(self.best[week(view)][stock][step]))
    }
}

/// What a week of age less is worth for one unit, in list prices: a tenth of the reward for the scale of
/// inventory age, against 0.65 for the scale of margins. Half price sells the stock in the first weeks.
fn age_bonus(spec: &Value) -> f64 {
    let (stock, n_weeks) = (number(spec, "stock"), list(spec, "season").len() as f64);
    let scale = 1.1 * number(spec, "best") / number(spec, "list") - 0.5 * stock;
    0.1 / 0.65 * scale / (stock * n_weeks * 2.0 / 3.0)
}

fn ratio(step: usize) -> f64 {
    LOWEST + STEP * step as f64
}

fn mean(spec: &Value, week: usize, price: f64, memory: f64) -> f64 {
    let surprise = (1.0 + 0.5 * (memory - price) / memory).clamp(0.3, 1.5);
    let season = list(spec, "season")[week].as_f64().expect("a number");
    let region = |g: usize| {
        let of = |key: &str| list(spec, key)[g].as_f64().expect("a number");
        of("base") * price.powf(-of("elasticity"))
    };
    (region(0) + region(1)) * season * surprise
}

/// Probabilities of 0 to `most` wanted units.
fn poisson(mean: f64, most: usize) -> Vec<f64> {
    let mut chances = vec![(-mean).exp()];
    for n in 1..=most {
        chances.push(chances[n - 1] * mean / n as f64);
    }
    chances
}

/// Expected value of a week in list prices: what is sold, what the rest costs, what comes after.
fn expected(chances: &[f64], units: usize, price: f64, ahead: &[f64]) -> f64 {
    let worth = |sold: usize| {
        let left = units - sold;
        sold as f64 * price - 0.01 * left as f64 + ahead[left]
    };
    let mut sum = 0.0;
    let mut rest = 1.0;
    for (sold, chance) in chances[..units].iter().enumerate() {
        sum += chance * worth(sold);
        rest -= chance;
    }
    sum + rest.max(0.0) * worth(units)
}

fn interpolated(row: &[f64; GRID], at: f64) -> f64 {
    let place = ((at - LOWEST) / STEP).clamp(0.0, GRID as f64 - 1.0);
    let low = (place as usize).min(GRID - 2);
    let part = place - low as f64;
    row[low] * (1.0 - part) + row[low + 1] * part
}
