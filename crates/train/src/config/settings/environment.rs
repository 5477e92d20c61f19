//! What is played, and how.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::super::problem::listed;
use super::super::reader::Reader;
use super::user_model::UserModelSettings;

/// The environment.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentSettings {
    /// What is trained on.
    pub scenarios: ScenarioSource,
    /// Most turns of the agent in an episode; the set's own number, or 10, where `None`.
    pub max_turns: Option<usize>,
    /// Scenarios come in a new random order in each pass.
    pub shuffles_scenarios: bool,
    /// How a scripted user says their lines.
    pub response_order: ResponseOrder,
    /// How a prompt reaches the model.
    pub prompt_style: PromptStyle,
    /// A file of remote tools.
    pub tools_file: Option<PathBuf>,
    /// Name of the users' persona, where one is given; the environment's to check.
    pub persona: Option<String>,
    /// What ends a scripted conversation.
    pub ends: EndSettings,
    /// What plays the users in place of scripts, if anything.
    pub user_model: Option<UserModelSettings>,
}

/// What ends a scripted conversation, beside the end of the script and of the turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndSettings {
    /// The agent says goodbye.
    pub at_farewell: bool,
    /// The agent has said the scenario's goal keywords.
    pub at_goal: bool,
    /// The user is this content, from 0 to 1.
    pub at_satisfaction: Option<f64>,
}

/// How a prompt reaches the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptStyle {
    /// As a text where the model has no chat template, else as a message.
    Auto,
    /// As a user's message.
    Chat,
    /// As the beginning of a text.
    Text,
}

/// Where scenarios come from.
#[derive(Clone, Debug, PartialEq)]
pub enum ScenarioSource {
    /// A part of a set that ships.
    BuiltIn {
        /// Name of the set.
        name: String,
        /// The part.
        split: Split,
    },
    /// Scenarios that are written into the configuration; their fields are the environment's to check.
    Inline(Vec<Map<String, Value>>),
    /// A file of scenarios.
    File(PathBuf),
    /// Texts to be answered in one turn.
    Prompts(Vec<String>),
    /// A file of prompts.
    PromptsFile(PathBuf),
    /// A folder of tools, a database and tasks.
    Domain(PathBuf),
}

/// Parts of a built-in set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// For training.
    Train,
    /// For choices made during training.
    Validation,
    /// For the final judgement.
    HeldOut,
}

/// Order of a scripted user's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseOrder {
    /// As they are written.
    InOrder,
    /// Drawn for each episode.
    Shuffled,
    /// The line that fits what the agent said.
    Reactive,
}

/// Keys of which one says what is trained on.
const SOURCES: [&str; 6] = [
    "environment.scenario_set",
    "environment.scenarios",
    "environment.scenarios_file",
    "environment.prompts",
    "environment.prompts_file",
    DOMAIN,
];

const DOMAIN: &str = "environment.domain";
const PERSONA: &str = "environment.persona";
const ORDER: &str = "environment.response_order";

/// Keys of scripted conversations.
const ENDS: [&str; 3] =
    ["environment.end_at_farewell", "environment.end_at_goal", "environment.end_at_satisfaction"];

impl EnvironmentSettings {
    pub(in super::super) fn resolve(reader: &mut Reader) -> EnvironmentSettings {
        let split = Split::read(reader, "environment.split");
        let response_order = match reader.text(ORDER) {
            "shuffled" => ResponseOrder::Shuffled,
            "reactive" => ResponseOrder::Reactive,
            _ => ResponseOrder::InOrder,
        };
        let scenarios = source(reader, split);
        let user_model = UserModelSettings::resolve(reader, scenarios.is_prompts());
        if user_model.is_some() {
            let message = "no effect on users that a model plays";
            reader.drop_unread(ENDS.into_iter().chain([ORDER]), message);
        } else if !matches!(scenarios, ScenarioSource::Inline(_) | ScenarioSource::File(_)) {
            let keys = ENDS.into_iter().chain([PERSONA]);
            let message = "no effect but on environment.scenarios and environment.scenarios_file";
            reader.drop_unread(keys, message);
        }
        EnvironmentSettings {
            scenarios,
            tools_file: reader.optional_path("environment.tools_file"),
            persona: reader.optional_text(PERSONA).map(str::to_owned),
            ends: EndSettings {
                at_farewell: reader.optional_bool(ENDS[0]).unwrap_or(true),
                at_goal: reader.optional_bool(ENDS[1]).unwrap_or(false),
                at_satisfaction: reader.optional_number(ENDS[2]),
            },
            user_model,
            max_turns: reader.optional_size("environment.max_turns"),
            shuffles_scenarios: reader.bool("environment.randomize_scenarios"),
            response_order,
            prompt_style: match reader.text("environment.prompt_style") {
                "chat" => PromptStyle::Chat,
                "text" => PromptStyle::Text,
                _ => PromptStyle::Auto,
            },
        }
    }
}

impl ScenarioSource {
    /// True where every conversation is one prompt and one answer.
    pub fn is_prompts(&self) -> bool {
        matches!(self, ScenarioSource::Prompts(_) | ScenarioSource::PromptsFile(_))
    }
}

impl Split {
    /// The name that configurations use.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::HeldOut => "held_out",
        }
    }

    pub(super) fn read(reader: &Reader, path: &'static str) -> Split {
        match reader.text(path) {
            "validation" => Split::Validation,
            "held_out" => Split::HeldOut,
            _ => Split::Train,
        }
    }
}

impl ResponseOrder {
    /// The name that configurations use.
    pub fn name(self) -> &'static str {
        match self {
            ResponseOrder::InOrder => "in_order",
            ResponseOrder::Shuffled => "shuffled",
            ResponseOrder::Reactive => "reactive",
        }
    }
}

/// The one key of `paths` that counts. Several in one layer are a problem; all others are forgotten.
pub(super) fn one_of(reader: &mut Reader, paths: &[&'static str]) -> Option<&'static str> {
    let strongest = reader.values.strongest(paths);
    if strongest.len() > 1 {
        let hint = "leave all but one out";
        reader.refuse(&strongest, format!("{} sources", strongest.len()), "one of them", hint);
    }
    let winner = strongest.first().copied()?;
    for path in paths.iter().filter(|path| **path != winner) {
        reader.values.forget(path);
    }
    Some(winner)
}

fn source(reader: &mut Reader, split: Split) -> ScenarioSource {
    let Some(path) = one_of(reader, &SOURCES) else {
        let allowed = listed(&SOURCES.map(str::to_owned)).replace(" and ", " or ");
        let hint = "a run needs something to play";
        reader.refuse(&["environment.scenario_set"], "nothing to play", allowed, hint);
        return ScenarioSource::Prompts(Vec::new());
    };
    let source = match path {
        "environment.scenario_set" => {
            ScenarioSource::BuiltIn { name: reader.text(path).to_owned(), split }
        }
        "environment.scenarios" => ScenarioSource::Inline(reader.objects(path)),
        "environment.scenarios_file" => ScenarioSource::File(reader.path(path)),
        "environment.prompts" => ScenarioSource::Prompts(reader.texts(path)),
        DOMAIN => ScenarioSource::Domain(reader.path(path)),
        _ => ScenarioSource::PromptsFile(reader.path(path)),
    };
    let is_empty = match &source {
        ScenarioSource::Inline(scenarios) => scenarios.is_empty(),
        ScenarioSource::Prompts(prompts) => prompts.is_empty(),
        _ => false,
    };
    if is_empty {
        reader.refuse(&[path], "an empty list", "at least one", "a run needs something to play");
    }
    source
}
