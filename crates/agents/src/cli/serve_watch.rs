//! Flags of `serve` for watching it from outside: traces.

use clap::Args;
use stateset_connect::{Secret, TraceSettings, Traces};
use stateset_serve::ServeConfig;

use super::error::{CliError, Outcome};

/// Environment variables of OpenTelemetry that have no flag.
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Who watches")]
pub(crate) struct WatchArgs {
    /// Address of an OpenTelemetry collector, such as http://localhost:4318; spans of requests are sent to
    /// v1/traces below it. OTEL_EXPORTER_OTLP_HEADERS holds headers to send along: KEY=VALUE,...
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide_env_values = true, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// What the server is called there
    #[arg(long, env = "OTEL_SERVICE_NAME", value_name = "NAME", default_value = "stateset-agents")]
    otlp_service: String,
}

impl WatchArgs {
    /// Lets a server with these settings tell of its requests.
    pub(crate) fn add_to(&self, config: &mut ServeConfig) -> Outcome {
        let endpoint = self.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
        let Some(endpoint) = endpoint else { return Ok(()) };
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(other) = variable(PROTOCOL).filter(|protocol| protocol != "http/protobuf") {
            let message = format!(
                "send traces: {PROTOCOL} is {other:?}; this server speaks http/protobuf (port 4318 of \
                 most collectors)"
            );
            return Err(CliError::bad(message));
        }
        let headers = variable(HEADERS).map(Secret::new);
        let settings = TraceSettings::new(endpoint, headers.as_ref(), &self.otlp_service);
        config.traces = Some(settings.and_then(Traces::new).map_err(CliError::bad)?);
        Ok(())
    }
}
