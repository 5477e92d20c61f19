//! A reward's words on many conversations, as columns: what each part says, how far parts agree, how
//! the values are spread.
//!
//! Quantiles interpolate linearly between the two nearest values and correlations are Pearson's, both as
//! numpy computes them by default; the standard deviation divides by the number of values. A correlation
//! counts the conversations in which both parts have a value and is absent where one of them never
//! changes. (A part without any spread teaches nothing, whatever its weight.)

use stateset_core::{RewardResult, Score};

/// Name of the column of totals.
pub const TOTAL: &str = "total";

/// One column: the total, or a part.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name of the part, or [`TOTAL`].
    pub name: String,
    /// Weight of a part, as its last result has it; `None` for the total.
    pub weight: Option<f64>,
    /// A value for each conversation, or none where it could not be scored.
    pub values: Vec<Option<f64>>,
}

/// Numbers about the values of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Conversations with a value.
    pub n: usize,
    /// Mean of the values.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// The least.
    pub min: f64,
    /// A tenth of the values are below.
    pub p10: f64,
    /// Half of them are.
    pub median: f64,
    /// Nine tenths are.
    pub p90: f64,
    /// The greatest.
    pub max: f64,
}

/// Results as columns, the total first and the parts in the order of their first appearance.
#[derive(Clone, Debug, PartialEq)]
pub struct PartsTable {
    /// At least the total.
    pub columns: Vec<Column>,
    /// Conversations without a total, by the reason; the most frequent reason first.
    pub unscorable: Vec<(String, usize)>,
}

impl PartsTable {
    /// The table of `results`.
    pub fn of(results: &[RewardResult]) -> PartsTable {
        let totals = results.iter().map(|result| result.total.value()).collect();
        let total = Column { name: TOTAL.to_owned(), weight: None, values: totals };
        let mut columns = vec![total];
        let mut unscorable: Vec<(String, usize)> = Vec::new();
        for (row, result) in results.iter().enumerate() {
            for part in &result.components {
                let known = columns.iter().skip(1).position(|column| column.name == part.name);
                let place = known.map_or(columns.len(), |place| place + 1);
                if place == columns.len() {
                    let values = vec![None; results.len()];
                    columns.push(Column { name: part.name.clone(), weight: None, values });
                }
                columns[place].weight = Some(part.weight);
                columns[place].values[row] = part.score.value();
            }
            if let Score::Unscorable { why } = &result.total {
                match unscorable.iter_mut().find(|(known, _)| known == why) {
                    Some((_, n)) => *n += 1,
                    None => unscorable.push((why.clone(), 1)),
                }
            }
        }
        unscorable.sort_by(|(_, a), (_, b)| b.cmp(a));
        PartsTable { columns, unscorable }
    }

    /// Pearson's correlation of two columns; `None` where fewer than two conversations have both
    /// values, or one of them never changes.
    pub fn correlation(&self, a: usize, b: usize) -> Option<f64> {
        let (a, b) = (self.columns.get(a)?, self.columns.get(b)?);
        let pairs: Vec<(f64, f64)> =
            a.values.iter().zip(&b.values).filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect();
        let n = pairs.len() as f64;
        let mean_a = pairs.iter().map(|(a, _)| a).sum::<f64>() / n;
        let mean_b = pairs.iter().map(|(_, b)| b).sum::<f64>() / n;
        let (mut both, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
        for (a, b) in &pairs {
            both += (a - mean_a) * (b - mean_b);
            square_a += (a - mean_a).powi(2);
            square_b += (b - mean_b).powi(2);
        }
        // Values that are all equal may differ from their mean by its rounding.
        let is_flat = |square: f64, mean: f64| square <= n * (1e-12 * mean.abs()).powi(2);
        if pairs.len() < 2 || is_flat(square_a, mean_a) || is_flat(square_b, mean_b) {
            return None;
        }
        Some((both / (square_a.sqrt() * square_b.sqrt())).clamp(-1.0, 1.0))
    }
}

impl Column {
    /// Numbers about the values; `None` without any.
    pub fn summary(&self) -> Option<Summary> {
        let mut sorted: Vec<f64> = self.values.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let n = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / n;
        let variance = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        let at = |share: f64| quantile(&sorted, share);
        Some(Summary {
            n: sorted.len(),
            mean,
            std: variance.sqrt(),
            min,
            p10: at(0.1),
            median: at(0.5),
            p90: at(0.9),
            max,
        })
    }

    /// How many values fall into each of `n_bins` bins of equal width from `low` to `high`; the last
    /// one holds `high` too, and what is outside counts in the bin at its end.
    pub fn histogram(&self, low: f64, high: f64, n_bins: usize) -> Vec<usize> {
        let mut counts = vec![0; n_bins];
        for value in self.values.iter().flatten() {
            let share = (value - low) / (high - low);
            // A negative product or one that is no number becomes 0.
            let bin = (share * n_bins as f64) as usize;
            if let Some(count) = counts.get_mut(bin.min(n_bins.saturating_sub(1))) {
                *count += 1;
            }
        }
        counts
    }
}

/// Value below which a share of the sorted values lies; `sorted` holds at least one.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;
    use stateset_core::RewardComponent;

    fn result(total: Option<f64>, parts: &[(&str, Option<f64>)]) -> RewardResult {
        let score = |value: Option<f64>| value.map_or(Score::unscorable("mute"), Score::of);
        let part = |(name, value): &(&str, Option<f64>)| RewardComponent {
            name: (*name).to_owned(),
            weight: 2.0,
            score: score(*value),
        };
        RewardResult { total: score(total), components: parts.iter().map(part).collect() }
    }

    fn column(values: &[Option<f64>]) -> Column {
        Column { name: "x".to_owned(), weight: None, values: values.to_vec() }
    }

    #[test]
    fn numbers_are_those_of_numpy() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/parts_table.json");
        let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let list = |key: &str| -> Vec<f64> {
                case[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
            };
            let (a, b) = (list("a"), list("b"));
            let results: Vec<RewardResult> =
                a.iter().zip(&b).map(|(a, b)| result(Some(*a), &[("b", Some(*b))])).collect();
            let table = PartsTable::of(&results);
            let summary = table.columns[0].summary().unwrap();
            let numbers = [summary.mean, summary.std, summary.p10, summary.median, summary.p90];
            for (found, expected) in numbers.iter().zip(list("summary")) {
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
            let found = table.correlation(0, 1).unwrap();
            assert!((found - case["correlation"].as_f64().unwrap()).abs() < 1e-12, "{found}");
            let counts: Vec<f64> =
                table.columns[0].histogram(-2.0, 2.0, 8).iter().map(|n| *n as f64).collect();
            assert_eq!(counts, list("histogram"));
        }
    }

    #[test]
    fn what_has_no_value_is_left_out_and_counted() {
        let table = PartsTable::of(&[
            result(Some(0.5), &[("a", Some(0.5))]),
            result(None, &[("a", None), ("total", Some(1.0))]),
            result(None, &[]),
        ]);
        let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["total", "a", "total"]);
        assert_eq!(table.columns[1].values, [Some(0.5), None, None]);
        assert_eq!(table.columns[2].values, [None, Some(1.0), None]);
        assert_eq!(table.columns[1].weight, Some(2.0));
        assert_eq!(table.unscorable, [("mute".to_owned(), 2)]);
        assert_eq!(table.correlation(0, 1), None);
        assert_eq!(table.correlation(0, 9), None);
        assert_eq!(column(&[None]).summary(), None);
        assert_eq!(PartsTable::of(&[]).columns[0].summary(), None);
    }

    #[test]
    fn what_never_changes_goes_with_nothing() {
        let rows = [(0.1, 0.3), (0.2, 0.3), (0.7, 0.3)];
        let results = rows.map(|(a, b)| result(Some(a), &[("b", Some(b)), ("a", Some(-a))]));
        let table = PartsTable::of(&results);
        assert_eq!(table.correlation(0, 1), None);
        assert_eq!(table.correlation(0, 2), Some(-1.0));
    }

    #[test]
    fn the_ends_of_a_histogram_hold_what_is_beyond() {
        let values = column(&[Some(-9.0), Some(0.0), Some(0.5), Some(1.0), Some(9.0), None]);
        assert_eq!(values.histogram(0.0, 1.0, 2), [2, 3]);
        assert_eq!(values.histogram(0.0, 1.0, 0), [0; 0]);
        // Without any width all is in the first.
        assert_eq!(column(&[Some(0.5)]).histogram(0.5, 0.5, 3), [1, 0, 0]);
    }

    proptest! {
        #[test]
        fn numbers_keep_their_order_and_nothing_is_lost(
            values in prop::collection::vec(prop::option::of(-1e6..1e6f64), 0..40)
        ) {
            let column = column(&values);
            let n = values.iter().flatten().count();
            prop_assert_eq!(column.histogram(0.0, 1.0, 7).iter().sum::<usize>(), n);
            if let Some(s) = column.summary() {
                let order = [s.min, s.p10, s.median, s.p90, s.max];
                prop_assert!(order.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6));
                prop_assert!(s.mean >= s.min - 1e-6 && s.mean <= s.max + 1e-6 && s.n == n);
            }
        }
    }
}
