//! [`FunctionTool`]: a tool made of a Rust closure.

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{Tool, ToolError, ToolSpec};

type Answer = Result<Value, String>;
type Running = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A closure from arguments to a result; an `Err` is told to the agent.
pub struct FunctionTool {
    spec: ToolSpec,
    run: Box<dyn Fn(Value) -> Running + Send + Sync>,
}

impl FunctionTool {
    /// A tool that answers at once.
    pub fn new(
        spec: ToolSpec,
        run: impl Fn(Value) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        FunctionTool {
            spec,
            run: Box::new(move |arguments| Box::pin(std::future::ready(run(arguments)))),
        }
    }

    /// A tool that waits for others.
    pub fn new_async<F>(spec: ToolSpec, run: impl Fn(Value) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Value, String>> + Send + 'static,
    {
        FunctionTool { spec, run: Box::new(move |arguments| Box::pin(run(arguments))) }
    }
}

#[async_trait]
impl Tool for FunctionTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value) -> Result<Value, ToolError> {
        let failed = |message| ToolError::Failed { tool: self.spec.name.clone(), message };
        (self.run)(arguments).await.map_err(failed)
    }
}
