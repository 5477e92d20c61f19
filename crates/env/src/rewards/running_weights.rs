//! The weights of an adaptive reward in a run under way, and what was seen of its parts.
//!
//! See [`super::adaptive`] for the rules and their sources. The weights follow from the running
//! statistics alone, so that the state is small and an old weight leaves no trace of its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateset_core::{RewardResult, Score, Weighing};

use super::adaptive::{Adaptation, Rule};
use super::combine::Combine;

/// The weights of a run under way.
pub(super) struct RunningWeights {
    names: Vec<String>,
    first: Vec<f64>,
    adaptation: Adaptation,
    state: RunningState,
}

/// What was seen, on disk as it is here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunningState {
    /// Parts by name, in the order of the reward.
    names: Vec<String>,
    /// Batches that held something to learn from.
    n_batches: u64,
    /// Running mean of each part.
    means: Vec<f64>,
    /// Running mean of each part's difference from the others, and of its square.
    offsets: Vec<f64>,
    squares: Vec<f64>,
    /// Weights now; they have the sum 1.
    weights: Vec<f64>,
}

impl RunningWeights {
    /// Starts from `weights`, which have the sum 1.
    pub(super) fn new<'a>(
        weights: impl Iterator<Item = (&'a str, f64)>,
        adaptation: Adaptation,
    ) -> RunningWeights {
        let (names, first): (Vec<String>, Vec<f64>) =
            weights.map(|(name, weight)| (name.to_owned(), weight)).unzip();
        let zeros = vec![0.0; names.len()];
        let state = RunningState {
            names: names.clone(),
            n_batches: 0,
            means: zeros.clone(),
            offsets: zeros.clone(),
            squares: zeros,
            weights: first.clone(),
        };
        RunningWeights { names, first, adaptation, state }
    }

    /// The values of the parts; `None` where one is missing or the result is another reward's.
    fn values(&self, result: &RewardResult) -> Option<Vec<f64>> {
        self.names.iter().map(|name| result.component(name)?.score.value()).collect()
    }

    fn reweigh(&self, result: &mut RewardResult) {
        let has_all = self.names.iter().all(|name| result.component(name).is_some());
        if !has_all {
            return;
        }
        let mut values = Vec::new();
        for component in &mut result.components {
            let place = self.names.iter().position(|name| *name == component.name);
            component.weight = place.map_or(0.0, |place| self.state.weights[place]);
            values.extend(component.score.value().map(|value| (component.weight, value)));
        }
        // A total that could not be had with the first weights cannot be had with others either.
        if let Score::Scored { value, .. } = &mut result.total {
            *value = Combine::WeightedMean.apply(&values);
        }
    }

    fn observe(&mut self, rows: &[Vec<f64>]) {
        let (n, n_parts) = (rows.len() as f64, self.names.len());
        if rows.is_empty() {
            return;
        }
        let share = match self.state.n_batches {
            0 => 1.0,
            _ => 1.0 - self.adaptation.memory,
        };
        for i in 0..n_parts {
            let others = (n_parts - 1).max(1) as f64;
            let offset = |row: &Vec<f64>| row[i] - (row.iter().sum::<f64>() - row[i]) / others;
            let mean = rows.iter().map(|row| row[i]).sum::<f64>() / n;
            let gap = rows.iter().map(offset).sum::<f64>() / n;
            let square = rows.iter().map(|row| offset(row).powi(2)).sum::<f64>() / n;
            self.state.means[i] += share * (mean - self.state.means[i]);
            self.state.offsets[i] += share * (gap - self.state.offsets[i]);
            self.state.squares[i] += share * (square - self.state.squares[i]);
        }
        self.state.n_batches += 1;
        self.state.weights = self.next_weights();
    }

    fn next_weights(&self) -> Vec<f64> {
        let factors = match self.adaptation.rule {
            Rule::Lagging => self.lagging(),
            Rule::InverseVariance => self.certainty(),
        };
        let bound = self.adaptation.bound;
        let raw: Vec<f64> = self
            .first
            .iter()
            .zip(factors)
            .map(|(first, factor)| first * factor.clamp(1.0 / bound, bound))
            .collect();
        let total: f64 = raw.iter().sum();
        raw.iter().map(|weight| weight / total).collect()
    }

    fn lagging(&self) -> Vec<f64> {
        let means = &self.state.means;
        let middle: f64 = self.first.iter().zip(means).map(|(first, mean)| first * mean).sum();
        means.iter().map(|mean| (self.adaptation.rate * (middle - mean)).exp()).collect()
    }

    /// One over each part's noise, against the geometric mean of all, so that a factor of 1 is usual.
    fn certainty(&self) -> Vec<f64> {
        let state = &self.state;
        let disagreements: Vec<f64> = state
            .squares
            .iter()
            .zip(&state.offsets)
            .map(|(square, offset)| (square - offset * offset).max(0.0))
            .collect();
        let noise = noise_of(&disagreements);
        let logs = noise.iter().map(|variance| variance.ln()).sum::<f64>() / noise.len() as f64;
        noise.iter().map(|variance| (logs - variance.ln()).exp()).collect()
    }
}

/// Variance of each measurement's noise, from its variance about the mean of the others; at least a
/// thousandth of the mean disagreement, for an estimate may come out below 0.
fn noise_of(disagreements: &[f64]) -> Vec<f64> {
    let n = disagreements.len() as f64;
    let share = 1.0 / (n - 1.0).powi(2);
    let total: f64 = disagreements.iter().sum();
    let sum_of_noise = total / (1.0 - share + n * share);
    let least = (1e-3 * total / n).max(1e-12);
    let noise = |d: &f64| ((d - share * sum_of_noise) / (1.0 - share)).max(least);
    disagreements.iter().map(noise).collect()
}

impl Weighing for RunningWeights {
    fn weights(&self) -> Vec<(String, f64)> {
        self.names.iter().cloned().zip(self.state.weights.iter().copied()).collect()
    }

    fn settle(&mut self, batch: &mut [&mut RewardResult]) {
        batch.iter_mut().for_each(|result| self.reweigh(result));
        let rows: Vec<Vec<f64>> = batch.iter().filter_map(|result| self.values(result)).collect();
        self.observe(&rows);
    }

    fn state(&self) -> Value {
        serde_json::to_value(&self.state).unwrap_or_default()
    }

    fn restore(&mut self, state: &Value) -> Result<(), String> {
        let state = RunningState::deserialize(state).map_err(|error| error.to_string())?;
        if state.names != self.names {
            return Err(format!(
                "the weights of {} are not those of {}",
                state.names.join(", "),
                self.names.join(", ")
            ));
        }
        let lists = [&state.means, &state.offsets, &state.squares, &state.weights];
        let is_whole = |list: &&Vec<f64>| list.len() == self.names.len();
        if !lists.iter().all(is_whole) || lists.iter().any(|l| l.iter().any(|v| !v.is_finite())) {
            return Err("it does not hold one number for each part".to_owned());
        }
        self.state = state;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::value;
    use super::*;
    use proptest::prelude::*;
    use stateset_core::{Purpose, RewardComponent, RunSeed, Stream, StreamKey};

    fn start(weights: &[f64], adaptation: Adaptation) -> RunningWeights {
        let total: f64 = weights.iter().sum();
        let names: Vec<String> = (0..weights.len()).map(name).collect();
        let parts = names.iter().zip(weights).map(|(name, weight)| (name.as_str(), weight / total));
        RunningWeights::new(parts, adaptation)
    }

    fn name(i: usize) -> String {
        format!("part-{i}")
    }

    /// What the reward says with its first weights, here all 1.
    fn result(values: &[Option<f64>]) -> RewardResult {
        let component = |(i, value): (usize, &Option<f64>)| RewardComponent {
            name: name(i),
            weight: 1.0,
            score: value.map_or(Score::unscorable("no"), Score::of),
        };
        let components: Vec<RewardComponent> = values.iter().enumerate().map(component).collect();
        let all: Option<Vec<f64>> = values.iter().copied().collect();
        let total = all.map_or(Score::unscorable("no"), |all| {
            Score::of(all.iter().sum::<f64>() / all.len() as f64)
        });
        RewardResult { total, components }
    }

    fn settle(weighing: &mut dyn Weighing, rows: &[Vec<f64>]) -> Vec<RewardResult> {
        let whole = |row: &Vec<f64>| result(&row.iter().copied().map(Some).collect::<Vec<_>>());
        let mut batch: Vec<RewardResult> = rows.iter().map(whole).collect();
        weighing.settle(&mut batch.iter_mut().collect::<Vec<_>>());
        batch
    }

    fn weights(weighing: &dyn Weighing) -> Vec<f64> {
        weighing.weights().into_iter().map(|(_, weight)| weight).collect()
    }

    fn close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        let is_near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
        assert!(found.iter().zip(expected).all(is_near), "{found:?} {expected:?}");
    }

    #[test]
    fn what_lags_behind_gains_weight() {
        let mut weighing = start(&[1.0, 3.0], Adaptation::new(Rule::Lagging));
        close(&weights(&weighing), &[0.25, 0.75]);
        let batch = settle(&mut weighing, &[vec![0.2, 0.8], vec![0.4, 0.6]]);
        // The batch itself has the first weights.
        assert!((value(&batch[0].total) - 0.65).abs() < 1e-12);
        assert_eq!(batch[0].components[1].weight, 0.75);
        // Means 0.3 and 0.7, by first weights 0.6.
        let raw = [0.25 * (2.0_f64 * 0.3).exp(), 0.75 * (2.0_f64 * -0.1).exp()];
        let total = raw[0] + raw[1];
        let expected = [raw[0] / total, raw[1] / total];
        close(&weights(&weighing), &expected);
        let batch = settle(&mut weighing, &[vec![0.3, 0.7]]);
        assert!((value(&batch[0].total) - (0.3 * expected[0] + 0.7 * expected[1])).abs() < 1e-12);
    }

    #[test]
    fn results_without_every_part_are_passed_over() {
        let mut weighing = start(&[1.0, 1.0], Adaptation::new(Rule::Lagging));
        let mut half = result(&[Some(0.9), None]);
        let mut other = RewardResult::single(Score::of(0.4));
        weighing.settle(&mut [&mut half, &mut other]);
        assert_eq!(half.total, Score::unscorable("no"));
        assert_eq!(other, RewardResult::single(Score::of(0.4)));
        close(&weights(&weighing), &[0.5, 0.5]);
        assert_eq!(weighing.state()["n_batches"], 0);
    }

    /// Judges that see the same quality, each with its own bias and noise.
    fn judged(stream: &mut Stream, noise: &[f64]) -> Vec<f64> {
        let quality = stream.unit();
        let judge = |(i, s): (usize, &f64)| quality + 0.1 * i as f64 + s * stream.normal();
        noise.iter().enumerate().map(judge).collect()
    }

    #[test]
    fn noise_is_told_from_disagreement() {
        let noise: [f64; 4] = [0.1, 0.2, 0.15, 0.3];
        let adaptation =
            Adaptation { memory: 0.0, bound: 100.0, ..Adaptation::new(Rule::InverseVariance) };
        let mut weighing = start(&[1.0; 4], adaptation);
        let mut stream = RunSeed(7).stream(Purpose::Reward, StreamKey::default());
        let rows: Vec<Vec<f64>> = (0..20_000).map(|_| judged(&mut stream, &noise)).collect();
        settle(&mut weighing, &rows);
        let total: f64 = noise.iter().map(|s| 1.0 / (s * s)).sum();
        for (found, s) in weights(&weighing).iter().zip(noise) {
            let expected = 1.0 / (s * s) / total;
            assert!((found / expected - 1.0).abs() < 0.08, "{found} {expected}");
        }
    }

    #[test]
    fn variances_that_are_known_are_found() {
        let noise = [0.04, 0.01, 0.09];
        let sum: f64 = noise.iter().sum();
        let disagreements: Vec<f64> = noise.iter().map(|v| v + (sum - v) / 4.0).collect();
        close(&noise_of(&disagreements), &noise);
        // Judges that agree in everything are all as good as the others.
        assert_eq!(noise_of(&[0.0; 3]), [1e-12; 3]);
    }

    #[test]
    fn a_run_that_is_interrupted_goes_on_as_if_it_were_not() {
        for rule in Rule::ALL {
            let begin = || start(&[0.5, 0.3, 0.2], Adaptation::new(*rule));
            let mut stream = RunSeed(3).stream(Purpose::Reward, StreamKey::default());
            let batches: Vec<Vec<Vec<f64>>> = (0..6)
                .map(|_| (0..8).map(|_| judged(&mut stream, &[0.1, 0.3, 0.2])).collect())
                .collect();
            let (mut whole, mut part) = (begin(), begin());
            for (step, batch) in batches.iter().enumerate() {
                if step == 3 {
                    let text = part.state().to_string();
                    part = begin();
                    part.restore(&serde_json::from_str(&text).unwrap()).unwrap();
                }
                assert_eq!(settle(&mut whole, batch), settle(&mut part, batch), "{rule} {step}");
            }
            assert_eq!(whole.state(), part.state());
            assert_ne!(weights(&whole), [0.5, 0.3, 0.2]);
        }
    }

    #[test]
    fn a_state_of_something_else_is_refused() {
        let mut weighing = start(&[1.0, 1.0], Adaptation::new(Rule::Lagging));
        let other = start(&[1.0, 1.0, 1.0], Adaptation::new(Rule::Lagging));
        let error = weighing.restore(&other.state()).unwrap_err();
        assert_eq!(error, "the weights of part-0, part-1, part-2 are not those of part-0, part-1");
        assert!(weighing.restore(&Value::Null).is_err());
        let mut short = weighing.state();
        short["means"] = serde_json::json!([0.5]);
        assert!(weighing.restore(&short).unwrap_err().contains("one number for each part"));
    }

    proptest! {
        #[test]
        fn weights_stay_within_their_bounds(
            rule in prop::sample::select(Rule::ALL),
            first in prop::collection::vec(0.01..10.0f64, 3..6),
            bound in 1.0..8.0f64,
            rows in prop::collection::vec(prop::collection::vec(-5.0..5.0f64, 5), 0..20),
        ) {
            let adaptation = Adaptation { bound, ..Adaptation::new(rule) };
            let mut weighing = start(&first, adaptation);
            let rows: Vec<Vec<f64>> = rows.iter().map(|row| row[..first.len()].to_vec()).collect();
            for batch in rows.chunks(4) {
                settle(&mut weighing, batch);
                let now = weights(&weighing);
                prop_assert!((now.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                let total: f64 = first.iter().sum();
                for (weight, first) in now.iter().zip(&first) {
                    let change = weight / (first / total);
                    prop_assert!(change <= bound * bound + 1e-9 && change >= 1.0 / (bound * bound) - 1e-9);
                }
            }
        }

        #[test]
        fn the_order_inside_a_batch_hardly_matters(
            rows in prop::collection::vec(prop::collection::vec(0.0..1.0f64, 3), 1..12)
        ) {
            let begin = || start(&[1.0; 3], Adaptation::new(Rule::Lagging));
            let (mut there, mut back) = (begin(), begin());
            settle(&mut there, &rows);
            settle(&mut back, &rows.iter().rev().cloned().collect::<Vec<_>>());
            for (a, b) in weights(&there).iter().zip(weights(&back)) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }
    }
}
