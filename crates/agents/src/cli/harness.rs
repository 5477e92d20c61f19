//! `train --harness`: a program plays the samples.

use std::time::Duration;

use clap::Args;
use stateset_serve::gateway::{GatewayServer, Harness, take_over};
use stateset_train::OnlineRun;

use super::engine::machine_threads;
use super::error::{CliError, Outcome};
use super::sources::Flags;

/// Which program, and its limits.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct HarnessArgs {
    /// Train the agent that a program is: it is started for each sample, calls the model at
    /// OPENAI_BASE_URL with OPENAI_API_KEY (or ANTHROPIC_..), and ends. {scenario} becomes the id of
    /// the scenario
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["stub", "auto"])]
    harness: Option<String>,
    /// Seconds that the program may take for a sample [default: 600]
    #[arg(long, value_name = "N", requires = "harness", value_parser = clap::value_parser!(u32).range(1..))]
    harness_timeout: Option<u32>,
    /// Memory that the program may address, in MiB; no limit where absent
    #[arg(long, value_name = "N", requires = "harness", value_parser = clap::value_parser!(u64).range(16..))]
    harness_memory: Option<u64>,
    /// Programs that run at the same time [default: two for each processor]
    #[arg(long, value_name = "N", requires = "harness", value_parser = clap::value_parser!(u16).range(1..))]
    harness_parallel: Option<u16>,
}

impl HarnessArgs {
    /// The flags that are keys of the configuration.
    pub(crate) fn flags(&self, flags: &mut Flags) {
        if self.harness.is_some() {
            let n = self.harness_parallel.map_or(2 * machine_threads(), usize::from);
            flags.add("--harness-parallel", "training.rollout_concurrency", Some(n));
            flags.add("--harness-parallel", "evaluation.concurrency", Some(n));
        }
    }

    /// Puts the program in the place of the run's environments; their user is there for it to ask. The
    /// server it calls ends with what is returned.
    pub(crate) async fn take_over(&self, run: &mut OnlineRun) -> Outcome<Option<GatewayServer>> {
        let Some(command) = &self.harness else { return Ok(None) };
        let name = run.folder.root().file_name().map(|name| name.to_string_lossy().into_owned());
        let mut harness = Harness::new(command, name.unwrap_or_else(|| "run".to_owned()));
        if let Some(secs) = self.harness_timeout {
            harness.time_limit = Duration::from_secs(u64::from(secs));
        }
        harness.memory_mib = self.harness_memory;
        let server = GatewayServer::start().await.map_err(CliError::failed)?;
        take_over(&mut run.cast, |_, inner| server.environment(harness.clone(), inner));
        Ok(Some(server))
    }
}
