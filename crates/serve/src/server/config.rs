//! Settings of a server.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Most bytes of a request's body.
    pub max_body_bytes: usize,
    /// How long running requests may take to end after the server was asked to.
    pub drain: Duration,
}

impl Default for ServeConfig {
    fn default() -> ServeConfig {
        ServeConfig {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8000,
            max_body_bytes: 4 << 20,
            drain: Duration::from_secs(30),
        }
    }
}
