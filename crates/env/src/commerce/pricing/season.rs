//! One season: what is for sale, and how customers take prices. Also the grammar that makes it.

use serde::{Deserialize, Serialize};
use stateset_core::Stream;

use super::market::fluid_best;
use crate::commerce::tally::{is_within, to_cents};
use crate::commerce::words::{SEASONAL, one_of};
use crate::names::named_enum;

/// Weeks of a season that is drawn here.
const N_WEEKS: usize = 6;
/// Most weeks, and most units, of a season.
const MOST_WEEKS: usize = 26;
const MOST_STOCK: u32 = 2000;

named_enum! {
    /// How demand moves over the season.
    pub(in crate::commerce) enum Shape {
        /// Strong at first.
        Fading => "fading",
        /// Strong at last.
        Rising => "rising",
        /// Strong in the middle.
        Peak => "peak",
        /// The same all along.
        Flat => "flat",
    }
}

impl Shape {
    fn weights(self) -> [f64; N_WEEKS] {
        match self {
            Shape::Fading => [1.4, 1.3, 1.1, 0.9, 0.7, 0.6],
            Shape::Rising => [0.6, 0.7, 0.9, 1.1, 1.3, 1.4],
            Shape::Peak => [0.7, 0.9, 1.4, 1.4, 0.9, 0.7],
            Shape::Flat => [1.0; N_WEEKS],
        }
    }
}

/// A season.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::commerce) struct Spec {
    pub(super) product: String,
    pub(super) shape: Shape,
    /// List price, in money.
    pub(super) list: f64,
    /// Units at the start.
    pub(super) stock: u32,
    /// Mean units of a usual week at the list price, for each region.
    pub(super) base: [f64; 2],
    /// Elasticity of demand, for each region.
    pub(super) elasticity: [f64; 2],
    /// Demand of each week beside a usual one.
    pub(super) season: Vec<f64>,
    /// Value of the best pair of prices where demand comes as expected, in money.
    pub(super) best: f64,
}

impl Spec {
    pub(super) fn draw(stream: &mut Stream) -> Spec {
        let shape = *stream.choose(Shape::ALL).unwrap_or(&Shape::Flat);
        let base = [0; 2].map(|_| to_cents(stream.uniform(2.5, 5.0)));
        let expected = (base[0] + base[1]) * N_WEEKS as f64;
        let mut spec = Spec {
            product: one_of(SEASONAL, stream),
            shape,
            list: to_cents(stream.uniform(20.0, 120.0)),
            stock: (expected * stream.uniform(1.15, 1.7)) as u32,
            base,
            elasticity: [0; 2].map(|_| to_cents(stream.uniform(1.3, 2.6))),
            season: shape.weights().to_vec(),
            best: 0.0,
        };
        spec.best = to_cents(fluid_best(&spec));
        spec
    }

    /// What is wrong, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let is_fine = is_within(self.list, 0.01, 1e6)
            && (1..=MOST_STOCK).contains(&self.stock)
            && self.base.iter().all(|base| is_within(*base, 0.0, 1e4))
            && self.elasticity.iter().all(|e| is_within(*e, 0.0, 10.0))
            && (1..=MOST_WEEKS).contains(&self.season.len())
            && self.season.iter().all(|weight| is_within(*weight, 0.0, 10.0))
            && is_within(self.best, 0.0, 1e10);
        (!is_fine).then(|| {
            format!(
                "list, stock (to {MOST_STOCK}), base, elasticity, season (to {MOST_WEEKS} weeks) or best is out of range"
            )
        })
    }

    /// Weeks of the season.
    pub(super) fn n_weeks(&self) -> usize {
        self.season.len()
    }
}
