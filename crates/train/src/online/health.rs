//! Watches over a run, says what is not fine, and changes settings where it may.
//!
//! The rules are [`stateset_algo::DiagnosticsMonitor`]'s and the changes [`stateset_algo::AutoAdjust`]'s;
//! here they are given what this run is and does. Without `auto_adjust` nothing that is found has any
//! effect on what is learned: no setting changes, and no gradient and no batch is left out.
//!
//! A signal is told of once: when it crosses a limit, and again where it gets worse, until it is fine.

use std::collections::BTreeMap;
use std::sync::Arc;

use stateset_algo::{
    AdjustLimits, AutoAdjust, ClipKind, DiagnosticsMonitor, DriftRule, EvaluationRule, Finding,
    HealthReport, Level, MonitorRules, PolicyGradient, RatioLevel, RunTraits, Signal, Surrogate,
};

use super::adjusted::{adjusted, on_offer};
use super::health_record::HealthRecord;
use super::learner::PolicyLearner;
use crate::config::{Method, RunConfig};
use crate::update::{UpdateLimits, UpdateSettings};
use crate::{Event, metric};

/// The monitor of one run.
pub(super) struct Health {
    monitor: DiagnosticsMonitor,
    /// `None` where settings stay as they are.
    adjust: Option<AutoAdjust>,
    /// Signals that are not fine, and the worst level told of each.
    told: BTreeMap<Signal, Level>,
    /// The method and the updates as they are configured.
    method: PolicyGradient,
    settings: UpdateSettings,
}

impl Health {
    /// Goes on from `record`; an empty one is that of a new run.
    pub(super) fn new(
        config: &RunConfig,
        settings: UpdateSettings,
        record: &HealthRecord,
    ) -> Health {
        let Method::Online(method) = &config.algorithm.method;
        let rules = rules(config, method);
        let adjust = config.algorithm.auto_adjust.then(|| match record.adjust.clone() {
            Some(state) => AutoAdjust::resume(AdjustLimits::default(), state.into()),
            None => AutoAdjust::new(AdjustLimits::default(), &on_offer(method, &settings)),
        });
        Health {
            monitor: DiagnosticsMonitor::resume(rules, record.monitor.clone().into()),
            adjust,
            told: record.told(),
            method: method.clone(),
            settings,
        }
    }

    /// What has to be kept over a restart.
    pub(super) fn record(&self) -> HealthRecord {
        HealthRecord {
            monitor: self.monitor.state().into(),
            told: HealthRecord::of_told(&self.told),
            adjust: self.adjust.as_ref().map(|adjust| adjust.state().into()),
        }
    }

    /// Takes in the numbers of a step and adds its own to them. Gives what is to be told once the step
    /// has been.
    pub(super) fn observe(&mut self, step: u32, metrics: &mut BTreeMap<String, f64>) -> Vec<Event> {
        let report: HealthReport = self.monitor.observe(u64::from(step), metrics, None).clone();
        let level = match report.level() {
            Level::Ok => 0.0,
            Level::Warn => 1.0,
            Level::Act => 2.0,
        };
        metrics.insert(metric::HEALTH_LEVEL.to_owned(), level);
        let mut events = Vec::new();
        for finding in &report.findings {
            self.tell(step, finding, &mut events);
        }
        let change = self.adjust.as_mut().and_then(|adjust| adjust.next(&report));
        events.extend(change.map(Event::SettingAdjusted));
        events
    }

    /// Takes in the mean held-out reward of an evaluation after `step`.
    pub(super) fn observe_evaluation(&mut self, step: u32, reward: f64) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(finding) = self.monitor.observe_evaluation(u64::from(step), reward).cloned() {
            self.tell(step, &finding, &mut events);
        }
        events
    }

    /// Lets `learner` train with the settings of the moment, and leave out what is too bad.
    pub(super) fn set_up(&self, learner: &mut PolicyLearner) {
        let Some(adjust) = &self.adjust else { return };
        let (method, settings) = adjusted(adjust, &self.method, &self.settings);
        learner.algorithm = Arc::new(method);
        learner.settings = settings;
        let worthless = self.monitor.rules().effective_samples.map_or(0.0, |rule| rule.act);
        learner.limits = UpdateLimits {
            gradient_norm: self.monitor.gradient_limit(),
            effective_share: worthless,
        };
    }

    fn tell(&mut self, step: u32, finding: &Finding, events: &mut Vec<Event>) {
        if finding.level == Level::Ok {
            self.told.remove(&finding.signal);
            return;
        }
        let told = self.told.get(&finding.signal);
        if told.is_some_and(|told| *told >= finding.level) {
            return;
        }
        self.told.insert(finding.signal, finding.level);
        let found = Event::HealthFound { step, finding: finding.clone() };
        events.extend(found.as_warning());
        events.push(found);
    }
}

/// The rules that say something about this run.
fn rules(config: &RunConfig, method: &PolicyGradient) -> MonitorRules {
    let steps = &config.steps;
    let traits = RunTraits {
        clip: clip_kind(&method.surrogate),
        has_critic: config.algorithm.critic.is_some(),
        updates_per_batch: steps.optimiser_steps_per_step(),
        has_groups: steps.group_size > 1 && method.advantage.compares_samples(),
    };
    let mut rules = MonitorRules::for_run(&traits);
    if let (Some(rule), Some(target)) = (&mut rules.drift, method.target_kl) {
        *rule = DriftRule { target };
    }
    if let Some(stopping) = &config.early_stopping {
        let (patience, min_delta) = (stopping.n_evaluations(&config.evaluation), stopping.min_delta);
        rules.evaluation = Some(EvaluationRule { patience, min_delta });
    }
    rules
}

/// What the shares of clipped tokens are shares of.
fn clip_kind(surrogate: &Surrogate) -> ClipKind {
    let by = |level: RatioLevel| match level {
        RatioLevel::Token => ClipKind::Tokens,
        RatioLevel::Sequence | RatioLevel::Product => ClipKind::Sequences,
    };
    match surrogate {
        Surrogate::Clip { level, .. } => by(*level),
        Surrogate::Cispo(cispo) => by(cispo.level),
        Surrogate::Gmpo(_) => ClipKind::Tokens,
        Surrogate::GspoToken(_) | Surrogate::Gepo(_) => ClipKind::Sequences,
        Surrogate::Sapo(_) | Surrogate::Vespo(_) | Surrogate::Reinforce(_) => ClipKind::Nothing,
    }
}
