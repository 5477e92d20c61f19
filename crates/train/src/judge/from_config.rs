//! A judge from a resolved configuration, on an engine of its own.
//!
//! A rubric takes the place of the words that say what counts: the preamble of the questions about two
//! samples or one, and the rubric of those about all. What is to be answered, and in which form, stays.

use std::sync::Arc;

use stateset_algo::Strengths;
use stateset_core::{GroupReward, RunSeed};
use stateset_env::judging::{Asker, GroupPrompt, PairPrompt, ScorePrompt};

use super::direct::DirectJudging;
use super::local::{LocalJudge, LocalJudgeSettings};
use super::pairwise::{PairReward, PairwiseJudging};
use super::relative::RelativeJudging;
use crate::TrainError;
use crate::config::{JudgeKind, JudgeSettings, Rubric};
use crate::model::{MemoryPlan, ModelSource, chat_format};

/// What its engine is started with.
fn local(settings: &JudgeSettings, threads: usize, seed: RunSeed) -> LocalJudgeSettings {
    LocalJudgeSettings {
        threads,
        context: settings.context_tokens,
        seed,
        ..LocalJudgeSettings::default()
    }
}

/// Checks what can be checked without an engine, and gives the memory that it will hold.
///
/// # Errors
/// [`TrainError`] where its model does not fit, or the rubric cannot be read.
pub(crate) fn check_judge(
    settings: &JudgeSettings,
    model: &ModelSource,
) -> Result<MemoryPlan, TrainError> {
    rubric(settings)?;
    chat_format(model, None)?;
    Ok(local(settings, 1, RunSeed(0)).engine_spec(model).memory_plan(model)?)
}

/// Starts the judge.
///
/// # Errors
/// As [`check_judge`].
pub(crate) fn start_judge(
    settings: &JudgeSettings,
    model: ModelSource,
    threads: usize,
    seed: RunSeed,
) -> Result<Arc<dyn GroupReward>, TrainError> {
    let rubric = rubric(settings)?;
    let judge = LocalJudge::start(model, &local(settings, threads, seed))?;
    let asker = Asker { judge: Arc::new(judge), max_retries: settings.n_retries };
    Ok(match settings.kind {
        JudgeKind::Pairwise { opponents, fits_strengths, asks_reasons, is_short } => {
            let mut prompt = if is_short { PairPrompt::short() } else { PairPrompt::default() };
            prompt.preamble = rubric.unwrap_or(prompt.preamble);
            let prompt = if asks_reasons { prompt.with_rationale() } else { prompt };
            let reward = match fits_strengths {
                true => PairReward::Strength(Strengths::default()),
                false => PairReward::WinRate,
            };
            Arc::new(PairwiseJudging { prompt, opponents, reward, ..PairwiseJudging::new(asker) })
        }
        JudgeKind::Score { max_score } => {
            let usual = ScorePrompt { n_scores: max_score, ..ScorePrompt::default() };
            let preamble = rubric.unwrap_or_else(|| usual.preamble.clone());
            Arc::new(DirectJudging { asker, prompt: ScorePrompt { preamble, ..usual } })
        }
        JudgeKind::Relative { n_calls } => {
            let usual = GroupPrompt::default();
            let prompt = rubric.map_or(usual, |rubric| GroupPrompt { rubric });
            Arc::new(RelativeJudging { prompt, n_calls, ..RelativeJudging::new(asker) })
        }
    })
}

/// What counts, in words.
fn rubric(settings: &JudgeSettings) -> Result<Option<String>, TrainError> {
    let text = match &settings.rubric {
        None => return Ok(None),
        Some(Rubric::Text(text)) => text.clone(),
        Some(Rubric::File(path)) => {
            std::fs::read_to_string(path).map_err(|e| TrainError::io("read", path, e))?
        }
    };
    match text.trim() {
        "" => {
            let message = "the rubric is empty; say what counts, or leave it out".to_owned();
            Err(TrainError::Invalid { what: "prepare the judge", message })
        }
        text => Ok(Some(text.to_owned())),
    }
}
