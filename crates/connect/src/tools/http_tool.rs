//! A tool that is an HTTP endpoint.
//!
//! Arguments fill the places of the address first; the rest goes into the query (GET and DELETE) or
//! into a JSON body. A call whose answer is lost may have had its effect, so only GET, PUT and DELETE,
//! which RFC 9110 calls idempotent, may be repeated, unless the settings say otherwise.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method};
use serde_json::{Map, Value};
use stateset_core::{Tool, ToolError, ToolSpec};

use super::arguments::Arguments;
use super::url_template::UrlTemplate;
use crate::remote::{RemoteError, Secret, http_client, no_answer, read_text};

/// The methods a tool can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Does something each time.
    Post,
    /// Sets something.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

impl HttpMethod {
    const ALL: [(&str, HttpMethod); 5] = [
        ("GET", HttpMethod::Get),
        ("POST", HttpMethod::Post),
        ("PUT", HttpMethod::Put),
        ("PATCH", HttpMethod::Patch),
        ("DELETE", HttpMethod::Delete),
    ];

    /// The method with this name, in any case.
    pub fn from_name(name: &str) -> Option<HttpMethod> {
        HttpMethod::ALL.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, m)| *m)
    }

    fn wire(self) -> Method {
        match self {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Patch => Method::PATCH,
            HttpMethod::Delete => Method::DELETE,
        }
    }

    fn is_idempotent(self) -> bool {
        matches!(self, HttpMethod::Get | HttpMethod::Put | HttpMethod::Delete)
    }

    fn has_body(self) -> bool {
        !matches!(self, HttpMethod::Get | HttpMethod::Delete)
    }
}

/// An endpoint and what the agent is told of it.
#[derive(Clone, Debug)]
pub struct HttpToolSettings {
    /// Name, description and schema of the arguments.
    pub spec: ToolSpec,
    /// How it is called.
    pub method: HttpMethod,
    /// Where, with places for arguments in braces.
    pub url: String,
    /// Sent with each call.
    pub headers: Vec<(String, Secret)>,
    /// Limit of connecting.
    pub connect_timeout: Duration,
    /// Limit of a call.
    pub timeout: Duration,
    /// A second call does no harm; by the method where `None`.
    pub is_idempotent: Option<bool>,
}

impl HttpToolSettings {
    /// No headers, 10 s to connect, 30 s for a call.
    pub fn new(spec: ToolSpec, method: HttpMethod, url: impl Into<String>) -> HttpToolSettings {
        HttpToolSettings {
            spec,
            method,
            url: url.into(),
            headers: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            is_idempotent: None,
        }
    }
}

/// A tool behind HTTP. It makes one attempt; [`crate::Guarded`] gives it retries and limits.
pub struct HttpTool {
    settings: HttpToolSettings,
    template: UrlTemplate,
    arguments: Arguments,
    headers: HeaderMap,
    client: Client,
    /// Scheme, host and port, for messages.
    site: String,
}

impl HttpTool {
    /// Checks the settings; opens no connection.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`] naming the tool and the setting.
    pub fn new(settings: HttpToolSettings) -> Result<HttpTool, RemoteError> {
        let who = format!("the tool {:?}", settings.spec.name);
        if settings.spec.name.trim().is_empty() {
            return Err(RemoteError::setting("a tool", "name", "it is empty"));
        }
        let arguments = Arguments::new(&who, &settings.spec.parameters)?;
        let template = UrlTemplate::parse(&who, &settings.url)?;
        check_places(&who, &template, &settings.spec.parameters)?;
        let headers = headers(&who, &settings.headers)?;
        let client = http_client(&who, settings.connect_timeout)?;
        let site = template.site();
        Ok(HttpTool { settings, template, arguments, headers, client, site })
    }

    async fn ask(&self, url: reqwest::Url, rest: Map<String, Value>) -> Result<Value, RemoteError> {
        let (method, limit) = (self.settings.method, self.settings.timeout);
        let mut url = url;
        let has_body = method.has_body();
        if !has_body && !rest.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, value) in &rest {
                match value {
                    Value::String(text) => query.append_pair(name, text),
                    other => query.append_pair(name, &other.to_string()),
                };
            }
        }
        let mut request = self.client.request(method.wire(), url);
        request = request.timeout(limit).headers(self.headers.clone());
        if has_body {
            request = request.json(&rest);
        }
        let response = request.send().await.map_err(|error| no_answer(&self.site, limit, error))?;
        let text = read_text(&self.site, limit, response).await?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

/// Every place is an argument that is always given.
fn check_places(who: &str, template: &UrlTemplate, schema: &Value) -> Result<(), RemoteError> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for name in template.names() {
        let problem = match (schema["properties"].get(name), required.contains(&name)) {
            (None, _) => "is no property of the schema",
            (Some(_), false) => "is not among the schema's required properties",
            (Some(_), true) => continue,
        };
        return Err(RemoteError::setting(who, "url", format!("{{{name}}} {problem}")));
    }
    Ok(())
}

fn headers(who: &str, given: &[(String, Secret)]) -> Result<HeaderMap, RemoteError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        // Neither is the value shown nor the error, which may repeat it.
        let bad = |what: &str| RemoteError::setting(who, &format!("headers.{name}"), what);
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad("its name is none that a header can have"))?;
        let mut value = HeaderValue::from_str(value.reveal())
            .map_err(|_| bad("its value has characters that a header cannot have"))?;
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

#[async_trait]
impl Tool for HttpTool {
    fn spec(&self) -> &ToolSpec {
        &self.settings.spec
    }

    async fn call(&self, arguments: Value) -> Result<Value, ToolError> {
        let tool = &self.settings.spec.name;
        let mut rest = self.arguments.check(tool, arguments)?;
        let url = self
            .template
            .fill(&mut rest)
            .map_err(|message| ToolError::BadArguments { tool: tool.clone(), message })?;
        let is_idempotent =
            self.settings.is_idempotent.unwrap_or(self.settings.method.is_idempotent());
        self.ask(url, rest).await.map_err(|error| error.into_tool_error(tool, is_idempotent))
    }
}
