//! A server that listens.

use std::net::{SocketAddr, TcpListener};

use axum_server::Handle;

use super::router::router;
use crate::{App, ServeError};

/// A server that listens already and does not answer yet.
pub struct Server {
    app: App,
    listener: TcpListener,
    handle: Handle<SocketAddr>,
}

/// Asks a running server to end.
#[derive(Clone)]
pub struct Stopper {
    handle: Handle<SocketAddr>,
    app: App,
}

impl Stopper {
    /// Takes no new connections; running requests have the time of `drain` to end.
    pub fn stop(&self) {
        self.handle.graceful_shutdown(Some(self.app.config().drain));
    }
}

impl Server {
    /// Takes the address.
    ///
    /// # Errors
    /// [`ServeError::Bind`] where it is taken or not allowed.
    pub fn bind(app: App) -> Result<Server, ServeError> {
        let address = SocketAddr::new(app.config().host, app.config().port);
        let bound = TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = bound.map_err(|source| ServeError::Bind { address, source })?;
        Ok(Server { app, listener, handle: Handle::new() })
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
        let service = router(self.app).into_make_service_with_connect_info::<SocketAddr>();
        Ok(axum_server::from_tcp(self.listener)?.handle(self.handle).serve(service).await?)
    }
}
