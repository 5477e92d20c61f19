//! Generalised advantage estimation over many environments at once, with done flags.
//!
//! The recursion of [`Gae`] with the layout of a rollout buffer (Stable-Baselines3's
//! `compute_returns_and_advantage`): episodes may end anywhere, and where one has ended, neither the
//! value nor the advantage of what follows counts. Their `episode_starts[t + 1]` is our `dones[t]`.
//!
//! Two layouts. Steps first (`[step][environment]`) is one vector operation for each step. Rows
//! first (`[environment][step]`) first makes all one-step errors of a row, which is a vector
//! operation too, and then runs the recursions of several rows side by side, because each alone
//! would wait for its own last result. Large batches are spread over threads; nothing is summed
//! across them, so results do not depend on their number.

use rayon::prelude::*;

use super::Gae;
use crate::error::require_len;
use crate::{AlgoError, Real};

/// Numbers from which on threads pay, in each layout: steps first is done sooner.
const STEPS_PARALLEL_FROM: usize = 1 << 19;
const ROWS_PARALLEL_FROM: usize = 1 << 17;
/// Rows whose recursions run side by side.
const LANES: usize = 4;
const TASK: &str = "estimate advantages of a batch";

/// A rollout of all environments, flat.
#[derive(Clone, Copy, Debug)]
pub struct GaeBatch<'a, T> {
    /// Reward of each step.
    pub rewards: &'a [T],
    /// Value of the state before each step.
    pub values: &'a [T],
    /// True where the episode ended with this step.
    pub dones: &'a [bool],
    /// Value of the state behind the last step of each environment; not read where that step ended
    /// the episode. Its length is the number of environments.
    pub last_values: &'a [T],
}

impl<T: Real> GaeBatch<'_, T> {
    /// Number of steps of each environment.
    fn n_steps(&self, out: &[T]) -> Result<usize, AlgoError> {
        let (n, n_envs) = (self.rewards.len(), self.last_values.len());
        require_len(TASK, "values", n, self.values.len())?;
        require_len(TASK, "dones", n, self.dones.len())?;
        require_len(TASK, "out", n, out.len())?;
        let n_steps = n.checked_div(n_envs).unwrap_or_default();
        require_len(TASK, "rewards", n_steps * n_envs, n)?;
        Ok(n_steps)
    }
}

impl Gae {
    /// Advantages of a batch in the layout `[step][environment]`; add the values for the targets.
    ///
    /// # Errors
    /// Where the slices differ in length, or are no multiple of the number of environments.
    pub fn steps_first<T: Real>(
        &self,
        batch: &GaeBatch<'_, T>,
        out: &mut [T],
    ) -> Result<(), AlgoError> {
        let n_steps = batch.n_steps(out)?;
        let n_envs = batch.last_values.len();
        if n_steps == 0 {
            return Ok(());
        }
        let n_parts =
            if out.len() < STEPS_PARALLEL_FROM { 1 } else { rayon::current_num_threads() };
        let width = n_envs.div_ceil(n_parts);
        let mut parts: Vec<Vec<&mut [T]>> = Vec::new();
        parts.resize_with(n_envs.div_ceil(width), || Vec::with_capacity(n_steps));
        for step in out.chunks_mut(n_envs) {
            for (part, columns) in parts.iter_mut().zip(step.chunks_mut(width)) {
                part.push(columns);
            }
        }
        if let [part] = parts.as_mut_slice() {
            self.walk_columns(batch, 0, part);
        } else {
            let numbered = parts.par_iter_mut().enumerate();
            numbered.for_each(|(p, part)| self.walk_columns(batch, p * width, part));
        }
        Ok(())
    }

    /// Advantages of a batch in the layout `[environment][step]`; add the values for the targets.
    ///
    /// # Errors
    /// Where the slices differ in length, or are no multiple of the number of environments.
    pub fn rows_first<T: Real>(
        &self,
        batch: &GaeBatch<'_, T>,
        out: &mut [T],
    ) -> Result<(), AlgoError> {
        let n_steps = batch.n_steps(out)?;
        if n_steps == 0 {
            return Ok(());
        }
        let pack = LANES * n_steps;
        if out.len() < ROWS_PARALLEL_FROM {
            for (p, rows) in out.chunks_mut(pack).enumerate() {
                self.walk_rows(batch, p * LANES, n_steps, rows);
            }
        } else {
            let packs = out.par_chunks_mut(pack).enumerate();
            packs.for_each(|(p, rows)| self.walk_rows(batch, p * LANES, n_steps, rows));
        }
        Ok(())
    }

    /// Fills one stretch of columns; `steps` holds that stretch of each step.
    fn walk_columns<T: Real>(&self, batch: &GaeBatch<'_, T>, from: usize, steps: &mut [&mut [T]]) {
        let n_envs = batch.last_values.len();
        let width = steps.first().map_or(0, |step| step.len());
        let (gamma, decay) = (T::from_f64(self.gamma), T::from_f64(self.gamma * self.lambda));
        let ended = vec![T::ZERO; width];
        let mut next_values = &batch.last_values[from..from + width];
        for t in (0..steps.len()).rev() {
            let start = t * n_envs + from;
            let rewards = &batch.rewards[start..][..width];
            let values = &batch.values[start..][..width];
            let dones = &batch.dones[start..][..width];
            let (head, tail) = steps.split_at_mut(t + 1);
            let next = tail.first().map_or(ended.as_slice(), |step| &**step);
            let behind = (next_values, next);
            one_step((rewards, values), behind, dones, (gamma, decay), head[t]);
            next_values = values;
        }
    }

    /// Fills up to [`LANES`] rows, the first of which is row `from` of the batch.
    fn walk_rows<T: Real>(
        &self,
        batch: &GaeBatch<'_, T>,
        from: usize,
        n_steps: usize,
        rows: &mut [T],
    ) {
        let (gamma, decay) = (T::from_f64(self.gamma), T::from_f64(self.gamma * self.lambda));
        for (lane, out) in rows.chunks_mut(n_steps).enumerate() {
            let here = (from + lane) * n_steps..(from + lane + 1) * n_steps;
            let (rewards, values) = (&batch.rewards[here.clone()], &batch.values[here.clone()]);
            let last_value = batch.last_values[from + lane];
            one_step_errors(rewards, values, &batch.dones[here], last_value, gamma, out);
        }
        let dones = &batch.dones[from * n_steps..from * n_steps + rows.len()];
        if rows.len() == LANES * n_steps {
            accumulate_lanes(decay, dones, n_steps, rows);
        } else {
            for (row, dones) in rows.chunks_mut(n_steps).zip(dones.chunks(n_steps)) {
                accumulate(decay, dones, row);
            }
        }
    }
}

/// One step of all environments. A function of its own, so that the compiler knows that `out` is
/// none of the other slices.
#[inline(never)]
fn one_step<T: Real>(
    (rewards, values): (&[T], &[T]),
    (next_values, next): (&[T], &[T]),
    dones: &[bool],
    (gamma, decay): (T, T),
    out: &mut [T],
) {
    let n = out.len();
    let (rewards, values, dones) = (&rewards[..n], &values[..n], &dones[..n]);
    let (next_values, next) = (&next_values[..n], &next[..n]);
    for b in 0..n {
        let behind = gamma * next_values[b] + decay * next[b];
        out[b] = rewards[b] - values[b] + if dones[b] { T::ZERO } else { behind };
    }
}

/// r + gamma V' - V of one environment, which has at least one step.
#[inline(never)]
fn one_step_errors<T: Real>(
    rewards: &[T],
    values: &[T],
    dones: &[bool],
    last_value: T,
    gamma: T,
    out: &mut [T],
) {
    let last = out.len() - 1;
    let (rewards, values, dones) = (&rewards[..=last], &values[..=last], &dones[..=last]);
    let next_values = &values[1..];
    for (t, &next_value) in next_values.iter().enumerate() {
        let behind = gamma * next_value;
        out[t] = rewards[t] - values[t] + if dones[t] { T::ZERO } else { behind };
    }
    let behind = if dones[last] { T::ZERO } else { gamma * last_value };
    out[last] = rewards[last] - values[last] + behind;
}

/// One-step errors to advantages, in place.
fn accumulate<T: Real>(decay: T, dones: &[bool], row: &mut [T]) {
    let mut next = T::ZERO;
    for (error, &done) in row.iter_mut().zip(dones).rev() {
        next = *error + if done { T::ZERO } else { decay * next };
        *error = next;
    }
}

/// The same for [`LANES`] rows of `n_steps` side by side.
fn accumulate_lanes<T: Real>(decay: T, dones: &[bool], n_steps: usize, rows: &mut [T]) {
    let (a, rest) = rows.split_at_mut(n_steps);
    let (b, rest) = rest.split_at_mut(n_steps);
    let (c, d) = rest.split_at_mut(n_steps);
    let d = &mut d[..n_steps];
    let done = |lane: usize| &dones[lane * n_steps..][..n_steps];
    let (done_a, done_b, done_c, done_d) = (done(0), done(1), done(2), done(3));
    let mut next = [T::ZERO; LANES];
    for t in (0..n_steps).rev() {
        let keep = |is_done: bool, next: T| {
            let kept = decay * next;
            if is_done { T::ZERO } else { kept }
        };
        next = [
            a[t] + keep(done_a[t], next[0]),
            b[t] + keep(done_b[t], next[1]),
            c[t] + keep(done_c[t], next[2]),
            d[t] + keep(done_d[t], next[3]),
        ];
        [a[t], b[t], c[t], d[t]] = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    use super::*;

    const GAE: Gae = Gae { gamma: 0.97, lambda: 0.9 };

    /// One rollout in rows, and the same with steps first.
    struct Rollout {
        n_envs: usize,
        rewards: Vec<f64>,
        values: Vec<f64>,
        dones: Vec<bool>,
        last_values: Vec<f64>,
    }

    impl Rollout {
        fn random(seed: u64, n_envs: usize, n_steps: usize) -> Rollout {
            let mut stream = RunSeed(seed).stream(Purpose::Data, StreamKey::default());
            let mut numbers =
                |n: usize| -> Vec<f64> { (0..n).map(|_| stream.uniform(-1.0, 1.0)).collect() };
            let n = n_envs * n_steps;
            Rollout {
                n_envs,
                rewards: numbers(n),
                values: numbers(n),
                dones: numbers(n).into_iter().map(|x| x > 0.8).collect(),
                last_values: numbers(n_envs),
            }
        }

        /// Each episode cut out and estimated by itself.
        fn by_episode(&self) -> Vec<f64> {
            let n_steps = self.rewards.len() / self.n_envs;
            let mut all = Vec::new();
            for env in 0..self.n_envs {
                let mut start = env * n_steps;
                for t in env * n_steps..(env + 1) * n_steps {
                    let is_last = t + 1 == (env + 1) * n_steps;
                    if self.dones[t] || is_last {
                        let bootstrap = if self.dones[t] { 0.0 } else { self.last_values[env] };
                        let (q, v) = (&self.rewards[start..=t], &self.values[start..=t]);
                        all.extend(GAE.advantages(q, v, bootstrap).unwrap());
                        start = t + 1;
                    }
                }
            }
            all
        }

        fn check(&self) {
            let wanted = self.by_episode();
            let mut got = vec![f64::NAN; wanted.len()];
            GAE.rows_first(&self.batch(), &mut got).unwrap();
            assert_close(&got, &wanted);
            let turned = Rollout {
                n_envs: self.n_envs,
                rewards: transpose(&self.rewards, self.n_envs),
                values: transpose(&self.values, self.n_envs),
                dones: transpose(&self.dones, self.n_envs),
                last_values: self.last_values.clone(),
            };
            GAE.steps_first(&turned.batch(), &mut got).unwrap();
            assert_close(&got, &transpose(&wanted, self.n_envs));
        }

        fn batch(&self) -> GaeBatch<'_, f64> {
            GaeBatch {
                rewards: &self.rewards,
                values: &self.values,
                dones: &self.dones,
                last_values: &self.last_values,
            }
        }
    }

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-12, "{got} is not {wanted}");
        }
    }

    fn transpose<T: Copy>(rows: &[T], n_rows: usize) -> Vec<T> {
        let n_columns = rows.len() / n_rows;
        (0..n_columns).flat_map(|c| (0..n_rows).map(move |r| rows[r * n_columns + c])).collect()
    }

    proptest! {
        #[test]
        fn both_layouts_are_the_episodes_one_by_one(
            seed in any::<u64>(), n_envs in 1usize..11, n_steps in 1usize..9,
        ) {
            Rollout::random(seed, n_envs, n_steps).check();
        }
    }

    #[test]
    fn threads_change_nothing() {
        const { assert!(67 * 8000 > STEPS_PARALLEL_FROM && 67 * 8000 > ROWS_PARALLEL_FROM) };
        Rollout::random(1, 67, 8000).check();
        Rollout::random(2, 1, 536_000).check();
        Rollout::random(3, 536_000, 1).check();
    }

    #[test]
    fn what_follows_an_end_is_not_read() {
        let batch = GaeBatch {
            rewards: &[1.0f32, 2.0],
            values: &[0.5, f32::NAN],
            dones: &[true, true],
            last_values: &[f32::NAN],
        };
        let mut out = [0.0; 2];
        GAE.rows_first(&batch, &mut out).unwrap();
        assert_eq!(out[0], 0.5);
        GAE.steps_first(&batch, &mut out).unwrap();
        assert_eq!(out[0], 0.5);
    }

    #[test]
    fn shapes_must_fit() {
        let batch = GaeBatch {
            rewards: &[1.0, 2.0, 3.0],
            values: &[0.0; 3],
            dones: &[false; 3],
            last_values: &[0.0; 2],
        };
        let error = AlgoError::SliceLength { task: TASK, array: "rewards", expected: 2, got: 3 };
        assert_eq!(GAE.rows_first(&batch, &mut [0.0; 3]), Err(error.clone()));
        assert_eq!(GAE.steps_first(&batch, &mut [0.0; 3]), Err(error));
        assert!(GAE.steps_first(&batch, &mut [0.0; 2]).is_err());
        let empty = GaeBatch::<f64> { rewards: &[], values: &[], dones: &[], last_values: &[] };
        assert_eq!(GAE.rows_first(&empty, &mut []), Ok(()));
        assert_eq!(GAE.steps_first(&empty, &mut []), Ok(()));
    }
}
