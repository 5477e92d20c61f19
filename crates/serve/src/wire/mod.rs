//! What the APIs of other people share on their way to an answer and back.

mod choices;
mod field_names;
mod prompt_input;
mod sampling_fields;
#[cfg(test)]
pub(crate) mod scripted;
mod sse;
mod text_or;
mod turns;

pub(crate) use choices::{hear, wholes};
pub(crate) use field_names::FieldNames;
pub(crate) use prompt_input::{PromptInput, prompt_schema, prompts};
pub(crate) use sampling_fields::{RangeCheck, SamplingFields};
pub(crate) use sse::{EventWriter, Keeping, named, stream_events, unnamed};
pub(crate) use text_or::TextOr;
pub(crate) use turns::{
    arguments_of, at_least_one, begin_with_system, call_with, id_of, now, text_only, tool_named,
};
