//! The agent of a run.

use std::path::PathBuf;

use stateset_core::{CallFormat, Sampling};

use super::super::reader::Reader;
use super::surroundings::SurroundingsSettings;

/// The agent.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentSettings {
    /// The model: `builtin:...`, `stub://...`, a folder, or a name on the hub.
    pub model_name: String,
    /// Folder of a PEFT adapter that is loaded onto the model.
    pub adapter_path: Option<PathBuf>,
    /// File with a chat template that replaces the model's own.
    pub chat_template_path: Option<PathBuf>,
    /// How it writes calls of tools; what its chat template shows where absent.
    pub call_format: Option<CallFormat>,
    /// Instructions; a scenario's own come first.
    pub system_prompt: Option<String>,
    /// How it samples when chatting or serving; rollouts and evaluations have their own.
    pub sampling: Sampling,
    /// Answers come from `stub_responses`; no model is loaded.
    pub is_stub: bool,
    /// Canned answers of a stub.
    pub stub_responses: Vec<String>,
    /// What stands around the policy.
    pub surroundings: SurroundingsSettings,
}

/// Settings for chatting whose namesakes for rollouts are others.
const CHAT_ONLY: [(&str, &str); 2] = [
    ("agent.max_new_tokens", "training.max_completion_length"),
    ("agent.temperature", "training.temperature"),
];

impl AgentSettings {
    pub(in super::super) fn resolve(reader: &mut Reader) -> AgentSettings {
        for (chat, rollout) in CHAT_ONLY {
            if reader.is_own(chat) && !reader.is_own(rollout) {
                let message = format!("is for chatting and serving; rollouts have {rollout}");
                reader.warn(&[chat], message);
            }
        }
        let model_name = reader.text("agent.model_name").to_owned();
        let is_stub = reader.bool("agent.use_stub_model") || model_name.starts_with("stub://");
        let stub_responses = reader.texts("agent.stub_responses");
        if is_stub && stub_responses.is_empty() {
            let hint = "a stub says these";
            reader.refuse(&["agent.stub_responses"], "none for a stub", "one or more", hint);
        }
        if is_stub {
            reader.warn(&["agent.model_name"], "the agent is a stub, which learns nothing");
        }
        AgentSettings {
            model_name,
            adapter_path: reader.optional_path("agent.peft_path"),
            chat_template_path: reader.optional_path("agent.chat_template"),
            call_format: CallFormat::from_name(reader.text("agent.tool_format")),
            system_prompt: reader.optional_text("agent.system_prompt").map(str::to_owned),
            sampling: sampling(reader),
            is_stub,
            stub_responses,
            surroundings: SurroundingsSettings::resolve(reader),
        }
    }
}

fn sampling(reader: &Reader) -> Sampling {
    let temperature = reader.number("agent.temperature");
    Sampling {
        top_k: reader.size("agent.top_k"),
        top_p: reader.number("agent.top_p"),
        min_p: reader.number("agent.min_p"),
        repetition_penalty: reader.number("agent.repetition_penalty"),
        max_new_tokens: reader.size("agent.max_new_tokens"),
        stop: reader.texts("agent.stop"),
        ..at_temperature(temperature, reader.bool("agent.do_sample"))
    }
}

/// Plain sampling; a temperature of 0 is greedy, and greedy sampling has temperature 1.
pub(super) fn at_temperature(temperature: f64, draws: bool) -> Sampling {
    let greedy = temperature == 0.0 || !draws;
    let temperature = if greedy { 1.0 } else { temperature };
    Sampling { temperature, greedy, ..Sampling::default() }
}
