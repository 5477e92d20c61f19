//! The judge whose word is trained on.

use std::path::PathBuf;

use super::super::reader::Reader;
use super::algorithm::{AlgorithmSettings, Method};
use super::environment::one_of;
use super::steps::StepSettings;

/// A judge of groups, or of what a reward asks it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgeSettings {
    /// The model that judges.
    pub model: String,
    /// Where it is, if not on this machine.
    pub remote: Option<RemoteJudgeSettings>,
    /// How it is asked.
    pub kind: JudgeKind,
    /// What counts; the question's own words where `None`.
    pub rubric: Option<Rubric>,
    /// Times that a question is put again.
    pub n_retries: usize,
    /// Most tokens of a question with its answer.
    pub context_tokens: usize,
}

/// A judge behind an OpenAI-compatible server, and what may be used of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteJudgeSettings {
    /// Address of the server.
    pub url: String,
    /// Environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// Limit of an answer, in seconds.
    pub timeout_secs: f64,
    /// Times that a question is put where the server is busy or gone; 1 or more.
    pub max_attempts: usize,
    /// Most questions at once.
    pub max_running: usize,
    /// Most questions in a minute.
    pub requests_per_minute: Option<f64>,
    /// Folder of answers that are kept.
    pub cache: Option<PathBuf>,
    /// File of what was used.
    pub ledger: Option<PathBuf>,
    /// File of prices.
    pub prices: Option<PathBuf>,
    /// Money that may be used.
    pub budget: Option<f64>,
    /// Tokens that may be used.
    pub budget_tokens: Option<u64>,
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
    /// What a reward asks about single conversations; no group is judged beside it.
    AsReward,
}

/// What counts for a judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rubric {
    /// In words.
    Text(String),
    /// In a file.
    File(PathBuf),
    /// A built-in rubric, or a file with criteria.
    Named(String),
}

const MODEL: &str = "reward.judge_model";
const KIND: &str = "reward.judge_kind";
const TEXT: &str = "reward.judge_rubric";
const FILE: &str = "reward.judge_rubric_file";
const GROUP: &str = "training.num_generations";
const URL: &str = "reward.judge_url";
const CALLS: &str = "reward.judge_calls";
const CONTEXT: &str = "reward.judge_context_length";

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
    CALLS,
    "reward.judge_retries",
    CONTEXT,
];

/// Keys that count beside a server only.
const REMOTE: [&str; 10] = [
    "reward.judge_api_key_env",
    "reward.judge_timeout",
    "reward.judge_max_attempts",
    "reward.judge_max_running",
    "reward.judge_requests_per_minute",
    "reward.judge_cache",
    "reward.judge_ledger",
    "reward.judge_prices",
    "reward.judge_budget",
    "reward.judge_budget_tokens",
];

impl JudgeSettings {
    /// The judge; `None` where no model is named, or where nothing is played.
    pub(super) fn resolve(
        reader: &mut Reader,
        algorithm: &AlgorithmSettings,
        steps: &StepSettings,
        asked_by: &AskedBy,
    ) -> Option<JudgeSettings> {
        let Method::Online(_) = &algorithm.method else {
            let keys = DETAILS.into_iter().chain([MODEL, URL]).chain(REMOTE);
            reader.drop_unread(keys, "no effect on a method that learns from pairs");
            return None;
        };
        let model = reader.optional_text(MODEL).map(str::to_owned);
        let Some(model) = model else {
            refuse_without_judge(reader, asked_by);
            let keys = DETAILS.into_iter().chain([URL]).chain(REMOTE);
            reader.drop_unread(keys, "no effect without judge_model");
            return None;
        };
        let remote = RemoteJudgeSettings::resolve(reader);
        reader.drop_unread(REMOTE.into_iter(), "no effect without judge_url");
        let judge = match asked_by {
            AskedBy::Groups => JudgeSettings {
                kind: kind(reader),
                rubric: rubric(reader),
                ..JudgeSettings::usual(model, remote, reader)
            },
            AskedBy::Ruler(rubric) => JudgeSettings {
                kind: JudgeKind::Relative { n_calls: reader.size(CALLS) },
                rubric: Some(Rubric::Named(rubric.clone())),
                ..JudgeSettings::usual(model, remote, reader)
            },
            AskedBy::Reward => JudgeSettings::usual(model, remote, reader),
        };
        let message = match (&judge.remote, asked_by) {
            (_, AskedBy::Ruler(_)) => "no effect where the reward is ruler:RUBRIC".to_owned(),
            (_, AskedBy::Reward) => "no effect where the reward is judge:RUBRIC".to_owned(),
            (_, AskedBy::Groups) => {
                format!("no effect on a judge that is asked by {}", reader.text(KIND))
            }
        };
        if judge.remote.is_some() {
            reader.drop_unread([CONTEXT].into_iter(), "no effect on a judge at judge_url");
        }
        reader.drop_unread(DETAILS.into_iter(), &message);
        check_groups(reader, &judge, algorithm, steps);
        Some(judge)
    }

    /// True where the reward itself asks the judge, so that evaluations need it too.
    pub fn is_asked_by_reward(&self) -> bool {
        self.kind == JudgeKind::AsReward || matches!(self.rubric, Some(Rubric::Named(_)))
    }

    fn usual(model: String, remote: Option<RemoteJudgeSettings>, reader: &Reader) -> JudgeSettings {
        // A server knows the limit of its model itself.
        let context_tokens = if remote.is_some() { usize::MAX } else { reader.size(CONTEXT) };
        JudgeSettings {
            model,
            remote,
            kind: JudgeKind::AsReward,
            rubric: None,
            n_retries: reader.size("reward.judge_retries"),
            context_tokens,
        }
    }
}

/// Who asks the judge, as the reward in words says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AskedBy {
    /// What compares the samples of a scenario, in the way that the judge's own keys say.
    Groups,
    /// `ruler:RUBRIC`.
    Ruler(String),
    /// `judge:RUBRIC`, alone or with a weight.
    Reward,
}

impl AskedBy {
    /// By the words of the rewards.
    pub(super) fn of<'a>(mut specs: impl Iterator<Item = &'a str> + Clone) -> AskedBy {
        let asks = |spec: &str| spec.split(',').any(|part| part.trim().starts_with("judge:"));
        if let Some(rubric) = specs.clone().find_map(|spec| spec.trim().strip_prefix("ruler:")) {
            return AskedBy::Ruler(rubric.trim().to_owned());
        }
        if specs.any(asks) { AskedBy::Reward } else { AskedBy::Groups }
    }
}

impl RemoteJudgeSettings {
    fn resolve(reader: &Reader) -> Option<RemoteJudgeSettings> {
        let url = reader.optional_text(URL)?.to_owned();
        Some(RemoteJudgeSettings {
            url,
            api_key_env: reader.optional_text("reward.judge_api_key_env").map(str::to_owned),
            timeout_secs: reader.number("reward.judge_timeout"),
            max_attempts: reader.size("reward.judge_max_attempts"),
            max_running: reader.size("reward.judge_max_running"),
            requests_per_minute: reader.optional_number("reward.judge_requests_per_minute"),
            cache: reader.optional_path("reward.judge_cache"),
            ledger: reader.optional_path("reward.judge_ledger"),
            prices: reader.optional_path("reward.judge_prices"),
            budget: reader.optional_number("reward.judge_budget"),
            budget_tokens: reader.optional_count("reward.judge_budget_tokens"),
        })
    }
}

fn rubric(reader: &mut Reader) -> Option<Rubric> {
    match one_of(reader, &[TEXT, FILE])? {
        FILE => reader.optional_path(FILE).map(Rubric::File),
        _ => reader.optional_text(TEXT).map(|text| Rubric::Text(text.to_owned())),
    }
}

fn kind(reader: &Reader) -> JudgeKind {
    match reader.text(KIND) {
        "score" => JudgeKind::Score { max_score: reader.size("reward.judge_max_score") },
        "relative" => JudgeKind::Relative { n_calls: reader.size(CALLS) },
        _ => JudgeKind::Pairwise {
            opponents: reader.optional_size("reward.judge_opponents"),
            fits_strengths: reader.text("reward.judge_wins") == "strength",
            asks_reasons: reader.bool("reward.judge_reasons"),
            is_short: reader.text("reward.judge_prompt") == "short",
        },
    }
}

fn refuse_without_judge(reader: &mut Reader, asked_by: &AskedBy) {
    let hint = "such as judge_model = \"builtin:tiny\", or --judge";
    if *asked_by != AskedBy::Groups {
        let allowed = "reward.judge_model with judge:RUBRIC and ruler:RUBRIC";
        reader.refuse(&["reward.spec"], "a reward that asks a judge", allowed, hint);
    } else if reader.text("algorithm") == "rlaif" {
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
        (&algorithm.method, matches!(judge.kind, JudgeKind::Score { .. } | JudgeKind::AsReward))
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
