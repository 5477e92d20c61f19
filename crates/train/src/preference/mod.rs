//! Learning from preferences: pairs of answers, answers judged alone, and reward models.
//!
//! | part | what it does |
//! |---|---|
//! | `lines` | JSON lines to examples, every bad line named |
//! | `dialogue` | an answer in its conversation to tokens and marks |
//! | `data`, `batch` | examples as tokens, and those of one step as arrays |
//! | `step` | one optimiser step, and measuring without learning |
//! | [`PreferenceRun`], `trainer` | a run folder, from the first evaluation to the report |
//! | `from_config` | a run from a resolved configuration |
//! | `judgments` | people's judgments of replies, from Taskmaster-4 |
//! | [`SyntheticPairs`] | pairs with a known truth |

mod batch;
mod checkpoint;
mod data;
mod dialogue;
mod evaluate;
mod from_config;
mod judgments;
mod lines;
mod order;
mod run;
mod scale;
mod settings;
mod state;
mod step;
mod synthetic;
mod trainer;

pub use batch::PreferenceBatch;
pub use data::PreferenceData;
pub use dialogue::{Chat, Dialogue};
pub use evaluate::AnswerRewards;
pub use judgments::{Judgments, read_judgments};
pub use lines::{JudgedExample, PairExample, read_judged, read_pairs};
pub use run::{PreferenceOutline, PreferenceRun, TrainedPreference};
pub use scale::RewardScale;
pub use settings::{PreferenceGoal, PreferenceSettings};
pub use step::{PreferenceStep, StepRates, preference_step};
pub use synthetic::SyntheticPairs;
