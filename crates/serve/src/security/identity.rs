//! Who sent a request, once that is known.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;

use super::Role;
use crate::api_error::ApiError;

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

impl Identity {
    /// That they may do what this role may.
    ///
    /// # Errors
    /// [`ApiError`] 403.
    pub(crate) fn check(&self, needed: Role) -> Result<(), ApiError> {
        if self.role >= needed {
            return Ok(());
        }
        let message =
            format!("this needs the role {needed}; the key given has the role {}", self.role);
        Err(ApiError::new(StatusCode::FORBIDDEN, "role_missing", message))
    }
}
