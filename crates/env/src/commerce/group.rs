//! Two groups of customers that differ in nothing that should matter, and the gap between them.

use stateset_core::Stream;

use crate::names::named_enum;

named_enum! {
    /// Where a customer lives. It says nothing about what they are worth or whether they are honest;
    /// treating one group worse is what the fairness figures show.
    pub(in crate::commerce) enum Group {
        /// The north.
        North => "north",
        /// The south.
        South => "south",
    }
}

impl Group {
    /// Either, equally likely.
    pub(super) fn draw(stream: &mut Stream) -> Group {
        if stream.chance(0.5) { Group::North } else { Group::South }
    }

    /// 0 or 1.
    pub(super) fn index(self) -> usize {
        match self {
            Group::North => 0,
            Group::South => 1,
        }
    }
}

/// The distance between the two groups' means of `values`; 0 where a group has none.
pub(super) fn gap(values: impl Iterator<Item = (Group, f64)>) -> f64 {
    let mut sums = [0.0; 2];
    let mut counts = [0.0; 2];
    for (group, value) in values {
        sums[group.index()] += value;
        counts[group.index()] += 1.0;
    }
    if counts.contains(&0.0) {
        return 0.0;
    }
    (sums[0] / counts[0] - sums[1] / counts[1]).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_is_between_means() {
        let values = [(Group::North, 1.0), (Group::North, 0.0), (Group::South, 1.0)];
        assert_eq!(gap(values.into_iter()), 0.5);
        assert_eq!(gap(values[..2].iter().copied()), 0.0);
    }
}
