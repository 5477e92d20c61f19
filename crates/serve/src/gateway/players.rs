//! Who plays the samples of an environment: a program that is started here for each, or one elsewhere that
//! takes them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stateset_core::{RolloutError, Scenario};
use tokio::time::{Instant, timeout_at};

use super::Harness;
use super::address::Address;
use super::environment::failed;
use super::offer::Offer;
use super::program::{Ending, Program};
use super::session::Session;
use super::told::Told;

/// Who plays the samples of an environment.
pub(super) enum Players {
    /// Programs that are started here and call the server at this address.
    Here(Harness, SocketAddr),
    /// Programs elsewhere, which take the samples that are offered.
    Elsewhere(Elsewhere),
}

/// Samples for programs elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// Name of the run in addresses.
    pub(crate) run: String,
    /// What the samples are for: `training` or `evaluation`.
    pub(crate) purpose: &'static str,
    /// Time from the offer of a sample to its end.
    pub(crate) time_limit: Duration,
}

/// Who plays one sample.
pub(super) enum Player {
    /// A program of ours. Dropping it kills it.
    Program(Program),
    /// Somebody elsewhere, who has this much time.
    Elsewhere { session: Arc<Session>, time_limit: Duration, until: Instant },
}

impl Players {
    /// Name of the run in addresses.
    pub(super) fn run(&self) -> &str {
        match self {
            Players::Here(harness, _) => &harness.run,
            Players::Elsewhere(elsewhere) => &elsewhere.run,
        }
    }

    /// The sample as it is offered; `None` where a program is started for it.
    pub(super) fn offer(&self, scenario: &Scenario) -> Option<Offer> {
        match self {
            Players::Here(..) => None,
            Players::Elsewhere(elsewhere) => {
                Some(Offer::new(Told::of(scenario), elsewhere.purpose))
            }
        }
    }

    /// Lets a sample be played.
    ///
    /// # Errors
    /// [`RolloutError`] where its program cannot be started.
    pub(super) fn begin(
        &self,
        address: &Address,
        session: Arc<Session>,
        scenario: &Scenario,
    ) -> Result<Player, RolloutError> {
        match self {
            Players::Elsewhere(Elsewhere { time_limit, .. }) => {
                let until = Instant::now() + *time_limit;
                Ok(Player::Elsewhere { session, time_limit: *time_limit, until })
            }
            Players::Here(harness, server) => {
                let variables = variables(*server, address, session.key(), scenario);
                let program = Program::start(harness, &variables).map_err(|error| {
                    failed(format!("start the program {:?}: {error}", harness.command))
                })?;
                Ok(Player::Program(program))
            }
        }
    }
}

fn variables(
    server: SocketAddr,
    address: &Address,
    key: &str,
    scenario: &Scenario,
) -> [(&'static str, String); 10] {
    let server = format!("http://{server}");
    let base = format!("{server}{}", address.path());
    [
        ("OPENAI_BASE_URL", format!("{base}/v1")),
        ("OPENAI_API_KEY", key.to_owned()),
        ("ANTHROPIC_BASE_URL", base.clone()),
        ("ANTHROPIC_API_KEY", key.to_owned()),
        ("STATESET_GATEWAY_URL", base),
        ("STATESET_GATEWAY_KEY", key.to_owned()),
        ("STATESET_SERVER_URL", server),
        ("STATESET_SAMPLE", address.name()),
        ("STATESET_SCENARIO_ID", scenario.id.clone()),
        ("STATESET_SCENARIO", json!(Told::of(scenario)).to_string()),
    ]
}

impl Player {
    /// Waits for the end of the sample.
    pub(super) async fn ended(&self) -> Ending {
        match self {
            Player::Program(program) => program.ended().await,
            Player::Elsewhere { session, time_limit, until } => {
                let ended = timeout_at(*until, session.ended()).await;
                let failure = ended.unwrap_or_else(|_| too_late(session, *time_limit));
                Ending { failure, stdout: String::new() }
            }
        }
    }
}

/// What is wrong at the time limit. A sample that was judged by its program is over all the same.
fn too_late(session: &Session, limit: Duration) -> Option<String> {
    let secs = limit.as_secs_f64();
    let is_taken = session.offer.as_ref().is_some_and(Offer::is_taken);
    match (session.verdict(), is_taken) {
        (Some(_), _) => None,
        (None, true) => Some(format!("nobody ended the sample within {secs} s")),
        (None, false) => Some(format!("nobody took the sample within {secs} s")),
    }
}
