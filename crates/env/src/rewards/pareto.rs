//! Which conversations no other one beats in every objective.
//!
//! One conversation *dominates* another where it is at least as good in every objective and better in
//! one (Pareto; the definition of Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm:
//! NSGA-II", section III). The conversations that none dominates are the front: the best that can be
//! had for some weights or other. Two that are equal in everything do not dominate each other.
//!
//! After sorting by all objectives, best first, whatever dominates a conversation stands before it, so
//! comparing with the front found so far is enough.

use std::cmp::Ordering;

use stateset_core::RewardResult;

/// The front among some results.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParetoReport {
    /// Names of the objectives.
    pub objectives: Vec<String>,
    /// Results in which every objective has a value.
    pub n_compared: usize,
    /// Results that were left out because an objective has none.
    pub n_left_out: usize,
    /// Places of the results that none dominates, in ascending order.
    pub front: Vec<usize>,
    /// Values of the front, one row for each of its places and one number for each objective.
    pub values: Vec<Vec<f64>>,
}

impl ParetoReport {
    /// The front of `results` by the parts called `objectives`. Greater is better in each.
    pub fn of(objectives: &[&str], results: &[RewardResult]) -> ParetoReport {
        let values = |result: &RewardResult| -> Option<Vec<f64>> {
            objectives.iter().map(|name| result.component(name)?.score.value()).collect()
        };
        let mut rows: Vec<(usize, Vec<f64>)> = results
            .iter()
            .enumerate()
            .filter_map(|(place, result)| Some((place, values(result)?)))
            .collect();
        let n_compared = rows.len();
        rows.sort_by(|(_, a), (_, b)| best_first(a, b));
        let mut front: Vec<(usize, Vec<f64>)> = Vec::new();
        for (place, row) in rows {
            if !front.iter().any(|(_, better)| dominates(better, &row)) {
                front.push((place, row));
            }
        }
        front.sort_by_key(|(place, _)| *place);
        let (front, values) = front.into_iter().unzip();
        ParetoReport {
            objectives: objectives.iter().map(|name| (*name).to_owned()).collect(),
            n_compared,
            n_left_out: results.len() - n_compared,
            front,
            values,
        }
    }
}

fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a >= b) && a.iter().zip(b).any(|(a, b)| a > b)
}

fn best_first(a: &[f64], b: &[f64]) -> Ordering {
    // Scores are finite; -0 and 0 are the same to `dominates` and have to be here.
    let pair = |(a, b): (&f64, &f64)| b.partial_cmp(a).unwrap_or(Ordering::Equal);
    a.iter().zip(b).map(pair).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stateset_core::{RewardComponent, Score};

    const NAMES: [&str; 3] = ["a", "b", "c"];

    fn result(values: &[Option<f64>]) -> RewardResult {
        let component = |(name, value): (&&str, &Option<f64>)| RewardComponent {
            name: (*name).to_owned(),
            weight: 1.0,
            score: value.map_or(Score::unscorable("no"), Score::of),
        };
        let components = NAMES.iter().zip(values).map(component).collect();
        RewardResult { total: Score::of(0.0), components }
    }

    #[test]
    fn a_front_by_hand() {
        let rows: [&[Option<f64>]; 6] = [
            &[Some(0.9), Some(0.1)],
            &[Some(0.5), Some(0.5)],
            &[Some(0.4), Some(0.5)],
            &[Some(0.1), Some(0.9)],
            &[Some(1.0), None],
            &[Some(0.5), Some(0.5)],
        ];
        let results: Vec<RewardResult> = rows.iter().map(|row| result(row)).collect();
        let report = ParetoReport::of(&NAMES[..2], &results);
        assert_eq!(report.front, [0, 1, 3, 5]);
        assert_eq!(report.values[1], [0.5, 0.5]);
        assert_eq!((report.n_compared, report.n_left_out), (5, 1));
        assert_eq!(ParetoReport::of(&NAMES, &[]).front, Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn the_front_is_what_comparing_all_pairs_finds(
            rows in prop::collection::vec(prop::array::uniform3(-2..3i32), 0..30)
        ) {
            let rows: Vec<[f64; 3]> = rows.iter().map(|row| row.map(f64::from)).collect();
            let results: Vec<RewardResult> =
                rows.iter().map(|row| result(&row.map(Some))).collect();
            let mut naive = Vec::new();
            for (i, row) in rows.iter().enumerate() {
                let mut is_beaten = false;
                for other in &rows {
                    let n_worse = (0..3).filter(|k| other[*k] < row[*k]).count();
                    let n_better = (0..3).filter(|k| other[*k] > row[*k]).count();
                    is_beaten |= n_worse == 0 && n_better > 0;
                }
                if !is_beaten {
                    naive.push(i);
                }
            }
            prop_assert_eq!(ParetoReport::of(&NAMES, &results).front, naive);
        }
    }
}
