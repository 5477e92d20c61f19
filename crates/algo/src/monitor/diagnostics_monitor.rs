//! Reads the numbers of each step and says whether the run is healthy.
//!
//! The signals are those that TRL, verl and Stable-Baselines3 report (see
//! [`Diagnostics`](crate::Diagnostics)); the limits are at the head of each rule, with where they come
//! from. A number that is missing is no evidence: it neither counts for a duration nor breaks it. A
//! number that is not finite is never fine.
//!
//! | signal | warn | act |
//! |---|---|---|
//! | gradient norm | | above 10 medians: skip the step; 3 in 20 steps: restore |
//! | drift | above the target | above 1.5 targets: end the passes over the batch |
//! | mismatch weight | | mean outside 0.5 to 2 |
//! | mismatch KL | above 0.001 and growing | above 0.01 |
//! | effective samples | below 0.3 | below 0.1: discard the batch |
//! | clip share | above 0.2; 0 for 50 steps | above 0.3 for 5 steps |
//! | reference KL | above 0.1 | above 0.5 for 10 steps |
//! | entropy | below 0.3 of the first | below 0.1 of the first |
//! | dead groups | above 0.5 | above 0.8 for 20 steps; stop where the reward is flat too |
//! | explained variance | | below 0 after the warm-up, until above 0.1: freeze the policy |
//! | evaluation | | `patience` evaluations without a gain: stop |
//! | truncation | above 0.2 | |
//!
//! # Example
//!
//! ```
//! use std::collections::BTreeMap;
//! use stateset_algo::{DiagnosticsMonitor, Level, MonitorRules, Signal};
//!
//! let mut monitor = DiagnosticsMonitor::new(MonitorRules::default());
//! for step in 1..=5 {
//!     let metrics = BTreeMap::from([("clip/region".to_owned(), 0.35)]);
//!     monitor.observe(step, &metrics, None);
//! }
//! let clipped = monitor.health().get(Signal::ClipShare).unwrap();
//! assert_eq!(clipped.level, Level::Act);
//! assert_eq!(clipped.advice, "halve the learning rate");
//! ```

use std::collections::BTreeMap;

use super::{Action, Finding, HealthReport, Level, MonitorRules, MonitorState, Signal};

/// The number that dead groups are judged together with.
const REWARD_METRIC: &str = "reward/mean";

/// Rules and what they have seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DiagnosticsMonitor {
    rules: MonitorRules,
    state: MonitorState,
    health: HealthReport,
}

impl DiagnosticsMonitor {
    /// A monitor that has seen nothing.
    pub fn new(rules: MonitorRules) -> DiagnosticsMonitor {
        DiagnosticsMonitor { rules, ..Default::default() }
    }

    /// A monitor that goes on where another one was.
    pub fn resume(rules: MonitorRules, state: MonitorState) -> DiagnosticsMonitor {
        DiagnosticsMonitor { rules, state, health: HealthReport::default() }
    }

    /// The rules.
    pub fn rules(&self) -> &MonitorRules {
        &self.rules
    }

    /// What has to be kept over a restart.
    pub fn state(&self) -> &MonitorState {
        &self.state
    }

    /// The report of the last step; empty before the first.
    pub fn health(&self) -> &HealthReport {
        &self.health
    }

    /// Takes in the numbers of a step and, where the step was evaluated, the mean held-out reward.
    pub fn observe(
        &mut self,
        step: u64,
        metrics: &BTreeMap<String, f64>,
        evaluation: Option<f64>,
    ) -> &HealthReport {
        self.state.n_steps += 1;
        let at_most = self.rules.memory_steps();
        if let Some(&reward) = metrics.get(REWARD_METRIC) {
            self.state.remember_reward(reward, at_most);
        }
        let mut findings = Vec::new();
        for signal in Signal::ALL {
            let value = match signal.metric() {
                Some(name) => metrics.get(name).copied(),
                None => evaluation,
            };
            findings.extend(value.and_then(|value| self.judge(signal, step, value)));
        }
        self.health = HealthReport { step, findings };
        &self.health
    }

    /// Takes in the mean held-out reward of an evaluation that comes after the numbers of its step; what
    /// is said of it joins the report of that step.
    pub fn observe_evaluation(&mut self, step: u64, reward: f64) -> Option<&Finding> {
        let finding = self.judge(Signal::Evaluation, step, reward)?;
        self.health.findings.retain(|earlier| earlier.signal != Signal::Evaluation);
        let place = self.health.findings.partition_point(|f| f.signal < Signal::Evaluation);
        self.health.findings.insert(place, finding);
        self.health.findings.get(place)
    }

    /// Gradient norms above this are far larger than usual; infinite where nothing is usual yet.
    pub fn gradient_limit(&self) -> f64 {
        let earlier = self.state.of(Signal::GradientNorm);
        let limit = |rule: super::GradientRule| Some(rule.factor * rule.usual(earlier)?);
        self.rules.gradient.and_then(limit).unwrap_or(f64::INFINITY)
    }

    /// Whether the optimiser step with this gradient norm should be left out. To be asked before the
    /// step is taken; the norm is taken in later, with the step's numbers.
    pub fn skips_gradient(&self, norm: f64) -> bool {
        let earlier = self.state.of(Signal::GradientNorm);
        self.rules.gradient.is_some_and(|rule| rule.skips(earlier, norm))
    }

    /// Whether passes over the batch should end at this drift, nats per token. To be asked after each.
    pub fn ends_epochs(&self, drift: f64) -> bool {
        self.rules.drift.is_some_and(|rule| !drift.is_finite() || drift > rule.limit())
    }

    /// Whether a batch of this effective share is worthless. To be asked before learning from it.
    pub fn discards_batch(&self, effective_share: f64) -> bool {
        let rule = self.rules.effective_samples;
        rule.is_some_and(|rule| !effective_share.is_finite() || effective_share < rule.act)
    }

    fn judge(&mut self, signal: Signal, step: u64, value: f64) -> Option<Finding> {
        let (rules, state) = (&self.rules, &mut self.state);
        let at_most = rules.memory_steps();
        if signal == Signal::GradientNorm {
            // Held against earlier ones, so it is remembered afterwards.
            let finding = rules.gradient.map(|rule| rule.judge(state, step, value));
            state.remember(signal, value, at_most);
            return finding;
        }
        if !value.is_finite() {
            return rules.watches(signal).then(|| not_finite(signal, value));
        }
        match signal {
            Signal::ClipShare | Signal::ReferenceKl | Signal::MismatchKl | Signal::DeadGroups => {
                state.remember(signal, value, at_most);
            }
            Signal::Entropy => {
                state.initial_entropy.get_or_insert(value);
            }
            _ => {}
        }
        match signal {
            Signal::GradientNorm => None,
            Signal::Drift => rules.drift.map(|rule| rule.judge(value)),
            Signal::MismatchWeight => rules.mismatch_weight.map(|rule| rule.judge(value)),
            Signal::MismatchKl => rules.mismatch_kl.map(|rule| rule.judge(state, value)),
            Signal::EffectiveSamples => rules.effective_samples.map(|rule| rule.judge(value)),
            Signal::ClipShare => rules.clip_share.map(|rule| rule.judge(state, value)),
            Signal::ReferenceKl => rules.reference_kl.map(|rule| rule.judge(state, value)),
            Signal::Entropy => rules.entropy.map(|rule| rule.judge(state, value)),
            Signal::DeadGroups => rules.dead_groups.map(|rule| rule.judge(state, value)),
            Signal::ExplainedVariance => {
                rules.explained_variance.map(|rule| rule.judge(state, value))
            }
            Signal::Evaluation => rules.evaluation.map(|rule| rule.judge(state, value)),
            Signal::Truncation => rules.truncation.map(|rule| rule.judge(value)),
        }
    }
}

/// What is said of a number that is none.
fn not_finite(signal: Signal, value: f64) -> Finding {
    let meaning = "it is not a finite number, so something before it went wrong";
    let advice = "look for the first step whose loss or gradient is not finite";
    let finding = Finding::ok(signal, value, f64::INFINITY, "").crossed(
        Level::Act,
        f64::INFINITY,
        meaning,
        advice,
    );
    match signal {
        Signal::Drift => finding.with_action(Action::EndEpochs),
        Signal::EffectiveSamples => finding.with_action(Action::DiscardBatch),
        _ => finding,
    }
}
