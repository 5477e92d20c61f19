//! A server of the Model Context Protocol, as a child process or over streamable HTTP.
//!
//! The official SDK (`rmcp`) does the protocol. This adds what an episode needs: limits of time, errors
//! that name the server, and a new connection for the next call after one broke. A call is never made
//! twice by itself: whether that does harm is for [`crate::Guarded`] to decide, by the tool's own hints.

use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceError;
use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock};
use serde_json::{Map, Value};
use stateset_core::ToolSpec;
use tokio::sync::Mutex;

use super::connection::Connection;
use super::tool::McpTool;
use crate::remote::{RemoteError, Secret, checked_url, without_secrets};
use crate::tools::McpRecord;
use crate::tools::{seconds, with_secrets};

/// How a server is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum McpTransport {
    /// A program that is started and speaks over its standard input and output.
    Stdio {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Added to its environment.
        env: Vec<(String, Secret)>,
    },
    /// An address.
    Http {
        /// Where.
        url: String,
        /// Sent with each request.
        headers: Vec<(String, Secret)>,
    },
}

/// A server and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpSettings {
    /// Name, for messages.
    pub name: String,
    /// How it is spoken to.
    pub transport: McpTransport,
    /// Limit of starting and greeting.
    pub start_timeout: Duration,
    /// Limit of a call.
    pub call_timeout: Duration,
}

impl McpSettings {
    /// 20 s to start, 60 s for a call.
    pub fn new(name: impl Into<String>, transport: McpTransport) -> McpSettings {
        McpSettings {
            name: name.into(),
            transport,
            start_timeout: Duration::from_secs(20),
            call_timeout: Duration::from_secs(60),
        }
    }

    /// As an entry of a file says, with secrets from `lookup`.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`] naming the server and the setting.
    pub fn from_record(
        record: &McpRecord,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<McpSettings, RemoteError> {
        let who = format!("the MCP server {:?}", record.name);
        let transport = match (record.command.split_first(), &record.url) {
            (Some((program, arguments)), None) => McpTransport::Stdio {
                program: program.clone(),
                arguments: arguments.to_vec(),
                env: with_secrets(&who, "env", &record.env, lookup)?,
            },
            (None, Some(url)) => McpTransport::Http {
                url: url.clone(),
                headers: with_secrets(&who, "headers", &record.headers, lookup)?,
            },
            (Some(_), Some(_)) | (None, None) => {
                let problem = "found both or neither, allowed is one of `command` and `url`";
                return Err(RemoteError::setting(&who, "command", problem));
            }
        };
        let usual = McpSettings::new(&record.name, transport);
        let call_timeout = seconds(&who, record.timeout_secs)?.unwrap_or(usual.call_timeout);
        Ok(McpSettings { call_timeout, ..usual })
    }
}

/// A server with its connection.
pub struct McpServer {
    settings: McpSettings,
    who: String,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl McpServer {
    /// Starts or reaches the server.
    ///
    /// # Errors
    /// [`RemoteError`] naming it.
    pub async fn connect(settings: McpSettings) -> Result<Arc<McpServer>, RemoteError> {
        let mut who = format!("the MCP server {:?}", settings.name);
        if let McpTransport::Http { url, .. } = &settings.transport {
            let url = checked_url(&who, "url", url)?;
            who = format!("{who} at {}", without_secrets(&url));
        }
        let server = McpServer { settings, who, connection: Mutex::new(None) };
        server.connected().await?;
        Ok(Arc::new(server))
    }

    /// Its tools.
    ///
    /// # Errors
    /// [`RemoteError`] naming it.
    pub async fn tools(self: &Arc<McpServer>) -> Result<Vec<McpTool>, RemoteError> {
        let connection = self.connected().await?;
        let listed = self.limited(&connection, connection.service.list_all_tools()).await?;
        let tool = |tool: rmcp::model::Tool| {
            let spec = ToolSpec {
                name: tool.name.to_string(),
                description: tool.description.unwrap_or_default().into_owned(),
                parameters: Value::Object(tool.input_schema.as_ref().clone()),
            };
            let hint = tool.annotations.as_ref();
            let is_idempotent = hint.is_some_and(|hint| {
                hint.read_only_hint == Some(true) || hint.idempotent_hint == Some(true)
            });
            McpTool::new(self.clone(), spec, is_idempotent)
        };
        listed.into_iter().map(tool).collect()
    }

    /// Calls a tool. The value is what it returned in structure, or else its text.
    ///
    /// # Errors
    /// [`RemoteError::Rejected`] for what the tool itself reports; otherwise what happened to the call.
    pub async fn call(
        &self,
        tool: &str,
        arguments: Map<String, Value>,
    ) -> Result<Value, RemoteError> {
        let connection = self.connected().await?;
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.limited(&connection, connection.service.call_tool(params)).await?;
        let is_error = result.is_error == Some(true);
        let value = value_of(result);
        if !is_error {
            return Ok(value);
        }
        let message = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Err(RemoteError::Rejected { who: format!("{tool} of {}", self.who), message })
    }

    /// Ends the connection, and the program if there is one. The next call makes a new one.
    pub async fn close(&self) {
        // Whoever still waits for an answer holds the connection too; it ends with the last of them.
        let last = self.connection.lock().await.take().and_then(Arc::into_inner);
        if let Some(mut connection) = last {
            let _ = connection.service.close_with_timeout(self.settings.start_timeout).await;
        }
    }

    /// Name and address, for messages.
    pub fn who(&self) -> &str {
        &self.who
    }

    async fn connected(&self) -> Result<Arc<Connection>, RemoteError> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref()
            && !connection.is_over()
        {
            return Ok(connection.clone());
        }
        let connection = Arc::new(Connection::open(&self.who, &self.settings).await?);
        *held = Some(connection.clone());
        Ok(connection)
    }

    async fn limited<T>(
        &self,
        connection: &Connection,
        call: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, RemoteError> {
        let limit = self.settings.call_timeout;
        let who = self.who.clone();
        let timed_out =
            || RemoteError::TimedOut { who: self.who.clone(), limit_secs: limit.as_secs_f64() };
        match tokio::time::timeout(limit, call).await {
            Err(_) | Ok(Err(ServiceError::Timeout { .. })) => Err(timed_out()),
            Ok(Ok(value)) => Ok(value),
            Ok(Err(ServiceError::McpError(error))) => {
                Err(RemoteError::Rejected { who, message: error.message.into_owned() })
            }
            Ok(Err(error @ ServiceError::UnexpectedResponse)) => {
                Err(RemoteError::BadAnswer { who, problem: error.to_string() })
            }
            Ok(Err(error)) => {
                let cause = error.to_string() + &connection.last_words().await;
                Err(RemoteError::Closed { who, cause })
            }
        }
    }
}

/// What a tool returned in structure; otherwise its texts, and a word in place of what is no text.
fn value_of(result: CallToolResult) -> Value {
    if let Some(value) = result.structured_content {
        return value;
    }
    let text = |block: &ContentBlock| match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(_) => "(an image, which is not shown)".to_owned(),
        ContentBlock::Audio(_) => "(a sound, which is not played)".to_owned(),
        other => serde_json::to_string(other).unwrap_or_default(),
    };
    let texts: Vec<String> = result.content.iter().map(text).collect();
    Value::String(texts.join("\n"))
}
