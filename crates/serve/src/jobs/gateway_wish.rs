//! A training whose samples programs play: ones that run elsewhere and take samples from this server, or a
//! command that this server starts for each.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateset_train::{OnlineRun, StopSignal};

use crate::ServeError;
use crate::api_error::ApiError;
use crate::gateway::{
    Elsewhere, GatewayServer, Harness, HarnessEnvironment, OpenRun, Sessions, take_over,
};
use crate::security::{Identity, Role};
use crate::services::{check_text, unusable};

/// Time of a sample where nothing is said.
const USUAL_SECS: u64 = 600;
/// Most time of a sample.
const MAX_SECS: u64 = 86_000;
/// How much longer a turn may take than a sample, which says better what was wrong.
const MARGIN_SECS: u64 = 5;
/// Least memory a command may be given, in MiB.
const MIN_MEMORY_MIB: u64 = 16;
/// Most programs at the same time.
const MAX_PARALLEL: u64 = 1024;
/// How often it is looked whether a run that waits for programs is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Who plays the samples of a training.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GatewayWish {
    /// Started here for each sample; programs elsewhere take the samples where absent.
    command: Option<String>,
    /// Seconds from the start, or the offer, of a sample to its end.
    timeout_secs: Option<u64>,
    /// MiB that the command may address.
    memory_mib: Option<u64>,
    /// Commands that run at the same time.
    parallel: Option<u64>,
}

impl GatewayWish {
    /// What a job was asked for, where programs play it.
    ///
    /// # Errors
    /// [`serde_json::Error`] where the row is damaged.
    pub(super) fn of(asked: &Value) -> Result<Option<GatewayWish>, serde_json::Error> {
        asked.get("gateway").map_or(Ok(None), |wish| serde_json::from_value(wish.clone()))
    }

    /// That whoever lets a command run on this machine is an admin.
    ///
    /// # Errors
    /// [`ApiError`] 403.
    pub(super) fn check_caller(&self, identity: &Identity) -> Result<(), ApiError> {
        match self.command {
            Some(_) => identity.check(Role::Admin),
            None => Ok(()),
        }
    }

    /// That every field can be used.
    ///
    /// # Errors
    /// [`ApiError`] 422 naming the field.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        if let Some(command) = &self.command {
            check_text("gateway.command", command, 4000)?;
        }
        let of_commands = [
            ("gateway.memory_mib", self.memory_mib, MIN_MEMORY_MIB, u64::MAX >> 20),
            ("gateway.parallel", self.parallel, 1, MAX_PARALLEL),
        ];
        for (field, value, ..) in of_commands {
            if value.is_some() && self.command.is_none() {
                let message = "it limits commands that this server starts, and there is none";
                return Err(unusable("invalid_value", field, message));
            }
        }
        let timeout = ("gateway.timeout_secs", self.timeout_secs, 1, MAX_SECS);
        for (field, value, least, most) in of_commands.into_iter().chain([timeout]) {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                let message = format!("allowed are {least} to {most}");
                return Err(unusable("invalid_value", field, message));
            }
        }
        Ok(())
    }

    /// Keys of the configuration that suit it; what the client sets itself counts more.
    pub(super) fn keys(&self, n_threads: usize) -> Vec<(&'static str, String)> {
        match self.command {
            None => {
                let secs = self.timeout_secs.unwrap_or(USUAL_SECS) + MARGIN_SECS;
                vec![("training.turn_timeout_secs", secs.to_string())]
            }
            Some(_) => {
                let n = self.parallel.unwrap_or(2 * n_threads as u64).to_string();
                vec![("training.rollout_concurrency", n.clone()), ("evaluation.concurrency", n)]
            }
        }
    }

    /// Begins to offer the samples of the job `id` to programs elsewhere, where they play.
    pub(super) fn open(&self, id: &str, sessions: &Sessions) -> Option<OpenRun> {
        self.command.is_none().then(|| sessions.open_run(id))
    }

    /// Lets programs play the episodes of `run`, which is the job `id`. The server that commands call ends with
    /// what is returned.
    ///
    /// # Errors
    /// [`ServeError::Bind`] where there is no port for it.
    pub(super) async fn take_over(
        &self,
        run: &mut OnlineRun,
        id: &str,
        sessions: &Sessions,
    ) -> Result<Option<GatewayServer>, ServeError> {
        let time_limit = Duration::from_secs(self.timeout_secs.unwrap_or(USUAL_SECS));
        let Some(command) = &self.command else {
            take_over(&mut run.cast, |purpose, inner| {
                let elsewhere = Elsewhere { run: id.to_owned(), purpose, time_limit };
                HarnessEnvironment::elsewhere(elsewhere, sessions.clone(), inner)
            });
            return Ok(None);
        };
        let server = GatewayServer::start().await?;
        let memory_mib = self.memory_mib;
        let harness = Harness { time_limit, memory_mib, ..Harness::new(command, id) };
        take_over(&mut run.cast, |_, inner| server.environment(harness.clone(), inner));
        Ok(Some(server))
    }

    /// Returns once the job `id` is to stop while it waits for programs elsewhere, which may take hours.
    /// Giving its step up then loses nothing: the finished samples are in the journal.
    pub(super) async fn cut_off(&self, id: &str, sessions: &Sessions, stop: &StopSignal) {
        while !stop.is_set() || sessions.offered(id).is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_checked_and_limits_of_commands_need_one() {
        let checked = |wish: Value| -> Result<(), Option<String>> {
            let wish: GatewayWish = serde_json::from_value(wish).unwrap();
            wish.check().map_err(|error| error.field)
        };
        assert_eq!(checked(json!({})), Ok(()));
        assert_eq!(checked(json!({"command": "agent", "memory_mib": 64, "parallel": 2})), Ok(()));
        for (wish, field) in [
            (json!({"command": ""}), "gateway.command"),
            (json!({"memory_mib": 64}), "gateway.memory_mib"),
            (json!({"parallel": 2}), "gateway.parallel"),
            (json!({"command": "agent", "memory_mib": 1}), "gateway.memory_mib"),
            (json!({"timeout_secs": 0}), "gateway.timeout_secs"),
            (json!({"timeout_secs": 90_000}), "gateway.timeout_secs"),
        ] {
            assert_eq!(checked(wish), Err(Some(field.to_owned())));
        }
    }

    #[test]
    fn rows_tell_who_plays() {
        assert_eq!(GatewayWish::of(&json!({"prompts": []})).unwrap(), None);
        assert_eq!(GatewayWish::of(&json!({"gateway": null})).unwrap(), None);
        let wish = GatewayWish { timeout_secs: Some(3), ..GatewayWish::default() };
        assert_eq!(GatewayWish::of(&json!({"gateway": wish})).unwrap(), Some(wish));
        GatewayWish::of(&json!({"gateway": {"program": "x"}})).unwrap_err();
    }
}
