//! A file that names remote tools, in TOML or JSON.
//!
//! ```toml
//! [[http]]
//! name = "find_order"
//! description = "Finds an order by its number."
//! method = "GET"
//! url = "https://shop.example/orders/{order_id}"
//! headers = { Authorization = "Bearer ${SHOP_KEY}" }
//! parameters = { type = "object", properties = { order_id = { type = "string" } }, required = ["order_id"] }
//!
//! [[mcp]]
//! name = "stock"
//! command = ["stock-server", "--stdio"]
//! env = { STOCK_KEY = "${STOCK_KEY}" }
//! ```
//!
//! `${NAME}` in headers and `env` is replaced by what the caller's lookup says of NAME, usually an
//! environment variable, so that no secret has to stand in the file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use stateset_core::ToolSpec;

use super::http_tool::{HttpMethod, HttpTool, HttpToolSettings};
use crate::remote::{RemoteError, Secret};

/// What is wrong with a file of tools.
#[derive(Debug, thiserror::Error)]
pub enum ToolFileError {
    /// It is not written as one.
    #[error("load {name}: {problem}")]
    Content {
        /// The file.
        name: String,
        /// What is wrong and where.
        problem: String,
    },
    /// A tool of it cannot be used.
    #[error("load {name}: failed to {source}")]
    Tool {
        /// The file.
        name: String,
        /// What is wrong with the tool.
        source: RemoteError,
    },
}

/// Tools by their addresses.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolsFile {
    /// Endpoints, each of which is a tool.
    #[serde(default)]
    pub http: Vec<HttpToolRecord>,
    /// Servers that bring tools.
    #[serde(default)]
    pub mcp: Vec<McpRecord>,
}

/// An endpoint in a file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpToolRecord {
    /// Name of the tool.
    pub name: String,
    /// What it does.
    pub description: String,
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: String,
    /// Where, with places for arguments.
    pub url: String,
    /// Sent with each call.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON schema of the arguments.
    pub parameters: Value,
    /// Limit of a call in seconds.
    #[serde(default)]
    pub timeout_secs: Option<f64>,
    /// A second call does no harm.
    #[serde(default)]
    pub is_idempotent: Option<bool>,
}

/// A server of the Model Context Protocol in a file: started by `command`, or found at `url`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpRecord {
    /// Name, for messages.
    pub name: String,
    /// Program and arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// Environment of the program.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Address.
    #[serde(default)]
    pub url: Option<String>,
    /// Sent with each request to the address.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Limit of a call in seconds.
    #[serde(default)]
    pub timeout_secs: Option<f64>,
}

impl ToolsFile {
    /// Reads `text`; `name` is the file's, for messages.
    ///
    /// # Errors
    /// [`ToolFileError::Content`]: not TOML or JSON, unknown keys, or a name given twice.
    pub fn parse(name: &str, text: &str, is_json: bool) -> Result<ToolsFile, ToolFileError> {
        let content = |problem: String| ToolFileError::Content { name: name.to_owned(), problem };
        let file: ToolsFile = match is_json {
            true => serde_json::from_str(text).map_err(|error| content(error.to_string()))?,
            false => toml::from_str(text).map_err(|error| content(error.to_string()))?,
        };
        for (kind, names) in [
            ("http", file.http.iter().map(|tool| &tool.name).collect::<Vec<_>>()),
            ("mcp", file.mcp.iter().map(|server| &server.name).collect()),
        ] {
            let twice = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name));
            if let Some((_, twice)) = twice {
                return Err(content(format!("{kind}: the name {twice:?} is given twice")));
            }
        }
        Ok(file)
    }

    /// The endpoints as tools.
    ///
    /// # Errors
    /// [`ToolFileError::Tool`] naming the tool and the setting.
    pub fn http_tools(
        &self,
        name: &str,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Vec<HttpTool>, ToolFileError> {
        let tool = |record| http_tool(record, lookup);
        let tools: Result<_, RemoteError> = self.http.iter().map(tool).collect();
        tools.map_err(|source| ToolFileError::Tool { name: name.to_owned(), source })
    }
}

fn http_tool(
    record: &HttpToolRecord,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<HttpTool, RemoteError> {
    let who = format!("the tool {:?}", record.name);
    let method = HttpMethod::from_name(&record.method).ok_or_else(|| {
        let found = &record.method;
        let problem = format!("found {found:?}, allowed are GET, POST, PUT, PATCH and DELETE");
        RemoteError::setting(&who, "method", problem)
    })?;
    let spec = ToolSpec {
        name: record.name.clone(),
        description: record.description.clone(),
        parameters: record.parameters.clone(),
    };
    let usual = HttpToolSettings::new(spec, method, &record.url);
    HttpTool::new(HttpToolSettings {
        headers: with_secrets(&who, "headers", &record.headers, lookup)?,
        timeout: seconds(&who, record.timeout_secs)?.unwrap_or(usual.timeout),
        is_idempotent: record.is_idempotent,
        ..usual
    })
}

/// A time that was given in seconds.
pub(crate) fn seconds(who: &str, given: Option<f64>) -> Result<Option<Duration>, RemoteError> {
    let Some(secs) = given else { return Ok(None) };
    match Duration::try_from_secs_f64(secs) {
        Ok(time) if !time.is_zero() => Ok(Some(time)),
        _ => {
            let problem = format!("found {secs}, allowed is a number above 0");
            Err(RemoteError::setting(who, "timeout_secs", problem))
        }
    }
}

/// Values with each `${NAME}` replaced.
pub(crate) fn with_secrets(
    who: &str,
    key: &str,
    given: &BTreeMap<String, String>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, Secret)>, RemoteError> {
    let replaced = |(name, text): (&String, &String)| {
        let text = replaced(text, lookup)
            .map_err(|problem| RemoteError::setting(who, &format!("{key}.{name}"), problem))?;
        Ok((name.clone(), Secret::new(text)))
    };
    given.iter().map(replaced).collect()
}

fn replaced(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((plain, behind)) = rest.split_once("${") {
        let (name, left) = behind.split_once('}').ok_or("a `${` has no `}`")?;
        let value = lookup(name)
            .ok_or_else(|| format!("{name} has no value; set this environment variable"))?;
        whole.push_str(plain);
        whole.push_str(&value);
        rest = left;
    }
    whole.push_str(rest);
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stateset_core::Tool;

    const FILE: &str = r#"
        [[http]]
        name = "find_order"
        description = "Finds an order."
        method = "get"
        url = "https://shop.example/orders/{order_id}"
        headers = { Authorization = "Bearer ${SHOP_KEY}" }
        parameters = { type = "object", properties = { order_id = { type = "string" } }, required = ["order_id"] }

        [[mcp]]
        name = "stock"
        command = ["stock-server"]
    "#;

    fn key(name: &str) -> Option<String> {
        (name == "SHOP_KEY").then(|| "s3cret".to_owned())
    }

    fn refused(text: &str) -> String {
        let file = ToolsFile::parse("t.toml", text, false);
        match file.and_then(|file| file.http_tools("t.toml", &key).map(|_| ())) {
            Ok(()) => panic!("it was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_file_gives_tools() {
        let file = ToolsFile::parse("t.toml", FILE, false).unwrap();
        assert_eq!(file.mcp[0].command, ["stock-server"]);
        let tools = file.http_tools("t.toml", &key).unwrap();
        assert_eq!(tools[0].spec().name, "find_order");
        let headers = with_secrets("w", "headers", &file.http[0].headers, &key).unwrap();
        assert_eq!(headers[0].1.reveal(), "Bearer s3cret");
        assert!(!format!("{headers:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let twice = [FILE, FILE].concat();
        let set = |from: &str, to: &str| refused(&FILE.replace(from, to));
        for (error, parts) in [
            (refused(&twice), ["t.toml", "\"find_order\" is given twice"]),
            (refused("[[http]]\nnam = 1"), ["t.toml", "unknown field `nam`"]),
            (set("\"get\"", "\"FETCH\""), ["`method`", "found \"FETCH\""]),
            (set("SHOP_KEY", "NO_KEY"), ["`headers.Authorization`", "NO_KEY has no value"]),
            (set("{order_id}\"", "{order}\""), ["`url`", "{order} is no property"]),
            (set("required = [\"order_id\"]", "required = []"), ["`url`", "required properties"]),
            (set("\"object\"", "\"array\""), ["`parameters`", "its type is \"array\""]),
            (
                set("{ type = \"string\" }", "{ type = \"strin\" }"),
                ["parameters", "no JSON schema"],
            ),
            (set("method =", "timeout_secs = -1\nmethod ="), ["`timeout_secs`", "found -1"]),
        ] {
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(\\PC|http|mcp|name|[\\[\\]{}=\"\n]){0,60}") {
            let _ = ToolsFile::parse("t", &text, false);
            let _ = ToolsFile::parse("t", &text, true);
        }
    }
}
