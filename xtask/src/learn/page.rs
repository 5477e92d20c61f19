//! `docs/methods/RESULTS.md`: the table, what holds of what was promised, and a drawing for each row. Rows
//! that were not trained here keep what the page says of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::curve;
use super::kept::{Kept, settings};
use super::outcome::Outcome;
use super::row::{Row, Work};
use super::summary::{Summary, mean_figure};
use super::works::verdicts;
use crate::command::root;

/// What a person saw who read the conversations.
const NOTES: &str = include_str!("notes.md");

/// A row with what its seeds came to.
pub(super) type Finished = (Row, Vec<Outcome>);

/// Writes the page of `rows` and the drawings of those in `table`; gives the page's path.
pub(super) fn write(rows: &[Row], table: &[Finished]) -> Result<PathBuf> {
    let folder = root().join("docs/methods");
    let curves = folder.join("curves");
    fs::create_dir_all(&curves)?;
    for (row, outcomes) in table {
        let about = match row.work {
            Work::Online | Work::Feedback | Work::World => "reward",
            Work::Preference | Work::RewardModel | Work::Judgments => "told apart",
        };
        fs::write(curves.join(format!("{}.svg", row.name)), curve::svg(outcomes, about)?)?;
    }
    let path = folder.join("RESULTS.md");
    // A page that is not there yet keeps nothing.
    let old = fs::read_to_string(&path).unwrap_or_default();
    let page = Page { rows, table, old: Kept::of(&old) };
    fs::write(&path, page.text()?)
        .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(path)
}

/// The page of a table.
struct Page<'a> {
    /// All rows there are.
    rows: &'a [Row],
    /// Those that were trained here.
    table: &'a [Finished],
    old: Kept<'a>,
}

impl Page<'_> {
    fn text(&self) -> Result<String> {
        let (days, machines) = self.old.origin();
        let of = |part: fn(&Outcome) -> &str, kept: Vec<&str>| {
            let here = self.table.iter().flat_map(|(_, all)| all).map(part);
            let all: BTreeSet<&str> = here.chain(kept).collect();
            all.into_iter().collect::<Vec<_>>().join(", ")
        };
        let mut text = format!(
            "# Every method learns\n\n\
             Made by `cargo xtask learn`, {}, on {}. The same command checks what is promised below and \
             fails where it does not hold; `cargo xtask learn NAME` trains one row. Rows with the same \
             settings and seeds give the same rewards on any machine with AVX2, AVX-512 or neither.\n\n",
            of(|outcome| &outcome.day, days),
            of(|outcome| &outcome.machine, machines)
        );
        text += ONLINE;
        text += &self.lines(|work| work == Work::Online, online_line)?;
        text += PREFERENCES;
        text += &self.lines(Work::is_of_pairs, preference_line)?;
        text += FEEDBACK;
        text += &self.lines(|work| work == Work::Feedback, feedback_line)?;
        text += WORLDS;
        text += &self.lines(|work| work == Work::World, world_line)?;
        text += NOTES;
        text += "\n## Curves and settings\n\n\
                 Lines are the mean reward of each step's 64 conversations, or the pairs of each step \
                 that were told apart (for answers judged alone, the margin), one for each seed; the marks \
                 are the held-out mean over the seeds before and after, with its interval. Settings are \
                 those over the method's preset and the embedded model's defaults (`assets/tiny.toml`).\n";
        for row in self.rows {
            match self.trained(row) {
                Some(outcomes) => text += &section(row, outcomes)?,
                None => text += self.old.row(row).map_or("", |(_, section)| section),
            }
        }
        Ok(text)
    }

    /// Lines of the rows of some kind of work.
    fn lines(
        &self,
        is_of: impl Fn(Work) -> bool,
        line: fn(&Row, &[Outcome]) -> Result<String>,
    ) -> Result<String> {
        let mut text = String::new();
        for row in self.rows.iter().filter(|row| is_of(row.work)) {
            match self.trained(row) {
                Some(outcomes) => text += &line(row, outcomes)?,
                None => text.extend(self.old.row(row).map(|(line, _)| format!("{line}\n"))),
            }
        }
        Ok(text + "\n")
    }

    fn trained(&self, row: &Row) -> Option<&[Outcome]> {
        let found = self.table.iter().find(|(trained, _)| trained.name == row.name);
        found.map(|(_, outcomes)| outcomes.as_slice())
    }
}

const ONLINE: &str = "\
## Online methods

The embedded model (2.0 million parameters, all trained) serves the simulated customers of
`customer_service`: 8 customers a step, 8 conversations with each. 63 customers were held out; every
evaluation plays them once with the same random numbers. The reward is between 0 and 1. Numbers are
means over seeds 1, 2 and 3; intervals are 95 % bootstrap intervals over customers. \"Goal\" is the share
of customers who got what they came for, \"clipped\" the share of tokens whose ratio was clipped, \"EV\"
the critic's explained variance, at its best over three steps in a row and over the last three (of PPO
against its own lambda-returns, of the others against the rewards themselves), \"KL\" the distance from the start in nats
per token at the end.

Promised is a gain of 0.1 with intervals that do not overlap, for the mean and for each seed, in at
most 90 s a run (trpo: 300 s), evaluations included; some clipping where the method clips; an explained
variance above 0.3 for PPO and VAPO.

| method | reward before | reward after | gain | goal | clipped | EV | KL | seconds | holds |
|---|---|---|---:|---|---:|---:|---:|---:|---|
";

fn online_line(row: &Row, outcomes: &[Outcome]) -> Result<String> {
    let figure = |name: &str, digits: usize| {
        mean_figure(outcomes, name).map_or("-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let explained = match figure("explained_variance", 2) {
        none if none == "-" => none,
        best => format!("{best}, {}", figure("explained_variance_last", 2)),
    };
    Ok(format!(
        "| `{}` | {} | {} to {} | {} | {explained} | {} | {}\n",
        row.name,
        gain(outcomes)?,
        figure("goal_before", 2),
        figure("goal_after", 2),
        figure("clip_share", 4),
        figure("reference_kl", 3),
        end(row, outcomes)?
    ))
}

const PREFERENCES: &str = "\
## Methods that learn from preferences

The embedded model learns from synthetic replies to customers: each is put together from parts with
hidden weights, and the better one of two is the chosen one. 128 pairs (for KTO answers judged alone)
are held out, the same for every seed. \"Told apart\" is the share of them whose better answer has the
larger reward, ties counting half; for answers judged alone it is the AUROC. DPO, IPO and KTO count
rewards from the policy they began with, so that they begin with ties. Margins are differences of the
mean rewards; each method has a scale of its own. `reward_model_people` learns from the judgments of
replies that Taskmaster-4 comes with and is measured on whole dialogues that were held out, drawn once
for all seeds.

Promised is a gain of 0.1 with intervals that do not overlap, for the mean and for each seed, and a margin
that rises for every seed, in at most 15 s a run; of the reward model, 0.75 told apart for every seed; of
the one for people's judgments, an AUROC above 0.65 for every seed.

| method | told apart before | told apart after | gain | margin | seconds | holds |
|---|---|---|---:|---|---:|---:|
";

const FEEDBACK: &str = "\
## Feedback of a model

The embedded model is first taught, by supervised learning for 40 steps, to rate conversations from 1 to
5: its own, 240 of them, held with customers of the training split and marked by the task's reward. It is
measured on 63 conversations with held-out customers: the share of pairs clearly apart by rule that it puts
in the right order, ties counting half. Then a policy trains on that judge's expected mark alone. The
reward below is the task's own on held-out customers, which training never saw.

| method | judge right before | judge right after | reward before | reward after | gain | seconds | holds |
|---|---:|---:|---|---|---:|---:|---:|
";

const WORLDS: &str = "\
## Other worlds

A world that the embedded model does not know is first shown, by supervised learning from demonstrations
of a scripted agent with scenarios of the training split: `bookings`, whose users follow agendas, for 30
steps. The reward before is what the model earns then; GRPO does the rest. All held-out scenarios are
played before and after.

Promised is a gain of 0.1 with intervals that do not overlap, in at most 120 s a run, demonstrations included.

| world | reward before | reward after | gain | seconds | holds |
|---|---|---|---:|---:|---|
";

fn world_line(row: &Row, outcomes: &[Outcome]) -> Result<String> {
    Ok(format!("| `{}` | {} | {}\n", row.name, gain(outcomes)?, end(row, outcomes)?))
}

fn preference_line(row: &Row, outcomes: &[Outcome]) -> Result<String> {
    let margin = |name: &str| mean_figure(outcomes, name).unwrap_or(f64::NAN);
    Ok(format!(
        "| `{}` | {} | {:.2} to {:.2} | {}\n",
        row.name,
        gain(outcomes)?,
        margin("margin_before"),
        margin("margin_after"),
        end(row, outcomes)?
    ))
}

fn feedback_line(row: &Row, outcomes: &[Outcome]) -> Result<String> {
    let agreement = |name: &str| mean_figure(outcomes, name).unwrap_or(f64::NAN);
    Ok(format!(
        "| `{}` | {:.2} | {:.2} | {} | {}\n",
        row.name,
        agreement("judge_agreement_before"),
        agreement("judge_agreement"),
        gain(outcomes)?,
        end(row, outcomes)?
    ))
}

/// Cells of what held-out items are worth before and after, and of the difference.
fn gain(outcomes: &[Outcome]) -> Result<String> {
    let Summary { before, after, .. } = Summary::of(outcomes)?;
    Ok(format!(
        "{:.3} [{:.3}, {:.3}] | {:.3} [{:.3}, {:.3}] | {:.3}",
        before.estimate,
        before.low,
        before.high,
        after.estimate,
        after.low,
        after.high,
        after.estimate - before.estimate
    ))
}

/// The last cells: mean time, and whether every promise holds.
fn end(row: &Row, outcomes: &[Outcome]) -> Result<String> {
    let secs: f64 = outcomes.iter().map(|o| o.wall_secs.min(o.cpu_secs)).sum();
    let holds = verdicts(row, outcomes)?.iter().all(|verdict| verdict.holds);
    Ok(format!("{:.0} | {} |", secs / outcomes.len() as f64, if holds { "yes" } else { "no" }))
}

fn section(row: &Row, outcomes: &[Outcome]) -> Result<String> {
    let seeds: Vec<String> = outcomes
        .iter()
        .map(|o| {
            let mean = |items: &[f64]| items.iter().sum::<f64>() / items.len() as f64;
            format!("{:.3} to {:.3} (seed {})", mean(&o.before), mean(&o.after), o.seed)
        })
        .collect();
    let mut text = format!(
        "\n### {name}\n\n![{name}](curves/{name}.svg)\n\n{}. Held out: {}.\n",
        settings(row),
        seeds.join(", "),
        name = row.name
    );
    for verdict in verdicts(row, outcomes)?.iter().filter(|verdict| !verdict.holds) {
        text += &format!("\nDoes not hold: {}.\n", verdict.text);
    }
    Ok(text)
}
