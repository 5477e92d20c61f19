//! Training that chooses its own profile.
//!
//! The untrained agent plays a few episodes; [`choose_profile`] says from them which profile fits and
//! why; the run is trained with that profile, with settings that change where the run's health asks for
//! it, and with an end where evaluations no longer get better. What the caller has set stands in any
//! case. The five documented scenarios are each played four times, because only samples of one scenario
//! show whether there is anything to compare.

use std::fmt::Write;

use stateset_algo::{Choice, OverrideValue, choose_profile};
use stateset_core::{Environment, Reward, Scenario};
use stateset_train::config::Resolved;
use stateset_train::{BaselineSize, OnlineRun, TrainError, play_baseline};

use super::agent::ChatAgent;
use super::training::{Training, train, train_on_prompts};

/// How to train without choosing settings.
///
/// # Example
/// ```no_run
/// use stateset_agents::prelude::*;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let agent = ChatAgent::load("builtin:tiny").await?;
/// let trained = AutoTrainer::default()
///     .train_on_prompts(&agent, ["Say something nice."], HelpfulnessReward::default())
///     .steps(20)
///     .await?;
/// for reason in trained.choice.iter().flat_map(|choice| &choice.reasons) {
///     println!("{reason}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoTrainer {
    /// Change settings during the run where its health asks for it.
    pub auto_adjust: bool,
    /// End the run where evaluations no longer get better, and keep the best model.
    pub early_stopping: bool,
    /// Steps without a new best evaluation after which that happens, 1 or more.
    pub patience: u64,
    /// What the untrained agent plays first.
    pub baseline: BaselineSize,
}

impl Default for AutoTrainer {
    fn default() -> Self {
        AutoTrainer {
            auto_adjust: true,
            early_stopping: true,
            patience: 50,
            baseline: BaselineSize::default(),
        }
    }
}

impl AutoTrainer {
    /// As [`train`](crate::train), with a profile chosen for the task.
    pub fn train(
        self,
        agent: &ChatAgent,
        environment: impl Environment + 'static,
        scenarios: &[Scenario],
        reward: impl Reward + 'static,
    ) -> Training {
        train(agent, environment, scenarios, reward).auto(self)
    }

    /// As [`train_on_prompts`](crate::train_on_prompts), with a profile chosen for the task.
    pub fn train_on_prompts<T: Into<String>>(
        self,
        agent: &ChatAgent,
        prompts: impl IntoIterator<Item = T>,
        reward: impl Reward + 'static,
    ) -> Training {
        train_on_prompts(agent, prompts, reward).auto(self)
    }

    /// Lets the untrained agent of `run` play, and chooses.
    pub(crate) async fn choose(self, run: OnlineRun) -> Result<Choice, TrainError> {
        Ok(choose_profile(&play_baseline(run, self.baseline).await?))
    }

    /// Keys of the configuration with their values, without those that a person has set in `resolved`.
    pub(crate) fn settings(self, choice: &Choice, resolved: &Resolved) -> Vec<(String, String)> {
        let mut settings = vec![("profile", choice.profile.name().to_owned())];
        if self.auto_adjust {
            settings.push(("training.auto_adjust", true.to_string()));
        }
        // It goes by evaluations.
        if self.early_stopping && resolved.config.evaluation.every_n_steps.is_some() {
            settings.push(("training.early_stopping", true.to_string()));
            settings.push(("training.patience", self.patience.to_string()));
        }
        // What a method does not read is not among its values.
        let is_read = |path: &str| resolved.values.get(path).is_some();
        for one in choice.overrides.iter().filter(|one| is_read(one.key)) {
            let value = match one.value {
                OverrideValue::Bool(value) => value.to_string(),
                OverrideValue::Integer(value) => value.to_string(),
            };
            settings.push((one.key, value));
        }
        let is_own = |path: &str| resolved.values.get(path).is_some_and(|s| s.origin.is_own());
        let free = settings.into_iter().filter(|(path, _)| !is_own(path));
        free.map(|(path, value)| (path.to_owned(), value)).collect()
    }
}

/// What was chosen and why, for people: one line for each reason.
pub(crate) fn choice_text(choice: &Choice) -> String {
    let mut text = format!("auto: the {} profile", choice.profile);
    for (index, reason) in choice.reasons.iter().enumerate() {
        let _ = write!(text, "{}{reason}", if index == 0 { ", because " } else { "\nauto: " });
    }
    text
}

#[cfg(test)]
mod tests {
    use stateset_algo::{BaselineEpisode, BaselineRun, Profile};
    use stateset_train::config::{ConfigSources, Flag, resolve};

    use super::*;

    fn choice() -> Choice {
        let episode = |reward| BaselineEpisode {
            reward: Some(reward),
            n_tokens: 9,
            is_truncated: true,
            ..BaselineEpisode::default()
        };
        let groups = vec![vec![episode(0.05), episode(0.05)]];
        choose_profile(&BaselineRun { groups, max_completion_tokens: Some(64) })
    }

    fn resolved(flags: &[(&str, &str)]) -> Resolved {
        let flag = |(path, value): &(&str, &str)| Flag {
            flag: "--set".to_owned(),
            path: (*path).to_owned(),
            value: (*value).to_owned(),
        };
        let flags = flags.iter().map(flag).collect();
        resolve(&ConfigSources { flags, ..ConfigSources::default() }).unwrap()
    }

    #[test]
    fn a_hard_task_is_trained_with_small_steps_and_what_the_caller_set_stands() {
        let choice = choice();
        assert_eq!(choice.profile, Profile::Conservative);
        let of =
            |flags: &[(&str, &str)]| AutoTrainer::default().settings(&choice, &resolved(flags));
        let paths = |settings: &[(String, String)]| -> Vec<String> {
            settings.iter().map(|(path, value)| format!("{path}={value}")).collect()
        };
        let all = [
            "profile=conservative",
            "training.auto_adjust=true",
            "training.early_stopping=true",
            "training.patience=50",
            "training.max_completion_length=128",
        ];
        let found = paths(&of(&[("training.eval_steps", "5")]));
        assert!(all.iter().all(|one| found.iter().any(|path| path == one)), "{found:?}");
        let own = [
            ("training.eval_steps", "5"),
            ("training.patience", "9"),
            ("training.max_completion_length", "32"),
            ("profile", "aggressive"),
        ];
        let left = paths(&of(&own));
        assert!(left.iter().any(|path| path == all[2]), "{left:?}");
        let stands =
            |path: &String| own.iter().any(|(key, _)| path.starts_with(&format!("{key}=")));
        assert!(!left.iter().any(stands), "{left:?}");
        assert!(!paths(&of(&[("training.eval_steps", "0")])).contains(&all[2].to_owned()));
    }

    #[test]
    fn reasons_are_told_line_by_line() {
        let text = choice_text(&choice());
        assert!(
            text.starts_with("auto: the conservative profile, because the mean reward is 0.05")
        );
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().all(|line| line.starts_with("auto: ")));
    }
}
