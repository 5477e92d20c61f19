//! Everything that is seen of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use stateset_connect::Traces;
use tokio::sync::watch;

use super::{AnswerMetrics, DiskProbe, Health, HttpMetrics, Pulses};
use crate::models::Models;
use crate::server::ServeConfig;

/// Everything that is seen of a server.
pub struct Observed {
    registry: Registry,
    http: HttpMetrics,
    answers: AnswerMetrics,
    health: Health,
    pulses: Pulses,
    started: Instant,
    is_draining: AtomicBool,
    closing: watch::Sender<bool>,
    traces: Option<Traces>,
}

impl Observed {
    /// Begins to look.
    pub fn new(config: &ServeConfig, models: &Models) -> Observed {
        let mut registry = Registry::default();
        let http = HttpMetrics::register(&mut registry);
        let answers = models.metrics().clone();
        answers.register(&mut registry);
        let health = Health::default();
        if let Some(folder) = &config.data_dir {
            let probe = DiskProbe::new(folder, config.disk.clone());
            health.add(
                "disk",
                Arc::new(move || {
                    let probe = probe.clone();
                    let write = tokio::task::spawn_blocking(move || probe.write());
                    Box::pin(async move { write.await.map_err(|error| error.to_string())? })
                }),
            );
        }
        Observed {
            registry,
            http,
            answers,
            health,
            pulses: Pulses::default(),
            started: Instant::now(),
            is_draining: AtomicBool::new(false),
            closing: watch::Sender::new(false),
            traces: config.traces.clone(),
        }
    }

    /// Where spans go; `None` where nobody wants any.
    pub(crate) fn traces(&self) -> Option<&Traces> {
        self.traces.as_ref()
    }

    /// Counters of requests.
    pub fn http(&self) -> &HttpMetrics {
        &self.http
    }

    /// Checks of the server's parts; areas add theirs.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Whether engines are alive.
    pub fn pulses(&self) -> &Pulses {
        &self.pulses
    }

    /// Since when the server is there.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// From now on the server takes no new work.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// True where the server takes no new work.
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Ends all streams now, each with an event that says why.
    pub(crate) fn close_streams(&self) {
        let _ = self.closing.send(true);
    }

    /// Says when streams have to end.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// All measurements, as OpenMetrics text.
    pub(crate) async fn written(&self, config: &ServeConfig, models: &Models) -> String {
        for model in models.all().iter() {
            let load = self.pulses.load(model, config.engine_deadline).await;
            if let Ok(Some(load)) = load {
                self.answers.load(&model.name, load);
            }
        }
        if let Some(traces) = &self.traces {
            self.http.spans_lost(traces.n_lost());
        }
        let mut text = String::new();
        // Writing into memory fails only where a metric refuses to be written, which none of ours does.
        if encode(&mut text, &self.registry).is_err() {
            tracing::error!("the measurements could not be written whole");
        }
        text
    }
}
