//! Tools and choices of Anthropic's API to ours.

use stateset_core::ToolSpec;

use super::request::{GivenChoice, GivenTool};
use crate::answer::Form;
use crate::api_error::ApiError;
use crate::openai::{FunctionField, specs};
use crate::wire::tool_named;

/// What a request says of tools.
#[derive(Debug, PartialEq)]
pub(super) struct Abilities {
    /// Tools the model is told of.
    pub tools: Vec<ToolSpec>,
    /// Whether a call is required.
    pub form: Form,
    /// Whether one answer may make several calls.
    pub several_calls: bool,
}

/// Tools and choice, checked.
///
/// # Errors
/// [`ApiError`] with the place of what is wrong.
pub(super) fn abilities(
    tools: Option<Vec<GivenTool>>,
    choice: Option<GivenChoice>,
) -> Result<Abilities, ApiError> {
    let given = tools.unwrap_or_default().into_iter().enumerate();
    let mut tools = specs(given.map(function).collect::<Result<_, _>>()?)?;
    let Some(GivenChoice { kind, name, disable_parallel_tool_use }) = choice else {
        return Ok(Abilities { tools, form: Form::Free, several_calls: true });
    };
    let form = match kind.as_str() {
        "auto" => Form::Free,
        // A model that is told of no tool calls none.
        "none" => {
            tools.clear();
            Form::Free
        }
        "any" if !tools.is_empty() => Form::Calls(None),
        "any" => {
            let message = "a call is required and there are no \"tools\"";
            return Err(ApiError::invalid("tool_choice", message));
        }
        "tool" => {
            const FIELD: &str = "tool_choice.name";
            let name = name.ok_or_else(|| ApiError::invalid(FIELD, "it is missing"))?;
            tool_named(&tools, &name, FIELD)?;
            Form::Calls(Some(name))
        }
        other => {
            let message = format!("{other:?} is no choice; there are: auto, any, tool, none");
            return Err(ApiError::invalid("tool_choice.type", message));
        }
    };
    Ok(Abilities { tools, form, several_calls: disable_parallel_tool_use != Some(true) })
}

fn function((at, tool): (usize, GivenTool)) -> Result<(String, FunctionField), ApiError> {
    let field = format!("tools[{at}]");
    if let Some(kind) = tool.kind.filter(|kind| kind != "custom") {
        let message = format!("{kind:?} is not there; tools are run by the client");
        return Err(ApiError::invalid(format!("{field}.type"), message).coded("unsupported_value"));
    }
    let GivenTool { name, description, input_schema: parameters, .. } = tool;
    Ok((field, FunctionField { name, description, parameters }))
}
