//! A server in a child process: this test program, started again to be the server.
//!
//! The test harness writes to standard output, which is the server's line to its client. So the child
//! speaks through descriptor 3, and a shell ties that to the pipe and the harness's output to nowhere.

use std::sync::Arc;
use std::time::Duration;

use rmcp::ServiceExt;
use serde_json::json;
use stateset_connect::{McpServer, McpSettings, McpTool, McpTransport, RemoteError, Secret};
use stateset_core::{Tool, ToolError};

use super::shop::Shop;

const CHILD: &str = "STATESET_TEST_MCP_CHILD";

/// Not a test but the server of the others: does nothing unless they started it.
#[test]
#[ignore = "the server of the other tests"]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let out = std::fs::OpenOptions::new().write(true).open("/dev/fd/3").unwrap();
        let pipes = (tokio::io::stdin(), tokio::fs::File::from_std(out));
        let server = Shop.serve(pipes).await.unwrap();
        server.waiting().await.unwrap();
    });
    std::process::exit(0);
}

fn settings(script: &str) -> McpSettings {
    let exe = std::env::current_exe().unwrap();
    let transport = McpTransport::Stdio {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into(), exe.to_string_lossy().into_owned()],
        env: vec![(CHILD.into(), Secret::new("1"))],
    };
    McpSettings { call_timeout: Duration::from_secs(20), ..McpSettings::new("shop", transport) }
}

fn shop() -> McpSettings {
    settings("exec \"$0\" --exact stdio::child --ignored --nocapture 3>&1 1>/dev/null")
}

async fn tools(server: &Arc<McpServer>) -> Vec<McpTool> {
    server.tools().await.unwrap()
}

fn named<'a>(tools: &'a [McpTool], name: &str) -> &'a McpTool {
    tools.iter().find(|tool| tool.spec().name == name).unwrap()
}

#[tokio::test]
async fn tools_are_listed_and_called() {
    let server = McpServer::connect(shop()).await.unwrap();
    let tools = tools(&server).await;
    let names: Vec<&str> = tools.iter().map(|tool| tool.spec().name.as_str()).collect();
    assert_eq!(names, ["find", "note", "refuse", "hang", "die"]);
    assert_eq!(tools[0].spec().description, "find of the shop");
    let found = named(&tools, "find").call(json!({"id": "7"})).await.unwrap();
    assert_eq!(found["id"], "7");
    assert_eq!(named(&tools, "note").call(json!({})).await, Ok(json!("first\nsecond")));
    let error = named(&tools, "refuse").call(json!({})).await.unwrap_err();
    assert!(matches!(error, ToolError::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("it is closed on Sundays"), "{error}");
    let error = named(&tools, "find").call(json!({"id": 7})).await.unwrap_err();
    assert!(matches!(error, ToolError::BadArguments { .. }), "{error:?}");
    let error = server.call("fly", serde_json::Map::new()).await.unwrap_err();
    assert!(matches!(&error, RemoteError::Rejected { message, .. } if message == "no tool fly"));
    server.close().await;
}

#[tokio::test]
async fn a_server_that_dies_in_mid_call_is_named_and_started_again() {
    let server = McpServer::connect(shop()).await.unwrap();
    let tools = tools(&server).await;
    let first = named(&tools, "find").call(json!({})).await.unwrap()["pid"].clone();
    let error = server.call("die", serde_json::Map::new()).await.unwrap_err();
    let RemoteError::Closed { who, cause } = &error else { panic!("{error:?}") };
    assert_eq!(who, "the MCP server \"shop\"");
    assert!(cause.contains("out of memory"), "its last words are told: {cause}");
    let second = named(&tools, "find").call(json!({})).await.unwrap()["pid"].clone();
    assert_ne!(first, second, "the next call started it again");
    let error = named(&tools, "die").call(json!({})).await.unwrap_err();
    assert!(
        matches!(&error, ToolError::Unavailable { tool, is_repeatable: false, .. } if tool == "die"),
        "{error:?}"
    );
}

/// Killed from outside while a call waits.
#[tokio::test]
async fn a_server_that_is_killed_ends_the_calls_that_wait() {
    let server = McpServer::connect(shop()).await.unwrap();
    let pid = server.call("find", serde_json::Map::new()).await.unwrap()["pid"].to_string();
    let waits = {
        let server = server.clone();
        tokio::spawn(async move { server.call("hang", serde_json::Map::new()).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    let killed = tokio::process::Command::new("kill").args(["-9", &pid]).status().await.unwrap();
    assert!(killed.success());
    let error = waits.await.unwrap().unwrap_err();
    assert!(matches!(&error, RemoteError::Closed { .. }), "{error:?}");
    assert!(error.to_string().contains("the MCP server \"shop\""), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_still_usable() {
    let settings = McpSettings { call_timeout: Duration::from_millis(600), ..shop() };
    let server = McpServer::connect(settings).await.unwrap();
    let error = server.call("hang", serde_json::Map::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "call the MCP server \"shop\": there was no answer within 0.6 s");
    assert!(server.call("find", serde_json::Map::new()).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let missing = McpTransport::Stdio {
        program: "/no/such/program".into(),
        arguments: Vec::new(),
        env: Vec::new(),
    };
    for (settings, part) in [
        (McpSettings::new("shop", missing), "/no/such/program cannot be started"),
        (settings("echo no licence >&2; exit 1"), "no licence"),
    ] {
        let Err(error) = McpServer::connect(settings).await else { panic!("it was accepted") };
        assert!(matches!(error, RemoteError::Unreachable { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains(part) && said.contains("the MCP server \"shop\""), "{said}");
    }
    let silent = McpSettings { start_timeout: Duration::from_millis(300), ..settings("sleep 30") };
    let Err(error) = McpServer::connect(silent).await else { panic!("it was accepted") };
    assert!(matches!(error, RemoteError::TimedOut { .. }), "{error:?}");
}
