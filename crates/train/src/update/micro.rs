//! Cuts the rows of an optimiser step into micro-batches that fit the learner.

use stateset_algo::Unit;

use super::batch::Batch;

/// Micro-batches of the rows in `chosen`, in order, each of at most `max_tokens` tokens; rows that
/// the algorithm wants together stay together.
///
/// # Errors
/// The number of tokens of the first unit that does not fit.
pub(super) fn micro_batches(
    batch: &Batch,
    chosen: &[usize],
    unit: Unit,
    max_tokens: usize,
) -> Result<Vec<Vec<usize>>, usize> {
    let key = |row: usize| match unit {
        Unit::Row => row,
        Unit::Trajectory => batch.rows[row].trajectory,
        Unit::Pair | Unit::Group => batch.trajectories[batch.rows[row].trajectory].group,
        Unit::Step => 0,
    };
    // The last token of a row is predicted, never read.
    let cost = |row: usize| batch.rows[row].tokens.len() - 1;
    packed(chosen, key, cost, max_tokens)
}

/// Parts of `rows`, in order, each of at most `max_tokens` tokens; neighbours with the same `key` stay
/// together.
///
/// # Errors
/// The number of tokens of the first of them that do not fit.
pub(crate) fn packed(
    rows: &[usize],
    key: impl Fn(usize) -> usize,
    cost: impl Fn(usize) -> usize,
    max_tokens: usize,
) -> Result<Vec<Vec<usize>>, usize> {
    let mut all: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for unit in rows.chunk_by(|a, b| key(*a) == key(*b)) {
        let needed: usize = unit.iter().map(|row| cost(*row)).sum();
        if needed > max_tokens {
            return Err(needed);
        }
        match all.last_mut() {
            Some(last) if needed <= room => last.extend_from_slice(unit),
            _ => {
                all.push(unit.to_vec());
                room = max_tokens;
            }
        }
        room -= needed;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::batch::{BatchRow, BatchTrajectory};
    use super::*;

    fn batch() -> Batch {
        let row = |trajectory| BatchRow {
            trajectory,
            tokens: vec![0; 11],
            mask: vec![false; 11],
            ..BatchRow::default()
        };
        let trajectory = |group| BatchTrajectory { group, ..BatchTrajectory::default() };
        Batch {
            trajectories: (0..4).map(|i| trajectory(i / 2)).collect(),
            rows: [0, 0, 1, 2, 3].map(row).to_vec(),
            component_weights: Vec::new(),
        }
    }

    #[test]
    fn units_stay_whole() {
        let all = [0, 1, 2, 3, 4];
        let cut = |unit, max| micro_batches(&batch(), &all, unit, max);
        assert_eq!(cut(Unit::Row, 20).unwrap(), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(cut(Unit::Trajectory, 29).unwrap(), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(cut(Unit::Group, 30).unwrap(), [vec![0, 1, 2], vec![3, 4]]);
        assert_eq!(cut(Unit::Step, 50).unwrap(), [vec![0, 1, 2, 3, 4]]);
        assert_eq!(cut(Unit::Step, 49), Err(50));
        assert_eq!(cut(Unit::Row, 9), Err(10));
    }
}
