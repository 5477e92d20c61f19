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
use crate::{Event, TrainError, metric};

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
    ) -> Result<Health, TrainError> {
        let Method::Online(method) = &config.algorithm.method else {
            return Err(TrainError::Invalid {
                what: "watch over rollouts",
                message: "the method learns from pairs and plays nothing".to_owned(),
            });
        };
        let rules = rules(config, method);
        let adjust = config.algorithm.auto_adjust.then(|| match record.adjust.clone() {
            Some(state) => AutoAdjust::resume(AdjustLimits::default(), state.into()),
            None => AutoAdjust::new(AdjustLimits::default(), &on_offer(method, &settings)),
        });
        Ok(Health {
            monitor: DiagnosticsMonitor::resume(rules, record.monitor.clone().into()),
            adjust,
            told: record.told(),
            method: method.clone(),
            settings,
        })
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
        let (patience, min_delta) =
            (stopping.n_evaluations(&config.evaluation), stopping.min_delta);
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

#[cfg(test)]
mod tests {
    use stateset_algo::{Gmpo, Sapo, gspo, gspo_token};

    use super::*;
    use crate::config::{ConfigSources, Resolved, resolve};
    use crate::online::setup;

    fn resolved() -> Resolved {
        let mut resolved = resolve(&ConfigSources::default()).unwrap();
        resolved.config.algorithm.auto_adjust = true;
        resolved.config.steps.n_iterations = 4;
        resolved
    }

    fn health(resolved: &Resolved, record: &HealthRecord) -> Health {
        Health::new(&resolved.config, setup::update_settings(&resolved.config), record).unwrap()
    }

    /// Steps with a clip share that is too high from the second on, and one gradient that bursts.
    fn numbers(step: u32) -> BTreeMap<String, f64> {
        let norm = if step == 30 { 50.0 } else { 1.0 + 0.01 * f64::from(step % 7) };
        [
            ("clip/region", if step == 1 { 0.1 } else { 0.4 }),
            ("gradient/norm", norm),
            ("drift/k3", 0.011 + 0.0001 * f64::from(step)),
            ("entropy", 1.5 * 0.8f64.powi(step as i32 - 1)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn text(event: &Event) -> String {
        match event {
            Event::HealthFound { step, finding } => {
                format!("{step} {} {}", finding.signal, finding.level)
            }
            Event::SettingAdjusted(change) => {
                format!("{} {} {} {}", change.step, change.key, change.from, change.to)
            }
            Event::Warning { text } => text.clone(),
            other => format!("{other:?}"),
        }
    }

    /// What is told over 60 steps; `restarts` writes the state down and reads it after each step.
    fn told(restarts: bool) -> Vec<String> {
        let resolved = resolved();
        let mut health = health(&resolved, &HealthRecord::default());
        let mut told = Vec::new();
        for step in 1..=60 {
            told.extend(health.observe(step, &mut numbers(step)).iter().map(text));
            if restarts {
                let written = serde_json::to_string(&health.record()).unwrap();
                let record: HealthRecord = serde_json::from_str(&written).unwrap();
                assert_eq!(record, health.record());
                health = super::tests::health(&resolved, &record);
            }
        }
        told
    }

    #[test]
    fn what_is_told_does_not_depend_on_restarts() {
        let whole = told(false);
        assert_eq!(told(true), whole);
        let of = |signal: &str| {
            let found = whole.iter().filter(|text| text.contains(&format!(" {signal} ")));
            found.filter(|text| !text.contains("limit")).cloned().collect::<Vec<String>>()
        };
        assert_eq!(of("clip_share"), ["2 clip_share warn", "6 clip_share act"]);
        assert_eq!(of("gradient_norm"), ["30 gradient_norm act"]);
        assert_eq!(of("entropy"), ["7 entropy warn", "12 entropy act"]);
        let changes: Vec<&String> = whole
            .iter()
            .filter(|t| t.contains(" learning_rate ") || t.contains("_target "))
            .collect();
        let steps: Vec<u32> =
            changes.iter().map(|text| text.split(' ').next().unwrap().parse().unwrap()).collect();
        assert!(steps.windows(2).all(|pair| pair[1] - pair[0] >= 20), "{changes:?}");
        assert!(changes.len() >= 2, "{whole:?}");
    }

    #[test]
    fn nothing_moves_without_leave() {
        let mut resolved = resolved();
        resolved.config.algorithm.auto_adjust = false;
        let mut health = health(&resolved, &HealthRecord::default());
        let mut n_found = 0;
        for step in 1..=60 {
            let events = health.observe(step, &mut numbers(step));
            assert!(!events.iter().any(|event| matches!(event, Event::SettingAdjusted(_))));
            n_found += events.len();
        }
        assert!(n_found > 0 && health.record().adjust.is_none());
    }

    #[test]
    fn a_signal_that_was_fine_again_is_told_anew() {
        let mut health = health(&resolved(), &HealthRecord::default());
        let mut told = Vec::new();
        for (step, share) in [(1, 0.3), (2, 0.3), (3, 0.1), (4, 0.3)] {
            let mut metrics = BTreeMap::from([("length/truncated_share".to_owned(), share)]);
            let events = health.observe(step, &mut metrics);
            assert_eq!(metrics[metric::HEALTH_LEVEL], if share > 0.2 { 1.0 } else { 0.0 });
            told.extend(events.iter().map(text).filter(|text| !text.contains("limit")));
        }
        assert_eq!(told, ["1 truncation warn", "4 truncation warn"]);
    }

    #[test]
    fn sequences_are_clipped_as_one() {
        assert_eq!(clip_kind(&PolicyGradient::default().surrogate), ClipKind::Tokens);
        assert_eq!(clip_kind(&gspo().surrogate), ClipKind::Sequences);
        assert_eq!(clip_kind(&gspo_token().surrogate), ClipKind::Sequences);
        assert_eq!(clip_kind(&Surrogate::Gmpo(Gmpo::default())), ClipKind::Tokens);
        assert_eq!(clip_kind(&Surrogate::Sapo(Sapo::default())), ClipKind::Nothing);
    }
}
