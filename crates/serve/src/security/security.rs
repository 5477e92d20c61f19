//! All that decides whether a request is let in.

use std::net::IpAddr;
use std::time::Instant;

use axum::http::{HeaderMap, StatusCode};
use stateset_connect::Secret;

use super::client::TrustedProxies;
use super::keys_file::{KeysFile, StoredKey};
use super::token::{TokenSettings, Tokens};
use super::{GeneratedKey, Identity, KeyRing, Lockout, Role, Who};
use crate::ServeError;
use crate::api_error::ApiError;

/// What a server is told of keys and callers.
#[derive(Clone, Debug, Default)]
pub struct SecuritySettings {
    /// Single keys: where each was given, the key, and what it opens.
    pub keys: Vec<(&'static str, Secret, Role)>,
    /// Lists of keys as `key:role|role,...`, and where each was given.
    pub key_lists: Vec<(&'static str, Secret)>,
    /// A file of keys; a generated key is kept in it.
    pub keys_file: Option<KeysFile>,
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
}

/// All that decides whether a request is let in. The default knows no key: it lets everyone in on a
/// loopback address and nobody elsewhere.
#[derive(Debug, Default)]
pub struct Security {
    ring: KeyRing,
    tokens: Tokens,
    lockout: Lockout,
    allow_anonymous: bool,
    pub(super) proxies: TrustedProxies,
    pub(super) hosts: Vec<String>,
    origins: Vec<String>,
}

impl Security {
    /// Reads keys and files. Where the server is not on a loopback address and nothing would let anyone
    /// in, a key of an admin is made and given back; the keys file, where there is one, keeps its hash.
    ///
    /// # Errors
    /// [`ServeError::Setting`] where a key or a file is refused.
    pub fn open(
        settings: SecuritySettings,
        is_loopback: bool,
    ) -> Result<(Security, Option<GeneratedKey>), ServeError> {
        let mut ring = KeyRing::default();
        for (source, key, role) in &settings.keys {
            ring.add(source, key.reveal(), *role)?;
        }
        for (source, list) in &settings.key_lists {
            ring.add_list(source, list.reveal())?;
        }
        if let Some(file) = &settings.keys_file {
            ring.add_stored(&file.read()?)?;
        }
        let tokens = Tokens::open(&settings.tokens)?;
        let needs_key = !is_loopback && !settings.allow_anonymous;
        let mut generated = None;
        if needs_key && ring.is_empty() && tokens.is_empty() {
            let key = GeneratedKey::draw()?;
            let stored = [StoredKey::of("generated", &key, Role::Admin)];
            ring.add_stored(&stored)?;
            if let Some(file) = &settings.keys_file {
                file.write(stored.to_vec())?;
            }
            generated = Some(key);
        }
        let security = Security {
            ring,
            tokens,
            lockout: Lockout::default(),
            allow_anonymous: settings.allow_anonymous,
            proxies: settings.trusted_proxies,
            hosts: settings.allowed_hosts,
            origins: settings.origins,
        };
        Ok((security, generated))
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
        let found = presented.ok().and_then(|presented| {
            self.ring.find(presented).or_else(|| self.tokens.find(presented))
        });
        match found {
            Some(identity) => {
                self.lockout.succeeded(client);
                Ok(identity)
            }
            None => Err((wrong_key(), self.lockout.failed(client, now))),
        }
    }

    fn knows_keys(&self) -> bool {
        !self.ring.is_empty() || !self.tokens.is_empty()
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
    let message = "the API key or token is not known here, or has run out";
    ApiError::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
}
