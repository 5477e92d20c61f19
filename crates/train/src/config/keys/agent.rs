//! Keys of the agent: its model, its instructions, and how it samples outside of training.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["agent.model", "training.model_name"],
        ..Key::new(
            "agent.model_name",
            Kind::LINE,
            "The model: the embedded `builtin:tiny`, a folder, a name on the model hub, or `stub://` \
             and any name for canned answers.",
        )
    },
    Key::optional(
        "agent.peft_path",
        Kind::Path,
        "Folder of a PEFT adapter that is put onto the model before anything else.",
    ),
    Key::optional(
        "agent.chat_template",
        Kind::Path,
        "File with a chat template (Jinja) that replaces the model's own.",
    ),
    Key::new(
        "agent.tool_format",
        Kind::choice(&[
            "auto",
            "hermes",
            "llama",
            "mistral",
            "mistral_args",
            "qwen_xml",
            "pythonic",
            "json",
        ]),
        "How the agent writes calls of tools. auto takes what the model's chat template shows, and a \
         fenced block of JSON where it shows nothing.",
    ),
    Key::optional(
        "agent.system_prompt",
        Kind::Text { max_chars: 10_000 },
        "Instructions for the agent. A scenario's own come first.",
    ),
    Key::optional(
        "agent.stop",
        Kind::TextList,
        "Texts that end an answer, always and everywhere; they are cut from it.",
    ),
    operation(Key::new(
        "agent.max_new_tokens",
        Kind::integer(1, 8192),
        "Most tokens of one answer when chatting or serving; rollouts have \
         training.max_completion_length.",
    )),
    operation(Key::new(
        "agent.temperature",
        Kind::number_between(0.0, 2.0),
        "Sampling temperature when chatting or serving; 0 always takes the most likely token. \
         Rollouts have training.temperature.",
    )),
    operation(Key::new(
        "agent.top_p",
        Kind::number_above_to(0.0, 1.0),
        "When chatting or serving, keep the most likely tokens up to this probability; 1 keeps all.",
    )),
    operation(Key::new(
        "agent.top_k",
        Kind::integer(0, 1000),
        "When chatting or serving, keep this many most likely tokens; 0 keeps all.",
    )),
    operation(Key::new(
        "agent.min_p",
        Kind::number_from_below(0.0, 1.0),
        "When chatting or serving, drop tokens less likely than this share of the most likely one; \
         0 drops none.",
    )),
    operation(Key::new(
        "agent.repetition_penalty",
        Kind::number_between(1.0, 2.0),
        "When chatting or serving, how much less likely a token gets that was there before; 1 is off.",
    )),
    operation(Key::new(
        "agent.do_sample",
        Kind::Bool,
        "Draw tokens when chatting or serving; false always takes the most likely one.",
    )),
    Key::new(
        "agent.use_stub_model",
        Kind::Bool,
        "Answer with agent.stub_responses and load no model; nothing can be learnt then.",
    ),
    Key::optional(
        "agent.stub_responses",
        Kind::TextList,
        "What a stub says, one after another and then from the start.",
    ),
];

const fn operation(key: Key) -> Key {
    Key { effect: Effect::Operation, ..key }
}
