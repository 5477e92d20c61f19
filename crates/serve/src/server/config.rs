//! Settings of a server.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use stateset_connect::Traces;

use super::TlsFiles;
use crate::DataDisk;
use crate::conversations::ConversationRules;
use crate::dashboard::{PreferenceFile, RunsFolder};
use crate::limits::Limits;
use crate::security::Security;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Most bytes of a request's body.
    pub max_body_bytes: usize,
    /// Where runs lie that the dashboard shows.
    pub runs: RunsFolder,
    /// Where pairs of answers go that people compared.
    pub preferences: PreferenceFile,
    /// How many conversations are held, for how long, and whether they are written down.
    pub conversations: ConversationRules,
    /// How long running requests may take to end after the server was asked to.
    pub drain: Duration,
    /// Who may call.
    pub security: Arc<Security>,
    /// How much callers may take.
    pub limits: Limits,
    /// Certificate and key; plain HTTP where absent.
    pub tls: Option<TlsFiles>,
    /// Folder whose disk must not be full for the server to be well.
    pub data_dir: Option<PathBuf>,
    /// The disk of that folder.
    pub disk: DataDisk,
    /// Requests that take as long are written to the log.
    pub slow_request: Duration,
    /// Where spans of requests go; nowhere where absent.
    pub traces: Option<Traces>,
    /// How long an engine may take for one pass before it counts as stuck.
    pub engine_deadline: Duration,
}

impl Default for ServeConfig {
    fn default() -> ServeConfig {
        ServeConfig {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8000,
            max_body_bytes: 4 << 20,
            runs: RunsFolder::new([PathBuf::from("outputs")]),
            preferences: PreferenceFile::new("stateset-data/preferences.jsonl"),
            conversations: ConversationRules::default(),
            drain: Duration::from_secs(30),
            security: Arc::default(),
            limits: Limits::default(),
            tls: None,
            data_dir: None,
            disk: DataDisk::default(),
            slow_request: Duration::from_secs(10),
            traces: None,
            engine_deadline: Duration::from_secs(60),
        }
    }
}
