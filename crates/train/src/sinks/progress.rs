//! How far a run has got, on the terminal.
//!
//! On a terminal a bar over the steps, with a few figures and the work under way; elsewhere a plain
//! line every few steps (a twentieth of the run, or half a minute). Both go to stderr, because stdout is
//! for data.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle as BarStyle};
use stateset_algo::Interval;

use crate::format::{count, duration, figure, percent, score};
use crate::{EvaluationSummary, Event, Phase, RunStart, RunSummary, Sink, metric};

/// Plain lines of a run, not counting the first and the last step.
const N_PLAIN_LINES: u32 = 20;
/// Longest silence between plain lines.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);
/// Time between two pictures of the bar.
const TICK: Duration = Duration::from_millis(200);

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressStyle {
    /// A bar where stderr is a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// Plain lines.
    Plain,
    /// Nothing.
    Quiet,
}

/// Shows progress.
pub struct Progress {
    output: Output,
    run: RunSoFar,
}

enum Output {
    Bar(ProgressBar),
    Plain(PlainLines),
    Quiet,
}

struct PlainLines {
    writer: Box<dyn Write + Send>,
    last_line: Instant,
}

/// What the figures of a line are made of.
#[derive(Default)]
struct RunSoFar {
    step: u32,
    of: u32,
    metrics: BTreeMap<String, f64>,
    n_timed_steps: u32,
    step_secs: f64,
    phase: Option<Phase>,
    rollouts: Option<(usize, usize)>,
}

impl Progress {
    /// Shows progress on stderr.
    pub fn new(style: ProgressStyle) -> Progress {
        match style {
            ProgressStyle::Auto if io::stderr().is_terminal() => {
                Progress::with(Output::Bar(ProgressBar::new(0).with_style(bar_style())))
            }
            ProgressStyle::Auto | ProgressStyle::Plain => Progress::plain(Box::new(io::stderr())),
            ProgressStyle::Quiet => Progress::with(Output::Quiet),
        }
    }

    /// Writes plain lines to `writer`.
    pub fn plain(writer: Box<dyn Write + Send>) -> Progress {
        Progress::with(Output::Plain(PlainLines { writer, last_line: Instant::now() }))
    }

    /// The bar, where there is one, for a log that must not write across it
    /// ([`ProgressBar::suspend`]).
    pub fn bar(&self) -> Option<ProgressBar> {
        match &self.output {
            Output::Bar(bar) => Some(bar.clone()),
            Output::Plain(_) | Output::Quiet => None,
        }
    }

    fn with(output: Output) -> Progress {
        Progress { output, run: RunSoFar::default() }
    }

    /// A line of its own.
    fn say(&mut self, line: &str) {
        match &mut self.output {
            Output::Bar(bar) => bar.println(line),
            Output::Plain(plain) => plain.write(line),
            Output::Quiet => {}
        }
    }

    /// The state of the run on the bar.
    fn show_bar(&self) {
        if let Output::Bar(bar) = &self.output {
            bar.set_length(u64::from(self.run.of));
            bar.set_position(u64::from(self.run.step));
            bar.set_message(self.run.bar_message());
        }
    }

    /// A plain line for the step that is over, if it is time for one.
    fn show_line(&mut self) {
        let is_due = self.run.deserves_line();
        if let Output::Plain(plain) = &mut self.output
            && (is_due || plain.last_line.elapsed() > LONGEST_SILENCE)
        {
            plain.write(&self.run.line());
        }
    }
}

impl Sink for Progress {
    fn handle(&mut self, event: &Event) {
        match event {
            Event::RunStarted(start) => {
                self.run = RunSoFar {
                    step: start.resumed_step.unwrap_or(0),
                    of: start.n_steps,
                    ..RunSoFar::default()
                };
                self.show_bar();
                if let Output::Bar(bar) = &self.output {
                    bar.enable_steady_tick(TICK);
                }
                self.say(&start_line(start));
            }
            Event::PhaseChanged { phase, .. } => {
                self.run.phase = Some(*phase);
                self.run.rollouts = None;
                self.show_bar();
            }
            Event::RolloutProgress { done, total } => {
                self.run.rollouts = Some((*done, *total));
                self.show_bar();
            }
            Event::StepFinished { step, of, metrics, secs } => {
                self.run.finish_step(*step, *of, metrics, *secs);
                self.show_bar();
                self.show_line();
            }
            Event::EvaluationFinished { name, step, summary } => {
                self.say(&evaluation_line(name, *step, summary));
            }
            Event::CheckpointSaved { step, is_best, .. } => {
                let best = if *is_best { ", the best so far" } else { "" };
                self.say(&format!("checkpoint of step {step} saved{best}"));
            }
            Event::Warning { text } => self.say(&format!("warning: {text}")),
            Event::RunFinished(summary) => {
                if let Output::Bar(bar) = &self.output {
                    bar.finish_and_clear();
                }
                self.say(&end_line(summary));
            }
            Event::SettingAdjusted(change) => self.say(&format!("changed at {change}")),
            // A warning has said it already.
            Event::RolloutFinished(_) | Event::HealthFound { .. } => {}
        }
    }
}

impl PlainLines {
    fn write(&mut self, line: &str) {
        if let Err(error) = writeln!(self.writer, "{line}").and_then(|()| self.writer.flush()) {
            tracing::debug!("a line of progress is lost: failed to write it: {error}");
        }
        self.last_line = Instant::now();
    }
}

impl RunSoFar {
    fn finish_step(&mut self, step: u32, of: u32, metrics: &BTreeMap<String, f64>, secs: f64) {
        (self.step, self.of) = (step, of);
        self.metrics.clone_from(metrics);
        self.n_timed_steps += 1;
        self.step_secs += secs;
        (self.phase, self.rollouts) = (None, None);
    }

    fn deserves_line(&self) -> bool {
        let every = (self.of / N_PLAIN_LINES).max(1);
        self.step == 1 || self.step == self.of || self.step.is_multiple_of(every)
    }

    fn line(&self) -> String {
        let mut parts = vec![format!("step {}/{}", self.step, self.of)];
        parts.extend(self.figures());
        parts.join(" | ")
    }

    /// The work under way comes first, padded, so that the figures after it keep their places and a
    /// narrow terminal cuts off the least.
    fn bar_message(&self) -> String {
        let phase = self.phase.map_or("", Phase::as_str);
        let rollouts = self.rollouts.map(|(done, total)| format!(" {done}/{total}"));
        let work = format!("{phase}{}", rollouts.unwrap_or_default());
        let mut parts = vec![format!("{work:<18}")];
        parts.extend(self.figures());
        parts.join(" | ")
    }

    fn figures(&self) -> Vec<String> {
        let metric = |names: &[&str]| names.iter().find_map(|name| self.metrics.get(*name));
        let mut figures = Vec::new();
        if let Some(reward) = metric(&[metric::REWARD_MEAN]) {
            figures.push(format!("reward {}", score(*reward)));
        }
        if let Some(kl) = metric(&[metric::REFERENCE_KL, metric::DRIFT_KL]) {
            figures.push(format!("KL {}", figure(*kl)));
        }
        if let Some(speed) = metric(&[metric::ROLLOUT_TOKENS_PER_SEC, metric::TRAIN_TOKENS_PER_SEC])
        {
            figures.push(format!("{} tok/s", count(speed.max(0.0).round() as u64)));
        }
        let n_left = self.of.saturating_sub(self.step);
        if self.n_timed_steps > 0 && n_left > 0 {
            let left = self.step_secs / f64::from(self.n_timed_steps) * f64::from(n_left);
            figures.push(format!("{} left", duration(left)));
        }
        figures
    }
}

fn bar_style() -> BarStyle {
    // The template is a constant that the tests parse.
    BarStyle::with_template(BAR_TEMPLATE).expect("a valid template").progress_chars("=> ")
}

const BAR_TEMPLATE: &str = "{spinner} step {pos}/{len} [{bar:24}] {wide_msg}";

fn start_line(start: &RunStart) -> String {
    let RunStart { run_name, algorithm, model, environment, .. } = start;
    let begin = match start.resumed_step {
        Some(step) => format!("goes on from step {step} of {}", start.n_steps),
        None => format!("{} steps", start.n_steps),
    };
    let (n_trained, n_all) = (count(start.n_trained_parameters), count(start.n_parameters));
    format!(
        "run {run_name}: {algorithm} on {model} in {environment}, {begin}, \
         {n_trained} of {n_all} parameters trained"
    )
}

fn evaluation_line(name: &str, step: u32, summary: &EvaluationSummary) -> String {
    let mut line = format!("evaluation {name} at step {step}: ");
    line += &match summary.reward {
        Some(Interval { low, estimate, high }) => {
            format!("reward {} [{}, {}]", score(estimate), score(low), score(high))
        }
        None => "no reward".to_owned(),
    };
    if let Some(goal) = summary.goal {
        line += &format!(", goal reached by {}", percent(goal.estimate));
    }
    line += &format!(", {} episodes", summary.n_episodes);
    if summary.n_failed > 0 {
        line += &format!(", {} failed", summary.n_failed);
    }
    if summary.n_unscorable > 0 {
        line += &format!(", {} unscorable", summary.n_unscorable);
    }
    line
}

fn end_line(summary: &RunSummary) -> String {
    let mut line = "done: ".to_owned();
    if let (Some(before), Some(after)) = (summary.reward_before, summary.reward_after) {
        line += &format!("held-out reward {} -> {}, ", score(before), score(after));
    }
    line + &format!("{} steps in {}", summary.n_steps, duration(summary.wall_secs))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn step(step: u32, of: u32) -> Event {
        let metrics = [
            (metric::REWARD_MEAN.to_owned(), 0.25 + f64::from(step) / 1000.0),
            (metric::DRIFT_KL.to_owned(), 0.003_12),
            (metric::ROLLOUT_TOKENS_PER_SEC.to_owned(), 5_321.4),
        ];
        Event::StepFinished { step, of, metrics: metrics.into(), secs: 3.0 }
    }

    fn run_of(n_steps: u32) -> Vec<Event> {
        let interval = Interval { low: 0.2, estimate: 0.25, high: 0.3 };
        let summary = EvaluationSummary {
            reward: Some(interval),
            goal: Some(interval),
            n_episodes: 64,
            n_failed: 1,
            n_unscorable: 2,
            ..EvaluationSummary::default()
        };
        let mut events = vec![
            Event::RunStarted(RunStart {
                run_name: "demo".into(),
                algorithm: "grpo".into(),
                model: "builtin:tiny".into(),
                environment: "customer_service".into(),
                n_steps,
                n_parameters: 656_000,
                n_trained_parameters: 656_000,
                ..RunStart::default()
            }),
            Event::EvaluationFinished { name: "before".into(), step: 0, summary },
        ];
        for n in 1..=n_steps {
            events.push(Event::PhaseChanged { step: n, phase: Phase::Sampling });
            events.push(Event::RolloutProgress { done: 1, total: 2 });
            events.push(step(n, n_steps));
        }
        events.push(Event::Warning { text: "3 groups had no spread of rewards".into() });
        events.push(Event::CheckpointSaved { path: "c".into(), step: n_steps, is_best: true });
        events.push(Event::EvaluationFinished {
            name: "after".into(),
            step: n_steps,
            summary: EvaluationSummary::default(),
        });
        events.push(Event::RunFinished(RunSummary {
            reward_before: Some(0.25),
            reward_after: Some(0.75),
            n_steps,
            wall_secs: 612.25,
            ..RunSummary::default()
        }));
        events
    }

    #[test]
    fn plain_lines_of_a_run() {
        let shared = Shared::default();
        let mut progress = Progress::plain(Box::new(shared.clone()));
        run_of(80).iter().for_each(|event| progress.handle(event));
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_bar_follows_the_run() {
        let bar = ProgressBar::hidden();
        let mut progress = Progress::with(Output::Bar(bar.clone()));
        progress.handle(&Event::RunStarted(RunStart {
            n_steps: 10,
            resumed_step: Some(4),
            ..RunStart::default()
        }));
        progress.handle(&step(5, 10));
        progress.handle(&Event::PhaseChanged { step: 6, phase: Phase::Sampling });
        progress.handle(&Event::RolloutProgress { done: 12, total: 64 });
        assert_eq!((bar.position(), bar.length()), (5, Some(10)));
        assert_eq!(
            bar.message(),
            "sampling 12/64     | reward 0.255 | KL 0.0031 | 5,321 tok/s | 15 s left"
        );
        progress.handle(&Event::RunFinished(RunSummary::default()));
        assert!(bar.is_finished());
    }

    #[test]
    fn the_template_is_valid_and_quiet_is_quiet() {
        bar_style();
        let mut progress = Progress::new(ProgressStyle::Quiet);
        run_of(2).iter().for_each(|event| progress.handle(event));
        assert!(progress.bar().is_none());
    }
}
