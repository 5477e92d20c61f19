//! Keys of a judge, whose word is trained on in place of the reward.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["training.judge_model"],
        ..Key::optional(
            "reward.judge_model",
            Kind::LINE,
            "A model that judges the samples of a scenario beside each other: builtin:tiny, a folder, a \
             run folder, or a name on the model hub; with judge_url, its name there. Its word is trained \
             on then; the reward stays beside it and is what evaluations show. Where the reward is \
             `judge:RUBRIC`, it answers that instead. algorithm rlaif needs one.",
        )
    },
    Key::new(
        "reward.judge_kind",
        Kind::Choice {
            names: &["pairwise", "score", "relative"],
            synonyms: &[("pairs", "pairwise"), ("direct", "score"), ("ruler", "relative")],
        },
        "How it is asked: which of two samples is better, in both orders (pairwise); how good each one \
         is (score); or for scores of all at once, as RULER does (relative).",
    ),
    Key::new(
        "reward.judge_prompt",
        Kind::choice(&["full", "short"]),
        "The question of pairwise: one for models that follow instructions, or a few words for a small \
         model that was trained to be a judge.",
    ),
    Key {
        aliases: &["reward.custom_rubric"],
        ..Key::optional(
            "reward.judge_rubric",
            Kind::Text { max_chars: 20_000 },
            "What counts, in words for the judge. Without it and without judge_rubric_file, how well the \
             user is served.",
        )
    },
    Key::optional(
        "reward.judge_rubric_file",
        Kind::Path,
        "A file with the same, or one in YAML or JSON with criteria and their weights. Of the two, the \
         stronger layer's is taken.",
    ),
    Key::new(
        "reward.judge_reasons",
        Kind::Bool,
        "Let pairwise ask for reasons first, and only then for the verdict.",
    ),
    Key::optional(
        "reward.judge_opponents",
        Kind::integer(1, 65_535),
        "Other samples, drawn at random, that pairwise compares each one with; 3 or more are advised. \
         Without it, all.",
    ),
    Key::new(
        "reward.judge_wins",
        Kind::choice(&["win_rate", "strength"]),
        "What the wins of pairwise become: their share, from 0 to 1, or Bradley-Terry strengths, which \
         take into account whom a sample met.",
    ),
    Key::new(
        "reward.judge_max_score",
        Kind::integer(2, 100),
        "The highest score of score; the lowest is 1. Rewards are from -1 to 1.",
    ),
    Key::new(
        "reward.judge_calls",
        Kind::integer(1, 64),
        "Questions of relative that are averaged. Every second one shows the samples in the reverse \
         order, so an even number is fair to all places.",
    ),
    Key::new(
        "reward.judge_retries",
        Kind::integer(0, 100),
        "Times that a question is put again where the answer cannot be read. Then there is no score.",
    ),
    Key::new(
        "reward.judge_context_length",
        Kind::integer(16, 10_000_000),
        "Most tokens of a question with its answer; what the judge's model reads where that is less.",
    ),
    Key::optional(
        "reward.judge_url",
        Kind::LINE,
        "Address of an OpenAI-compatible server that has the judge's model, such as \
         https://api.example/v1. Without it, the model is loaded here.",
    ),
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "reward.judge_api_key_env",
            Kind::LINE,
            "Name of the environment variable that holds the key for judge_url. The key itself never \
             stands in a configuration.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::new(
            "reward.judge_timeout",
            Kind::number_above_to(0.0, 86_400.0),
            "Seconds that judge_url may take for an answer.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::new(
            "reward.judge_max_attempts",
            Kind::integer(1, 100),
            "Times that judge_url is asked where it is busy or does not answer, with growing pauses.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::new(
            "reward.judge_max_running",
            Kind::integer(1, 10_000),
            "Most questions that judge_url has before it at once.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "reward.judge_requests_per_minute",
            Kind::number_above(0.0),
            "Most questions to judge_url in a minute. Without it, no limit.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "reward.judge_cache",
            Kind::Path,
            "A folder that keeps the answers of judge_url: the same question is asked once, in this run \
             and in later ones.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "reward.judge_ledger",
            Kind::Path,
            "A JSON file that counts the tokens and the money that judge_url uses. A budget goes on \
             where it stands.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "reward.judge_prices",
            Kind::Path,
            "A file in TOML or JSON with the price of a million tokens of each model.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "reward.judge_budget",
            Kind::number_from(0.0),
            "Money, in the currency of judge_prices, that judge_url may use. Nothing is asked after it, \
             and what is not judged has no score.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "reward.judge_budget_tokens",
            Kind::integer(0, i64::MAX),
            "Tokens, read and written, that judge_url may use.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::new(
            "reward.write_preferences",
            Kind::Bool,
            "Write the best and the worst sample of each scenario to preferences.jsonl of the run \
             folder, as pairs to learn from by a preference method.",
        )
    },
];
