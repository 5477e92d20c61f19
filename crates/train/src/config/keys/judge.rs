//! Keys of a judge, whose word is trained on in place of the reward.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["training.judge_model"],
        ..Key::optional(
            "reward.judge_model",
            Kind::LINE,
            "A model that judges the samples of a scenario beside each other: builtin:tiny, a folder, a \
             run folder, or a name on the model hub. Its word is trained on then; the reward stays \
             beside it and is what evaluations show. algorithm rlaif needs one.",
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
        "A file with the same. Of the two, the stronger layer's is taken.",
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
