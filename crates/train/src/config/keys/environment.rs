//! Keys of the environment: what the conversations are about and how they are played.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "environment.scenario_set",
        Kind::LINE,
        "A built-in set of scenarios, such as `customer_service`. Give one of scenario_set, \
         scenarios, scenarios_file, prompts, prompts_file and domain; of several, the strongest layer's is \
         taken.",
    ),
    Key::optional(
        "environment.scenarios",
        Kind::ObjectList,
        "The scenarios themselves: id, topic, context, user_responses and so on.",
    ),
    Key::optional("environment.scenarios_file", Kind::Path, "A file of scenarios."),
    Key::optional(
        "environment.prompts",
        Kind::TextList,
        "Texts to be answered in one turn, instead of conversations.",
    ),
    Key::optional(
        "environment.prompts_file",
        Kind::Path,
        "A file of prompts to be answered in one turn, instead of conversations.",
    ),
    Key::optional(
        "environment.domain",
        Kind::Path,
        "A folder with a domain of tools over a database: tools.json, database.json, tasks.json and, if there \
         are rules, policy.md.",
    ),
    Key::optional(
        "environment.tools_file",
        Kind::Path,
        "A file (.toml or .json) of tools that the agent may call: HTTP endpoints and MCP servers.",
    ),
    Key::new(
        "environment.prompt_style",
        Kind::choice(&["auto", "chat", "text"]),
        "How a prompt reaches the model: as a user's message (chat), or as the beginning of a text \
         that the model goes on with (text). auto takes text where the model has no chat template.",
    ),
    Key::new(
        "environment.split",
        Kind::choice(&["train", "validation", "held_out"]),
        "The part of a built-in set to train on.",
    ),
    Key {
        aliases: &["training.max_turns", "training.max_steps_per_episode"],
        ..Key::optional(
            "environment.max_turns",
            Kind::integer(1, 1000),
            "Most turns of the agent in an episode. Without it, the scenario set's own number, or 10, or 20 in a domain.",
        )
    },
    Key::new(
        "environment.randomize_scenarios",
        Kind::Bool,
        "Play the scenarios in a new random order in each pass; false keeps their order.",
    ),
    Key::new(
        "environment.response_order",
        Kind::choice(&["in_order", "shuffled", "reactive"]),
        "Order in which a scripted user says the user_responses of a scenario; reactive says the one that fits.",
    ),
    Key::optional(
        "environment.persona",
        Kind::LINE,
        "Who the users of scenarios are that are given here or in a file, such as `busy_professional`: words \
         around a scripted user's lines, and the persona of agenda users and pupils. Customers of the shop have \
         moods instead.",
    ),
    Key::optional(
        "environment.end_at_farewell",
        Kind::Bool,
        "End a scripted conversation when the agent says goodbye. true where absent.",
    ),
    Key::optional(
        "environment.end_at_goal",
        Kind::Bool,
        "End a scripted conversation, its goal reached, once the agent has said all goal_keywords of the scenario. \
         false where absent.",
    ),
    Key::optional(
        "environment.end_at_satisfaction",
        Kind::number_between(0.0, 1.0),
        "End a scripted conversation once the user is this content. They begin at 0.5.",
    ),
    Key::optional(
        "environment.user_model",
        Kind::LINE,
        "A model that plays the users, in place of their scripts: builtin:tiny, a folder, a run folder, or a name \
         on the model hub; with user_url, its name there. It is given the persona, and the scenario's context or \
         the instruction of its task. For scenarios given here or in a file, for the sets of scripted \
         customers, and for domains.",
    ),
    Key::optional(
        "environment.user_url",
        Kind::LINE,
        "Address of an OpenAI-compatible server that has the users' model, such as https://api.example/v1. \
         Without it, the model is loaded here.",
    ),
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "environment.user_api_key_env",
            Kind::LINE,
            "Name of the environment variable that holds the key for user_url. The key itself never stands in a \
             configuration.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::new(
            "environment.user_timeout",
            Kind::number_above_to(0.0, 86_400.0),
            "Seconds that user_url may take for an answer.",
        )
    },
    Key::new(
        "environment.user_max_tokens",
        Kind::integer(1, 100_000),
        "Most tokens of a message of the users' model.",
    ),
    Key::new(
        "environment.user_temperature",
        Kind::number_between(0.0, 2.0),
        "How boldly the users' model writes; 0 takes what is likeliest.",
    ),
];
