//! Flags of `serve` for who may call and how much: keys, tokens, pages, limits, TLS.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::FalseyValueParser;
use stateset_connect::Secret;
use stateset_serve::ServeConfig;
use stateset_serve::limits::Limits;
use stateset_serve::security::{
    GeneratedKey, KeyStore, Role, Security, SecuritySettings, StoredKey, TokenSettings,
    TrustedProxies,
};
use stateset_serve::server::{TlsFiles, check_origin};

use super::error::{CliError, Outcome};
use super::output::say;

/// Environment variables that hold lists of keys.
const KEY_LISTS: [&str; 2] = ["API_KEYS", "GRPO_API_KEYS"];

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Who may call")]
pub(crate) struct GuardArgs {
    /// A key that callers send, of at least 12 characters; KEY:ROLE for another role than admin. Other
    /// programs of this machine see flags, so prefer the variable. API_KEYS and GRPO_API_KEYS hold lists:
    /// KEY:ROLE|ROLE,...
    #[arg(long, env = "STATESET_API_KEY", hide_env_values = true, value_name = "KEY", value_parser = secret)]
    pub(crate) api_key: Vec<Secret>,
    /// File of hashed keys, instead of keys.json in the data folder or the database; a generated key is kept there
    #[arg(long, value_name = "FILE")]
    pub(crate) keys_file: Option<PathBuf>,
    /// File with the secret of tokens signed by HS256
    #[arg(long, value_name = "FILE")]
    jwt_secret_file: Option<PathBuf>,
    /// PEM file with the public key of tokens signed by RS256
    #[arg(long, value_name = "FILE")]
    jwt_public_key: Option<PathBuf>,
    /// The `aud` that tokens must have
    #[arg(long, value_name = "NAME", default_value = "stateset-agents")]
    jwt_audience: String,
    /// The `iss` that tokens must have; any where absent
    #[arg(long, value_name = "NAME")]
    jwt_issuer: Option<String>,
    /// Callers without a key may talk to models
    #[arg(long, env = "GRPO_ALLOW_ANONYMOUS", value_parser = FalseyValueParser::new())]
    allow_anonymous: bool,
    /// A name, with its port, that the server may be called by on a loopback address
    #[arg(long, value_name = "HOST:PORT")]
    allowed_host: Vec<String>,
    /// A proxy whose X-Forwarded-For is believed
    #[arg(long, value_name = "ADDRESS")]
    trusted_proxy: Vec<IpAddr>,
    /// A site whose pages may call, such as https://app.example; * is any
    #[arg(
        long,
        alias = "cors-origins",
        env = "GRPO_CORS_ORIGINS",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    cors_origin: Vec<String>,
    /// Requests a minute of each caller; 0 is any number. Callers without a key on a loopback address are
    /// not counted
    #[arg(long, env = "GRPO_RATE_LIMIT_PER_MIN", value_name = "N", default_value_t = 60)]
    rate_limit: u32,
    /// Requests that are answered at the same time; more are refused with 503
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..))]
    max_requests: u32,
    /// Most bytes of a request's body
    #[arg(long, value_name = "BYTES", default_value_t = 4 << 20, value_parser = clap::value_parser!(u32).range(1024..))]
    max_body_bytes: u32,
    /// PEM file with the chain of certificates, the server's own first: serves HTTPS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the private key of the certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Seconds that running requests have to end after the server was asked to
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(..86_400))]
    drain_timeout: u32,
    /// Requests that take as long are written to the log
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    slow_request_ms: u32,
}

impl GuardArgs {
    /// That sites are written as browsers write them.
    pub(crate) fn check(&self) -> Outcome {
        self.cors_origin.iter().try_for_each(|origin| check_origin(origin)).map_err(CliError::bad)
    }

    /// Settings of a server on this address that takes the keys in `kept`, and the key that was made where there
    /// was none.
    pub(crate) async fn config(
        &self,
        host: IpAddr,
        port: u16,
        data_dir: &Path,
        kept: &KeyStore,
    ) -> Outcome<(ServeConfig, Option<GeneratedKey>)> {
        let settings = self.settings(kept.read().await.map_err(CliError::bad)?);
        let opened = Security::open(settings, host.is_loopback());
        let (security, generated) = opened.map_err(CliError::bad)?;
        if let Some(key) = &generated {
            kept.add(&key.stored()).await.map_err(CliError::bad)?;
        }
        let limits = Limits {
            rate_per_minute: NonZeroU32::new(self.rate_limit),
            max_requests: self.max_requests as usize,
            ..Limits::default()
        };
        let tls = self.tls_cert.clone().zip(self.tls_key.clone());
        let config = ServeConfig {
            host,
            port,
            max_body_bytes: self.max_body_bytes as usize,
            drain: Duration::from_secs(self.drain_timeout.into()),
            security: Arc::new(security),
            limits,
            tls: tls.map(|(cert, key)| TlsFiles { cert, key }),
            data_dir: Some(data_dir.to_owned()),
            slow_request: Duration::from_millis(self.slow_request_ms.into()),
            ..ServeConfig::default()
        };
        Ok((config, generated))
    }

    fn settings(&self, stored: Vec<StoredKey>) -> SecuritySettings {
        let lists = KEY_LISTS.iter().filter_map(|name| {
            let list = std::env::var(name).ok().filter(|list| !list.trim().is_empty())?;
            Some((*name, Secret::new(list)))
        });
        SecuritySettings {
            keys: self.api_key.iter().map(single).collect(),
            key_lists: lists.collect(),
            stored,
            tokens: TokenSettings {
                secret_file: self.jwt_secret_file.clone(),
                public_key: self.jwt_public_key.clone(),
                audience: Some(self.jwt_audience.clone()),
                issuer: self.jwt_issuer.clone(),
            },
            allow_anonymous: self.allow_anonymous,
            trusted_proxies: TrustedProxies(self.trusted_proxy.clone()),
            allowed_hosts: self.allowed_host.clone(),
            origins: self.cors_origin.clone(),
            ..SecuritySettings::default()
        }
    }
}

/// Shows a generated key, this once.
pub(crate) fn show(key: &GeneratedKey, config: &ServeConfig) {
    say(format_args!(
        "this server can be reached from outside and had no API key, so one was made:"
    ));
    say(format_args!("    {}", key.reveal()));
    say("it opens everything and is not shown again");
    if config.tls.is_none() {
        say("warning: without --tls-cert and --tls-key it travels in the clear");
    }
}

pub(crate) fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

/// A key by itself is the operator's own, an admin's.
fn single(key: &Secret) -> (&'static str, Secret, Role) {
    let named = key.reveal().rsplit_once(':');
    match named.and_then(|(key, roles)| Some((key, Role::highest(roles)?))) {
        Some((key, role)) => ("--api-key", Secret::new(key), role),
        None => ("--api-key", key.clone(), Role::Admin),
    }
}
