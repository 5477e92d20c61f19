//! Settings of a server.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::dashboard::{PreferenceFile, RunsFolder};

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
    /// How long running requests may take to end after the server was asked to.
    pub drain: Duration,
}

impl Default for ServeConfig {
    fn default() -> ServeConfig {
        ServeConfig {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8000,
            max_body_bytes: 4 << 20,
            runs: RunsFolder::new("outputs"),
            preferences: PreferenceFile::new("stateset-data/preferences.jsonl"),
            drain: Duration::from_secs(30),
        }
    }
}
