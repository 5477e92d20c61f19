//! [`ToolRegistry`]: tools by name, each with its compiled schema.
//!
//! The choice a reader would question: names are checked here and not when they are called, so a run
//! with two tools of one name never begins.

use std::future::Future;
use std::sync::Arc;

use serde_json::Value;
use stateset_core::{MALFORMED_CALL, Tool, ToolError, ToolSpec};

use super::function_tool::FunctionTool;
use super::schema::ArgumentSchema;
use crate::error::EnvError;
use crate::names::{listed, nearest};

/// Longest name, as in OpenAI's API.
const MAX_NAME_BYTES: usize = 64;

/// Tools by name, in the order in which they were added. Clones share the tools.
#[derive(Clone, Default)]
pub struct ToolRegistry {
    tools: Vec<Registered>,
}

#[derive(Clone)]
struct Registered {
    tool: Arc<dyn Tool>,
    schema: Arc<ArgumentSchema>,
}

impl std::fmt::Debug for ToolRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ToolRegistry").field(&self.names()).finish()
    }
}

impl ToolRegistry {
    /// No tools.
    pub fn new() -> Self {
        ToolRegistry::default()
    }

    /// Adds a tool.
    ///
    /// # Errors
    /// [`EnvError::ToolName`] for a name that is taken or that no format could write, and
    /// [`EnvError::ToolSchema`].
    pub fn add(&mut self, tool: Arc<dyn Tool>) -> Result<(), EnvError> {
        let spec = tool.spec();
        check_name(&spec.name)?;
        if self.get(&spec.name).is_some() {
            let message = "there is a tool of this name already".to_owned();
            return Err(EnvError::ToolName { found: spec.name.clone(), message });
        }
        let schema = Arc::new(ArgumentSchema::new(&spec.name, &spec.parameters)?);
        self.tools.push(Registered { tool, schema });
        Ok(())
    }

    /// Adds a closure that answers at once.
    ///
    /// # Errors
    /// As [`ToolRegistry::add`].
    pub fn add_function(
        &mut self,
        spec: ToolSpec,
        run: impl Fn(Value) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Result<(), EnvError> {
        self.add(Arc::new(FunctionTool::new(spec, run)))
    }

    /// Adds a closure that waits for others.
    ///
    /// # Errors
    /// As [`ToolRegistry::add`].
    pub fn add_async<F>(
        &mut self,
        spec: ToolSpec,
        run: impl Fn(Value) -> F + Send + Sync + 'static,
    ) -> Result<(), EnvError>
    where
        F: Future<Output = Result<Value, String>> + Send + 'static,
    {
        self.add(Arc::new(FunctionTool::new_async(spec, run)))
    }

    /// Adds all tools of `other`.
    ///
    /// # Errors
    /// As [`ToolRegistry::add`]; tools before the one that does not fit are added.
    pub fn add_all(&mut self, other: &ToolRegistry) -> Result<(), EnvError> {
        other.tools.iter().try_for_each(|registered| self.add(registered.tool.clone()))
    }

    /// The same tools, each with something around it, such as a limit of time. The wrapper keeps name
    /// and schema.
    pub fn wrapped(&self, wrap: impl Fn(Arc<dyn Tool>) -> Arc<dyn Tool>) -> ToolRegistry {
        let wrap = |registered: &Registered| Registered {
            tool: wrap(registered.tool.clone()),
            schema: registered.schema.clone(),
        };
        ToolRegistry { tools: self.tools.iter().map(wrap).collect() }
    }

    /// What an agent is told.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.tools.iter().map(|registered| registered.tool.spec().clone()).collect()
    }

    /// Names, in the order of adding.
    pub fn names(&self) -> Vec<&str> {
        self.tools.iter().map(|registered| registered.tool.spec().name.as_str()).collect()
    }

    /// True where a tool has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// True where there is no tool.
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// Runs the tool `name`, after its arguments were judged.
    ///
    /// # Errors
    /// [`ToolError`], whose text the agent reads: no such tool, arguments that do not fit, or the tool's
    /// own failure.
    pub async fn call(&self, name: &str, arguments: Value) -> Result<Value, ToolError> {
        let Some(Registered { tool, schema }) = self.get(name) else {
            return Err(self.unknown(name));
        };
        let problems = schema.problems(&arguments);
        if !problems.is_empty() {
            let message = problems.join("; ");
            return Err(ToolError::BadArguments { tool: name.to_owned(), message });
        }
        tool.call(arguments).await
    }

    fn get(&self, name: &str) -> Option<&Registered> {
        self.tools.iter().find(|registered| registered.tool.spec().name == name)
    }

    fn unknown(&self, name: &str) -> ToolError {
        let names = self.names();
        let hint = nearest(name, &names).map(|near| format!("; did you mean {near:?}?"));
        let message = format!(
            "there is no such tool; known are {}{}",
            listed(&names),
            hint.unwrap_or_default()
        );
        ToolError::Failed { tool: name.to_owned(), message }
    }
}

fn check_name(name: &str) -> Result<(), EnvError> {
    let refused = |message: &str| {
        Err(EnvError::ToolName { found: name.to_owned(), message: message.to_owned() })
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins || !name.chars().all(is_allowed) {
        return refused("allowed are letters, digits, `_`, `-` and `.`, beginning with a letter");
    }
    if name.len() > MAX_NAME_BYTES {
        return refused("allowed are 64 characters at most");
    }
    if name == MALFORMED_CALL {
        return refused("this name stands for calls that cannot be read");
    }
    Ok(())
}
