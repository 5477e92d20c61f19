//! Tools that agents call: registered, validated, run, and put into any environment.

mod function_tool;
mod join;
mod registry;
mod runner;
mod schema;
mod with_tools;

pub use function_tool::FunctionTool;
pub use registry::ToolRegistry;
pub use runner::ToolRunner;
pub use schema::ArgumentSchema;
pub use with_tools::WithTools;
