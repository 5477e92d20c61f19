//! What a run came to, for people.

use std::fmt::Write;
use std::path::Path;

use stateset_algo::Interval;
use stateset_train::{EvaluationSummary, RunFolder, RunSummary, TrainedPreference, TrainedRun};

/// Width of a name in the table.
const NAME: usize = 18;
/// Width of a figure with its interval.
const FIGURE: usize = 22;

/// What a run came to.
pub(crate) struct RunResult<'a> {
    folder: &'a RunFolder,
    summary: &'a RunSummary,
    before: Option<&'a EvaluationSummary>,
    after: Option<&'a EvaluationSummary>,
    is_complete: bool,
    learned: Learned,
}

/// What was learned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Learned {
    /// To talk, from rollouts.
    Agent,
    /// To talk, from preferences.
    Preferences,
    /// To score answers.
    RewardModel,
    /// Nothing: the answers were canned.
    Nothing,
}

impl<'a> From<&'a TrainedRun> for RunResult<'a> {
    fn from(trained: &'a TrainedRun) -> RunResult<'a> {
        RunResult {
            folder: &trained.folder,
            summary: &trained.summary,
            before: trained.before.as_ref(),
            after: trained.after.as_ref(),
            is_complete: trained.is_complete,
            learned: if trained.policy.is_some() { Learned::Agent } else { Learned::Nothing },
        }
    }
}

impl<'a> From<&'a TrainedPreference> for RunResult<'a> {
    fn from(trained: &'a TrainedPreference) -> RunResult<'a> {
        let is_policy = !trained.is_reward_model();
        RunResult {
            folder: &trained.folder,
            summary: &trained.summary,
            before: trained.before.as_ref(),
            after: trained.after.as_ref(),
            is_complete: trained.is_complete,
            learned: if is_policy { Learned::Preferences } else { Learned::RewardModel },
        }
    }
}

impl RunResult<'_> {
    /// The table before and after, figures of the run, and where everything is.
    pub(crate) fn text(&self, saved: Option<&Path>) -> String {
        let mut text = String::new();
        if let Some(any) = self.after.or(self.before) {
            text += &self.table(any);
        }
        text += &self.figures();
        text += &self.places(saved);
        text
    }

    fn is_played(&self) -> bool {
        matches!(self.learned, Learned::Agent | Learned::Nothing)
    }

    fn table(&self, any: &EvaluationSummary) -> String {
        let what = if self.is_played() { "conversations" } else { "examples" };
        let mut text = format!(
            "\n{} held-out {what}, means with 95 % intervals\n\n{:NAME$}  {:FIGURE$}  {:FIGURE$}  gain\n",
            any.n_episodes, "", "before", "after"
        );
        let mut row = |name: &str, of: &dyn Fn(&EvaluationSummary) -> Option<Interval>| {
            let (before, after) = (self.before.and_then(of), self.after.and_then(of));
            let gain = before.zip(after).map(|(b, a)| format!("{:+.3}", a.estimate - b.estimate));
            let line = format!(
                "{name:NAME$}  {:FIGURE$}  {:FIGURE$}  {}",
                shown(before),
                shown(after),
                gain.unwrap_or_default()
            );
            text += line.trim_end();
            text.push('\n');
        };
        if !self.is_played() {
            // Their reward is the accuracy, which stands among the components.
            for name in any.components.keys() {
                row(name, &|summary| summary.components.get(name).copied());
            }
            return text;
        }
        row("reward", &|summary| summary.reward);
        for name in any.components.keys() {
            row(&format!("  {name}"), &|summary| summary.components.get(name).copied());
        }
        if any.goal.is_some() {
            row("goal reached", &|summary| summary.goal);
        }
        text
    }
    fn figures(&self) -> String {
        let summary = self.summary;
        let what = if self.is_played() { "episodes" } else { "examples" };
        let mut parts = vec![
            format!("{} steps", summary.n_steps),
            format!("{} {what}", summary.n_episodes),
            format!("{:.0} s", summary.wall_secs),
        ];
        let mut speed = |name: &str, rate: Option<f64>| {
            parts.extend(rate.map(|rate| format!("{name} {rate:.0} tokens/s")));
        };
        speed("sampling", summary.rollout_tokens_per_sec);
        speed("training", summary.train_tokens_per_sec);
        let megabytes = |bytes: u64| format!("peak memory {:.0} MB", bytes as f64 / 1e6);
        parts.extend(summary.peak_rss_bytes.map(megabytes));
        format!("\n{}\n", parts.join(", "))
    }

    fn places(&self, saved: Option<&Path>) -> String {
        let root = self.folder.root().display();
        if !self.is_complete {
            return format!(
                "\nstopped early; go on with\n  stateset-agents train --resume {root}\n"
            );
        }
        let mut text = String::from("\n");
        let _ = writeln!(text, "report        {}", self.folder.report().display());
        if self.learned != Learned::Nothing {
            let _ = writeln!(text, "model         {}", self.folder.final_checkpoint().display());
        }
        if let Some(saved) = saved {
            let _ = writeln!(text, "saved         {}", saved.display());
        }
        let _ = writeln!(text, "everything    {root}");
        let _ = match self.learned {
            Learned::Agent | Learned::Preferences => {
                writeln!(text, "\ntalk to it with\n  stateset-agents chat --model {root}")
            }
            Learned::RewardModel => writeln!(
                text,
                "\ntrain on its scores with\n  stateset-agents train --reward neural:{root}"
            ),
            Learned::Nothing => {
                writeln!(text, "\nthe answers were canned, so nothing was learned")
            }
        };
        text
    }
}

fn shown(interval: Option<Interval>) -> String {
    interval.map_or("-".to_owned(), |i| format!("{:.3} [{:.3}, {:.3}]", i.estimate, i.low, i.high))
}
