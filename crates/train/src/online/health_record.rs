//! What watches over a run, on disk: the monitor's memory, what has been told, and changed settings.
//!
//! Numbers that are not finite become null, because JSON has no other word for them, and come back as
//! infinite: they are only ever shown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stateset_algo::{
    AdjustState, Adjustment, Knob, Level, MonitorState, Quantity, Signal, Trigger,
};

/// Everything that watching remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HealthRecord {
    /// The monitor's memory.
    pub(super) monitor: MonitorRecord,
    /// Signals that are not fine, by name, and the worst level told of each.
    pub(super) told: BTreeMap<String, String>,
    /// Settings on offer and changes, where settings may change.
    pub(super) adjust: Option<AdjustRecord>,
}

/// [`MonitorState`] on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MonitorRecord {
    n_steps: u64,
    recent: BTreeMap<String, Vec<f64>>,
    initial_entropy: Option<f64>,
    gradient_skips: Vec<u64>,
    is_policy_frozen: bool,
    best_evaluation: Option<f64>,
    n_evaluations_without_gain: u32,
}

/// [`AdjustState`] on disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AdjustRecord {
    knobs: Vec<KnobRecord>,
    log: Vec<AdjustmentRecord>,
    unanswered: Option<TriggerRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnobRecord {
    key: String,
    initial: f64,
    value: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustmentRecord {
    step: u64,
    key: String,
    from: f64,
    to: f64,
    trigger: TriggerRecord,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerRecord {
    signal: String,
    value: Option<f64>,
    threshold: Option<f64>,
}

impl HealthRecord {
    /// Levels told, by signal.
    pub(super) fn told(&self) -> BTreeMap<Signal, Level> {
        let level = |name: &str| [Level::Warn, Level::Act].into_iter().find(|l| l.name() == name);
        let told = self.told.iter();
        told.filter_map(|(name, told)| Some((Signal::from_name(name)?, level(told)?))).collect()
    }

    /// Levels told, by name.
    pub(super) fn of_told(told: &BTreeMap<Signal, Level>) -> BTreeMap<String, String> {
        told.iter().map(|(s, level)| (s.name().to_owned(), level.name().to_owned())).collect()
    }
}

impl From<&MonitorState> for MonitorRecord {
    fn from(state: &MonitorState) -> Self {
        MonitorRecord {
            n_steps: state.n_steps,
            recent: state.recent.clone(),
            initial_entropy: state.initial_entropy,
            gradient_skips: state.gradient_skips.clone(),
            is_policy_frozen: state.is_policy_frozen,
            best_evaluation: state.best_evaluation,
            n_evaluations_without_gain: state.n_evaluations_without_gain,
        }
    }
}

impl From<MonitorRecord> for MonitorState {
    fn from(record: MonitorRecord) -> Self {
        MonitorState {
            n_steps: record.n_steps,
            recent: record.recent,
            initial_entropy: record.initial_entropy,
            gradient_skips: record.gradient_skips,
            is_policy_frozen: record.is_policy_frozen,
            best_evaluation: record.best_evaluation,
            n_evaluations_without_gain: record.n_evaluations_without_gain,
        }
    }
}

impl From<&AdjustState> for AdjustRecord {
    fn from(state: &AdjustState) -> Self {
        let knob = |knob: &Knob| KnobRecord {
            key: knob.quantity.name().to_owned(),
            initial: knob.initial,
            value: knob.value,
        };
        let change = |change: &Adjustment| AdjustmentRecord {
            step: change.step,
            key: change.key.name().to_owned(),
            from: change.from,
            to: change.to,
            trigger: change.trigger.into(),
        };
        AdjustRecord {
            knobs: state.knobs.iter().map(knob).collect(),
            log: state.log.iter().map(change).collect(),
            unanswered: state.unanswered.map(TriggerRecord::from),
        }
    }
}

impl From<AdjustRecord> for AdjustState {
    /// Names that this program does not know are left out.
    fn from(record: AdjustRecord) -> Self {
        let knob = |knob: &KnobRecord| {
            let quantity = Quantity::from_name(&knob.key)?;
            Some(Knob { quantity, initial: knob.initial, value: knob.value })
        };
        let change = |change: &AdjustmentRecord| {
            let AdjustmentRecord { step, from, to, .. } = *change;
            Some(Adjustment {
                key: Quantity::from_name(&change.key)?,
                from,
                to,
                factor: (from != 0.0).then(|| to / from),
                trigger: change.trigger.read()?,
                step,
            })
        };
        AdjustState {
            knobs: record.knobs.iter().filter_map(knob).collect(),
            log: record.log.iter().filter_map(change).collect(),
            unanswered: record.unanswered.as_ref().and_then(TriggerRecord::read),
        }
    }
}

impl From<Trigger> for TriggerRecord {
    fn from(trigger: Trigger) -> Self {
        let finite = |value: f64| value.is_finite().then_some(value);
        TriggerRecord {
            signal: trigger.signal.name().to_owned(),
            value: finite(trigger.value),
            threshold: finite(trigger.threshold),
        }
    }
}

impl TriggerRecord {
    fn read(&self) -> Option<Trigger> {
        Some(Trigger {
            signal: Signal::from_name(&self.signal)?,
            value: self.value.unwrap_or(f64::INFINITY),
            threshold: self.threshold.unwrap_or(f64::INFINITY),
        })
    }
}
