//! Whether the server can do its work, as the sum of checks that each area adds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};
use serde::Serialize;
use utoipa::ToSchema;

/// How long one check may take before it counts as failed.
const DEADLINE: Duration = Duration::from_secs(3);

/// How long an answer counts, so that asking often costs nothing.
const FRESH: Duration = Duration::from_millis(500);

/// Says what is wrong with one part of the server, if anything. What it says is read by strangers.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Checks of all parts.
#[derive(Default)]
pub struct Health {
    probes: Mutex<Vec<(&'static str, Probe)>>,
    last: tokio::sync::Mutex<Option<(Instant, Report)>>,
}

/// How one part is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Component {
    /// Which part.
    pub name: String,
    /// True where it works.
    pub healthy: bool,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub problem: Option<String>,
}

/// How all parts are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every part.
    pub components: Vec<Component>,
}

impl Report {
    /// True where every part works.
    pub fn is_healthy(&self) -> bool {
        self.components.iter().all(|component| component.healthy)
    }
}

impl Health {
    /// Adds a check, in the place of one of the same name.
    pub fn add(&self, name: &'static str, probe: Probe) {
        let mut probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        probes.retain(|(known, _)| *known != name);
        probes.push((name, probe));
    }

    /// Asks all parts, at the same time.
    pub async fn report(&self) -> Report {
        // Whoever comes while it is asked waits for that answer.
        let mut last = self.last.lock().await;
        if let Some((at, report)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            tracing::trace!(age = ?at.elapsed(), "health is known");
            return report.clone();
        }
        let probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let asked = probes.into_iter().map(|(name, probe)| ask(name, probe));
        let report = Report { components: join_all(asked).await };
        *last = Some((Instant::now(), report.clone()));
        report
    }
}

async fn ask(name: &'static str, probe: Probe) -> Component {
    let said = tokio::time::timeout(DEADLINE, probe()).await;
    let said = said.unwrap_or_else(|_| Err(format!("no answer within {} s", DEADLINE.as_secs())));
    if let Err(problem) = &said {
        tracing::warn!(component = name, problem, "a part of the server does not work");
    }
    Component { name: name.to_owned(), healthy: said.is_ok(), problem: said.err() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn parts_are_asked_again_after_a_while() {
        let health = Health::default();
        let is_away = Arc::new(AtomicBool::new(true));
        let away = Arc::clone(&is_away);
        health.add(
            "database",
            Arc::new(move || {
                let away = away.load(Ordering::Relaxed);
                Box::pin(async move { if away { Err("away".to_owned()) } else { Ok(()) } })
            }),
        );
        let report = health.report().await;
        assert!(!report.is_healthy());
        assert_eq!(report.components[0].problem.as_deref(), Some("away"));
        is_away.store(false, Ordering::Relaxed);
        *health.last.lock().await = None;
        assert!(health.report().await.is_healthy());
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_never_answers_has_failed() {
        let health = Health::default();
        health.add("silent", Arc::new(|| Box::pin(std::future::pending())));
        let report = health.report().await;
        assert_eq!(report.components[0].problem.as_deref(), Some("no answer within 3 s"));
    }
}
