//! A server over streamable HTTP, in this process.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Map, json};
use stateset_connect::{McpServer, McpSettings, McpTransport, RemoteError};
use stateset_core::Tool;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::shop::Shop;

/// Its address, and the server, which ends with all connections when aborted.
async fn serve() -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let service: StreamableHttpService<Shop, LocalSessionManager> = StreamableHttpService::new(
        || Ok(Shop),
        Arc::default(),
        StreamableHttpServerConfig::default(),
    );
    let server = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            connections.spawn(async move {
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (url, server)
}

fn settings(url: &str) -> McpSettings {
    let transport = McpTransport::Http { url: url.to_owned(), headers: Vec::new() };
    McpSettings {
        start_timeout: Duration::from_secs(5),
        call_timeout: Duration::from_secs(5),
        ..McpSettings::new("shop", transport)
    }
}

#[tokio::test]
async fn tools_are_called_over_http() {
    let (url, _server) = serve().await;
    let server = McpServer::connect(settings(&url)).await.unwrap();
    let tools = server.tools().await.unwrap();
    assert_eq!(tools.len(), 5);
    assert_eq!(tools[0].call(json!({"id": "7"})).await.unwrap()["id"], "7");
}

#[tokio::test]
async fn slow_and_gone_servers_are_named() {
    let (url, running) = serve().await;
    let limits = McpSettings { call_timeout: Duration::from_millis(400), ..settings(&url) };
    let server = McpServer::connect(limits).await.unwrap();
    let error = server.call("hang", Map::new()).await.unwrap_err();
    assert!(matches!(error, RemoteError::TimedOut { .. }), "{error:?}");
    assert!(error.to_string().contains(&url), "{error}");
    running.abort();
    let _ = running.await;
    let error = server.call("find", Map::new()).await.unwrap_err();
    assert!(error.is_fault(), "{error:?}");
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn nobody_there() {
    let Err(error) = McpServer::connect(settings("http://127.0.0.1:9/mcp")).await else {
        panic!("it was accepted")
    };
    assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
    let Err(error) = McpServer::connect(settings("shop.example")).await else {
        panic!("it was accepted")
    };
    assert!(matches!(error, RemoteError::BadSetting { .. }), "{error:?}");
}
