//! A judge from a resolved configuration: on an engine of its own, or one that was made ready elsewhere.
//!
//! A rubric takes the place of the words that say what counts: the preamble of the questions about two
//! samples or one, and the rubric of those about all. What is to be answered, and in which form, stays.

use std::path::Path;
use std::sync::Arc;

use stateset_algo::Strengths;
use stateset_core::{GroupReward, Judge, RunSeed};
use stateset_env::EnvError;
use stateset_env::judging::{Asker, GroupPrompt, PairPrompt, Rubric as Criteria, ScorePrompt};
use stateset_env::scenarios::Format;

use super::direct::DirectJudging;
use super::local::{LocalJudge, LocalJudgeSettings};
use super::pairwise::{PairReward, PairwiseJudging};
use super::relative::RelativeJudging;
use crate::TrainError;
use crate::config::{JudgeKind, JudgeSettings, Rubric};
use crate::model::{MemoryPlan, ModelSource, chat_format};

/// Who answers the questions of a run's judge.
pub enum JudgeModel {
    /// A model that gets an engine of its own.
    Local(Box<ModelSource>),
    /// A judge that is ready, such as one behind a server.
    Ready(Arc<dyn Judge>),
}

/// A judge that was started.
pub(crate) struct StartedJudge {
    /// Who answers.
    pub(crate) judge: Arc<dyn Judge>,
    /// What asks about the samples of a scenario; `None` where only a reward asks.
    pub(crate) group_reward: Option<Arc<dyn GroupReward>>,
}

/// What counts.
enum Counts {
    Usual,
    Words(String),
    Criteria(Criteria),
}

/// Most tokens of an answer by criteria, or about a group: a reason beside each score.
const MAX_REASONED_TOKENS: usize = 1024;

/// What its engine is started with.
fn local(settings: &JudgeSettings, threads: usize, seed: RunSeed) -> LocalJudgeSettings {
    let usual = LocalJudgeSettings::default();
    let mut sampling = usual.sampling.clone();
    if matches!(settings.kind, JudgeKind::AsReward | JudgeKind::Relative { .. }) {
        sampling.max_new_tokens = MAX_REASONED_TOKENS;
    }
    LocalJudgeSettings { threads, context: settings.context_tokens, seed, sampling, ..usual }
}

/// Checks what can be checked without an engine, and gives the memory that it will hold; none where
/// there is no engine.
///
/// # Errors
/// [`TrainError`] where its model does not fit, or the rubric cannot be read.
pub(crate) fn check_judge(
    settings: &JudgeSettings,
    model: &JudgeModel,
) -> Result<Option<MemoryPlan>, TrainError> {
    counts(settings)?;
    let JudgeModel::Local(model) = model else { return Ok(None) };
    chat_format(model, None)?;
    Ok(Some(local(settings, 1, RunSeed(0)).engine_spec(model).memory_plan(model)?))
}

/// Starts the judge.
///
/// # Errors
/// As [`check_judge`].
pub(crate) fn start_judge(
    settings: &JudgeSettings,
    model: JudgeModel,
    threads: usize,
    seed: RunSeed,
) -> Result<StartedJudge, TrainError> {
    let counts = counts(settings)?;
    let judge: Arc<dyn Judge> = match model {
        JudgeModel::Ready(judge) => judge,
        JudgeModel::Local(model) => {
            Arc::new(LocalJudge::start(*model, &local(settings, threads, seed))?)
        }
    };
    let asker = Asker { judge: judge.clone(), max_retries: settings.n_retries };
    Ok(StartedJudge { judge, group_reward: group_reward(&settings.kind, asker, counts) })
}

/// Starts the judge of `settings` for rewards that are asked outside of a run.
///
/// # Errors
/// [`TrainError`] where its model does not fit, or the rubric cannot be read.
pub fn start_asker(
    settings: &JudgeSettings,
    model: JudgeModel,
    threads: usize,
    seed: RunSeed,
) -> Result<Asker, TrainError> {
    let judge = start_judge(settings, model, threads, seed)?.judge;
    Ok(Asker { judge, max_retries: settings.n_retries })
}

fn group_reward(kind: &JudgeKind, asker: Asker, counts: Counts) -> Option<Arc<dyn GroupReward>> {
    Some(match *kind {
        JudgeKind::AsReward => return None,
        JudgeKind::Pairwise { opponents, fits_strengths, asks_reasons, is_short } => {
            let usual = if is_short { PairPrompt::short() } else { PairPrompt::default() };
            let preamble = match counts {
                Counts::Usual => usual.preamble,
                Counts::Words(words) => words,
                Counts::Criteria(rubric) => rubric.pair_prompt().preamble,
            };
            let prompt = PairPrompt { preamble, ..usual };
            let prompt = if asks_reasons { prompt.with_rationale() } else { prompt };
            let reward = match fits_strengths {
                true => PairReward::Strength(Strengths::default()),
                false => PairReward::WinRate,
            };
            Arc::new(PairwiseJudging { prompt, opponents, reward, ..PairwiseJudging::new(asker) })
        }
        JudgeKind::Score { max_score } => {
            let usual = ScorePrompt { n_scores: max_score, ..ScorePrompt::default() };
            let preamble = match counts {
                Counts::Usual => usual.preamble,
                Counts::Words(words) => words,
                Counts::Criteria(rubric) => rubric.instructions(),
            };
            Arc::new(DirectJudging { asker, prompt: ScorePrompt { preamble, ..usual } })
        }
        JudgeKind::Relative { n_calls } => {
            let prompt = match counts {
                Counts::Usual => GroupPrompt::default(),
                Counts::Words(rubric) => GroupPrompt { rubric },
                Counts::Criteria(rubric) => rubric.group_prompt(),
            };
            Arc::new(RelativeJudging { prompt, n_calls, ..RelativeJudging::new(asker) })
        }
    })
}

/// What counts, in words or by criteria.
fn counts(settings: &JudgeSettings) -> Result<Counts, TrainError> {
    let criteria = |found: Result<Criteria, EnvError>| match found {
        Ok(rubric) => Ok(Counts::Criteria(rubric)),
        Err(error) => {
            let message = error.to_string();
            Err(TrainError::Invalid { what: "prepare the judge", message })
        }
    };
    let text = match &settings.rubric {
        None => return Ok(Counts::Usual),
        Some(Rubric::Named(name)) => return criteria(Criteria::find(name)),
        Some(Rubric::File(path)) if is_criteria(path) => return criteria(Criteria::load(path)),
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
        text => Ok(Counts::Words(text.to_owned())),
    }
}

/// True for a file whose name says that it holds criteria and not words.
fn is_criteria(path: &Path) -> bool {
    matches!(Format::of_path(path), Ok(Format::Json | Format::Yaml))
}
