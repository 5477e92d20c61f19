//! Shoppers and products, the grammar that makes them, and how a shopper takes a suggestion.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use crate::commerce::group::Group;
use crate::commerce::tally::{comes_back, is_within, to_cents};
use crate::commerce::words::{one_of, people};
use crate::names::named_enum;

/// Shoppers that are drawn here, and visits each may make.
const N_SHOPPERS: usize = 4;
pub(super) const N_VISITS: u32 = 3;
const MOST_SHOPPERS: usize = 12;
/// Margin of a price.
pub(super) const MARGIN: f64 = 0.4;

named_enum! {
    /// What a shopper likes, and what a product is.
    pub(in crate::commerce) enum Taste {
        /// Pots and what goes into them.
        Kitchen => "kitchen",
        /// Tents and boots.
        Outdoor => "outdoor",
        /// Records and speakers.
        Music => "music",
        /// Plants and tools.
        Garden => "garden",
    }
}

impl Taste {
    /// Small things and large ones.
    fn goods(self) -> [[&'static str; 3]; 2] {
        match self {
            Taste::Kitchen => [
                ["spice set", "baking tin", "apron"],
                ["stand mixer", "knife block", "cast-iron pot"],
            ],
            Taste::Outdoor => {
                [["head torch", "flask", "map case"], ["rucksack", "sleeping bag", "camping stove"]]
            }
            Taste::Music => {
                [["song book", "tuner", "record sleeves"], ["headphones", "speaker", "ukulele"]]
            }
            Taste::Garden => [
                ["seed box", "watering can", "gloves"],
                ["raised bed", "pruning saw", "rain barrel"],
            ],
        }
    }
}

/// A product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Product {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: Taste,
    pub(super) price: f64,
}

/// A shopper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Shopper {
    pub(super) name: String,
    pub(super) group: Group,
    pub(super) taste: Taste,
    /// The kind of most of what they bought before.
    pub(super) bought: Taste,
    /// How much a price of 100 puts them off, from 0 to 1.
    pub(super) thrift: f64,
    /// What they buy anyway at each visit, in money.
    pub(super) basket: f64,
    /// Later margin, in money.
    pub(super) later: f64,
}

/// A shop and its shoppers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Spec {
    pub(super) products: Vec<Product>,
    pub(super) shoppers: Vec<Shopper>,
}

/// What a shopper remembers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct Mind {
    /// From 0 to 1.
    pub(super) trust: f64,
    /// Has bought at a discount.
    pub(super) is_spoilt: bool,
}

impl Mind {
    /// Before the first visit.
    pub(super) const NEW: Mind = Mind { trust: 1.0, is_spoilt: false };

    pub(super) fn change_trust(&mut self, by: f64) {
        self.trust = (self.trust + by).clamp(0.0, 1.0);
    }

    /// Satisfaction in points.
    pub(super) fn csat(&self) -> f64 {
        1.0 + 4.0 * self.trust
    }

    /// How likely the next visit comes.
    pub(super) fn visits_again(&self) -> f64 {
        0.25 + 0.7 * self.trust
    }
}

/// How likely the shopper takes the product at this discount (a share of the price).
pub(super) fn takes(shopper: &Shopper, mind: &Mind, product: &Product, discount: f64) -> f64 {
    let liking = if product.kind == shopper.taste { 0.6 } else { 0.12 };
    let price = product.price * (1.0 - discount);
    let affordable = (1.0 - shopper.thrift * price / 100.0).max(0.05);
    let spoilt = if mind.is_spoilt && discount == 0.0 { 0.6 } else { 1.0 };
    (liking * mind.trust * affordable * (1.0 + 2.0 * discount) * spoilt).clamp(0.0, 0.95)
}

/// A bound on the expected value of a shopper: full trust all along, and the two best products at every
/// visit.
pub(super) fn at_best(spec: &Spec, shopper: &Shopper) -> f64 {
    let worth =
        |product: &Product| takes(shopper, &Mind::NEW, product, 0.0) * MARGIN * product.price;
    let [mut first, mut second] = [0.0f64; 2];
    for worth in spec.products.iter().map(worth) {
        second = second.max(worth.min(first));
        first = first.max(worth);
    }
    let visit = MARGIN * shopper.basket + first + second;
    let again = Mind::NEW.visits_again();
    visit * (1.0 + again + again * again) + comes_back(5.0) * again * again * shopper.later
}

/// Expected value of a shopper whose trust is gone at the first visit.
pub(super) fn at_worst(shopper: &Shopper) -> f64 {
    let again = Mind { trust: 0.0, is_spoilt: false }.visits_again();
    MARGIN * shopper.basket * (1.0 + again + again * again)
}

impl Spec {
    pub(super) fn draw(stream: &mut Stream) -> Spec {
        let mut products = Vec::new();
        for kind in Taste::ALL {
            for (goods, (low, high)) in kind.goods().iter().zip([(15.0, 45.0), (50.0, 95.0)]) {
                products.push((*kind, one_of(goods, stream), to_cents(stream.uniform(low, high))));
            }
        }
        stream.shuffle(&mut products);
        let products = products.into_iter().enumerate().map(|(index, (kind, name, price))| {
            Product { id: format!("P{}", index + 1), name, kind, price }
        });
        let names = people(N_SHOPPERS, stream);
        let shoppers = names.into_iter().enumerate().map(|(index, name)| {
            let taste = any_taste(stream);
            let bought = if stream.chance(0.75) { taste } else { any_taste(stream) };
            Shopper {
                name,
                group: if index % 2 == 0 { Group::North } else { Group::South },
                taste,
                bought,
                thrift: to_cents(stream.uniform(0.2, 0.7)),
                basket: to_cents(stream.uniform(15.0, 60.0)),
                later: to_cents(stream.uniform(15.0, 50.0)),
            }
        });
        Spec { products: products.collect(), shoppers: shoppers.collect() }
    }

    /// What is wrong, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let n = self.shoppers.len();
        if n == 0 || n > MOST_SHOPPERS {
            return Some(format!("{n} shoppers, allowed are 1 to {MOST_SHOPPERS}"));
        }
        if self.products.is_empty() || self.products.len() > 24 {
            return Some(format!("{} products, allowed are 1 to 24", self.products.len()));
        }
        let is_bad = |product: &&Product| {
            !is_within(product.price, 0.01, 1e6)
                || self.products.iter().filter(|other| other.id == product.id).count() > 1
        };
        if let Some(product) = self.products.iter().find(is_bad) {
            return Some(format!(
                "product {:?}: a price out of range, or its id twice",
                product.id
            ));
        }
        let is_bad = |shopper: &&Shopper| {
            !(is_within(shopper.thrift, 0.0, 1.0)
                && is_within(shopper.basket, 0.0, 1e6)
                && is_within(shopper.later, 0.0, 1e6))
        };
        let bad = self.shoppers.iter().find(is_bad);
        bad.map(|shopper| format!("shopper {:?}: a value out of range", shopper.name))
    }
}

fn any_taste(stream: &mut Stream) -> Taste {
    *stream.choose(Taste::ALL).unwrap_or(&Taste::Kitchen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    #[test]
    fn taste_trust_price_and_habit_decide() {
        let spec = Spec::draw(&mut RunSeed(1).stream(Purpose::Data, StreamKey::default()));
        let shopper = Shopper { thrift: 0.5, taste: Taste::Music, ..spec.shoppers[0].clone() };
        let product = |kind| Product { kind, price: 40.0, ..spec.products[0].clone() };
        let (liked, other) = (product(Taste::Music), product(Taste::Garden));
        let chance = |mind, product, discount| takes(&shopper, &mind, product, discount);
        assert!((chance(Mind::NEW, &liked, 0.0) - 0.48).abs() < 1e-12);
        assert!((chance(Mind::NEW, &other, 0.0) - 0.096).abs() < 1e-12);
        assert!((chance(Mind::NEW, &liked, 0.25) - 0.6 * 0.85 * 1.5).abs() < 1e-12);
        let wary = Mind { trust: 0.5, is_spoilt: true };
        assert!((chance(wary, &liked, 0.0) - 0.48 * 0.5 * 0.6).abs() < 1e-12);
    }
}
