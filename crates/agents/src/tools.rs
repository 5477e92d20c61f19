//! The tools of a run, from the file that its settings name.
//!
//! What the file says is checked before anything starts; servers are reached in the runtime that the run
//! has, since their connections live there. Each tool has a breaker, and those that do no harm when called
//! twice are called again.

use std::path::Path;
use std::sync::Arc;

use stateset_connect::{
    Breaker, Guarded, Guards, HttpTool, McpServer, McpSettings, Retry, ToolsFile,
};
use stateset_core::Tool;
use stateset_env::tools::ToolRegistry;
use stateset_train::TrainError;

/// Larger files are not read.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Tools that are known and not yet reached.
pub(crate) struct RemoteTools {
    http: Vec<HttpTool>,
    mcp: Vec<McpSettings>,
}

impl RemoteTools {
    /// Reads `path`. `${NAME}` in it stands for an environment variable.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] naming the file, the tool and the setting.
    pub(crate) fn read(path: &Path) -> Result<RemoteTools, TrainError> {
        let name = path.display().to_string();
        let size = std::fs::metadata(path).map_err(|error| refused(path, error))?.len();
        if size > MAX_FILE_BYTES {
            let problem = format!("it has {size} bytes; allowed are {MAX_FILE_BYTES}");
            return Err(refused(path, problem));
        }
        let text = std::fs::read_to_string(path).map_err(|error| refused(path, error))?;
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        let file = ToolsFile::parse(&name, &text, is_json);
        let file = file.map_err(|error| refused(path, error))?;
        let lookup = |name: &str| std::env::var(name).ok();
        let http = file.http_tools(&name, &lookup).map_err(|error| refused(path, error))?;
        let mcp = file.mcp.iter().map(|record| McpSettings::from_record(record, &lookup));
        let mcp: Result<_, _> = mcp.collect();
        let mcp = mcp.map_err(|error| refused(path, error))?;
        Ok(RemoteTools { http, mcp })
    }

    /// Reaches the servers and asks them for their tools.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] naming the server, or a name that two tools have.
    pub(crate) async fn connect(self, path: &Path) -> Result<ToolRegistry, TrainError> {
        let mut tools = ToolRegistry::new();
        let mut add = |tool: Arc<dyn Tool>| tools.add(tool).map_err(|error| refused(path, error));
        for tool in self.http {
            add(guarded(tool))?;
        }
        for settings in self.mcp {
            let server = McpServer::connect(settings).await;
            let server = server.map_err(|error| refused(path, error))?;
            for tool in server.tools().await.map_err(|error| refused(path, error))? {
                add(guarded(tool))?;
            }
        }
        Ok(tools)
    }
}

fn guarded(tool: impl Tool + 'static) -> Arc<dyn Tool> {
    let who = format!("the tool {:?}", tool.spec().name);
    let guards = Guards {
        retry: Some(Arc::new(Retry::default())),
        breaker: Some(Arc::new(Breaker::default())),
        ..Guards::none(who)
    };
    Arc::new(Guarded::new(tool, guards))
}

fn refused(path: &Path, problem: impl std::fmt::Display) -> TrainError {
    let message = format!("`environment.tools_file`, {}: {problem}", path.display());
    TrainError::Invalid { what: "open the tools", message }
}
