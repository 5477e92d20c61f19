//! Everything that talks to the outside for an agent.
//!
//! - [`Hub`] turns a model id such as `owner/name` into a local folder that the engine can load. It
//!   blocks, so asynchronous callers run it in a blocking task. Only [`HubSettings::from_env`] reads
//!   environment variables.
//! - [`RemotePolicy`] (feature `remote`) asks a model on an OpenAI-compatible server.
//! - [`HttpTool`] (feature `remote`) and [`McpTool`] (feature `mcp`) are tools elsewhere.
//! - [`Guards`] are time limit, retries, circuit breaker, concurrency and rate limit before any policy,
//!   judge or tool; [`Ledger`] counts what is used and ends the spending; [`CachedJudge`] keeps answers.
//! - [`Traces`] (feature `remote`) sends spans to an OpenTelemetry collector.
//!
//! Policies and tools make one attempt and say what happened; patience is the guards' business.

#[cfg(feature = "remote")]
mod cache;
mod error;
#[cfg(feature = "remote")]
mod guards;
mod hub;
#[cfg(feature = "remote")]
mod ledger;
#[cfg(feature = "mcp")]
mod mcp;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "remote")]
mod tools;
#[cfg(feature = "remote")]
mod traces;
#[cfg(feature = "remote")]
mod whole_file;

#[cfg(feature = "remote")]
pub use cache::{CacheTally, CachedJudge};
pub use error::ConnectError;
#[cfg(feature = "remote")]
pub use guards::{
    Breaker, BreakerSettings, BreakerState, Clock, ConcurrencyLimit, Failure, Guarded, Guards,
    Pass, RateLimit, Retry, RetrySettings, Stop, SystemClock, within,
};
pub use hub::{DEFAULT_ENDPOINT, Hub, HubSettings, ModelId, Progress, Token};
#[cfg(feature = "remote")]
pub use ledger::{Account, Budget, BudgetSpent, Ledger, LedgerError, Price, Prices};
#[cfg(feature = "mcp")]
pub use mcp::{McpServer, McpSettings, McpTool, McpTransport};
#[cfg(feature = "remote")]
pub use remote::{RemoteError, RemotePolicy, RemotePolicySettings, Secret, Usage};
#[cfg(feature = "remote")]
pub use tools::{
    HttpMethod, HttpTool, HttpToolRecord, HttpToolSettings, McpRecord, ToolFileError, ToolsFile,
};
#[cfg(feature = "remote")]
pub use traces::{Span, SpanKind, SpanValue, TraceContext, TraceSettings, Traces};
