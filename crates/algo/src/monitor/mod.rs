//! Is the run healthy, and what to change where it is not.

mod adjustment;
mod auto_adjust;
mod baseline;
mod diagnostics_monitor;
mod finding;
mod profile;
mod rules;
mod signal;
mod state;

pub use adjustment::{Adjustment, Quantity, Trigger};
pub use auto_adjust::{AdjustLimits, AdjustState, AutoAdjust, Knob};
pub use baseline::{BaselineEpisode, BaselineFacts, BaselineRun};
pub use diagnostics_monitor::DiagnosticsMonitor;
pub use finding::{Action, Finding, HealthReport, Level};
pub use profile::{Choice, Difficulty, Override, OverrideValue, Profile, choose_profile};
pub use rules::{
    ClipKind, ClipShareRule, DeadGroupsRule, DriftRule, EffectiveSamplesRule, EntropyRule,
    EvaluationRule, ExplainedVarianceRule, GradientRule, MismatchKlRule, MismatchWeightRule,
    MonitorRules, ReferenceKlRule, RunTraits, TruncationRule,
};
pub use signal::Signal;
pub use state::MonitorState;
