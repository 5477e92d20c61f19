//! Which machine a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

/// Proxies whose word on the client's address is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(
    /// Their addresses.
    pub Vec<IpAddr>,
);

impl TrustedProxies {
    /// The client's address: the connection's, or, where that is a trusted proxy, the last address of
    /// `X-Forwarded-For` that is not one. What clients write there themselves stands before it.
    pub fn client(&self, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
        let connected = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = connected.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let peer = peer.to_canonical();
        if !self.0.contains(&peer) {
            return peer;
        }
        let forwarded = headers.get_all("x-forwarded-for").into_iter().rev();
        let mut hops = forwarded.flat_map(|value| value.to_str().unwrap_or("").rsplit(','));
        let unknown = hops.find_map(|hop| match hop.trim().parse::<IpAddr>() {
            Ok(hop) if self.0.contains(&hop.to_canonical()) => None,
            Ok(hop) => Some(hop.to_canonical()),
            Err(_) => Some(peer),
        });
        unknown.unwrap_or(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies =
            TrustedProxies(vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()]);
        let cases: [(&str, &[&str], &str); 8] = [
            ("192.0.2.9", &["198.51.100.7"], "192.0.2.9"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["1.2.3.4", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ];
        for (peer, forwarded, client) in cases {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
            let found = proxies.client(&headers, &extensions);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }
}
