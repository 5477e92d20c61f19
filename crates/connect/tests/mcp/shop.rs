//! A server written with the SDK's own server side, with tools that work, fail, hang and die.

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::json;

#[derive(Clone)]
pub(crate) struct Shop;

fn tool(name: &'static str) -> Tool {
    let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    Tool::new(name, format!("{name} of the shop"), Arc::new(schema.as_object().unwrap().clone()))
}

impl ServerHandler for Shop {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools: Vec<Tool> = ["find", "note", "refuse", "hang", "die"].map(tool).into();
        let read_only = ToolAnnotations::default().read_only(true);
        tools[0] = tools[0].clone().with_annotations(read_only);
        Ok(ListToolsResult::with_all_items(tools))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let id = request.arguments.as_ref().and_then(|fields| fields.get("id")).cloned();
        let result = match request.name.as_ref() {
            "find" => CallToolResult::structured(json!({"id": id, "pid": std::process::id()})),
            "note" => CallToolResult::success(vec![
                ContentBlock::text("first"),
                ContentBlock::text("second"),
            ]),
            "refuse" => CallToolResult::error(vec![ContentBlock::text("it is closed on Sundays")]),
            "hang" => std::future::pending().await,
            "die" => {
                eprintln!("out of memory");
                std::process::exit(3)
            }
            other => return Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        };
        Ok(result.into())
    }
}
