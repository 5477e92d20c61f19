//! AI feedback: judges, the rewards made of their answers, and preferences.
//!
//! Questions and the reading of answers are in [`stateset_env::judging`], the arithmetic in
//! [`stateset_algo`]; this folder puts both together around a [`stateset_core::Judge`].

mod direct;
mod figures;
mod from_config;
mod local;
mod measure;
mod pairwise;
mod policy_judge;
mod preference_file;
mod preferences;
mod relative;
mod samples;
mod text_key;

pub use direct::DirectJudging;
pub use figures::{ORDER_DISAGREEMENT, judging_figures};
pub use from_config::{JudgeModel, start_asker};
pub(crate) use from_config::{check_judge, start_judge};
pub use local::{LocalJudge, LocalJudgeSettings};
pub use measure::{JudgeMeasure, measure_judge};
pub use pairwise::{PairReward, PairwiseJudging, compare};
pub use policy_judge::PolicyJudge;
pub(crate) use preference_file::PreferenceFile;
pub use preferences::{
    PreferencePair, PreferenceSelection, preference_pairs, preferences_to_jsonl,
};
pub use relative::{RelativeJudging, Ruler};
