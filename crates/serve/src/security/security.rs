//! All that decides whether a request is let in.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, StatusCode};
use stateset_connect::Secret;

use super::client::TrustedProxies;
use super::keys_file::StoredKey;
use super::token::{Presented, TokenSettings, Tokens};
use super::{GeneratedKey, Identity, KeyRing, Lockout, Role, Who};
use crate::ServeError;
use crate::api_error::ApiError;
use crate::store::Clock;

/// What a server is told of keys and callers.
#[derive(Clone, Debug, Default)]
pub struct SecuritySettings {
    /// Single keys: where each was given, the key, and what it opens.
    pub keys: Vec<(&'static str, Secret, Role)>,
    /// Lists of keys as `key:role|role,...`, and where each was given.
    pub key_lists: Vec<(&'static str, Secret)>,
    /// Keys that were kept, as hashes.
    pub stored: Vec<StoredKey>,
    /// Which tokens are taken.
    pub tokens: TokenSettings,
    /// Callers without a key may do what users may.
    pub allow_anonymous: bool,
    /// Proxies whose word on the client's address is taken.
    pub trusted_proxies: TrustedProxies,
    /// Values of `Host` that are allowed on a loopback address, besides those that name it.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call; `*` is any.
    pub origins: Vec<String>,
    /// Says which tokens have run out.
    pub clock: Clock,
}

/// All that decides whether a request is let in. The default knows no key: it lets everyone in on a
/// loopback address and nobody elsewhere.
#[derive(Debug, Default)]
pub struct Security {
    /// Keys of flags and variables.
    given: KeyRing,
    /// Keys that are kept, and may change while the server runs.
    kept: ArcSwap<KeyRing>,
    /// True once a key was known: revoking the last one opens nothing.
    has_known_keys: AtomicBool,
    tokens: Tokens,
    lockout: Lockout,
    allow_anonymous: bool,
    pub(super) proxies: TrustedProxies,
    pub(super) hosts: Vec<String>,
    origins: Vec<String>,
}

impl Security {
    /// Reads keys and files. Where the server is not on a loopback address and nothing would let anyone
    /// in, a key of an admin is made and given back; whoever asked is to keep it.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where a key or a file is refused.
    pub fn open(
        settings: SecuritySettings,
        is_loopback: bool,
    ) -> Result<(Security, Option<GeneratedKey>), ServeError> {
        let mut given = KeyRing::default();
        for (source, key, role) in &settings.keys {
            given.add(source, key.reveal(), *role)?;
        }
        for (source, list) in &settings.key_lists {
            given.add_list(source, list.reveal())?;
        }
        let mut kept = KeyRing::of_stored(&settings.stored)?;
        let tokens = Tokens::open(&settings.tokens, settings.clock)?;
        let needs_key = !is_loopback && !settings.allow_anonymous;
        let mut generated = None;
        if needs_key && given.is_empty() && kept.is_empty() && tokens.is_empty() {
            let key = GeneratedKey::draw()?;
            kept.add_stored(&[key.stored()])?;
            generated = Some(key);
        }
        let security = Security {
            has_known_keys: AtomicBool::new(!given.is_empty() || !kept.is_empty()),
            given,
            kept: ArcSwap::from_pointee(kept),
            tokens,
            lockout: Lockout::default(),
            allow_anonymous: settings.allow_anonymous,
            proxies: settings.trusted_proxies,
            hosts: settings.allowed_hosts,
            origins: settings.origins,
        };
        Ok((security, generated))
    }

    /// Takes these keys in the place of those that were kept before.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where a hash is not one; those kept before count then.
    pub fn renew(&self, stored: &[StoredKey]) -> Result<(), ServeError> {
        let ring = KeyRing::of_stored(stored)?;
        if !ring.is_empty() {
            self.has_known_keys.store(true, Ordering::Relaxed);
        }
        self.kept.store(Arc::new(ring));
        Ok(())
    }

    /// Whose key this is. All keys are compared, whichever it is.
    fn holder_of(&self, presented: &str) -> Option<Identity> {
        let (given, kept) = (self.given.find(presented), self.kept.load().find(presented));
        given.or(kept)
    }

    /// What a key opens.
    #[cfg(test)]
    pub(super) fn role_of(&self, presented: &str) -> Option<Role> {
        self.holder_of(presented).map(|identity| identity.role)
    }

    /// Origins whose pages may call; `*` is any.
    pub fn origins(&self) -> &[String] {
        &self.origins
    }

    /// What callers may do who present nothing; `None` where they may do nothing.
    pub fn anonymous(&self, is_loopback: bool) -> Option<Role> {
        if is_loopback && !self.knows_keys() {
            Some(Role::Admin)
        } else {
            self.allow_anonymous.then_some(Role::User)
        }
    }

    /// Who sent a request with these headers.
    ///
    /// # Errors
    /// [`ApiError`] 401 without a key that opens, 429 where the address is locked out. The second value
    /// is true where this very failure locks it out.
    pub(super) fn identify(
        &self,
        headers: &HeaderMap,
        client: IpAddr,
        is_loopback: bool,
        now: Instant,
    ) -> Result<Identity, (ApiError, bool)> {
        let anonymous =
            self.anonymous(is_loopback).map(|role| Identity { who: Who::Address(client), role });
        if !self.knows_keys() {
            return anonymous.ok_or_else(|| (no_key(), false));
        }
        if let Some(wait) = self.lockout.locked_for(client, now) {
            let message = "too many wrong keys came from this address; try again later";
            let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "locked_out", message);
            return Err((error.retry_after(wait), false));
        }
        let Some(presented) = presented(headers) else {
            return anonymous.ok_or_else(|| (no_key(), false));
        };
        match presented.map_or(Presented::Unknown, |presented| self.found(presented)) {
            Presented::Known(identity) => {
                self.lockout.succeeded(client);
                Ok(identity)
            }
            Presented::Expired => Err((out_of_time("token_expired", "has run out"), false)),
            Presented::TooEarly => Err((out_of_time("token_too_early", "counts later"), false)),
            Presented::Unknown => Err((wrong_key(), self.lockout.failed(client, now))),
        }
    }

    fn found(&self, presented: &str) -> Presented {
        match self.holder_of(presented) {
            Some(identity) => Presented::Known(identity),
            None => self.tokens.find(presented),
        }
    }

    fn knows_keys(&self) -> bool {
        self.has_known_keys.load(Ordering::Relaxed) || !self.tokens.is_empty()
    }
}

/// The key or token that was sent; an error where it is no text.
pub(crate) fn presented(headers: &HeaderMap) -> Option<Result<&str, ()>> {
    if let Some(key) = headers.get("x-api-key") {
        return Some(key.to_str().map(str::trim).map_err(drop));
    }
    let value = headers.get("authorization")?;
    let Ok(text) = value.to_str() else { return Some(Err(())) };
    let bearer = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    Some(bearer.map(|(_, key)| key.trim()).ok_or(()))
}

fn no_key() -> ApiError {
    let message = "this server needs an API key; send it as \"Authorization: Bearer KEY\" or \
         \"X-API-Key: KEY\"";
    ApiError::new(StatusCode::UNAUTHORIZED, "api_key_missing", message)
}

fn wrong_key() -> ApiError {
    let message = "the API key or token is not known here";
    ApiError::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
}

/// Not a guess, so it locks nobody out.
fn out_of_time(code: &'static str, how: &str) -> ApiError {
    let message = format!("the token is genuine and {how} by this server's clock; get a new one");
    ApiError::new(StatusCode::UNAUTHORIZED, code, message)
}
