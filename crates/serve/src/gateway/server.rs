//! A server on this machine for the programs of one run.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Uri};
use axum::middleware::from_fn;
use stateset_core::Environment;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::players::Players;
use super::routes::{Gateway, sample_routes};
use super::sample_header::{check_plain, with_sample_header};
use super::sessions::Sessions;
use super::{Harness, HarnessEnvironment};
use crate::ServeError;
use crate::api_error::{ApiError, words_of_path};
use crate::server::{ServeConfig, wrong_method};

/// Answers the programs of one run, on a free port of this machine's own address. Ends when it is dropped.
pub struct GatewayServer {
    address: SocketAddr,
    sessions: Sessions,
    serving: JoinHandle<()>,
}

impl GatewayServer {
    /// Starts to listen.
    ///
    /// # Errors
    /// [`ServeError::Bind`] where no port is free.
    pub async fn start() -> Result<GatewayServer, ServeError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let bind = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr()?;
        let sessions = Sessions::default();
        let config = ServeConfig::default();
        let body_limit = DefaultBodyLimit::max(config.max_body_bytes);
        let gateway = Gateway::new(sessions.clone(), config);
        let routes = sample_routes()
            .fallback(no_route)
            .method_not_allowed_fallback(wrong_method)
            .layer(body_limit)
            .layer(from_fn(words_of_path))
            .with_state(gateway);
        let router = with_sample_header(routes);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the gateway broke");
            }
        });
        Ok(GatewayServer { address, sessions, serving })
    }

    /// An environment that starts programs of `harness`, which call this server; `inner` plays their user,
    /// where they ask.
    pub fn environment(&self, harness: Harness, inner: Arc<dyn Environment>) -> HarnessEnvironment {
        let players = Players::Here(harness, self.address);
        HarnessEnvironment::new(players, self.sessions.clone(), inner)
    }
}

async fn no_route(uri: Uri, headers: HeaderMap) -> ApiError {
    let plain = check_plain(uri.path(), &headers).map(|()| {
        let mut error = ApiError::not_found("route", uri.path());
        error.message.push_str("; name the sample in the path, or in X-Stateset-Sample");
        error
    });
    plain.unwrap_or_else(|error| error)
}

impl Drop for GatewayServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
