//! Tools behind HTTP endpoints, and files that name tools.

mod arguments;
mod file;
mod http_tool;
mod url_template;

pub(crate) use arguments::Arguments;
pub use file::{HttpToolRecord, McpRecord, ToolFileError, ToolsFile};
#[cfg(feature = "mcp")]
pub(crate) use file::{seconds, with_secrets};
pub use http_tool::{HttpMethod, HttpTool, HttpToolSettings};
