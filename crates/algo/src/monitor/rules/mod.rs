//! The rules by which signals are judged, one in each file.

mod clip_share;
mod dead_groups;
mod drift;
mod entropy;
mod evaluation;
mod explained_variance;
mod gradient;
mod mismatch;
mod monitor_rules;
mod span;
mod truncation;

pub use clip_share::ClipShareRule;
pub use dead_groups::DeadGroupsRule;
pub use drift::{DriftRule, ReferenceKlRule};
pub use entropy::EntropyRule;
pub use evaluation::EvaluationRule;
pub use explained_variance::ExplainedVarianceRule;
pub use gradient::GradientRule;
pub use mismatch::{EffectiveSamplesRule, MismatchKlRule, MismatchWeightRule};
pub use monitor_rules::{ClipKind, MonitorRules, RunTraits};
pub use truncation::TruncationRule;
