//! Group-relative advantages of a flat slice: (r - mu_g) / (s_g + eps), group behind group.
//!
//! The arithmetic of [`super::GroupAdvantage`] with group scaling (GRPO, arXiv 2402.03300) where all
//! groups have one size, as a kernel: mean first, then the sum of squared deviations from it, which
//! is as exact as a running update and has no chain of divisions. Rules are the same: equal rewards
//! give exactly 0, and a reward that is not finite is unscorable, takes no part and has 0.

use rayon::prelude::*;

use crate::error::require_len;
use crate::{AlgoError, Real};

/// Partial sums that run side by side within one group.
const LANES: usize = 8;
/// Groups of a usual size that are worked on side by side.
const TILE: usize = 64;
/// Rewards from which on threads pay, and how many groups a thread takes at once.
const PARALLEL_FROM: usize = 1 << 17;
const GROUPS_OF_A_JOB: usize = 64 * TILE;

/// Advantages of `rewards`, whose groups of `group_size` lie one behind the other.
///
/// `epsilon` is added to each group's Bessel deviation; TRL 1e-4, verl 1e-6.
///
/// # Errors
/// Where the group size is below 2, the rewards are not whole groups, or `out` has another length.
pub fn group_advantages<T: Real>(
    rewards: &[T],
    group_size: usize,
    epsilon: f64,
    out: &mut [T],
) -> Result<(), AlgoError> {
    if group_size < 2 {
        return Err(AlgoError::GroupTooSmall { group: 0 });
    }
    const TASK: &str = "compare samples";
    require_len(TASK, "rewards", rewards.len() / group_size * group_size, rewards.len())?;
    require_len(TASK, "out", rewards.len(), out.len())?;
    let epsilon = T::from_f64(epsilon);
    if rewards.len() < PARALLEL_FROM {
        of_groups(rewards, group_size, epsilon, out);
    } else {
        let block = GROUPS_OF_A_JOB * group_size;
        let blocks = rewards.par_chunks(block).zip(out.par_chunks_mut(block));
        blocks.for_each(|(rewards, out)| of_groups(rewards, group_size, epsilon, out));
    }
    Ok(())
}

fn of_groups<T: Real>(rewards: &[T], group_size: usize, epsilon: T, out: &mut [T]) {
    match group_size {
        4 => fixed::<T, 4>(rewards, epsilon, out),
        8 => fixed::<T, 8>(rewards, epsilon, out),
        16 => fixed::<T, 16>(rewards, epsilon, out),
        _ => {
            for (group, out) in rewards.chunks_exact(group_size).zip(out.chunks_mut(group_size)) {
                of_group(group, epsilon, out);
            }
        }
    }
}

/// The usual group sizes, known to the compiler: many groups side by side, so that a vector
/// operation works on several groups instead of within one.
fn fixed<T: Real, const N: usize>(rewards: &[T], epsilon: T, out: &mut [T]) {
    let mut tile = Tile::<T, N> { members: [[T::ZERO; TILE]; N], mean: [T::ZERO; TILE] };
    let groups = rewards.as_chunks::<N>().0.chunks(TILE);
    for (groups, out) in groups.zip(out.as_chunks_mut::<N>().0.chunks_mut(TILE)) {
        let whole: Option<&[[T; N]; TILE]> = groups.try_into().ok();
        if !whole.is_some_and(|groups| tile.run(groups, epsilon, out)) {
            for (group, out) in groups.iter().zip(out) {
                of_group(group, epsilon, out);
            }
        }
    }
}

/// [`TILE`] groups, member by member.
struct Tile<T, const N: usize> {
    members: [[T; TILE]; N],
    mean: [T; TILE],
}

impl<T: Real, const N: usize> Tile<T, N> {
    /// Advantages of [`TILE`] groups; false, with nothing written, where a reward is not finite.
    fn run(&mut self, groups: &[[T; N]; TILE], epsilon: T, out: &mut [[T; N]]) -> bool {
        for (g, group) in groups.iter().enumerate() {
            for (member, &reward) in self.members.iter_mut().zip(group) {
                member[g] = reward;
            }
        }
        self.score(epsilon);
        if !self.mean.iter().fold(T::ZERO, |sum, &mean| sum + mean).is_finite() {
            return false;
        }
        for (g, group) in out.iter_mut().enumerate().take(TILE) {
            for (out, member) in group.iter_mut().zip(&self.members) {
                *out = member[g];
            }
        }
        true
    }

    /// Members to advantages, in place. The loops over members are short and unrolled, which leaves
    /// the one over groups to become vector operations. Roots and quotients are taken of dead groups
    /// as well: a branch around them would take all of them one by one.
    fn score(&mut self, epsilon: T) {
        let one = T::from_f64(1.0);
        let (share, free_share) = (T::from_f64(1.0 / N as f64), T::from_f64(1.0 / (N - 1) as f64));
        for g in 0..TILE {
            let (mut sum, mut low, mut high) = (T::ZERO, self.members[0][g], self.members[0][g]);
            for member in &self.members {
                sum += member[g];
                low = T::min(low, member[g]);
                high = T::max(high, member[g]);
            }
            let mean = sum * share;
            let mut squares = T::ZERO;
            for member in &self.members {
                squares += (member[g] - mean) * (member[g] - mean);
            }
            let alive = if is_dead(low, high) { T::ZERO } else { one };
            let scale = alive * (one / ((squares * free_share).sqrt() + epsilon));
            for member in &mut self.members {
                member[g] = (member[g] - mean) * scale;
            }
            self.mean[g] = mean;
        }
    }
}

#[inline(always)]
fn of_group<T: Real>(group: &[T], epsilon: T, out: &mut [T]) {
    let n = T::from_f64(group.len() as f64);
    let mean = fold(group, T::ZERO, |r| r, T::add) / n;
    if !mean.is_finite() {
        return of_scorable(group, epsilon, out);
    }
    let squares = fold(group, T::ZERO, |r| (r - mean) * (r - mean), T::add);
    let std = (squares / T::from_f64((group.len() - 1) as f64)).sqrt();
    let first = group[0];
    let high = fold(group, first, |r| r, T::max);
    let low = fold(group, first, |r| r, T::min);
    let scale = if is_dead(low, high) { T::ZERO } else { T::from_f64(1.0) / (std + epsilon) };
    for (out, &reward) in out.iter_mut().zip(group) {
        *out = (reward - mean) * scale;
    }
}

/// The rule of `group.rs`, with the rounding of this kind of number.
#[inline(always)]
fn is_dead<T: Real>(low: T, high: T) -> bool {
    high - low <= T::from_f64(1e-8) + T::ROUNDING * high.abs().max(low.abs())
}

/// The same for a group that holds unscorable rewards.
#[cold]
fn of_scorable<T: Real>(group: &[T], epsilon: T, out: &mut [T]) {
    let scored: Vec<T> = group.iter().copied().filter(|reward| reward.is_finite()).collect();
    let mut compact = vec![T::ZERO; scored.len()];
    // A mean that overflows though all are finite would come back here for ever.
    if scored.len() > 1 && scored.len() < group.len() {
        of_group(&scored, epsilon, &mut compact);
    }
    let mut next = compact.into_iter();
    for (out, reward) in out.iter_mut().zip(group) {
        *out = if reward.is_finite() { next.next().unwrap_or(T::ZERO) } else { T::ZERO };
    }
}

/// `combine` over `map` of all values, in lanes that the compiler can keep in vector registers.
#[inline(always)]
fn fold<T: Real>(values: &[T], start: T, map: impl Fn(T) -> T, combine: impl Fn(T, T) -> T) -> T {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = combine(*lane, map(value));
        }
    }
    let mut total = rest.iter().fold(start, |total, &value| combine(total, map(value)));
    if !chunks.is_empty() {
        // Sums start at 0 and extremes at a member, so joining lanes counts nothing twice.
        for lane in lanes {
            total = combine(total, lane);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{GroupAdvantage, StepData, TrajectoryData};

    fn run(rewards: &[f64], group_size: usize) -> Vec<f64> {
        let mut out = vec![f64::NAN; rewards.len()];
        group_advantages(rewards, group_size, 1e-4, &mut out).unwrap();
        out
    }

    #[test]
    fn golden() {
        let wanted = [0.261089, -0.783268, -0.783268, 1.305446];
        let got = run(&[1.0, 0.0, 0.0, 2.0], 4);
        assert!(got.iter().zip(wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-6));
        let mut single = [0f32; 4];
        group_advantages(&[1.0, 0.0, 0.0, 2.0], 4, 1e-4, &mut single).unwrap();
        assert!(single.iter().zip(wanted).all(|(&a, w)| (f64::from(a) - w).abs() < 1e-6));
    }

    proptest! {
        #[test]
        fn it_is_the_group_advantage(
            group_size in 2usize..20, n_groups in 0usize..4,
            rewards in prop::collection::vec(prop::option::weighted(0.8, -3.0..3.0f64), 80),
        ) {
            let rewards = &rewards[..group_size * n_groups];
            let trajectory = |(i, &reward): (usize, &Option<f64>)| TrajectoryData {
                group: i / group_size,
                reward,
                ..Default::default()
            };
            let trajectories = rewards.iter().enumerate().map(trajectory).collect();
            let step = StepData { trajectories, ..Default::default() };
            let wanted = GroupAdvantage::default().advantages(&step).unwrap();
            let flat: Vec<f64> = rewards.iter().map(|r| r.unwrap_or(f64::NAN)).collect();
            for (got, wanted) in run(&flat, group_size).iter().zip(wanted) {
                prop_assert!((got - wanted).abs() < 1e-9, "{} is not {}", got, wanted);
            }
        }
    }

    /// Whole tiles, a rest, several jobs, and one tile that must be done group by group.
    #[test]
    fn many_groups_are_each_group_alone() {
        for group_size in [4, 6, 8, 16] {
            let n_groups = PARALLEL_FROM / group_size + TILE + 5;
            let mut rewards: Vec<f64> =
                (0..n_groups * group_size).map(|i| f64::from(i as u32 * 7919 % 101)).collect();
            rewards[TILE * group_size + 1] = f64::NAN;
            rewards[5 * group_size..6 * group_size].fill(3.0);
            let got = run(&rewards, group_size);
            for (group, got) in rewards.chunks(group_size).zip(got.chunks(group_size)) {
                let mut alone = vec![0.0; group_size];
                of_group(group, 1e-4, &mut alone);
                assert!(got.iter().zip(&alone).all(|(a, b)| (a - b).abs() < 1e-12));
            }
            assert!(got[5 * group_size..6 * group_size].iter().all(|&a| a == 0.0));
        }
    }

    #[test]
    fn dead_groups_are_exactly_zero_in_both_precisions() {
        let equal = [0.3, 0.1 + 0.2, 0.3, 0.3];
        assert_eq!(run(&equal, 4), [0.0; 4]);
        let mut out = [1f32; 4];
        group_advantages(&[0.3f32, 0.1 + 0.2, 0.300_000_04, 0.3], 4, 1e-4, &mut out).unwrap();
        assert_eq!(out, [0.0; 4]);
    }

    #[test]
    fn unscorable_and_overflowing_groups() {
        assert_eq!(run(&[f64::NAN, 1.0, f64::INFINITY, f64::NAN], 4), [0.0; 4]);
        assert_eq!(run(&[f64::MAX, f64::MAX], 2), [0.0; 2]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let too_small = AlgoError::GroupTooSmall { group: 0 };
        assert_eq!(group_advantages(&[1.0], 1, 1e-4, &mut [0.0]), Err(too_small));
        assert!(group_advantages(&[1.0; 3], 2, 1e-4, &mut [0.0; 3]).is_err());
        assert!(group_advantages(&[1.0; 4], 2, 1e-4, &mut [0.0; 3]).is_err());
    }
}
