//! Business figures: what each means, in which unit, in which range, and which way is better.
//!
//! A figure has a *value*, in its own unit, for people, and a *score* from 0 to 1, for rewards. Shares
//! and points have a scale of their own; money, minutes and days are scaled between a worst and a
//! best value that the world states, because a good margin of a small shop is a poor one of a large
//! shop. The score is `(value - worst) / (best - worst)`, cut off at 0 and 1.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::names::named_enum;

/// Where the figures are in the metadata of the environment's state.
pub(crate) const KPIS: &str = "kpis";

named_enum! {
    /// A business figure.
    pub enum Kpi {
        /// Money the episode is worth to the shop: margin, less costs and wages, plus the margin that its
        /// customers will still bring.
        NetValue => "net_value",
        /// Money earned now: what came in less what goods, parcels, fees and write-offs cost.
        Margin => "margin",
        /// Money taken.
        Revenue => "revenue",
        /// Money: the expected later margin of the customers, given how they were treated (lifetime value).
        Ltv => "ltv",
        /// Money: mean value of an order.
        Aov => "aov",
        /// Customer satisfaction, in points from 1 to 5.
        Csat => "csat",
        /// Share of cases that were settled rightly at the first contact.
        FirstContactResolution => "first_contact_resolution",
        /// Minutes of work for each case, order, week or visit that was dealt with.
        HandlingTime => "handling_time",
        /// Money spent on serving, for each case or order: wages, parcels, checks, compensation.
        CostToServe => "cost_to_serve",
        /// Share of what was promised in time that was done in time.
        Sla => "sla",
        /// Mean wait, in minutes or in days as the world says.
        Latency => "latency",
        /// Share of the ordered units that were sent as ordered.
        FillRate => "fill_rate",
        /// Mean age of a unit in stock, in days.
        InventoryAge => "inventory_age",
        /// Share of the stock that was sold.
        SellThrough => "sell_through",
        /// Share of suggestions that were taken.
        Conversion => "conversion",
        /// Share of honest customers who were turned away as frauds, or left without a decision.
        FalsePositives => "false_positives",
        /// Share of the fraudulent money that got through.
        FraudLoss => "fraud_loss",
        /// 1 less the gap between two groups of customers in how they were treated; the world says in
        /// what.
        Fairness => "fairness",
    }
}

impl Kpi {
    /// The unit of its value.
    pub fn unit(self) -> &'static str {
        match self {
            Kpi::NetValue | Kpi::Margin | Kpi::Revenue | Kpi::Ltv | Kpi::Aov | Kpi::CostToServe => {
                "money"
            }
            Kpi::Csat => "points",
            Kpi::HandlingTime => "minutes",
            Kpi::Latency => "minutes or days",
            Kpi::InventoryAge => "days",
            _ => "share",
        }
    }

    /// The least and the greatest value there can be; `None` where there is no bound.
    pub fn range(self) -> (Option<f64>, Option<f64>) {
        match self {
            Kpi::NetValue | Kpi::Margin => (None, None),
            Kpi::Csat => (Some(1.0), Some(5.0)),
            _ if self.unit() == "share" => (Some(0.0), Some(1.0)),
            _ => (Some(0.0), None),
        }
    }

    /// Worst and best value of figures with a scale of their own; `None` where the world states them.
    pub fn scale(self) -> Option<(f64, f64)> {
        match self {
            Kpi::Csat => Some((1.0, 5.0)),
            Kpi::FalsePositives | Kpi::FraudLoss => Some((1.0, 0.0)),
            _ if self.unit() == "share" => Some((0.0, 1.0)),
            _ => None,
        }
    }
}

/// What a figure stands at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// In the figure's unit, see [`Kpi::unit`].
    pub value: f64,
    /// From 0, the worst, to 1, the best.
    pub score: f64,
}

impl Reading {
    /// The reading of `kpi` in an environment's metadata; `None` where the world does not give it.
    pub fn from_metadata(metadata: &Map<String, Value>, kpi: Kpi) -> Option<Reading> {
        let reading = metadata.get(KPIS)?.get(kpi.name())?;
        Reading::deserialize(reading)
            .ok()
            .filter(|reading| reading.value.is_finite() && (0.0..=1.0).contains(&reading.score))
    }
}

/// The figures of one moment, in the order in which they were taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Readings(Vec<(Kpi, Reading)>);

impl Readings {
    /// Adds a figure that has a scale of its own.
    pub(super) fn plain(self, kpi: Kpi, value: f64) -> Readings {
        let (worst, best) = kpi.scale().unwrap_or((0.0, 1.0));
        self.scaled(kpi, value, worst, best)
    }

    /// Adds a figure between the world's `worst` and `best`. Where the two are the same nothing could
    /// have been done worse, so the score is 1.
    pub(super) fn scaled(mut self, kpi: Kpi, value: f64, worst: f64, best: f64) -> Readings {
        let (low, high) = kpi.range();
        let value = value.max(low.unwrap_or(f64::MIN)).min(high.unwrap_or(f64::MAX));
        let score =
            if (best - worst).abs() < 1e-9 { 1.0 } else { (value - worst) / (best - worst) };
        self.0.push((kpi, Reading { value: cents(value), score: score.clamp(0.0, 1.0) }));
        self
    }

    /// Writes them under [`KPIS`].
    pub(super) fn write(&self, metadata: &mut Map<String, Value>) {
        let entry = |(kpi, reading): &(Kpi, Reading)| {
            let mut fields = Map::new();
            fields.insert("value".to_owned(), reading.value.into());
            fields.insert("score".to_owned(), reading.score.into());
            (kpi.name().to_owned(), Value::Object(fields))
        };
        metadata.insert(KPIS.to_owned(), Value::Object(self.0.iter().map(entry).collect()));
    }
}

/// Rounded to four digits behind the point, so that texts and files do not show the noise of sums.
fn cents(value: f64) -> f64 {
    // Adding 0 turns -0 into 0.
    (value * 1e4).round() / 1e4 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(kpi: Kpi, value: f64) -> f64 {
        Readings::default().plain(kpi, value).0[0].1.score
    }

    #[test]
    fn scores_run_from_worst_to_best() {
        assert_eq!([1.0, 3.0, 5.0].map(|value| score(Kpi::Csat, value)), [0.0, 0.5, 1.0]);
        assert_eq!(
            [0.0, 0.25, 1.0].map(|value| score(Kpi::FalsePositives, value)),
            [1.0, 0.75, 0.0]
        );
        let minutes =
            |value| Readings::default().scaled(Kpi::HandlingTime, value, 20.0, 4.0).0[0].1.score;
        assert_eq!([30.0, 20.0, 8.0, 4.0, 1.0].map(minutes), [0.0, 0.0, 0.75, 1.0, 1.0]);
    }

    #[test]
    fn values_stay_in_range_and_can_be_read_back() {
        let readings =
            Readings::default().plain(Kpi::Csat, 7.0).scaled(Kpi::Margin, -12.5, 0.0, 0.0);
        let mut metadata = Map::new();
        readings.write(&mut metadata);
        let read = |kpi| Reading::from_metadata(&metadata, kpi);
        assert_eq!(read(Kpi::Csat), Some(Reading { value: 5.0, score: 1.0 }));
        assert_eq!(read(Kpi::Margin), Some(Reading { value: -12.5, score: 1.0 }));
        assert_eq!(read(Kpi::Sla), None);
    }
}
