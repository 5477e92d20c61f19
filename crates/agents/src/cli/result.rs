//! What a run came to, for people.

use std::fmt::Write;
use std::path::Path;

use stateset_algo::Interval;
use stateset_train::{EvaluationSummary, RunSummary, TrainedRun};

/// Width of a name in the table.
const NAME: usize = 18;
/// Width of a figure with its interval.
const FIGURE: usize = 22;

/// The table before and after, figures of the run, and where everything is.
pub(crate) fn result_text(trained: &TrainedRun, saved: Option<&Path>) -> String {
    let mut text = String::new();
    if let Some(any) = trained.after.as_ref().or(trained.before.as_ref()) {
        text += &table(trained, any);
    }
    text += &figures(&trained.summary);
    text += &places(trained, saved);
    text
}

fn table(trained: &TrainedRun, any: &EvaluationSummary) -> String {
    let (before, after) = (trained.before.as_ref(), trained.after.as_ref());
    let mut text = format!(
        "\n{} held-out conversations, means with 95 % intervals\n\n{:NAME$}  {:FIGURE$}  {:FIGURE$}  gain\n",
        any.n_episodes, "", "before", "after"
    );
    let mut row = |name: &str, of: &dyn Fn(&EvaluationSummary) -> Option<Interval>| {
        let (before, after) = (before.and_then(of), after.and_then(of));
        let gain = before.zip(after).map(|(b, a)| format!("{:+.3}", a.estimate - b.estimate));
        let _ = writeln!(
            text,
            "{name:NAME$}  {:FIGURE$}  {:FIGURE$}  {}",
            shown(before),
            shown(after),
            gain.unwrap_or_default()
        );
    };
    row("reward", &|summary| summary.reward);
    for name in any.components.keys() {
        row(&format!("  {name}"), &|summary| summary.components.get(name).copied());
    }
    if any.goal.is_some() {
        row("goal reached", &|summary| summary.goal);
    }
    text
}

fn shown(interval: Option<Interval>) -> String {
    interval.map_or("-".to_owned(), |i| format!("{:.3} [{:.3}, {:.3}]", i.estimate, i.low, i.high))
}

fn figures(summary: &RunSummary) -> String {
    let mut parts = vec![
        format!("{} steps", summary.n_steps),
        format!("{} episodes", summary.n_episodes),
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

fn places(trained: &TrainedRun, saved: Option<&Path>) -> String {
    let root = trained.folder.root().display();
    if !trained.is_complete {
        return format!("\nstopped early; go on with\n  stateset-agents train --resume {root}\n");
    }
    let mut text = String::from("\n");
    let _ = writeln!(text, "report        {}", trained.folder.report().display());
    if trained.policy.is_some() {
        let _ = writeln!(text, "model         {}", trained.folder.final_checkpoint().display());
    }
    if let Some(saved) = saved {
        let _ = writeln!(text, "saved         {}", saved.display());
    }
    let _ = writeln!(text, "everything    {root}");
    match trained.policy {
        Some(_) => {
            let _ = writeln!(text, "\ntalk to it with\n  stateset-agents chat --model {root}");
        }
        None => text += "\nthe answers were canned, so nothing was learned\n",
    }
    text
}
