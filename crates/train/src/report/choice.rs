//! Which conversations a report shows.
//!
//! A dozen cannot stand for an evaluation, and a hand-picked dozen would flatter it, so the rule is fixed
//! and printed above them: some of the largest gains, some of the largest losses, the rest by lot. The
//! lot is drawn from a fixed seed, so that a rebuilt report shows the same.

use std::collections::BTreeMap;

use stateset_core::{Purpose, RunSeed, StreamKey, Trajectory};

/// Conversations shown.
const N_SHOWN: usize = 12;
/// Gains, and losses, among them.
const N_EXTREMES: usize = 4;
/// Seed of the lot.
const SEED: RunSeed = RunSeed(12);

/// A held-out scenario as it was played before and after training.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'a> {
    pub(super) before: Option<&'a Trajectory>,
    pub(super) after: Option<&'a Trajectory>,
}

/// Why a conversation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Gain,
    Loss,
    Lot,
}

/// The conversations shown, by reason.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) shown: Vec<(Reason, Pair<'a>)>,
    /// All that there are.
    pub(super) n_all: usize,
}

impl<'a> Pair<'a> {
    /// Whichever was played.
    pub(super) fn any(&self) -> Option<&'a Trajectory> {
        self.before.or(self.after)
    }

    /// What `value` gained by training; `None` where one side has none.
    pub(super) fn gain(&self, value: impl Fn(&Trajectory) -> Option<f64>) -> Option<f64> {
        let gain = value(self.after?)? - value(self.before?)?;
        gain.is_finite().then_some(gain)
    }
}

/// Brings together what was played of the same scenario, in the order of `before`, then of `after`. The
/// n-th time that a scenario occurs on one side belongs to the n-th time on the other.
pub(super) fn pair_up<'a>(before: &'a [Trajectory], after: &'a [Trajectory]) -> Vec<Pair<'a>> {
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    let mut index_of: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    for (key, trajectory) in numbered(before) {
        index_of.insert(key, pairs.len());
        pairs.push(Pair { before: Some(trajectory), after: None });
    }
    for (key, trajectory) in numbered(after) {
        match index_of.get(&key) {
            Some(&index) => pairs[index].after = Some(trajectory),
            None => pairs.push(Pair { before: None, after: Some(trajectory) }),
        }
    }
    pairs
}

/// Chooses up to a dozen of `pairs`.
pub(super) fn choose<'a>(pairs: &[Pair<'a>]) -> Choice<'a> {
    let mut by_gain: Vec<(f64, usize)> = pairs
        .iter()
        .enumerate()
        .filter_map(|(index, pair)| Some((pair.gain(Trajectory::reward)?, index)))
        .collect();
    by_gain.sort_by(|a, b| b.0.total_cmp(&a.0));
    let gains = by_gain.iter().filter(|(gain, _)| *gain > 0.0).take(N_EXTREMES);
    let losses = by_gain.iter().rev().filter(|(gain, _)| *gain < 0.0).take(N_EXTREMES);
    let mut chosen: Vec<(Reason, usize)> = gains.map(|(_, index)| (Reason::Gain, *index)).collect();
    chosen.extend(losses.map(|(_, index)| (Reason::Loss, *index)));

    let is_chosen = |index: &usize| chosen.iter().any(|(_, found)| found == index);
    let mut rest: Vec<usize> = (0..pairs.len()).filter(|index| !is_chosen(index)).collect();
    SEED.stream(Purpose::Data, StreamKey::default()).shuffle(&mut rest);
    rest.truncate(N_SHOWN - chosen.len());
    chosen.extend(rest.into_iter().map(|index| (Reason::Lot, index)));
    let shown = chosen.into_iter().map(|(reason, index)| (reason, pairs[index])).collect();
    Choice { shown, n_all: pairs.len() }
}

impl Choice<'_> {
    /// The rule by which they were chosen, in a sentence.
    pub(super) fn statement(&self) -> String {
        let count = |reason| self.shown.iter().filter(|(found, _)| *found == reason).count();
        let (n_gains, n_losses, n_lot) =
            (count(Reason::Gain), count(Reason::Loss), count(Reason::Lot));
        let mut parts = Vec::new();
        if n_gains > 0 {
            parts.push(format!("the {n_gains} with the largest gain of reward"));
        }
        if n_losses > 0 {
            parts.push(format!("the {n_losses} with the largest loss"));
        }
        let n_shown = self.shown.len();
        if n_shown == self.n_all {
            return format!("All {n_shown} held-out conversations.");
        }
        if n_lot > 0 {
            parts.push(format!("{n_lot} drawn by lot from the others"));
        }
        let words = match &parts[..] {
            [] => "none".to_owned(),
            [only] => only.clone(),
            [firsts @ .., last] => format!("{} and {last}", firsts.join(", ")),
        };
        format!("{n_shown} of {} held-out conversations: {words}.", self.n_all)
    }
}

impl Reason {
    pub(super) fn text(self) -> &'static str {
        match self {
            Reason::Gain => "gain",
            Reason::Loss => "loss",
            Reason::Lot => "by lot",
        }
    }
}

/// Each trajectory with its scenario and how often that came before.
fn numbered(trajectories: &[Trajectory]) -> impl Iterator<Item = ((&str, usize), &Trajectory)> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    trajectories.iter().map(move |trajectory| {
        let n = seen.entry(&trajectory.scenario_id).or_default();
        *n += 1;
        ((trajectory.scenario_id.as_str(), *n), trajectory)
    })
}

#[cfg(test)]
mod tests {
    use stateset_core::{RewardResult, Score};

    use super::*;

    fn played(rewards: &[(&str, f64)]) -> Vec<Trajectory> {
        let trajectory = |(id, reward): &(&str, f64)| Trajectory {
            scenario_id: (*id).to_owned(),
            reward: Some(RewardResult::single(Score::of(*reward))),
            ..Trajectory::default()
        };
        rewards.iter().map(trajectory).collect()
    }

    fn ids(choice: &Choice<'_>, reason: Reason) -> Vec<String> {
        let found = choice.shown.iter().filter(|(found, _)| *found == reason);
        found.map(|(_, pair)| pair.any().unwrap().scenario_id.clone()).collect()
    }

    #[test]
    fn pairs_by_scenario_and_occurrence() {
        let before = played(&[("a", 0.0), ("b", 0.1), ("a", 0.2)]);
        let after = played(&[("a", 1.0), ("c", 0.5), ("a", 1.2)]);
        let gains: Vec<Option<f64>> =
            pair_up(&before, &after).iter().map(|pair| pair.gain(Trajectory::reward)).collect();
        assert_eq!(gains, [Some(1.0), None, Some(1.0), None]);
    }

    #[test]
    fn shows_extremes_and_a_lot() {
        let names: Vec<String> = (0..40).map(|n| format!("s{n}")).collect();
        let before: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 0.5)).collect();
        // Gains of s0 to s9 fall from 0.45, s10 to s29 stay as they were, s30 to s31 lose.
        let after: Vec<(&str, f64)> = before
            .iter()
            .enumerate()
            .map(|(n, (name, _))| match n {
                0..10 => (*name, 0.95 - n as f64 / 100.0),
                30..32 => (*name, 0.5 - n as f64 / 100.0),
                _ => (*name, 0.5),
            })
            .collect();
        let (before, after) = (played(&before), played(&after));
        let pairs = pair_up(&before, &after);
        let choice = choose(&pairs);
        assert_eq!(ids(&choice, Reason::Gain), ["s0", "s1", "s2", "s3"]);
        assert_eq!(ids(&choice, Reason::Loss), ["s31", "s30"]);
        let lot = ids(&choice, Reason::Lot);
        assert_eq!(lot.len(), 6);
        assert_eq!(lot, ids(&choose(&pairs), Reason::Lot));
        assert_eq!(
            choice.statement(),
            "12 of 40 held-out conversations: the 4 with the largest gain of reward, the 2 with the \
             largest loss and 6 drawn by lot from the others."
        );
    }

    #[test]
    fn few_are_all_shown() {
        let before = played(&[("a", 0.0), ("b", 0.5)]);
        let pairs = pair_up(&before, &[]);
        let choice = choose(&pairs);
        assert_eq!(choice.shown.len(), 2);
        assert_eq!(choice.statement(), "All 2 held-out conversations.");
        assert_eq!(choose(&[]).shown.len(), 0);
    }
}
