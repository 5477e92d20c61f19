//! Which profile to train with, from what the untrained agent does.
//!
//! The documented choice: hard tasks and rewards without spread ask for small steps and large groups,
//! tasks that are nearly solved allow large steps, everything else is balanced. Limits hold for rewards
//! from 0 to 1. An easy task is looked at before the spread is, as documented: rewards near 1 are close
//! together by nature. Where turns are not rewarded, the spread is that of the rewards in a group.

use std::fmt;

use super::{BaselineFacts, BaselineRun};

/// A profile of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Small steps, large groups.
    Conservative,
    /// The defaults.
    Balanced,
    /// Large steps, small groups.
    Aggressive,
}

impl Profile {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Conservative => "conservative",
            Profile::Balanced => "balanced",
            Profile::Aggressive => "aggressive",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How hard a task is for the untrained agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difficulty {
    /// Mean reward below 0.1.
    VeryHard,
    /// Below 0.3.
    Hard,
    /// Below 0.7.
    Moderate,
    /// From 0.7.
    Easy,
}

impl Difficulty {
    /// The difficulty at this mean reward.
    pub fn of(mean_reward: f64) -> Difficulty {
        match mean_reward {
            reward if reward < 0.1 => Difficulty::VeryHard,
            reward if reward < 0.3 => Difficulty::Hard,
            reward if reward < 0.7 => Difficulty::Moderate,
            _ => Difficulty::Easy,
        }
    }

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Difficulty::VeryHard => "very_hard",
            Difficulty::Hard => "hard",
            Difficulty::Moderate => "moderate",
            Difficulty::Easy => "easy",
        }
    }
}

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideValue {
    /// On or off.
    Bool(bool),
    /// A whole number.
    Integer(u64),
}

/// A setting that should differ from the profile's.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Key of the configuration.
    pub key: &'static str,
    /// Its value.
    pub value: OverrideValue,
    /// Why.
    pub reason: String,
}

/// What to train with, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The profile.
    pub profile: Profile,
    /// How hard the task is; `None` where nothing was scored.
    pub difficulty: Option<Difficulty>,
    /// Sentences for a person, the deciding one first.
    pub reasons: Vec<String>,
    /// Settings beside the profile.
    pub overrides: Vec<Override>,
    /// The figures it rests on.
    pub facts: BaselineFacts,
}

/// Above this mean reward an easy task is trained with large steps.
const EASY_REWARD: f64 = 0.8;
/// Below this spread there is little to learn from.
const LEAST_SPREAD: f64 = 0.05;
/// Above this share of dead groups, groups are sampled until enough of them differ.
const MOST_DEAD: f64 = 0.5;
/// Above this share of cut off episodes, they get more room.
const MOST_TRUNCATED: f64 = 0.2;

/// Chooses a profile. Without a scored episode it is the conservative one.
pub fn choose_profile(baseline: &BaselineRun) -> Choice {
    let facts = baseline.facts();
    let difficulty = facts.mean_reward.map(Difficulty::of);
    let (profile, reason) = decide(&facts);
    let mut reasons = vec![reason];
    let n_unscored = facts.n_episodes - facts.n_scored;
    if n_unscored > 0 {
        reasons.push(format!("{n_unscored} of {} episodes could not be scored", facts.n_episodes));
    }
    let overrides = overrides(&facts, baseline.max_completion_tokens);
    reasons.extend(overrides.iter().map(|one| one.reason.clone()));
    Choice { profile, difficulty, reasons, overrides, facts }
}

fn decide(facts: &BaselineFacts) -> (Profile, String) {
    let Some(mean) = facts.mean_reward else {
        let reason = "no episode could be scored, so nothing is known of the task";
        return (Profile::Conservative, reason.to_owned());
    };
    let difficulty = Difficulty::of(mean);
    let said = format!("the mean reward is {mean:.2}, a {} task", difficulty.name());
    if matches!(difficulty, Difficulty::VeryHard | Difficulty::Hard) {
        let reason = format!("{said}: small steps and large groups find what little works");
        return (Profile::Conservative, reason);
    }
    if mean > EASY_REWARD {
        return (Profile::Aggressive, format!("{said} that is nearly solved: large steps do"));
    }
    let spread = facts.turn_spread.map(|spread| ("turns", spread));
    let spread = spread.or(facts.group_spread.map(|spread| ("groups", spread)));
    if let Some((of, spread)) = spread.filter(|&(_, spread)| spread < LEAST_SPREAD) {
        let reason = format!(
            "rewards of {of} differ by {spread:.3} only, below {LEAST_SPREAD}: small steps and \
             large groups average the noise out"
        );
        return (Profile::Conservative, reason);
    }
    (Profile::Balanced, format!("{said}, and nothing speaks for smaller or larger steps"))
}

fn overrides(facts: &BaselineFacts, max_tokens: Option<usize>) -> Vec<Override> {
    let mut overrides = Vec::new();
    if let Some(share) = facts.dead_share.filter(|&share| share > MOST_DEAD) {
        let percent = 100.0 * share;
        overrides.push(Override {
            key: "training.use_dynamic_sampling",
            value: OverrideValue::Bool(true),
            reason: format!(
                "{percent:.0} % of the samples have only equals in their group: groups are sampled \
                 until enough of them differ"
            ),
        });
    }
    let truncated = facts.truncated_share.filter(|&share| share > MOST_TRUNCATED);
    if let (Some(share), Some(limit)) = (truncated, max_tokens) {
        let percent = 100.0 * share;
        let limit = limit as u64;
        overrides.push(Override {
            key: "training.max_completion_length",
            value: OverrideValue::Integer(2 * limit),
            reason: format!("{percent:.0} % of the episodes are cut off at a limit of {limit}"),
        });
    }
    overrides
}

#[cfg(test)]
mod tests {
    use super::super::BaselineEpisode;
    use super::*;

    fn baseline(rewards: &[f64], turn_rewards: &[f64]) -> BaselineRun {
        let episode = |&reward: &f64| BaselineEpisode {
            reward: Some(reward),
            turn_rewards: turn_rewards.to_vec(),
            n_tokens: 20,
            is_truncated: false,
        };
        let groups = rewards.iter().map(|reward| vec![episode(reward)]).collect();
        BaselineRun { groups, max_completion_tokens: Some(256) }
    }

    /// Mean reward, rewards of the turns of each episode, what is documented for them.
    #[test]
    fn the_documented_choice() {
        let spread = [0.0, 1.0];
        let flat = [0.50, 0.59]; // population deviation 0.045
        let rows: &[(f64, &[f64], Profile, Difficulty)] = &[
            (0.00, &spread, Profile::Conservative, Difficulty::VeryHard),
            (0.09, &spread, Profile::Conservative, Difficulty::VeryHard),
            (0.10, &spread, Profile::Conservative, Difficulty::Hard),
            (0.29, &spread, Profile::Conservative, Difficulty::Hard),
            (0.30, &spread, Profile::Balanced, Difficulty::Moderate),
            (0.69, &spread, Profile::Balanced, Difficulty::Moderate),
            (0.70, &spread, Profile::Balanced, Difficulty::Easy),
            (0.80, &spread, Profile::Balanced, Difficulty::Easy),
            (0.81, &spread, Profile::Aggressive, Difficulty::Easy),
            (0.81, &flat, Profile::Aggressive, Difficulty::Easy),
            (0.50, &flat, Profile::Conservative, Difficulty::Moderate),
            (0.80, &flat, Profile::Conservative, Difficulty::Easy),
            (0.50, &[0.50, 0.62], Profile::Balanced, Difficulty::Moderate),
            (0.50, &[], Profile::Balanced, Difficulty::Moderate),
        ];
        for &(reward, turns, profile, difficulty) in rows {
            let choice = choose_profile(&baseline(&[reward], turns));
            assert_eq!((choice.profile, choice.difficulty), (profile, Some(difficulty)));
            assert_eq!((choice.reasons.len(), choice.overrides.len()), (1, 0), "{choice:?}");
        }
    }

    #[test]
    fn without_turn_rewards_the_spread_within_groups_counts() {
        let mut flat = baseline(&[0.50, 0.52, 0.9, 0.1], &[]);
        flat.groups = vec![flat.groups.concat()[..2].to_vec()];
        assert_eq!(choose_profile(&flat).profile, Profile::Conservative);
        let mut wide = baseline(&[0.9, 0.1], &[]);
        wide.groups = vec![wide.groups.concat()];
        assert_eq!(choose_profile(&wide).profile, Profile::Balanced);
    }

    #[test]
    fn nothing_scored_is_conservative_and_says_so() {
        let choice = choose_profile(&BaselineRun::default());
        assert_eq!((choice.profile, choice.difficulty), (Profile::Conservative, None));
        let mut unscored = baseline(&[0.5, 0.5], &[0.0, 1.0]);
        unscored.groups[0][0].reward = None;
        let choice = choose_profile(&unscored);
        assert_eq!(choice.reasons[1], "1 of 2 episodes could not be scored");
    }

    #[test]
    fn dead_groups_and_cut_off_episodes_bring_settings_along() {
        let mut baseline = baseline(&[0.5, 0.5, 0.0, 1.0], &[]);
        let all = baseline.groups.concat();
        baseline.groups = vec![all[..2].to_vec(), all[2..].to_vec()];
        assert_eq!(choose_profile(&baseline).overrides, [], "half is not more than half");
        baseline.groups.push(all[..2].to_vec());
        baseline.groups[0][0].is_truncated = true;
        assert_eq!(choose_profile(&baseline).overrides.len(), 1);
        baseline.groups[0][1].is_truncated = true;
        let choice = choose_profile(&baseline);
        let settings: Vec<_> = choice.overrides.iter().map(|one| (one.key, one.value)).collect();
        assert_eq!(
            settings,
            [
                ("training.use_dynamic_sampling", OverrideValue::Bool(true)),
                ("training.max_completion_length", OverrideValue::Integer(512)),
            ]
        );
        assert_eq!(choice.reasons.len(), 3);
    }
}
