//! Who sent a request, once that is known.

use std::net::IpAddr;
use std::sync::Arc;

use super::Role;

/// How a caller is told from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Nobody in particular, from this address.
    Address(IpAddr),
    /// The holder of the key with this name; the name is not secret.
    Key(Arc<str>),
    /// The subject of a token.
    Subject(Arc<str>),
}

/// Who sent a request and what they may do. Handlers find it among the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who it is; what rate limits count by.
    pub who: Who,
    /// What they may do.
    pub role: Role,
}
