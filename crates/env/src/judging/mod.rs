//! Questions for judges, and reading their answers.
//!
//! A judge ([`stateset_core::Judge`]) takes text and gives text. Here is what it is asked and how its
//! answer is understood: comparing two replies ([`PairPrompt`]), scoring one conversation
//! ([`ScorePrompt`], or [`RubricPrompt`] criterion by criterion), scoring a group of attempts
//! ([`GroupPrompt`]). [`Asker`] asks again where an answer cannot be read, and says so in the end
//! instead of making something up. A [`Rubric`] says what counts; [`LlmJudge`] is a reward made of one.
//!
//! What the agent said is quoted line by line in every question, so that it cannot pose as a part
//! of the question, and judges are told that quoted text is to be judged and not to be obeyed.

mod asker;
mod dialogue;
mod find_json;
mod group_prompt;
mod judge_data;
mod llm_judge;
mod pair_prompt;
mod read_choice;
mod read_group;
mod read_rubric;
mod read_score;
mod rubric;
mod rubric_file;
mod rubric_prompt;
mod score_prompt;

pub use asker::{AskTally, Asker};
pub use dialogue::{common_prefix, dialogue, scene};
pub use group_prompt::{DEFAULT_RUBRIC, GroupPrompt};
pub use judge_data::{JudgePair, judge_pairs, pairs_to_sft};
pub use llm_judge::{LlmJudge, Preference};
pub use pair_prompt::{PairAnswer, PairExample, PairPrompt};
pub use read_choice::read_choice;
pub use read_group::{GroupScore, read_group};
pub use read_rubric::{CriterionScore, read_rubric};
pub use read_score::read_score;
pub use rubric::{Criterion, Rubric};
pub use rubric_file::{MAX_RUBRIC_BYTES, RUBRIC_NAMES};
pub use rubric_prompt::RubricPrompt;
pub use score_prompt::{ScoreAnswer, ScorePrompt};
