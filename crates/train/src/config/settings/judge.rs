//! The judge whose word is trained on.

use std::path::PathBuf;

use super::super::reader::Reader;
use super::algorithm::{AlgorithmSettings, Method};
use super::environment::one_of;
use super::steps::StepSettings;

/// A judge of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeSettings {
    /// The model that judges.
    pub model: String,
    /// How it is asked.
    pub kind: JudgeKind,
    /// What counts; the question's own words where `None`.
    pub rubric: Option<Rubric>,
    /// Times that a question is put again.
    pub n_retries: usize,
    /// Most tokens of a question with its answer.
    pub context_tokens: usize,
}

/// How a judge is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JudgeKind {
    /// Which of two samples is better, in both orders.
    Pairwise {
        /// Others that each sample is compared with; all where `None`.
        opponents: Option<usize>,
        /// Wins become Bradley-Terry strengths instead of shares.
        fits_strengths: bool,
        /// Ask for reasons first.
        asks_reasons: bool,
        /// A few words instead of whole instructions.
        is_short: bool,
    },
    /// How good each sample is, from 1.
    Score {
        /// The highest score, 2 or more.
        max_score: usize,
    },
    /// Scores of all samples at once.
    Relative {
        /// Questions that are averaged, 1 or more.
        n_calls: usize,
    },
}

/// What counts for a judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rubric {
    /// In words.
    Text(String),
    /// In a file.
    File(PathBuf),
}

const MODEL: &str = "reward.judge_model";
const KIND: &str = "reward.judge_kind";
const TEXT: &str = "reward.judge_rubric";
const FILE: &str = "reward.judge_rubric_file";
const GROUP: &str = "training.num_generations";

/// Keys that count beside a model only.
const DETAILS: [&str; 11] = [
    KIND,
    "reward.judge_prompt",
    TEXT,
    FILE,
    "reward.judge_reasons",
    "reward.judge_opponents",
    "reward.judge_wins",
    "reward.judge_max_score",
    "reward.judge_calls",
    "reward.judge_retries",
    "reward.judge_context_length",
];

impl JudgeSettings {
    /// The judge; `None` where no model is named, or where nothing is played.
    pub(super) fn resolve(
        reader: &mut Reader,
        algorithm: &AlgorithmSettings,
        steps: &StepSettings,
    ) -> Option<JudgeSettings> {
        let Method::Online(_) = &algorithm.method else {
            let keys = DETAILS.into_iter().chain([MODEL]);
            reader.drop_unread(keys, "no effect on a method that learns from pairs");
            return None;
        };
        let model = reader.optional_text(MODEL).map(str::to_owned);
        let Some(model) = model else {
            refuse_without_judge(reader);
            reader.drop_unread(DETAILS.into_iter(), "no effect without judge_model");
            return None;
        };
        let judge = JudgeSettings {
            model,
            kind: kind(reader),
            rubric: match one_of(reader, &[TEXT, FILE]) {
                None => None,
                Some(FILE) => reader.optional_path(FILE).map(Rubric::File),
                Some(_) => reader.optional_text(TEXT).map(|text| Rubric::Text(text.to_owned())),
            },
            n_retries: reader.size("reward.judge_retries"),
            context_tokens: reader.size("reward.judge_context_length"),
        };
        let message = format!("no effect on a judge that is asked by {}", reader.text(KIND));
        reader.drop_unread(DETAILS.into_iter(), &message);
        check_groups(reader, &judge, algorithm, steps);
        Some(judge)
    }
}

fn kind(reader: &Reader) -> JudgeKind {
    match reader.text(KIND) {
        "score" => JudgeKind::Score { max_score: reader.size("reward.judge_max_score") },
        "relative" => JudgeKind::Relative { n_calls: reader.size("reward.judge_calls") },
        _ => JudgeKind::Pairwise {
            opponents: reader.optional_size("reward.judge_opponents"),
            fits_strengths: reader.text("reward.judge_wins") == "strength",
            asks_reasons: reader.bool("reward.judge_reasons"),
            is_short: reader.text("reward.judge_prompt") == "short",
        },
    }
}

fn refuse_without_judge(reader: &mut Reader) {
    if reader.text("algorithm") == "rlaif" {
        let hint =
            "such as judge_model = \"builtin:tiny\", or --judge; grpo learns from a reward alone";
        let allowed = "reward.judge_model with rlaif";
        reader.refuse(&["algorithm"], "rlaif without a judge", allowed, hint);
    }
}

/// Verdicts that compare mean something within their group only.
fn check_groups(
    reader: &mut Reader,
    judge: &JudgeSettings,
    algorithm: &AlgorithmSettings,
    steps: &StepSettings,
) {
    let (Method::Online(method), false) =
        (&algorithm.method, matches!(judge.kind, JudgeKind::Score { .. }))
    else {
        return;
    };
    if steps.group_size < 2 {
        let hint = "samples are judged beside each other; judge_kind score judges each one alone";
        reader.refuse(&[GROUP, KIND], "1", "2 or more with a judge that compares", hint);
    } else if !method.advantage.compares_samples() {
        let message = "what is said of samples beside each other means nothing across scenarios, which \
                       this advantage compares; score is judged alone";
        reader.warn(&[KIND, "training.advantage"], message);
    }
}
