//! Keys of what stands around the agent's policy: memory, plans, compression and thoughts.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "agent.memory_window",
        Kind::integer(1, 10_000),
        "Messages beside instructions that the model reads: the last ones. Without it, all.",
    ),
    Key::new(
        "agent.enable_memory",
        Kind::Bool,
        "Remember what the model no longer reads word by word: a summary, what users said of \
         themselves, what was named, and what was said about the same before.",
    ),
    Key::optional(
        "agent.memory_config",
        Kind::Object,
        "Settings of the memory: max_short_term_turns (20), max_short_term_tokens (4000), \
         enable_summarization (true), enable_entity_extraction (true), enable_fact_extraction \
         (true), summary_threshold (10), importance_decay (0.95), retrieval_top_k (5).",
    ),
    Key {
        aliases: &["agent.context_compression"],
        ..Key::new(
            "agent.enable_context_compression",
            Kind::Bool,
            "Make a conversation shorter for the model once it has more than \
             agent.compression_max_tokens.",
        )
    },
    Key::new(
        "agent.compression_ratio",
        Kind::number_above_to(0.0, 1.0),
        "Share of agent.compression_max_tokens that is left of a conversation that is too long.",
    ),
    Key::new(
        "agent.compression_strategy",
        Kind::choice(&["truncate", "sliding_window", "summary"]),
        "What becomes of the oldest part: cut off at times (truncate), at every turn \
         (sliding_window), or cut off at times with a summary in its place (summary).",
    ),
    Key::new(
        "agent.compression_max_tokens",
        Kind::integer(1, 10_000_000),
        "Tokens of a conversation, beside instructions, beyond which it is too long; counted with \
         the model's tokenizer where it has one.",
    ),
    Key::new(
        "agent.enable_planning",
        Kind::Bool,
        "Make a plan of the conversation's goal and keep it among the instructions.",
    ),
    Key::optional(
        "agent.planning_config",
        Kind::Object,
        "Settings of planning: max_steps (6), update_interval (1), include_plan_in_context (true), \
         allow_goal_update (true), goal_min_chars (8), keep_completed (2), plan_prefix (Long-term \
         plan).",
    ),
    Key::new(
        "agent.enable_reasoning",
        Kind::Bool,
        "Keep what the model thinks between agent.reasoning_tag and its end out of its answer. \
         Thoughts that the chat template knows are kept out always.",
    ),
    Key::new(
        "agent.reasoning_tag",
        Kind::Text { max_chars: 40 },
        "Name of the tags between which the model thinks, without brackets.",
    ),
];
