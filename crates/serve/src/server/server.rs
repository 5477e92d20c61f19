//! A server that listens.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};

use super::connection::ImpatientAcceptor;
use super::router::router_with;
use crate::{App, ServeError};

/// How long before the end of the drain streams are ended, so that what they say last is still sent.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A server that listens already and does not answer yet.
pub struct Server {
    app: App,
    more: Router<App>,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    handle: Handle<SocketAddr>,
}

/// Asks a running server to end.
#[derive(Clone)]
pub struct Stopper {
    handle: Handle<SocketAddr>,
    app: App,
}

impl Stopper {
    /// Takes no new connections; running requests have the time of `drain` to end. Streams that have not
    /// ended by then say so and end.
    pub fn stop(&self) {
        let drain = self.app.config().drain;
        self.app.observed().drain();
        self.handle.graceful_shutdown(Some(drain));
        let app = self.app.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(drain.saturating_sub(LAST_WORDS)).await;
                app.observed().close_streams();
            });
        }
    }

    /// Ends at once; running requests are cut off.
    pub fn stop_now(&self) {
        self.handle.shutdown();
    }
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// [`ServeError::Bind`] where it is taken or not allowed; [`ServeError::Setting`] where the certificate
    /// or its key is refused.
    pub fn bind(app: App) -> Result<Server, ServeError> {
        let tls = app.config().tls.as_ref().map(|files| files.open()).transpose()?;
        let address = SocketAddr::new(app.config().host, app.config().port);
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = bound.map_err(|source| ServeError::Bind { address, source })?;
        Ok(Server { app, more: Router::new(), listener, tls, handle: Handle::new() })
    }

    /// Answers these routes besides its own.
    pub fn with_routes(self, more: Router<App>) -> Server {
        Server { more: self.more.merge(more), ..self }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// [`ServeError::Io`] where the system does not say.
    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        Ok(self.listener.local_addr()?)
    }

    /// What ends it.
    pub fn stopper(&self) -> Stopper {
        Stopper { handle: self.handle.clone(), app: self.app.clone() }
    }

    /// Answers until it is stopped.
    ///
    /// # Errors
    /// [`ServeError::Io`] where the listener breaks.
    pub async fn run(self) -> Result<(), ServeError> {
        let traces = self.app.observed().traces().cloned();
        if let Some(traces) = traces.clone() {
            tokio::spawn(traces.send());
        }
        let limits = self.app.config().limits;
        let service =
            router_with(self.app, self.more).into_make_service_with_connect_info::<SocketAddr>();
        let acceptor = ImpatientAcceptor { timeout: limits.write_timeout };
        let mut server = axum_server::from_tcp(self.listener)?
            .handle(self.handle)
            .first_request_timeout(limits.header_timeout);
        server.http_builder().http1().header_read_timeout(limits.header_timeout);
        match self.tls {
            None => server.acceptor(acceptor).serve(service).await?,
            Some(tls) => {
                let tls = RustlsAcceptor::new(RustlsConfig::from_config(tls)).acceptor(acceptor);
                server.acceptor(tls).serve(service).await?;
            }
        }
        if let Some(traces) = traces {
            traces.flush().await;
        }
        Ok(())
    }
}
