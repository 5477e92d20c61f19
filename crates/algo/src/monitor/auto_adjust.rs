//! Changes settings of a run that is not healthy, slowly and one at a time.
//!
//! For each signal there is a short list of remedies in the order in which they are tried. The first
//! that the run offers and that can still move is taken; then nothing changes for 20 steps, so that the
//! effect can be seen. Where several signals ask, bursting gradients come first, and then the signal
//! that was answered least often: one that cannot be mended must not keep the others waiting. Changes are
//! factors and stay within 0.1 to 10 times the initial value. All of it follows from the reports: the
//! same reports give the same changes.
//!
//! | signal at `act` | remedies in order |
//! |---|---|
//! | gradients that burst again | learning rate / 2 |
//! | drift | half the passes, learning rate / 2 |
//! | clip share | learning rate / 2 |
//! | reference KL | KL coefficient x 2, learning rate / 2 |
//! | entropy | target of half the initial entropy, bonus x 2, upper clip bound to 0.28, temperature x 1.1 |
//! | dead groups | dynamic sampling on |
//!
//! Doubling the KL coefficient is PPO's rule (arXiv 1707.06347, section 4), the target Skywork-OR1's,
//! the bound DAPO's; the other factors are starting points. A run whose KL or entropy coefficient has
//! a controller of its own does not offer it here, and two controllers never pull at one setting.

use super::{Action, Adjustment, Finding, HealthReport, Level, Quantity, Signal, Trigger};
use crate::Problem;
use crate::error::Problems;

/// How fast and how far settings may move.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdjustLimits {
    /// Steps from one change to the next, 1 or more.
    pub every_steps: u64,
    /// Least multiple of the initial value, above 0 and at most 1.
    pub min_factor: f64,
    /// Greatest multiple of the initial value, 1 or more.
    pub max_factor: f64,
}

impl Default for AdjustLimits {
    fn default() -> Self {
        AdjustLimits { every_steps: 20, min_factor: 0.1, max_factor: 10.0 }
    }
}

impl AdjustLimits {
    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.every_steps > 0,
            "adjust.every_steps",
            self.every_steps,
            "1 or more",
            "20 is usual",
        );
        problems.require(
            self.min_factor > 0.0 && self.min_factor <= 1.0,
            "adjust.min_factor",
            self.min_factor,
            "above 0 and at most 1",
            "0.1 is usual",
        );
        problems.require(
            self.max_factor.is_finite() && self.max_factor >= 1.0,
            "adjust.max_factor",
            self.max_factor,
            "1 or more",
            "10 is usual",
        );
        problems.into_vec()
    }
}

/// A setting that a run offers for change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knob {
    /// Which.
    pub quantity: Quantity,
    /// Its value when the run began.
    pub initial: f64,
    /// Its value now.
    pub value: f64,
}

/// What has to be kept over a restart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdjustState {
    /// The settings on offer.
    pub knobs: Vec<Knob>,
    /// All changes, oldest first.
    pub log: Vec<Adjustment>,
    /// Bursts of the gradient that were not answered yet, because a change had just been made.
    pub unanswered: Option<Trigger>,
}

/// Limits and what has been changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AutoAdjust {
    limits: AdjustLimits,
    state: AdjustState,
}

/// One way to answer a signal.
#[derive(Clone, Copy)]
enum Remedy {
    /// Multiply.
    Scale(Quantity, f64),
    /// Multiply, up to this value.
    RaiseTo(Quantity, f64),
    /// From 0 to 1.
    SwitchOn(Quantity),
    /// From 0 to so much of what the finding compares with.
    Target(Quantity, f64),
}

const GRADIENT: &[Remedy] = &[Remedy::Scale(Quantity::LearningRate, 0.5)];
const DRIFT: &[Remedy] =
    &[Remedy::Scale(Quantity::Epochs, 0.5), Remedy::Scale(Quantity::LearningRate, 0.5)];
const CLIP_SHARE: &[Remedy] = &[Remedy::Scale(Quantity::LearningRate, 0.5)];
const REFERENCE_KL: &[Remedy] =
    &[Remedy::Scale(Quantity::KlCoefficient, 2.0), Remedy::Scale(Quantity::LearningRate, 0.5)];
const ENTROPY: &[Remedy] = &[
    Remedy::Target(Quantity::EntropyTarget, 0.5),
    Remedy::Scale(Quantity::EntropyCoefficient, 2.0),
    Remedy::RaiseTo(Quantity::ClipHigh, 0.28),
    Remedy::Scale(Quantity::Temperature, 1.1),
];
const DEAD_GROUPS: &[Remedy] = &[Remedy::SwitchOn(Quantity::DynamicSampling)];

impl AutoAdjust {
    /// `on_offer`: the settings that may be changed, with their values at the start of the run.
    pub fn new(limits: AdjustLimits, on_offer: &[(Quantity, f64)]) -> AutoAdjust {
        let knob = |&(quantity, initial)| Knob { quantity, initial, value: initial };
        let knobs = on_offer.iter().map(knob).collect();
        AutoAdjust { limits, state: AdjustState { knobs, ..AdjustState::default() } }
    }

    /// Goes on where another one was.
    pub fn resume(limits: AdjustLimits, state: AdjustState) -> AutoAdjust {
        AutoAdjust { limits, state }
    }

    /// What has to be kept over a restart.
    pub fn state(&self) -> &AdjustState {
        &self.state
    }

    /// All changes, oldest first.
    pub fn log(&self) -> &[Adjustment] {
        &self.state.log
    }

    /// What a setting is now; `None` where it is not on offer.
    pub fn value(&self, quantity: Quantity) -> Option<f64> {
        let knob = self.state.knobs.iter().find(|knob| knob.quantity == quantity);
        knob.map(|knob| knob.value)
    }

    /// The change that a report asks for, if any; from then on [`AutoAdjust::value`] gives the new
    /// value. To be called once for each report, in the order of steps.
    pub fn next(&mut self, report: &HealthReport) -> Option<Adjustment> {
        if let Some(burst) = report.get(Signal::GradientNorm).filter(|finding| calls_back(finding))
        {
            self.state.unanswered = Some(trigger(burst));
        }
        let last = self.state.log.last();
        if last.is_some_and(|last| report.step < last.step + self.limits.every_steps) {
            return None;
        }
        let adjustment = self.answer_burst(report.step).or_else(|| self.answer_any(report))?;
        for knob in &mut self.state.knobs {
            if knob.quantity == adjustment.key {
                knob.value = adjustment.to;
            }
        }
        if adjustment.trigger.signal == Signal::GradientNorm {
            self.state.unanswered = None;
        }
        self.state.log.push(adjustment);
        Some(adjustment)
    }

    /// Bursts are events: they are over when a change is allowed again, and would come back.
    fn answer_burst(&self, step: u64) -> Option<Adjustment> {
        self.answer(GRADIENT, self.state.unanswered?, None, step)
    }

    fn answer_any(&self, report: &HealthReport) -> Option<Adjustment> {
        let is_open = |finding: &&Finding| finding.level == Level::Act && finding.value.is_finite();
        let mut findings: Vec<&Finding> = report.findings.iter().filter(is_open).collect();
        findings.sort_by_key(|finding| {
            let answered = |past: &&Adjustment| past.trigger.signal == finding.signal;
            self.state.log.iter().filter(answered).count()
        });
        findings.into_iter().find_map(|finding| {
            let remedies = remedies(finding.signal);
            self.answer(remedies, trigger(finding), finding.reference, report.step)
        })
    }

    /// The first remedy that can still move its setting.
    fn answer(
        &self,
        remedies: &[Remedy],
        trigger: Trigger,
        reference: Option<f64>,
        step: u64,
    ) -> Option<Adjustment> {
        let (key, from, to) = remedies.iter().find_map(|&remedy| self.apply(remedy, reference))?;
        let factor = (from != 0.0).then(|| to / from);
        Some(Adjustment { key, from, to, factor, trigger, step })
    }

    /// The setting, its value and its new value, where the remedy can still move it.
    fn apply(&self, remedy: Remedy, reference: Option<f64>) -> Option<(Quantity, f64, f64)> {
        let (Remedy::Scale(quantity, _)
        | Remedy::RaiseTo(quantity, _)
        | Remedy::SwitchOn(quantity)
        | Remedy::Target(quantity, _)) = remedy;
        let knob = *self.state.knobs.iter().find(|knob| knob.quantity == quantity)?;
        let to = match remedy {
            Remedy::Scale(_, factor) => self.bound(&knob, knob.value * factor),
            Remedy::RaiseTo(_, value) => self.bound(&knob, value.max(knob.value)),
            Remedy::SwitchOn(_) if knob.value == 0.0 => 1.0,
            Remedy::Target(_, share) if knob.value == 0.0 => share * reference?,
            Remedy::SwitchOn(_) | Remedy::Target(..) => knob.value,
        };
        (to.is_finite() && to != knob.value).then_some((quantity, knob.value, to))
    }

    fn bound(&self, knob: &Knob, value: f64) -> f64 {
        let AdjustLimits { min_factor, max_factor, .. } = self.limits;
        let bounded = value.max(min_factor * knob.initial).min(max_factor * knob.initial);
        if knob.quantity == Quantity::Epochs { bounded.floor().max(1.0) } else { bounded }
    }
}

/// Whether gradients burst so often that the run should go back.
fn calls_back(finding: &Finding) -> bool {
    finding.action == Some(Action::RestoreCheckpoint)
}

fn trigger(finding: &Finding) -> Trigger {
    let Finding { signal, value, threshold, .. } = *finding;
    Trigger { signal, value, threshold }
}

fn remedies(signal: Signal) -> &'static [Remedy] {
    match signal {
        Signal::Drift => DRIFT,
        Signal::ClipShare => CLIP_SHARE,
        Signal::ReferenceKl => REFERENCE_KL,
        Signal::Entropy => ENTROPY,
        Signal::DeadGroups => DEAD_GROUPS,
        // Bursting gradients are answered apart; the rest asks for actions or for a person.
        Signal::GradientNorm
        | Signal::MismatchWeight
        | Signal::MismatchKl
        | Signal::EffectiveSamples
        | Signal::ExplainedVariance
        | Signal::Evaluation
        | Signal::Truncation => &[],
    }
}
